"""The shell around one line: owns the port, a panel for each peripheral and one timer, and knows who is to answer.

libosdp sends when it is called and has something to say. It is called when a reply is whole, and when the line is free
for the peripheral whose turn it is: first who has a command waiting, then who was polled longest ago (libosdp leaves
each in peace for 50 ms after a reply). A card's way through here takes no longer than the wire and the peripheral
make it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from drivers.api import LineError, LineSettings
from drivers.osdp import frames
from drivers.osdp.events import Event
from drivers.osdp.frames import Frame, Sieve
from drivers.osdp.panel import Panel, PeripheralId, Seat
from drivers.osdp.supervision import PATIENCE_S
from drivers.port_keeper import PortKeeper
from drivers.statistics import Utilisation
from drivers.transport import ByteStream, OpenStream

POLL_EVERY_S: Final = 0.0505  # after a reply; libosdp counts whole milliseconds
AGAIN_S: Final = 0.005  # when libosdp was called a little too early, or waits for something of its own
LOOK_S: Final = 0.5  # the longest sleep
AFTER_MISS_S: Final = 0.012  # until libosdp, too, knows that a reply is missing
REOPEN_AFTER_S: Final = 30.0  # without a reply from anybody: some adapters hang until that is done
REOPEN_MOST_S: Final = 3600.0  # between such tries: each takes a little memory that libosdp never gives back
STUCK_S: Final = 1.5  # libosdp's own pauses are 0.8 s; a longer one is a clock that was set back
GAP_CHARS: Final = 2.0  # silence before a command, in which a peripheral lets go of the line
LEAST_GAP_S: Final = 0.0005  # a timer cannot do less, and the way through here takes as long


class Watcher(Protocol):
    """Whoever is told what happens on the line. Seats are numbered as they were given."""

    def port_changed(self, error: LineError | None, now: float) -> None:
        """The port is open (None), or why it is not."""

    def asked(self, seat: int, code: int, now: float) -> bool:
        """A command is about to be sent; return whether it still may."""

    def replied(self, seat: int, reply: Frame, round_trip_s: float, now: float) -> None:
        """A good reply came; what libosdp makes of it follows."""

    def missed(self, seat: int, *, damaged: bool, now: float) -> bool:
        """No good reply came in time; return whether to stop waiting for it."""

    def linked(self, seat: int, up: bool, now: float) -> None:
        """A peripheral is in secure channel, or no longer."""

    def told(self, seat: int, event: Event, now: float) -> None:
        """A peripheral told something; the event is gone after the call."""

    def done(self, seat: int, acknowledged: bool, now: float) -> None:
        """The command of a seat has come to its end."""

    def due(self, now: float) -> Sequence[int]:
        """Return who is started anew now. Commands may be submitted meanwhile."""

    def urgent(self, seat: int) -> bool:
        """Say whether libosdp has a command for a peripheral."""

    def next_at(self) -> float | None:
        """Return when somebody is due."""

    def working(self) -> bool:
        """Say whether anybody is spoken to at all."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The command whose reply is awaited."""

    seat: int
    at: float


class Line:
    """One line."""

    def __init__(
        self,
        settings: LineSettings,
        seats: Sequence[Seat],
        watcher: Watcher,
        *,
        open_stream: OpenStream,
        clock: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.utilisation = Utilisation(clock())
        self.opened = self.stray_bytes = 0
        self.echo: bool | None = None
        self._seats = tuple(seats)
        self._watcher, self._open_stream, self._clock = watcher, open_stream, clock
        self._sieve = Sieve()
        self._stream: ByteStream | None = None
        self._panels: list[Panel] = []  # by seat, while the port is open
        self._loop: asyncio.AbstractEventLoop  # known once it runs
        self._timer: asyncio.TimerHandle | None = None
        self._asked: _Asked | None = None
        self._sent = b""
        self._heard_at = self._wrote_at = self._silent_since = clock()
        self._patience_s = REOPEN_AFTER_S
        self._poll_at: dict[int, float] = {}
        self._keeper = PortKeeper(settings.port, lambda error: watcher.port_changed(error, clock()))

    @property
    def noise_bytes(self) -> int:
        """How many bytes belonged to no good frame, or to none that was asked for."""
        return self._sieve.noise + self.stray_bytes

    async def run(self) -> None:
        """Keep the port open and the line talking until cancelled."""
        self._loop = asyncio.get_running_loop()
        await self._keeper.run(self._serve)

    def submit(self, seat: int, command: dict[str, object]) -> bool:
        """Queue a command, to be sent when the line is free; False if the peripheral is not up."""
        return bool(self._panels) and self._panels[seat].submit(command)

    def flush(self, seat: int) -> None:
        """Take back what was not sent."""
        if self._panels:
            self._panels[seat].flush()

    def forget_unsent(self) -> None:
        """Open the port anew if a command is still on this side of the wire: it is not to go out later."""
        if self._stream is not None and self._stream.unsent():
            self._keeper.reopen()

    def now(self) -> float:
        """Return the time of the line's clock."""
        return self._clock()

    def kick(self) -> None:
        """Look again at once: something was queued."""
        if self._panels and self._asked is None:
            self._arm(self._clock())

    def identity(self, seat: int) -> PeripheralId | None:
        """Return what a peripheral says it is, None while the port is closed."""
        return self._panels[seat].identity() if self._panels else None

    async def _serve(self) -> LineError | None:
        """Open the port and serve it until it is gone; return why, None if it is only to be opened anew."""
        gone = self._keeper.gone()
        self._sieve.clear()
        self._stream = await self._open_stream(
            self.settings, lambda data: self._keeper.guard(self._on_data, data), self._keeper.lost
        )
        self.opened += 1
        try:
            now = self._clock()
            self._heard_at = self._wrote_at = self._silent_since = now
            self._panels = [self._new_panel(number, seat) for number, seat in enumerate(self._seats)]
            self._poll_at = dict.fromkeys(range(len(self._seats)), now)
            self._watcher.port_changed(None, now)
            if self._panels:
                self._arm(now)
            return await gone
        finally:
            self._stop()

    def _new_panel(self, number: int, seat: Seat) -> Panel:
        watcher, clock = self._watcher, self._clock
        return Panel(
            seat,
            write=lambda data: self._write(number, data),
            on_event=lambda event: watcher.told(number, event, clock()),
            on_link=lambda up: self._linked(number, up),
            on_done=lambda acknowledged: watcher.done(number, acknowledged, clock()),
        )

    def _linked(self, seat: int, up: bool) -> None:
        if not up:
            self._poll_at.pop(seat, None)
        self._watcher.linked(seat, up, self._clock())

    def _stop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        for panel in self._panels:
            panel.close()
        self._panels = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._asked = None
        self._poll_at.clear()

    def _on_data(self, data: bytes) -> None:
        now = self._heard_at = self._clock()
        for frame in self._sieve.feed(data):
            self._take(frame, now)

    def _take(self, frame: bytes, now: float) -> None:
        """Give libosdp the reply it waits for, and nothing else."""
        reply, asked = frames.parse(frame), self._asked
        if frame == self._sent:
            self.echo = True  # an adapter that hears itself
            return
        if asked is None or not reply.reply or self._seats[asked.seat].address != reply.address:
            self.stray_bytes += len(frame)
            return
        if self.echo is None:
            self.echo = False
        self._asked, self._silent_since, self._patience_s = None, now, REOPEN_AFTER_S
        self._keeper.answered()
        self._poll_at[asked.seat] = now + POLL_EVERY_S
        self.utilisation.busy(now - asked.at, now)
        self._watcher.replied(asked.seat, reply, now - asked.at, now)
        self._panels[asked.seat].feed(frame)
        self._go_on(now)

    def _on_timer(self) -> None:
        self._timer = None
        now, asked = self._clock(), self._asked
        if asked is not None and now - asked.at >= PATIENCE_S - 1e-6:
            self._miss(asked, now)
        elif self._panels:
            self._go_on(now)

    def _miss(self, asked: _Asked, now: float) -> None:
        self._asked = None
        damaged = self._sieve.clear() > 0
        self.utilisation.busy(now - asked.at, now)
        if self._watcher.missed(asked.seat, damaged=damaged, now=now):
            self._panels[asked.seat].give_up()
        else:
            self._poll_at[asked.seat] = now + AFTER_MISS_S  # libosdp goes into its pause
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        """Do what is due, and arrange to be back."""
        for seat in self._watcher.due(now):
            self._poll_at[seat] = self._wrote_at = now  # a rest is no standstill
            self._panels[seat].restart()
        turns = [(not self._watcher.urgent(seat), at, seat) for seat, at in self._poll_at.items()]
        for waits, at, seat in sorted(turns):
            if self._asked is not None:
                break
            if not waits or at <= now:
                self._panels[seat].pump()
                if seat in self._poll_at:
                    self._poll_at[seat] = max(self._poll_at[seat], now + AGAIN_S)
        self._settle(now)

    def _settle(self, now: float) -> None:
        """Be back when there is something to do."""
        if self._asked is not None:
            self._arm(self._asked.at + PATIENCE_S)
            return
        if self._watcher.working() and now - self._wrote_at > STUCK_S:
            self._keeper.reopen()
            return
        if now - self._silent_since >= self._patience_s:
            self._patience_s = min(self._patience_s * 2, REOPEN_MOST_S)
            self._keeper.reopen()
            return
        times = [now + LOOK_S, *self._poll_at.values()]
        if (due_at := self._watcher.next_at()) is not None:
            times.append(due_at)
        at = min(times)
        self._arm(max(at, now))

    def _write(self, seat: int, data: bytes) -> None:
        """Send what libosdp has made (a panel calls this)."""
        now = self._wrote_at = self._clock()
        self._sent = data[1:] if data[0] == frames.MARK else data
        command = frames.parse(data)
        self._sieve.clear()
        if not self._watcher.asked(seat, command.code, now):
            self._asked = _Asked(seat, now - PATIENCE_S)  # as if nobody had answered to it
            return
        self._asked = _Asked(seat, now)
        free_at = self._heard_at + GAP_CHARS * self.settings.char_s
        if free_at - now < LEAST_GAP_S:
            self._send(self._stream, data)
        else:
            self._loop.call_at(free_at, self._keeper.guard, self._send, self._stream, data)

    def _send(self, stream: ByteStream | None, data: bytes) -> None:
        if stream is not None and stream is self._stream:
            stream.write(data)

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._keeper.guard, self._on_timer)
