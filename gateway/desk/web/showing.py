"""The open alerts as pages show them, kept in memory and read anew where the feed says that one has changed.

Ten thousand phones that look at the list ask the database nothing: they are shown what stands here, and told what
changes here. What is closed or older stands in the database only. Of an alert about a resident everybody sees the
same little; only whoever was called for it, or has taken it on, sees which door it is, and only while it is open.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from gateway.core.events import Place
from gateway.desk.masking import is_discreet
from gateway.desk.store import care, lists
from gateway.desk.store.care import Door
from gateway.desk.store.database import Database, Row, Transaction
from gateway.desk.web.permissions import reaches
from gateway.desk.web.shapes import Alert, File, alert_of, placed
from gateway.desk.workflow import OPEN

MOST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert as everybody may see it, and where it really is; `door`: it is about a resident.

    What is discreet nobody sees but whom the resident named.
    """

    alert: Alert
    place: Place
    door: Door | None = None

    @property
    def discreet(self) -> bool:
        """Return whether it is for none but those it concerns."""
        return is_discreet(self.alert.kind)

    def concerns(self, person: str) -> bool:
        """Return whether somebody is one of those who have to know of a resident's alert."""
        return self.door is not None and person in self.door.called

    def is_shown(self, places: Iterable[Place], person: str) -> bool:
        """Return whether somebody who sees these places sees it at all."""
        return reaches(places, self.place) and (not self.discreet or self.concerns(person))

    def is_for(self, person: str) -> bool:
        """Return whether somebody is to go there: they were called for it or have taken it on, and it is open."""
        return self.alert.state in OPEN and self.concerns(person)

    def told(self, person: str) -> Alert:
        """Return the alert as somebody may see it in a list."""
        if self.door is None or not self.is_for(person):
            return self.alert
        return placed(self.alert, self.door.text, self.door.where, self.door.place)


class Showing:
    """All open alerts, as of the last time they were looked at."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: dict[str, Seen] = {}
        self._sorted: list[Seen] | None = None

    async def load(self) -> None:
        """Read all open alerts."""
        async with self._database.transaction() as transaction:
            found = await seen_of(transaction, await lists.opened(transaction, MOST))
        self._open = {each.alert.alert: each for each in found}
        self._sorted = None

    async def refresh(self, alerts: Collection[str]) -> Mapping[str, Seen]:
        """Read these anew; return them as they are now, closed ones among them."""
        async with self._database.transaction() as transaction:
            found = await seen_of(transaction, await lists.these(transaction, sorted(alerts)))
        for each in found:
            if each.alert.state in OPEN:
                self._open[each.alert.alert] = each
            else:
                self._open.pop(each.alert.alert, None)
        self._sorted = None
        return {each.alert.alert: each for each in found}

    async def rename(self) -> None:
        """Read anew whom residents named, for a role may have gone to others: by this desk, or one beside it."""
        await self.refresh([name for name, each in self._open.items() if each.discreet])

    def open_in(self, places: Sequence[Place], person: str = "") -> list[Alert]:
        """Return the open alerts in these places, as `person` may see them, or as everybody may.

        Unacknowledged ones come first, then the worst, then the oldest.
        """
        if self._sorted is None:
            self._sorted = sorted(self._open.values(), key=lambda each: _order(each.alert))
        return [
            each.alert if each.door is None else each.told(person)
            for each in self._sorted
            if each.is_shown(places, person)
        ]


async def seen_of(transaction: Transaction, rows: Iterable[Row]) -> list[Seen]:
    """Return rows of `lists.SELECT` as alerts with what was kept of them."""
    kept = list(rows)
    alerts = await with_files(transaction, kept)
    doors = await care.doors(transaction, [row["alert"] for row in kept if row["shown"]])
    return [
        Seen(alert, _whole(row, doors.get(alert.alert)), doors.get(alert.alert))
        for row, alert in zip(kept, alerts, strict=True)
    ]


async def with_files(transaction: Transaction, rows: Iterable[Row]) -> list[Alert]:
    """Return rows of `lists.SELECT` as alerts as everybody may see them, with what was kept of them."""
    kept = list(rows)
    files: dict[str, list[File]] = {}
    for row in await lists.files(transaction, [each["alert"] for each in kept]):
        files.setdefault(row["alert"], []).append(File(row["sha256"], row["kind"]))
    return [alert_of(row, files.get(row["alert"], ())) for row in kept]


def _whole(row: Row, door: Door | None) -> Place:
    """Return where an alert really is, which its list does not say."""
    return msgspec.json.decode(row["place"], type=Place) if door is None else door.place


def _order(alert: Alert) -> tuple[bool, int, float, str]:
    return alert.state != "raised", -alert.rank, alert.opened_at, alert.alert
