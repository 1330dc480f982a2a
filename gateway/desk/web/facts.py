"""Alerts of the last days in memory, day by day: today's some seconds old, those of other days some minutes.

Whoever asks sees those of their own places; so a hundred open duty rooms cost the database what one does.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from gateway.core.events import Place
from gateway.desk.store import figures
from gateway.desk.store.database import Database, Row

FRESH_S: Final = 10.0
PAST_S: Final = 600.0
MOST: Final = 50_000
"""Alerts that are kept; of more than that the oldest days are left out, and it is said."""

Span = tuple[str, int, int]
"""A day's name, when it begins and when it ends, wall seconds."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What became of one alert. `wait_s` until somebody acknowledged it, `work_s` until it was closed."""

    incident: str
    kind: str
    rank: int
    state: str
    is_test: bool
    wait_s: float | None
    work_s: float | None
    place: Place
    gateway: str
    device: str


@dataclass(slots=True)
class Facts:
    """Reads days. `clock` is monotonic; one caller at a time."""

    database: Database
    clock: Callable[[], float]
    _days: dict[str, tuple[float, list[Fact]]] = field(default_factory=dict)
    _places: dict[str, Place] = field(default_factory=dict)

    async def of(self, spans: Sequence[Span]) -> dict[str, list[Fact]]:
        """Return what is known of these days, from the last backwards as far as there is room; the last is today."""
        found: dict[str, list[Fact]] = {}
        room = MOST
        for name, since, until in reversed(spans):
            read_at, facts = self._days.get(name, (None, []))
            keep_s = FRESH_S if name == spans[-1][0] else PAST_S
            if read_at is None or self.clock() - read_at >= keep_s:
                facts = await self._read(since, until, room)
                self._days[name] = (self.clock(), facts)
            if len(facts) >= room:
                break
            found[name] = facts
            room -= len(facts)
        self._days = {name: kept for name, kept in self._days.items() if name >= spans[0][0]}
        return found

    async def _read(self, since: float, until: float, room: int) -> list[Fact]:
        found: list[Fact] = []
        after = (float(since), "")
        while len(found) < room:
            async with self.database.transaction() as transaction:
                rows = await figures.step(transaction, after, float(until))
            found += self._facts(rows)
            if len(rows) < figures.STEP:
                break
            after = (rows[-1]["opened_at"], rows[-1]["alert"])
        return found

    def _facts(self, rows: Iterable[Row]) -> list[Fact]:
        return [
            Fact(
                incident=row["incident"],
                kind=row["kind"],
                rank=row["rank"],
                state=row["state"],
                is_test=(row["cause"] or "").partition(":")[0] == "test",
                wait_s=_between(row["opened_at"], row["acknowledged_at"]),
                work_s=_between(row["opened_at"], row["closed_at"]),
                place=self._place(row["place"]),
                gateway=row["gateway"],
                device=row["device"],
            )
            for row in rows
        ]

    def _place(self, text: str) -> Place:
        """Return a place, the same object for the same text: there are few, and many alerts in each."""
        if len(self._places) > MOST:
            self._places.clear()
        if text not in self._places:
            self._places[text] = msgspec.json.decode(text, type=Place)
        return self._places[text]


def _between(since: float, until: float | None) -> float | None:
    return None if until is None else max(0.0, until - since)
