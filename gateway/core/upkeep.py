"""What the gateway itself knows of its devices' upkeep: when it was first seen, and last seen to alarm. Pure.

A detector is tested when it alarms in its own test mode; when it alarms while somebody has a test round open for its
place, and then the alarm is real and goes everywhere, for nobody can tell a fire in a round from a test; or by its
self-test. One test is counted once an hour, so that a detector that smokes for minutes is one. A unit that takes the
place of another was never tested.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from drivers.api import Quality
from gateway.core.events import (
    AlertBody,
    Body,
    Change,
    Event,
    LinkBody,
    OutcomeBody,
    ReadingBody,
    RoundBody,
)
from gateway.core.kinds import Kinds
from gateway.core.places import within
from gateway.core.rules import Level, Rule, Watched
from gateway.core.units import Units
from gateway.core.upkeep_bodies import CheckedBody, ProvedBody, SeenBody, UnitBody

ONCE_S: Final = 3_600.0
TEST_KIND: Final = "device.test"
SELF_TESTS: Final = frozenset({"self_test", "test"})
How = Literal["test_mode", "alarm", "self_test"]


@dataclass(frozen=True, slots=True)
class Proof:
    """When a device was last seen to alarm in a test, wall seconds; how, and by whom."""

    at: float
    how: str
    by: str


@dataclass(slots=True)
class _Known:
    """What is known of one device: the rules by which it alarms, by point; the points that say that it is tested."""

    fires: Mapping[str, Rule]
    tests: frozenset[str]
    first_seen: float | None = None
    seen_as: str = ""
    tested: Proof | None = None
    in_test: set[str] = field(default_factory=set)


class Upkeep:
    """Folds the stream to what is known; `restore` is what was told before. `follow` returns what is to be told."""

    def __init__(self, devices: Mapping[str, Watched], kinds: Kinds, restore: Iterable[Event] = ()) -> None:
        self._devices, self._kinds = devices, kinds
        self._known = {name: _known(device) for name, device in devices.items()}
        self.round: RoundBody | None = None
        self.units = Units()
        self.done: dict[str, Proof] = {}  # by task of the calendar; `how` is the note
        for event in restore:
            self._remember(event)

    def points(self) -> frozenset[tuple[str, str]]:
        """Return the (device, point) whose readings it has use for: those of devices with a test of their own."""
        return frozenset(
            (name, point)
            for name, known in self._known.items()
            if known.tests
            for point in (*known.tests, *known.fires)
        )

    def follow(self, event: Event) -> Iterable[Body]:
        """Take one event; return what it says of upkeep that nobody has said yet."""
        match event.body:
            case ReadingBody() as body:
                return self._read(body, event.time)
            case LinkBody(what="device", name=name, up=True):
                return self._seen(name)
            case AlertBody(change=Change.RAISED) as body:
                return self._alarm(body, event.time)
            case OutcomeBody(device=device, action=action, result="done", origin=by) if action in SELF_TESTS:
                return self._tested(device, "self_test", by, event.time)
            case SeenBody() | ProvedBody() | RoundBody() | UnitBody() | CheckedBody():
                self._remember(event)
        return ()

    def first_seen(self, device: str) -> float | None:
        """Return when a device first answered as the product it is; None: never yet."""
        known = self._known[device]
        return known.first_seen if known.seen_as == self._devices[device].profile else None

    def last_test(self, device: str) -> Proof | None:
        """Return when a device was last seen to alarm in a test; None: never."""
        return self._known[device].tested

    def alarms(self, device: str) -> bool:
        """Return whether it is a detector: something that alarms of fire or gas."""
        return bool(self._known[device].fires)

    def _remember(self, event: Event) -> None:
        match event.body:
            case SeenBody(device=device, profile=profile) if device in self._known:
                self._known[device].first_seen, self._known[device].seen_as = event.time, profile
            case ProvedBody(device=device, how=how, by=by) if device in self._known:
                self._known[device].tested = Proof(event.time, how, by)
            case UnitBody(device=device) as body if device in self._known:
                self.units.follow(body, event.time)
                if body.replaced:  # nobody has seen this one alarm
                    self._known[device].tested, self._known[device].first_seen = None, event.time
            case CheckedBody(task=task, by=by, note=note):
                self.done[task] = Proof(event.time, note, by)
            case RoundBody() as body:
                self.round = body if body.begun else None

    def _read(self, body: ReadingBody, wall: float) -> Iterable[Body]:
        known = self._known.get(body.device)
        if known is None or body.quality is not Quality.GOOD or body.value is None:
            return ()
        if body.point in known.tests:
            (known.in_test.add if body.value else known.in_test.discard)(body.point)
        rule = known.fires.get(body.point)
        if rule is None or not known.in_test:
            return ()
        if rule.test.level(body.value, active=False, baseline=None) is Level.NORMAL:
            return ()
        return self._tested(body.device, "test_mode", "" if self.round is None else self.round.by, wall)

    def _alarm(self, body: AlertBody, wall: float) -> Iterable[Body]:
        standing = self.round
        kind = self._kinds.by_name.get(body.kind)
        if standing is None or kind is None or not kind.fire or body.device is None:
            return ()
        here = wall < standing.until and within(body.place, standing.place)
        return self._tested(body.device, "alarm", standing.by, wall) if here else ()

    def _seen(self, device: str) -> Iterable[Body]:
        known = self._known.get(device)
        if known is None or known.seen_as == self._devices[device].profile:
            return ()
        known.seen_as = self._devices[device].profile  # said once, also before it comes back to us
        return (SeenBody(device, known.seen_as),)

    def _tested(self, device: str, how: How, by: str, wall: float) -> Iterable[Body]:
        known = self._known.get(device)
        if known is None or (known.tested is not None and 0 <= wall - known.tested.at < ONCE_S):
            return ()
        known.tested = Proof(wall, how, by)
        return (ProvedBody(device, how, by),)


def _known(device: Watched) -> _Known:
    fires = {point: rule for rule in device.rules if rule.kind.fire for point in rule.points}
    tests = {point for rule in device.rules if rule.kind.name == TEST_KIND for point in rule.points}
    return _Known(fires, frozenset(tests))
