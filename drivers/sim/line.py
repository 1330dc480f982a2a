"""A line with pretend devices on it, as a state machine that is told `now`: bytes in, bytes out on time.

A pty or a socket carries bytes at once; a wire does not. So the line keeps the time of the wire:

    master writes                                    reply begins              its last byte arrives
    |<------- request: bytes * char ------->|<- max(turnaround, gap) ->|<------- bytes * char ------->|

All three times are absolute and anchored at the arrival of the request, so that being woken late makes one
reply late and never the next. Bytes are handed over as a UART does it: when sixteen have come or the line
falls silent. Faults come from `Injector`; outages (unplugged, power cut, a dead device) are set by whoever
plays the world, at once or as a schedule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from drivers.api import LineSettings
from drivers.sim.faults import NO_FAULTS, Faults
from drivers.sim.framing import Asked, Framing, Question, framing_of
from drivers.sim.wired import Wired

CUT_OFF_GAPS: Final = (
    8.0  # silences after which half a request is forgotten; a pty may tear it apart a little
)
CUT_OFF_MIN_S: Final = 0.02


class Slave(Protocol):
    """One pretend device: what a line needs to know of it."""

    address: int
    turnaround_s: float | None  # None: as the line says

    def answer(self, question: Question, now: float) -> bytes | None:
        """Return the reply's pdu, or None if the device keeps silent."""

    def restart(self, off_until: float) -> None:
        """Lose power until then: silent, and after that warming up."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Something that happens to a line by schedule: seconds after its first byte, and for how long."""

    kind: Literal["unplug", "power_cut"]
    at_s: float
    for_s: float


class SimLine(Wired):
    """Pretend devices on one line. Feed `receive`, be back at `next_at`, send what `take` returns."""

    def __init__(
        self,
        settings: LineSettings,
        devices: Sequence[Slave],
        *,
        faults: Faults = NO_FAULTS,
        seed: int = 0,
        paced: bool = True,
        turnaround_s: float = 0.01,
        outages: Sequence[Outage] = (),
    ) -> None:
        on_wire = paced and not settings.port.startswith("tcp://")
        super().__init__(settings, faults=faults, seed=seed, char_s=settings.char_s if on_wire else 0.0)
        self.devices = list(devices)
        self._framing: Framing = framing_of(settings)
        self._gap_s = settings.gap_s if on_wire else 0.0
        self._turnaround_s = turnaround_s if paced else 0.0
        self._cut_off_s = max(CUT_OFF_MIN_S, CUT_OFF_GAPS * self._gap_s)
        self._buffer = bytearray()
        self._heard_at = 0.0  # when the master's last byte was through the wire
        self._schedule = sorted(outages, key=lambda outage: outage.at_s, reverse=True)
        self._born_at: float | None = None
        self._back_at: float | None = None

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the master."""
        self.advance(now)
        if not self.plugged:
            return
        if self._buffer and now - self._heard_at > self._cut_off_s:
            self._buffer.clear()
            self.counts["cut_off"] += 1
        self._heard_at = max(now, self._heard_at) + len(data) * self._char_s
        self._buffer += self._over_the_wire(data, now, self._heard_at)
        while asked := self._framing.find(self._buffer):
            self.counts["requests"] += 1
            self._ask(asked, now)

    def next_at(self) -> float | None:
        """Return when `take` or `advance` has something to do; None: not before `receive`."""
        through_at = self._outgoing.next_at()
        times = [] if through_at is None else [through_at]
        if self._back_at is not None:
            times.append(self._back_at)
        if self._schedule and self._born_at is not None:
            times.append(self._born_at + self._schedule[-1].at_s)
        return min(times, default=None)

    def take(self, now: float) -> bytes:
        """Return the bytes that are through the wire by now."""
        self.advance(now)
        return self._outgoing.take(now)

    def advance(self, now: float) -> None:
        """Let scheduled outages begin and end."""
        if self._born_at is None:
            self._born_at = now
        if self._back_at is not None and now >= self._back_at:
            self._back_at = None
            self.plug()
        while self._schedule and now >= self._born_at + self._schedule[-1].at_s:
            outage = self._schedule.pop()
            end = self._born_at + outage.at_s + outage.for_s
            if outage.kind == "power_cut":
                self.power_cut(end)
            else:
                self.unplug()
                self._back_at = end

    def power_cut(self, until: float) -> None:
        """Take the supply from all devices at once until then."""
        self.counts["power_cut"] += 1
        for device in self.devices:
            device.restart(until)

    def _forget(self) -> None:
        self._buffer.clear()

    def _ask(self, asked: Asked, now: float) -> None:
        """Give a request to whoever has the address: nobody, one device, or two that collide."""
        replies: list[bytes] = []
        turnaround_s = 0.0
        for device in self.devices:
            if asked.address in {device.address, 0}:
                reply = device.answer(asked.question, now)
                if reply is not None and asked.address:
                    replies.append(reply)
                    own = device.turnaround_s
                    turnaround_s = max(turnaround_s, self._turnaround_s if own is None else own)
        if replies:
            self.counts["replies"] += 1
            self._reply(asked, replies, self._heard_at + max(turnaround_s, self._gap_s))

    def _reply(self, asked: Asked, replies: list[bytes], begin: float) -> None:
        fate = self._injector.fate()
        if fate == "silent":
            return
        frames = [asked.frame(*self._injector.forge(fate, asked.address, pdu)) for pdu in replies]
        if len(frames) > 1:
            self.counts["collisions"] += 1
        self._transmit(fate, collide(frames), begin)


def collide(frames: Sequence[bytes]) -> bytes:
    """Return what is heard when several devices answer at once: where either pulls the pair low, it is low.

    The second starts a few bit times after the first, as two crystals do, so even equal frames are garbled.
    """
    heard = frames[0]
    for shift, frame in enumerate(frames[1:], start=1):
        late = (int.from_bytes(frame, "big") >> shift).to_bytes(len(frame), "big")
        longest = max(len(heard), len(late))
        pairs = zip(heard.ljust(longest, b"\xff"), late.ljust(longest, b"\xff"), strict=True)
        heard = bytes(one & other for one, other in pairs)
    return heard
