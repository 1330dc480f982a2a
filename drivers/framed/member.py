"""One device on a line of frames: what it is asked, and what is known of it."""

from typing import Final

from drivers.api import Device, Point, Priority, Value
from drivers.bus import Job
from drivers.framed.values import Field
from drivers.framed.wire import FramedWire, Freeze, Request
from drivers.statistics import Counters

BEATS_MISSED: Final = 2.5  # so many heartbeats may be late or lost before a device counts as silent


class Ask(Job):
    """A question in the line's queue, asked as often as the points in its answer want."""

    __slots__ = ("ever_answered", "first_failed_at", "member", "points", "request", "sent")

    def __init__(self, member: "Member", request: Request, points: tuple[Point, ...]) -> None:
        priority = min((point.priority for point in points), default=Priority.TELEMETRY)
        interval_s = min((point.interval_s for point in points), default=10.0)
        super().__init__(member.number, priority, interval_s)
        self.member, self.request, self.points = member, request, points
        self.sent = request.bytes_to(member.layout, member.device.address)
        self.ever_answered = False
        self.first_failed_at = 0.0


class Known:
    """What is known of one point: its last value, when it came, when it was told, whether somebody wants it again."""

    __slots__ = ("field", "heard_at", "hurried", "point", "told", "told_at", "value")

    def __init__(self, point: Point) -> None:
        assert isinstance(point.wire, Field)
        self.point, self.field = point, point.wire
        self.value: Value | None = None
        self.told: Value | None = None
        self.heard_at = self.told_at = float("-inf")
        self.hurried = False


class Member:
    """A device, numbered by its place on the line."""

    __slots__ = (
        "asks", "beat_at", "beat_value", "counters", "device", "failed_probes", "fire", "freeze", "heard_at", "known",
        "layout", "number", "ready_at", "silent_s", "suspended", "warm_at",
    )  # fmt: skip

    def __init__(self, number: int, device: Device, now: float) -> None:
        wire = device.profile.wire
        assert isinstance(wire, FramedWire)
        self.number, self.device, self.layout = number, device, wire.layout
        self.counters = Counters()
        self.known = {point.name: Known(point) for point in device.profile.points}
        self.asks = [Ask(self, request, self._answering(request)) for request in wire.requests]
        self.silent_s = wire.heartbeat_s * BEATS_MISSED  # 0: it only answers, and is silent when it does not
        self.heard_at = self.ready_at = self.warm_at = self.beat_at = now
        self.fire = any(point.priority is Priority.FIRE for point in device.profile.points)
        self.suspended = False  # silent: only probed
        self.failed_probes = 0
        self.freeze: Freeze | None = wire.freeze
        self.beat_value: Value | None = None

    def ask_for(self, point: str) -> Ask | None:
        """Return the question whose answer has a point."""
        return next((ask for ask in self.asks if any(each.name == point for each in ask.points)), None)

    def silent_at(self) -> float | None:
        """Return when it counts as silent if it says nothing; None: only its missing answers show that."""
        return self.heard_at + self.silent_s if self.silent_s else None

    def _answering(self, request: Request) -> tuple[Point, ...]:
        return tuple(
            known.point
            for known in self.known.values()
            if not request.answers or not known.field.frames or set(known.field.frames) & set(request.answers)
        )
