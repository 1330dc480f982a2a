"""One peripheral behind libosdp, on our event loop: frames in, frames out, events and completions by callback.

Its Python wrapper (package `osdp`) is passed by: its thread sleeps 20 ms between the two to five steps each exchange
needs, and it keeps every event, cards included, in queues nobody empties. The extension beneath it never blocks and
holds the GIL all the time, so a thread of its own would gain nothing: `pump` calls it until it has nothing to do.

Each peripheral has a control panel of its own, though libosdp would take a whole line: then it would go round the
peripherals by turns, whoever waits at a door. So the line decides whose turn it is (line.py).

What is odd about libosdp 3.2.9, and is met here or in line.py:

- After a refusal, a damaged reply or eight lost ones it leaves a peripheral alone for 300 s. `restart` (disable,
  then enable) brings it back at once, but only while it does not wait for a reply or between two tries; `give_up`
  ends a wait by handing it a reply that cannot be right.
- Commands it has taken stay in its queue while a peripheral is away, and go out when it is back: `flush` them.
- It reads the time of day. When that is set back, it waits until it has caught up: make a new panel.
- Its binding never lets go of the dicts it makes for events: they are emptied, and released here.
- An output's timer is cut to eight bits: see wire.MOST_TIMED_S.
"""

import ctypes
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import osdp_sys

from drivers.osdp import frames
from drivers.osdp.events import NOTIFICATION, PERIPHERAL_STATUS, Event

MOST_ROUNDS: Final = 16  # of a pump; it needs five
ONLY: Final = 0  # libosdp's number of the one peripheral
QUIET_ROUNDS: Final = 3  # in a row, after which nothing more is to come: enabled, ready, and then it sends
ANY_IDENTITY: Final = {
    "version": 0, "model": 0, "vendor_code": 0, "serial_number": 0, "firmware_version": 0
}  # fmt: skip
LAST_CAPABILITY: Final = 16


@dataclass(frozen=True, slots=True)
class Seat:
    """A peripheral's place on the line, and its key. `secure`: never spoken to in plain."""

    address: int
    key: bytes | None = field(repr=False)
    secure: bool = True


@dataclass(frozen=True, slots=True)
class PeripheralId:
    """What a peripheral says it is."""

    vendor: int
    model: int
    version: int
    serial: int
    firmware: int
    capabilities: Mapping[int, tuple[int, int]]  # function -> (level, number)


class Panel:
    """One peripheral, as seen from here. All callbacks come out of `pump`.

    `write` gets whole frames. `on_event` gets what it told; `on_link` whether it is up; `on_done` whether the command
    it was given was acknowledged.
    """

    _keeps_events: ClassVar[bool | None] = None  # whether this libosdp forgets its dicts; None: not known yet

    def __init__(
        self,
        seat: Seat,
        *,
        write: Callable[[bytes], None],
        on_event: Callable[[Event], None],
        on_link: Callable[[bool], None],
        on_done: Callable[[bool], None],
    ) -> None:
        self._write, self._on_event, self._on_link, self._on_done = write, on_event, on_link, on_done
        self._address = seat.address
        self._incoming = b""
        self._activity = 0
        self._mistake: BaseException | None = None
        self._restarting = False  # disabled, or about to be
        self._marked: weakref.ref[_Mark] | None = None
        self._channel = _Channel(self)
        osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)
        self._context = osdp_sys.ControlPanel([self._info(seat)])
        self._context.set_event_callback(self._event)
        self._context.set_command_completion_callback(self._done)

    def pump(self) -> None:
        """Let libosdp take what has come and send what it wants to."""
        quiet = 0
        for _ in range(MOST_ROUNDS):
            before = self._activity
            self._context.refresh()
            if self._marked is not None:
                Panel._keeps_events, self._marked = self._marked() is not None, None
            if self._mistake is not None:
                mistake, self._mistake = self._mistake, None
                raise mistake
            if self._restarting and not self._context.is_pd_enabled(ONLY):
                self._context.enable_pd(ONLY)
                self._restarting = False
                self._activity += 1
            quiet = quiet + 1 if before == self._activity else 0
            if quiet >= QUIET_ROUNDS:
                return

    def feed(self, frame: bytes) -> None:
        """Hand over one whole frame, the answer to the one just written."""
        self._incoming = frame
        self.pump()
        self._incoming = b""

    def submit(self, command: Mapping[str, object]) -> bool:
        """Queue a command; False if the peripheral is not up."""
        taken: bool = self._context.submit_command(ONLY, dict(command))
        return taken

    def flush(self) -> None:
        """Take back what was not sent; it is told as not done."""
        self._context.flush_commands(ONLY)

    def restart(self) -> None:
        """Begin anew with a peripheral that is down, at the next `pump`: identity, capabilities, secure channel."""
        self._restarting = bool(self._context.disable_pd(ONLY)) or self._restarting

    def give_up(self) -> None:
        """End the wait for a reply; the peripheral is told as down."""
        self.feed(frames.damaged_reply(self._address))

    def identity(self) -> PeripheralId:
        """Return what a peripheral that is or was up says of itself."""
        told = self._context.get_pd_id(ONLY)
        capabilities = {
            function: self._context.check_capability(ONLY, function)
            for function in range(1, LAST_CAPABILITY + 1)
        }
        return PeripheralId(
            vendor=told["vendor_code"] & 0xFFFFFF,
            model=told["model"],
            version=told["version"],
            serial=told["serial_number"] & 0xFFFFFFFF,
            firmware=told["firmware_version"] & 0xFFFFFF,
            capabilities={function: found for function, found in capabilities.items() if any(found)},
        )

    def close(self) -> None:
        """Give libosdp back what it holds; the panel is not to be used any more."""
        if self._context is not None:
            self._context.flush_commands(ONLY)
            self._context.set_event_callback(_nothing)
            self._context.set_command_completion_callback(_nothing)
            self._context = None
        self._channel.panel = None  # the binding keeps the channel for ever

    def read(self, most: int) -> bytes:
        """Give libosdp what has come (the channel calls this)."""
        data, self._incoming = self._incoming[:most], self._incoming[most:]
        self._activity += bool(data)
        return data

    def write(self, data: bytes) -> None:
        """Take what libosdp wants to send (the channel calls this)."""
        self._activity += 1
        self._incoming = b""  # what is left answers something else
        try:
            self._write(data)
        except Exception as error:  # noqa: BLE001  # nothing may rise through C; `pump` raises it
            self._mistake = error

    def _info(self, seat: Seat) -> dict[str, Any]:
        flags = osdp_sys.FLAG_ENABLE_NOTIFICATION | osdp_sys.FLAG_IGN_UNSOLICITED
        return {
            "name": f"pd-{seat.address}",
            "address": seat.address,
            "flags": flags | (osdp_sys.FLAG_ENFORCE_SECURE if seat.secure else 0),
            "scbk": seat.key,
            "channel": self._channel,
            **ANY_IDENTITY,
        }

    def _event(self, _seat: int, event: dict[str, object]) -> int:
        self._activity += 1
        try:
            if event["event"] != NOTIFICATION:
                self._on_event(event)
            elif event["type"] == PERIPHERAL_STATUS and not self._restarting:
                self._on_link(bool(event["arg0"]))
        except Exception as error:  # noqa: BLE001  # as above
            self._mistake = error
        finally:
            self._release(event)
        return 0

    def _release(self, event: dict[str, object]) -> None:
        """Let go of an event, and of what is secret in it. The first one shows whether libosdp would do so."""
        event.clear()
        if Panel._keeps_events:
            _let_go(event)
        elif Panel._keeps_events is None and self._marked is None:
            event["mark"] = mark = _Mark()
            self._marked = weakref.ref(mark)

    def _done(self, _seat: int, _command: dict[str, object], status: int) -> None:
        self._activity += 1
        try:
            self._on_done(status == osdp_sys.COMPLETION_OK)
        except Exception as error:  # noqa: BLE001  # as above
            self._mistake = error


class _Channel:
    """What libosdp reads from and writes to."""

    id = 0

    def __init__(self, panel: Panel) -> None:
        self.panel: Panel | None = panel

    def read(self, most: int) -> bytes:
        return self.panel.read(most) if self.panel is not None else b""

    def write(self, data: bytes) -> int:
        if self.panel is not None:
            self.panel.write(data)
        return len(data)

    def flush(self) -> None:
        return


class _Mark:
    """Something to be found again, or not."""

    __slots__ = ("__weakref__",)


def _let_go(event: dict[str, object]) -> None:
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(event))


def _nothing(*_: object) -> int:
    return 0
