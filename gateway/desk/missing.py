"""Watch for alerts that were sent and never came: each event says which one went before it.

What is missing is waited for: gateways send again for minutes, a fire overtakes a backlog, a broker delivers late. What
has not come by then is an alert of the desk's own, over when it comes. Its number is made of the number of what is
missing, so several desks, and one desk after each restart, write the same event, and the record takes it once.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from gateway.core.events import Change, Severity
from gateway.desk import texts
from gateway.desk.arrivals import Arrival
from gateway.desk.store import events, gateways
from gateway.desk.store.database import Database, Row, Transaction
from gateway.desk.watching import Own, own_event, place_of

log = logging.getLogger(__name__)

GAP: Final = "gateway.gap"
GRACE_S: Final = 900.0  # three times the longest pause of a gateway that sends again
LOOK_S: Final = 30.0
LOOK_BACK_S: Final = 86_400.0  # of a desk that has just come up


class Missing(msgspec.Struct, frozen=True):
    """What is missing: the event before `seq`."""

    gateway: str
    epoch: int
    seq: int
    previous: int


class Gaps:
    """Looks for events whose predecessor never came."""

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], float] = time.time,
        taken: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._database, self._now, self._taken = database, now, taken
        self._seen_to: float | None = None

    async def run(self) -> None:
        """Look now and then until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> int:
        """Raise and clear what is due; return how many alerts changed."""
        now = self._now()
        until = now - GRACE_S
        if self._seen_to is None or self._seen_to > until:  # the clock was set back
            self._seen_to = until - LOOK_BACK_S
        async with self._database.transaction() as transaction:
            found = await events.gaps(transaction, self._seen_to, until)
            told = [await self._raised(transaction, row, now) for row in found]
            told += await self._cleared(transaction, now)
            taken = await events.ingest(transaction, told, now)
        if len(found) < events.MOST_GAPS:
            # what is received is stamped before its commit, which may come a little later
            self._seen_to = until - GRACE_S
        if taken.events:
            for wake in self._taken:
                wake()
        return taken.events

    async def _raised(self, transaction: Transaction, row: Row, now: float) -> Arrival:
        missing = Missing(row["gateway"], row["epoch"], row["seq"], row["previous"])
        return _event(missing, Change.RAISED, await gateways.place(transaction, missing.gateway), now)

    async def _cleared(self, transaction: Transaction, now: float) -> list[Arrival]:
        """Return the ends of those gaps whose event has come."""
        found: list[Arrival] = []
        for row in await events.standing(transaction, GAP):
            missing = msgspec.json.decode(row["body"], type=_Body).missing
            if await events.has(transaction, missing.gateway, missing.epoch, missing.previous):
                place = await gateways.place(transaction, missing.gateway)
                found.append(_event(missing, Change.CLEARED, place, now, since=row["first_seen"]))
        return found


class _Body(msgspec.Struct, frozen=True):
    missing: Missing


def _event(
    missing: Missing, change: Change, place: str, now: float, *, since: float | None = None
) -> Arrival:
    number = f"{missing.epoch}.{missing.previous}"
    about = Own(missing.gateway, GAP, Severity.MAJOR, texts.gap(missing.gateway, number), place_of(place))
    event = own_event(about, change, since=now if since is None else since, now=now)
    body = {"missing": missing, "change": change, "text": {"zh": about.text.zh, "en": about.text.en}}
    return replace(
        event,
        epoch=missing.epoch + 1,  # the first is that of alerts which are numbered by the clock
        seq=missing.seq * 2 + (change is Change.CLEARED),
        alert=f"{event.gateway}/{GAP}-{missing.epoch}.{missing.seq}",
        body=msgspec.json.encode(body).decode(),
    )
