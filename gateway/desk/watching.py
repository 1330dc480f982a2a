"""Watch the gateways themselves: one that falls quiet is an alert of the desk's own, over when it is heard again.

Silence is what cannot be told by whoever is silent. The alert's numbers come from the moment of the last sign of life,
so several desks that notice the same silence write the same event, which the record takes once.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import msgspec

from gateway.core.events import Change, Place, Severity
from gateway.core.payload import rfc3339
from gateway.desk import texts
from gateway.desk.arrivals import Arrival
from gateway.desk.grouping import OWN
from gateway.desk.store import gateways
from gateway.desk.store.database import Database, Row
from gateway.desk.store.events import ingest

KIND: Final = "gateway.quiet"
LOOK_S: Final = 5.0
QUIET_S: Final = 180.0  # a gateway tells its health every 60 s
OFFLINE_S: Final = 30.0  # its last will may be followed by its return


class Watch:
    """Looks whether all gateways are heard. `listening_since`: since when we would have; None: not now."""

    def __init__(
        self,
        database: Database,
        *,
        listening_since: Callable[[], float | None],
        quiet_s: float = QUIET_S,
        now: Callable[[], float] = time.time,
        taken: Callable[[], None] = lambda: None,
    ) -> None:
        self._database, self._listening_since = database, listening_since
        self._quiet_s, self._now, self._taken = quiet_s, now, taken

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> int:
        """Raise and clear what is due; return how many alerts changed. Who has just come up accuses nobody."""
        now, since = self._now(), self._listening_since()
        if since is None or now - since < self._quiet_s:
            return 0
        async with self._database.transaction() as transaction:
            quiet = await gateways.fallen_quiet(
                transaction, unheard_since=now - self._quiet_s, offline_since=now - OFFLINE_S
            )
            back = await gateways.speaking_again(transaction, heard_since=now - self._quiet_s)
            told = [own_event(row, Change.RAISED, row["heard_at"], now) for row in quiet]
            told += [own_event(row, Change.CLEARED, row["quiet_since"], now) for row in back]
            await ingest(transaction, told, now)
            for row in quiet:
                await gateways.mark(transaction, row["gateway"], row["heard_at"])
            for row in back:
                await gateways.mark(transaction, row["gateway"], None)
        if told:
            self._taken()
        return len(told)


def own_event(row: Row, change: Change, since: float, now: float) -> Arrival:
    """Return the desk's own event about a gateway that was last heard at `since`."""
    gateway, began = row["gateway"], int(since * 1000)
    place = msgspec.json.decode(row["place"], type=Place) if row["place"] else Place()
    words = texts.quiet(gateway)
    at = since if change is Change.RAISED else now
    body = {
        "kind": KIND,
        "gateway": gateway,
        "change": change,
        "last_heard": rfc3339(since),
        "text": {"zh": words.zh, "en": words.en},
    }
    return Arrival(
        gateway=f"{OWN}:{gateway}",
        epoch=1,
        seq=int(at * 1000) * 2
        + (change is Change.CLEARED),  # an end and the next beginning may share a moment
        previous=None,
        alert=f"{OWN}:{gateway}/quiet-{began}",
        change=change,
        time=now,
        kind=KIND,
        severity=Severity.MAJOR,
        state="active_unacked" if change is Change.RAISED else "cleared_unacked",
        place=place,
        text=words,
        first_seen=since,
        count=1,
        body=msgspec.json.encode(body).decode(),
    )
