"""Pretend devices that speak in frames, and their line, as a state machine that is told `now`: see drivers/sim/line.py.

A device plays any product its profile describes, by the very codec the driver uses: it answers what the profile asks,
and one that speaks by itself tells each of its frames once in the interval of the points in it, at once when what it
measures changes, and its heartbeat.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from drivers.api import FrameError, LineSettings, Profile, Value
from drivers.framed.codec import Frame, decode, encode
from drivers.framed.layout import Data
from drivers.framed.values import Field
from drivers.framed.values import decode as value_of
from drivers.framed.values import encode as write_value
from drivers.framed.wire import FramedWire, Request
from drivers.sim.faults import NO_FAULTS, Faults
from drivers.sim.thing import ChangeTo
from drivers.sim.wired import Wired

STEP_S: Final = 0.1  # within which a change is told
HEARTBEAT_DATA: Final = b"\x0f"


class SimUnit:
    """One product: `set` what it measures. `alive` False is a dead one; `frozen` one whose values never move again."""

    def __init__(self, profile: Profile, address: int | None = None, *, name: str = "") -> None:
        assert isinstance(profile.wire, FramedWire)
        self.profile, self.wire = profile, profile.wire
        self.address = profile.wire.address if address is None else address
        self.name = name or f"{profile.name}-{self.address}"
        self.alive, self.frozen = True, False
        self.on_change: ChangeTo = lambda _device, _point, _value: None
        self._fields = {point.name: _field(point.wire) for point in profile.points}
        self._shown: dict[str, Value | None] = {}
        self._meanwhile: dict[str, Value | None] = {}  # what it would show, were it not frozen
        self._tell_at: dict[int, float] = {}
        if profile.wire.heartbeat_s:
            self._tell_at = dict.fromkeys(self._told_types(), 0.0)

    @property
    def points(self) -> tuple[str, ...]:
        """The names of its points."""
        return tuple(self._fields)

    def set(self, point: str, value: Value | None) -> None:
        """Let it measure this; KeyError for an unknown point, ValueError for what its frames cannot carry."""
        field = self._fields[point]
        write_value(field, value, bytearray())
        if self.frozen:
            self._meanwhile[point] = value
            return
        for name in [name for name in self._shown if _overlap(self._fields[name], field)]:
            del self._shown[name]
        self._shown[point] = value
        self.on_change(self.name, point, value)
        for frame_type in self._tell_at:
            if field.stands_in(frame_type):
                self._tell_at[frame_type] = 0.0

    def get(self, point: str) -> Value | None:
        """Return what it shows for a point; KeyError for an unknown one."""
        field = self._fields[point]
        return value_of(field, self._data(field.frames[0] if field.frames else 0))

    def advance(self, now: float) -> None:
        """Let time pass, which changes nothing: it shows what was set."""

    def answer(self, request: Request) -> bytes | None:
        """Return the frame that answers a question; None if it keeps silent."""
        if not self.alive:
            return None
        return self._frame(request.answers[0] if request.answers else request.type)

    def next_at(self) -> float | None:
        """Return when it speaks next by itself; None: never."""
        return min(self._tell_at.values(), default=None)

    def speak(self, now: float) -> Iterator[bytes]:
        """Yield what it says by itself by now."""
        for frame_type, at in self._tell_at.items():
            if at <= now:
                self._tell_at[frame_type] = now + self._every_s(frame_type)
                if self.alive:
                    yield self._frame(frame_type)

    def _told_types(self) -> list[int]:
        types = [field.frames[0] if field.frames else 0 for field in self._fields.values()]
        beat = [] if self.wire.heartbeat is None else [self.wire.heartbeat]
        return list(dict.fromkeys((*types, *beat)))

    def _every_s(self, frame_type: int) -> float:
        """Return how often a frame is told; the heartbeat, which has no points, as often as the profile says."""
        intervals = (p.interval_s for p in self.profile.points if _field(p.wire).stands_in(frame_type))
        return min(intervals, default=self.wire.heartbeat_s)

    def _frame(self, frame_type: int) -> bytes:
        return encode(self.wire.layout, Frame(frame_type, self._data(frame_type), self.address))

    def _data(self, frame_type: int) -> bytes:
        while self._meanwhile and not self.frozen:
            self.set(*self._meanwhile.popitem())
        size = next(part.size for part in self.wire.layout.parts if isinstance(part, Data))
        data = bytearray(size or 0)
        mine = [(name, field) for name, field in self._fields.items() if field.stands_in(frame_type)]
        for name, field in sorted(mine, key=lambda each: each[0] in self._shown):  # what was set goes on top
            if name in self._shown or not field.equals:
                write_value(field, self._shown.get(name, field.minimum or 0), data)
            else:
                data.extend(bytes(max(0, field.at + field.size - len(data))))
        return bytes(data) if mine else HEARTBEAT_DATA


class FramedLine(Wired):
    """Units on one line; serve it on a port with PtyLine, TcpLine or MemoryLine."""

    def __init__(
        self,
        settings: LineSettings,
        units: Sequence[SimUnit],
        *,
        faults: Faults = NO_FAULTS,
        seed: int = 0,
        turnaround_s: float = 0.01,
    ) -> None:
        super().__init__(settings, faults=faults, seed=seed, char_s=settings.char_s)
        self.units = list(units)
        self._turnaround_s = turnaround_s
        self._buffer = bytearray()
        self._now = self._dark_until = 0.0

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the master."""
        self._advance(now)
        if not self.plugged:
            return
        heard_at = now + len(data) * self._char_s
        self._buffer += self._over_the_wire(data, now, heard_at)
        for unit, request in self._asked():
            self.counts["requests"] += 1
            if now >= self._dark_until and (answer := unit.answer(request)) is not None:
                self._answer(answer, heard_at + self._turnaround_s)

    def next_at(self) -> float | None:
        """Return when `take` has something to do; None: not before `receive`."""
        through_at = self._outgoing.next_at()
        times = [] if through_at is None else [through_at]
        told = [at for unit in self.units if (at := unit.next_at()) is not None]
        if told:
            times.append(min(max(self._now, min(told)), self._now + STEP_S))
        return min(times, default=None)

    def take(self, now: float) -> bytes:
        """Return the bytes that are through the wire by now."""
        self._advance(now)
        return self._outgoing.take(now)

    def power_cut(self, until: float) -> None:
        """Take the supply from all units at once until then."""
        self.counts["power_cut"] += 1
        self._dark_until = until

    def _forget(self) -> None:
        self._buffer.clear()

    def _advance(self, now: float) -> None:
        self._now = now
        for unit in self.units:
            for frame in unit.speak(now):
                if self.plugged and now >= self._dark_until:
                    self.counts["told"] += 1
                    self._answer(frame, now)

    def _asked(self) -> Iterator[tuple[SimUnit, Request]]:
        """Yield who is asked what, and eat it."""
        for unit in self.units:
            for request in unit.wire.requests:
                if request.plain and self._buffer.startswith(request.plain):
                    del self._buffer[: len(request.plain)]
                    yield unit, request
        while (frame := self._heard()) is not None:
            for unit in self.units:
                for request in unit.wire.requests:
                    layout = unit.wire.layout
                    if encode(layout, frame) == request.bytes_to(layout, unit.address):
                        yield unit, request

    def _heard(self) -> Frame | None:
        while True:
            try:
                return decode(self.units[0].wire.layout, self._buffer)
            except FrameError:
                self.counts["not_understood"] += 1


def _overlap(one: Field, other: Field) -> bool:
    """Say whether two points share bytes of a frame."""
    same = one.frames[:1] == other.frames[:1]
    return same and one.at < other.at + other.size and other.at < one.at + one.size


def _field(wire: object) -> Field:
    assert isinstance(wire, Field)
    return wire
