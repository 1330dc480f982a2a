"""Tell each morning what is due (service life over, test or maintenance missed): one info alert a compound.

It stands in the list and pages nobody. The next morning it says what is due by then, or is over; where people have
closed it and things are still due, a new one begins. Its numbers come from the day, so desks that tell the same tell it
once.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec

from gateway.core.events import Change, Place, Severity, Words
from gateway.core.installed import Asset, Due
from gateway.core.places import cut
from gateway.core.texts import Subject, where
from gateway.desk.arrivals import Arrival
from gateway.desk.consent import USUAL
from gateway.desk.store import assets
from gateway.desk.store.database import Database, Row, Transaction
from gateway.desk.store.events import ingest
from gateway.desk.watching import Own, own_event
from gateway.desk.workflow import CLOSED

KIND: Final = "asset.due"
NAME: Final = "registry"
HOUR: Final = 9
OFFSET_H: Final = 8.0  # China has one zone and no summer time
LOOK_S: Final = 60.0
SPELT_OUT: Final = 5
_WHY: Final = {
    Due.LIFE: Words("使用年限已到", "service life over"),
    Due.TEST: Words("该测试了", "test due"),
    Due.MAINTENANCE: Words("该维护了", "maintenance due"),
}


class Telling:
    """Looks every minute whether today's word is out."""

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], float] = time.time,
        taken: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._database, self._now, self._taken = database, now, taken
        self._told: float | None = None

    async def run(self) -> None:
        """Tell what is due each morning until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> int:
        """Tell what is due if it is time and nobody has; return how many alerts changed."""
        now = self._now()
        moment, today = morning(now)
        if now < moment or self._told == moment:
            return 0
        async with self._database.transaction() as transaction:
            found = await assets.everything(transaction)
            standing = await _standing(transaction)
            told = list(events(by_compound(found, today), standing, today=today, moment=moment))
            taken = await ingest(transaction, told, now)
        self._told = moment
        for wake in self._taken if taken.events else ():
            wake()
        return taken.events


def morning(now: float) -> tuple[float, date]:
    """Return when today's word is due, wall seconds, and which day it is."""
    local = datetime.fromtimestamp(now, UTC) + timedelta(hours=OFFSET_H)
    hour = local.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return hour.timestamp() - OFFSET_H * 3600, local.date()


def by_compound(found: Iterable[Asset], today: date) -> dict[Place, list[Asset]]:
    """Return what is due, by the compound it stands in."""
    due: dict[Place, list[Asset]] = {}
    for each in found:
        if each.due(today):
            due.setdefault(cut(each.facts.place, "compound"), []).append(each)
    return due


def events(
    due: dict[Place, list[Asset]], standing: Sequence[Row], *, today: date, moment: float
) -> Iterable[Arrival]:
    """Yield what is to be told: new, changed, over."""
    open_at: set[str] = set()
    for row in standing:
        place = msgspec.json.decode(row["place"], type=Place)
        wanted = due.get(place)
        about = _about(place, words(place, wanted or [], today))
        if wanted is None or row["state"] in CLOSED:
            yield own_event(about, Change.CLEARED, since=row["first_seen"], now=moment)
            continue
        open_at.add(about.name)
        if row["zh"] != about.text.zh:
            yield own_event(about, Change.UPDATED, since=row["first_seen"], now=moment)
    for place, wanted in due.items():
        about = _about(place, words(place, wanted, today))
        if about.name not in open_at:
            yield own_event(about, Change.RAISED, since=moment, now=moment)


def words(place: Place, due: Sequence[Asset], today: date) -> Words:
    """Return what is told of the devices of a compound."""
    if not due:
        return Words("设备到期事项已处理", "nothing is due any more")
    named = due[:SPELT_OUT]
    zh = "；".join(f"{_name(each).zh} {'、'.join(_WHY[why].zh for why in each.due(today))}" for each in named)
    en = "; ".join(f"{_name(each).en} {', '.join(_WHY[why].en for why in each.due(today))}" for each in named)
    more = len(due) - len(named)
    return Words(
        f"{place.compound or '未注明小区'} {len(due)} 台设备到期：{zh}"
        + (f"；另有 {more} 台" if more else ""),
        f"{place.compound or 'no compound'}: {len(due)} devices due: {en}"
        + (f"; {more} more" if more else ""),
    )


def _name(asset: Asset) -> Words:
    """Return what a device is called, for everybody: one that watches over somebody by its stairwell only."""
    if asset.reported.resident:
        spot = where(Subject(place=cut(asset.facts.place, USUAL)))
        return Words(f"{spot.zh} 看护设备".strip(), f"care device, {spot.en}".rstrip(", "))
    return where(Subject(asset.device, asset.reported.label, asset.facts.place))


def _about(place: Place, text: Words) -> Own:
    mark = hashlib.sha256(msgspec.json.encode(place)).hexdigest()[:8]
    return Own(f"{NAME}-{mark}", KIND, Severity.INFO, text, place)


async def _standing(transaction: Transaction) -> Sequence[Row]:
    """Return the alerts of ours that are not over."""
    return await transaction.fetch(
        "SELECT a.alert AS alert, a.place AS place, a.zh AS zh, a.first_seen AS first_seen, w.state AS state"
        " FROM alerts a JOIN work w ON w.alert = a.alert"
        " WHERE a.kind = $1 AND a.change <> 'cleared'",
        KIND,
    )
