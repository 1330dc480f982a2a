"""Detection: every condition of every device, found by the point a reading is of.

The readings of all lines come through here, so a reading that changes nothing costs a look into one dict. A rule
on several points is one guard: true while one of its points is, normal when all of them are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from drivers.api import Quality
from gateway.core.alerts import is_active
from gateway.core.conditions import Condition, Finding
from gateway.core.counting import Counter
from gateway.core.events import AlertBody, ReadingBody
from gateway.core.rules import Deviates, Moved, Rule, Watched

Baselines = Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """One rule on one device. `key` is that of its alert."""

    device: Watched
    rule: Rule
    key: str
    conditions: tuple[Condition, ...]

    @property
    def active(self) -> bool:
        """Return whether one of its points is in alarm."""
        return any(condition.active for condition in self.conditions)

    @property
    def urgent(self) -> bool:
        """Return whether one of its points is past the urgent limit."""
        return any(condition.urgent for condition in self.conditions)

    @property
    def counts(self) -> bool:
        """Return whether it is on a counter, which is never active: what moved it is past."""
        return isinstance(self.rule.test, Moved)


@dataclass(frozen=True, slots=True)
class Result:
    """What a reading brought, for a whole guard."""

    finding: Finding
    condition: Condition
    guard: Guard


class _Watch:
    """What a point is looked at for."""

    __slots__ = ("excuses", "holds", "judges", "quiets")

    def __init__(self) -> None:
        self.judges: list[tuple[Condition, Guard]] = []
        self.quiets: list[Condition] = []
        self.holds: list[Condition] = []
        self.excuses: list[Condition] = []


class Detection:
    """All conditions. `baselines` is what was commissioned before, `standing` the alerts that are not over by key.

    `counts` is where counters stood when they were last told of, `ended` the time of day at which the gateway's last
    run was last known to look; 0: nobody knows.
    """

    def __init__(
        self,
        devices: Iterable[Watched],
        *,
        baselines: Baselines,
        standing: Mapping[str, AlertBody],
        counts: Baselines | None = None,
        ended: float = 0.0,
    ) -> None:
        self.guards: dict[str, Guard] = {}
        self._watches: dict[tuple[str, str], _Watch] = {}
        self._due: dict[Condition, tuple[float, str]] = {}
        self._shown: dict[tuple[str, str], ReadingBody | None] = {}
        self._configured = {(each.name, point) for each in devices for point in each.baseline}
        for device in devices:
            for rule in device.rules:
                key = f"{device.name}/{rule.name}"
                if isinstance(rule.test, Moved):
                    guard = _counter(device, rule, key, counts or {}, ended)
                else:
                    guard = _guard(device, rule, key, baselines, standing.get(key))
                self.guards[key] = guard
                self._index(guard)
                if rule.shows:
                    self._shown[device.name, rule.shows] = None

    def read(self, body: ReadingBody, wall: float) -> Sequence[Result]:
        """Take a reading; `wall` is its time of day. One that is not good says nothing, ever."""
        key = (body.device, body.point)
        if key in self._shown:
            self._shown[key] = body
        watch = self._watches.get(key)
        if watch is None:
            return ()
        if body.quality is not Quality.GOOD or body.value is None:
            for condition, _ in watch.judges:
                condition.lose(body.at)
            for condition in watch.quiets:
                condition.doubt(body.point)
            return ()
        for condition in watch.quiets:
            condition.suppress(body.point, bool(body.value))
        for condition in watch.holds:
            condition.hold(body.point, bool(body.value))
        if watch.excuses and body.value:
            for condition in watch.excuses:
                condition.excuse(body.at)
        results: list[Result] = []
        for condition, guard in watch.judges:
            finding = condition.read(body.value, body.at, wall)
            if finding is not None:
                self._note(condition, guard)
                results += _of_guard(Result(finding, condition, guard))
        return results

    def shown(self, guard: Guard) -> ReadingBody | None:
        """Return the last reading of the point a rule shows instead of its own; None where it shows its own."""
        return self._shown.get((guard.device.name, guard.rule.shows)) if guard.rule.shows else None

    def excuse(self, device: str, at: float) -> None:
        """A granted command: the doors of this device may open lawfully now."""
        for guard in self.guards.values():
            if guard.device.name == device and guard.rule.excused_by:
                for condition in guard.conditions:
                    condition.excuse(at)

    def rest(self, device: str, point: str, value: float) -> None:
        """A point was commissioned; what the configuration says of it stands above that."""
        watch = self._watches.get((device, point))
        if watch is not None and (device, point) not in self._configured:
            for condition, guard in watch.judges:
                if isinstance(guard.rule.test, Deviates):
                    condition.baseline = value

    def due(self, now: float) -> list[tuple[str, str]]:
        """Return the (device, point) that must be read again now, and forget them until then."""
        ready = [condition for condition, (at, _) in self._due.items() if at <= now]
        again = []
        for condition in ready:
            _, device = self._due.pop(condition)
            if condition.look_at is not None:
                condition.look_at = None
                again.append((device, condition.point))
        return again

    def next_due(self) -> float | None:
        """Return when `due` has something, in monotonic seconds."""
        return min((at for at, _ in self._due.values()), default=None)

    def _note(self, condition: Condition, guard: Guard) -> None:
        if condition.look_at is None:
            self._due.pop(condition, None)
        else:
            self._due[condition] = (condition.look_at, guard.device.name)

    def _index(self, guard: Guard) -> None:
        for condition in guard.conditions:
            self._watch(guard, condition.point).judges.append((condition, guard))
            for point in guard.rule.unless:
                self._watch(guard, point).quiets.append(condition)
            for point in guard.rule.begins_unless:
                self._watch(guard, point).holds.append(condition)
            for point in guard.rule.excused_by:
                self._watch(guard, point).excuses.append(condition)

    def _watch(self, guard: Guard, point: str) -> _Watch:
        return self._watches.setdefault((guard.device.name, point), _Watch())


def _counter(device: Watched, rule: Rule, key: str, counts: Baselines, ended: float) -> Guard:
    """Return a guard of a counter."""
    known = counts.get((device.name, rule.points[0]))
    return Guard(device, rule, key, (Counter(rule, rule.points[0], known=known, ended=ended),))


def _guard(device: Watched, rule: Rule, key: str, baselines: Baselines, alert: AlertBody | None) -> Guard:
    """Return a guard; one whose alert stands is in alarm until its points are read normal."""
    active = alert is not None and is_active(alert.state)
    urgent = alert is not None and bool(rule.kind.urgent) and alert.kind == rule.kind.urgent
    conditions = []
    for point in rule.points:
        rest = device.baseline.get(point, baselines.get((device.name, point)))
        baseline = rest if isinstance(rule.test, Deviates) else None
        conditions.append(Condition(rule, point, baseline=baseline, active=active, urgent=active and urgent))
    return Guard(device, rule, key, tuple(conditions))


def _of_guard(result: Result) -> Iterable[Result]:
    """Yield what a finding of one point means for the rule: its first is found, its last is gone."""
    others = [each for each in result.guard.conditions if each is not result.condition]
    finding = result.finding
    if finding is Finding.GONE and any(each.active for each in others):
        return
    if finding is Finding.WORSE and any(each.urgent for each in others):
        return
    if finding is Finding.FOUND and any(each.active for each in others):
        if result.condition.urgent and not any(each.urgent for each in others):
            yield Result(Finding.WORSE, result.condition, result.guard)
        return
    yield result
