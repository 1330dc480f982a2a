"""Counters of now and trends of days for whoever asks, worked out once in some seconds for all who see the same."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import msgspec

from gateway.core.events import Place, Words
from gateway.core.installed import Asset
from gateway.core.texts import Subject, where
from gateway.desk.registry.keeping import Registry
from gateway.desk.registry.telling import HOUR, morning
from gateway.desk.store import figures, gateways
from gateway.desk.store.database import Database, Row
from gateway.desk.web.facts import FRESH_S, Fact, Facts
from gateway.desk.web.permissions import reaches
from gateway.desk.web.shapes import SEVERITIES, Alert
from gateway.desk.web.showing import Showing
from gateway.desk.workflow import CLOSED, State

DAY_S: Final = 86_400
MOST_KEPT: Final = 200
MOST_KINDS: Final = 100
NUISANCES: Final = 10
ALL: Final = -1


class Counters(msgspec.Struct, frozen=True):
    """How things stand now. `open` by severity; `undelivered`: pages of the last day that no channel took."""

    open: dict[str, int]
    unacknowledged: int
    gateways: int
    gateways_quiet: int
    undelivered: int
    devices: int
    devices_offline: int
    devices_due: int
    devices_gone: int


class Day(msgspec.Struct, frozen=True):
    """The alerts that began on one day, by family (fire, door) and by severity."""

    day: str
    total: int
    families: dict[str, int]
    severities: dict[str, int]


class Wait(msgspec.Struct, frozen=True):
    """How long it took, seconds; `severity` 'all': all together."""

    severity: str
    count: int
    median: float
    p95: float


class Falsehood(msgspec.Struct, frozen=True):
    """How many alerts of a kind that were closed were false; tests are neither false nor real."""

    kind: str
    closed: int
    untrue: int
    tests: int
    share: float


class Nuisance(msgspec.Struct, frozen=True):
    """A device that cries wolf. `share`: of its alerts that were closed, as false."""

    gateway: str
    device: str
    place: Place
    where: Words
    alerts: int
    untrue: int
    share: float


class Statistics(msgspec.Struct, frozen=True):
    """Counters of `at`, and what the last `days` days were like; not `complete`: of the oldest there is too much."""

    at: float
    days: int
    complete: bool
    now: Counters
    per_day: tuple[Day, ...]
    acknowledged: tuple[Wait, ...]
    resolved: tuple[Wait, ...]
    false_alarms: tuple[Falsehood, ...]
    nuisances: tuple[Nuisance, ...]


@dataclass(slots=True)
class Figures:
    """Works figures out, one question at a time, and keeps each for some seconds. `clock` is monotonic."""

    database: Database
    showing: Showing
    registry: Registry
    clock: Callable[[], float]
    facts: Facts = field(init=False)
    _kept: dict[tuple[tuple[Place, ...], int], tuple[float, Statistics]] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Have facts over the same database."""
        self.facts = Facts(self.database, self.clock)

    async def of(self, places: tuple[Place, ...], days: int, now: float) -> Statistics:
        """Return the figures of these places."""
        async with self._turn:
            until, kept = self._kept.get((places, days), (0.0, None))
            if kept is not None and self.clock() < until:
                return kept
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            made = await self._count(places, days, now)
            self._kept[places, days] = (self.clock() + FRESH_S, made)
            return made

    async def _count(self, places: tuple[Place, ...], days: int, now: float) -> Statistics:
        spans = spans_of(now, max(days, 2))
        devices = [each for each in await self.registry.everything() if reaches(places, each.facts.place)]
        by_day = {
            name: [fact for fact in found if reaches(places, fact.place)]
            for name, found in (await self.facts.of(spans)).items()
        }
        recent = {fact.incident for name, _, _ in spans[-2:] for fact in by_day.get(name, ())}
        async with self.database.transaction() as transaction:
            rows = await gateways.everyone(transaction)
            undelivered = await figures.undelivered(transaction, sorted(recent))
        known = [row for row in rows if reaches(places, _place(row["place"]))]
        shown = [name for name, _, _ in spans[-days:]]
        found = [fact for name in shown for fact in by_day.get(name, ())]
        opened = self.showing.open_in(places)
        return Statistics(
            at=now,
            days=days,
            complete=all(name in by_day for name in shown),
            now=counters(opened, known, devices, now=now, undelivered=undelivered),
            per_day=tuple(_day(name, by_day.get(name, ())) for name in shown),
            acknowledged=waits((fact.rank, fact.wait_s) for fact in found),
            resolved=waits((fact.rank, fact.work_s) for fact in found),
            false_alarms=falsehoods(found),
            nuisances=nuisances(found),
        )


def spans_of(now: float, days: int) -> list[tuple[str, int, int]]:
    """Return the last days, today the last, as (name, since, until), by the local calendar. Pure."""
    moment, today = morning(now)
    midnight = int(moment) - HOUR * 3_600
    return [
        (
            (today - timedelta(days=ago)).isoformat(),
            midnight - ago * DAY_S,
            midnight - (ago - 1) * DAY_S,
        )
        for ago in range(days - 1, -1, -1)
    ]


def counters(
    alerts: Sequence[Alert], known: Sequence[Row], devices: Sequence[Asset], *, now: float, undelivered: int
) -> Counters:
    """Return how things stand. Pure."""
    today = morning(now)[1]
    ranks = Counter(alert.severity for alert in alerts)
    there = [each for each in devices if each.gone_at is None]
    return Counters(
        open={severity: ranks[severity] for severity in SEVERITIES},
        unacknowledged=sum(alert.state == "raised" for alert in alerts),
        gateways=len(known),
        gateways_quiet=sum(row["quiet_since"] is not None for row in known),
        undelivered=undelivered,
        devices=len(there),
        devices_offline=sum(each.reported.online is False for each in there),
        devices_due=sum(bool(each.due(today)) for each in there),
        devices_gone=len(devices) - len(there),
    )


def waits(times: Iterable[tuple[int, float | None]]) -> tuple[Wait, ...]:
    """Return median and 95th of a hundred, by rank, the worst first, after all together. Pure."""
    by_rank: dict[int, list[float]] = {}
    for rank, wait in times:
        if wait is not None:
            for key in (ALL, rank):
                by_rank.setdefault(key, []).append(wait)
    return tuple(
        Wait(
            "all" if rank == ALL else SEVERITIES[rank], len(found), _share_of(found, 50), _share_of(found, 95)
        )
        for rank, found in sorted(by_rank.items(), key=lambda each: (each[0] != ALL, -each[0]))
    )


def falsehoods(facts: Iterable[Fact]) -> tuple[Falsehood, ...]:
    """Return by kind how many that were closed were false, the most frequent kind first. Pure."""
    closed, untrue, tests = Counter[str](), Counter[str](), Counter[str]()
    for fact in facts:
        if fact.state in CLOSED:
            closed[fact.kind] += 1
            untrue[fact.kind] += fact.state == State.FALSE_ALARM
            tests[fact.kind] += fact.is_test
    return tuple(
        Falsehood(kind, count, untrue[kind], tests[kind], _share(untrue[kind], count - tests[kind]))
        for kind, count in closed.most_common(MOST_KINDS)
    )


def nuisances(facts: Iterable[Fact]) -> tuple[Nuisance, ...]:
    """Return the devices with the most false alarms. Pure."""
    groups: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        if fact.device:
            groups.setdefault((fact.gateway, fact.device), []).append(fact)
    made = [
        _nuisance(group)
        for group in groups.values()
        if any(each.state == State.FALSE_ALARM for each in group)
    ]
    return tuple(
        sorted(made, key=lambda each: (-each.untrue, -each.alerts, each.gateway, each.device))[:NUISANCES]
    )


def _day(name: str, facts: Sequence[Fact]) -> Day:
    families = Counter(fact.kind.partition(".")[0] for fact in facts)
    severities = Counter(SEVERITIES[fact.rank] for fact in facts)
    return Day(name, len(facts), dict(families), dict(severities))


def _nuisance(group: Sequence[Fact]) -> Nuisance:
    last = group[-1]
    untrue = sum(each.state == State.FALSE_ALARM for each in group)
    return Nuisance(
        gateway=last.gateway,
        device=last.device,
        place=last.place,
        where=where(Subject(last.device, "", last.place)),
        alerts=len(group),
        untrue=untrue,
        share=_share(untrue, sum(each.state in CLOSED for each in group)),
    )


def _share_of(values: list[float], percent: int) -> float:
    """Return the value that `percent` of a hundred do not pass."""
    values.sort()
    return values[(len(values) * percent + 99) // 100 - 1]


def _share(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole > 0 else 0.0


def _place(told: str) -> Place:
    return msgspec.json.decode(told, type=Place) if told else Place()
