"""Escalation at work: takes the timers that are due, pages whom their ladders name, sets them anew.

All of it is rows, in one transaction for a handful of timers: nothing is kept in memory, so any desk may take any
timer, and one that is killed leaves everything as it was.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from gateway.core.events import Place
from gateway.core.schedule import Schedule
from gateway.desk import texts
from gateway.desk.grouping import home_of
from gateway.desk.ladders import NO_LADDER, Decision, Ladder, Page, Standing, decide
from gateway.desk.masking import is_discreet
from gateway.desk.outages import Patience
from gateway.desk.routing import Directory, Person, audience
from gateway.desk.silences import Silence, silenced_until
from gateway.desk.store import care, news, notices, people, stepping, timers, work
from gateway.desk.store.database import Database, Row, Transaction
from gateway.desk.store.notices import Notice
from gateway.desk.store.timers import Timer

log = logging.getLogger(__name__)

AT_ONCE: Final = 20
LOOK_S: Final = 1.0

_STANDING: Final = """
SELECT a.kind AS kind, a.rank AS rank, a.place AS place, a.zh AS zh, a.en AS en FROM work w
JOIN alerts a ON a.alert = w.alert WHERE w.incident = $1
ORDER BY CASE WHEN w.state = 'raised' THEN 0 ELSE 1 END, a.rank DESC, a.first_seen, a.alert LIMIT 1
"""
_SPOTS: Final = """
SELECT kind, rank, place, zh, en FROM (
  SELECT a.kind AS kind, a.rank AS rank, a.place AS place, a.zh AS zh, a.en AS en, a.first_seen AS first_seen,
    a.alert AS alert, row_number() OVER (PARTITION BY a.place ORDER BY a.rank DESC, a.first_seen, a.alert) AS nth
  FROM work w JOIN alerts a ON a.alert = w.alert LEFT JOIN incidents i ON i.incident = w.incident
  WHERE w.incident = $1 AND (w.state = 'raised'
    OR ($2 = 1 AND w.state NOT IN ('resolved', 'false_alarm') AND a.rank >= coalesce(i.rank, 0)))
) AS spots WHERE nth = 1 ORDER BY rank DESC, first_seen, alert LIMIT 500
"""
_COUNTS: Final = """
SELECT count(*) AS total,
  coalesce(sum(CASE WHEN w.state NOT IN ('resolved', 'false_alarm') THEN 1 ELSE 0 END), 0) AS open,
  coalesce(sum(CASE WHEN w.state = 'raised' THEN 1 ELSE 0 END), 0) AS waiting,
  coalesce(sum(CASE WHEN w.state = 'raised' AND a.change <> 'cleared' THEN 1 ELSE 0 END), 0) AS active
FROM work w JOIN alerts a ON a.alert = w.alert WHERE w.incident = $1
"""


@dataclass(frozen=True, slots=True)
class Rules:
    """The ladders by severity, and when it is quiet."""

    ladders: Mapping[int, Ladder]
    quiet: Schedule | None = None
    behind: frozenset[str] = frozenset()
    """Channels that more people read than the one who is called, that do not ring, or have no words."""


@dataclass(frozen=True, slots=True)
class _Round:
    """What is the same for all timers of one look."""

    now: float
    rules: Rules
    directory: Directory
    silences: tuple[Silence, ...] = field(default_factory=tuple)


class Escalation:
    """Looks for timers that are due, again and again. `paged` is called when there is something to deliver."""

    def __init__(
        self,
        database: Database,
        rules: Rules,
        *,
        now: Callable[[], float] = time.time,
        paged: Callable[[], None] = lambda: None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.pages = 0
        self._database, self._rules, self._now, self._paged = database, rules, now, paged
        self._changed = changed
        self._wake = asyncio.Event()
        self._patience = Patience(database, "no ladder is climbed")

    def wake(self) -> None:
        """Look at once: something came in."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            while await self._patience.through(self.look) == AT_ONCE:
                pass
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def look(self) -> int:
        """Do what is due, for a handful of timers; return how many there were."""
        now = self._now()
        async with self._database.transaction() as transaction:
            if step := await stepping.follow(transaction, now):
                log.warning("the clock was set back by %.0f s; what waits is moved with it", step)
            due = await timers.claim(transaction, now, AT_ONCE)
            if not due:
                return 0
            found = _Round(
                now,
                self._rules,
                await people.directory(transaction),
                tuple(await people.silences(transaction, now)),
            )
            pages = [await climb(transaction, timer, found) for timer in due]
        self.pages += sum(pages)
        if any(pages):
            self._paged()
            if any(home_of(timer.incident) for timer in due):
                self._changed()
        return len(due)


async def climb(transaction: Transaction, timer: Timer, found: _Round) -> int:
    """Do what one timer is due for; return how many people are paged."""
    standing = await standing_of(transaction, timer.incident)
    if standing is None:
        await timers.move(transaction, timer, step=timer.step, due_at=None, count=0, now=found.now)
        return 0
    spots = await _spots(transaction, timer, standing) or [standing]
    ends = [silenced_until(each.kind, each.place, found.silences) for each in spots]
    told = [each for each, until in zip(spots, ends, strict=True) if until is None]
    worst = told[0] if told else spots[0]
    decision = decide(
        timer,
        worst,
        found.rules.ladders.get(worst.rank, NO_LADDER),
        found.now,
        silent_until=None if told else min(until for until in ends if until is not None),
        quiet=found.rules.quiet,
    )
    written = await _page(transaction, timer, told, decision, found)
    await timers.move(
        transaction, timer, step=decision.step, due_at=decision.due_at, count=standing.total, now=found.now,
        again=decision.again,
    )  # fmt: skip
    return written


async def standing_of(transaction: Transaction, incident: str) -> Standing | None:
    """Return how an incident stands; None if nothing is in it."""
    rows = await transaction.fetch(_STANDING, incident)
    if not rows:
        return None
    counts, worst = (await transaction.fetch(_COUNTS, incident))[0], rows[0]
    return Standing(
        waiting=int(counts["waiting"]),
        active=int(counts["active"]),
        total=int(counts["total"]),
        open=int(counts["open"]),
        **_words(worst),
    )


async def _spots(transaction: Transaction, timer: Timer, standing: Standing) -> list[Standing]:
    """Return the incident as it stands at each place where something waits, the worst first.

    Of what has become worse also where somebody saw to it before.
    """
    rows = await transaction.fetch(_SPOTS, timer.incident, int(timer.again))
    return [replace(standing, **_words(row)) for row in rows]


def _words(row: Row) -> dict[str, Any]:
    """Return what one alert gives to the standing of its incident."""
    told = {name: row[name] for name in ("kind", "rank", "zh", "en")}
    return {**told, "place": msgspec.json.decode(row["place"], type=Place)}


async def _page(
    transaction: Transaction, timer: Timer, spots: Sequence[Standing], decision: Decision, found: _Round
) -> int:
    """Page whom a step names at each of these places, everybody once, about the worst of what is theirs."""
    home, written = home_of(timer.incident), 0
    for page in decision.pages:
        whom: dict[str, Notice] = {}
        for spot in spots:
            told = texts.page(spot, timer.step, news=timer.news)
            for person in await _whom(transaction, page, spot, found, home):
                made = Notice(
                    id=f"{timer.incident}|{page.label}|{person.name}",
                    incident=timer.incident,
                    person=person.name,
                    language=person.language,
                    channels=_own_first(person.channels, found.rules.behind) if home else person.channels,
                    rank=spot.rank,
                    zh=told.zh,
                    en=told.en,
                    due_at=page.not_before,
                )
                whom.setdefault(person.name, made)
        written += await notices.write(transaction, list(whom.values()), found.now)
        detail = {"to": page.to, "people": list(whom), "waiting": spots[0].waiting}
        await work.write_down(
            transaction, timer.incident, found.now, "desk", f"page {page.label}", detail=detail
        )
        if not whom and not is_discreet(spots[0].kind):
            log.error("nobody to tell of %s: desk.toml names no person", timer.incident)
    if home and written:  # their open pages show which door from now on
        await news.tell(transaction, "alert", [home], found.now)
    return written


async def _whom(
    transaction: Transaction, page: Page, standing: Standing, found: _Round, home: str | None
) -> list[Person]:
    """Return the people a page is for; what is discreet is for whom the resident named, at any rung."""
    if not is_discreet(standing.kind):
        return audience(page.to, found.directory, standing.kind, standing.place, found.now)
    doors = await care.doors(transaction, [home] if home else [])
    named = {person for door in doors.values() for person in door.called}
    return [person for name, person in found.directory.people.items() if name in named]


def _own_first(channels: Sequence[tuple[str, str]], behind: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Return the ways to somebody, first those that ring for them alone; the others as desk.toml has them."""
    return tuple(sorted(channels, key=lambda each: each[0] in behind))
