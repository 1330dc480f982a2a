"""Watch the gateways, and whether the desk itself hears: silence cannot be told by whoever is silent.

A gateway that falls quiet is an alert of the desk's own, over when it is heard again. Its number comes from the moment
of the last sign of life, so several desks that notice the same silence write the same event, which the record takes
once. A desk without its broker accuses no gateway; it says that it is deaf. Nor does one whose clock was just set: what
the record says of when each was heard is by the old time, until it is heard again.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from gateway.core.events import Change, Place, Severity, Words
from gateway.core.payload import rfc3339
from gateway.desk import texts
from gateway.desk.arrivals import Arrival
from gateway.desk.grouping import OWN
from gateway.desk.steps import Steps
from gateway.desk.store import gateways
from gateway.desk.store.database import Database, Row, Transaction
from gateway.desk.store.events import ingest

QUIET: Final = "gateway.quiet"
DEAF: Final = "desk.deaf"
LOOK_S: Final = 5.0
QUIET_S: Final = 180.0  # a gateway tells its health every 60 s
OFFLINE_S: Final = 30.0  # its last will may be followed by its return
DEAF_S: Final = 60.0  # a broker may be started anew


class Watch:
    """Looks whether all gateways are heard. `listening_since`: since when we would have; None: not now."""

    def __init__(
        self,
        database: Database,
        *,
        name: str,
        listening_since: Callable[[], float | None],
        quiet_s: float = QUIET_S,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        taken: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._database, self._name, self._listening_since = database, name, listening_since
        self._quiet_s, self._now, self._clock, self._taken = quiet_s, now, clock, taken
        self._steps = Steps(now, clock)
        self._since: float | None = None
        self._from = 0.0  # the same, or when the clock was set, by the one that only counts
        self._deaf_since: float | None = None
        self._said_so = False

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> int:
        """Raise and clear what is due; return how many alerts changed. Who has just come up accuses nobody."""
        now, since = self._now(), self._listening_since()
        listened_s = self._count(now, since)
        if since is None and self._deaf_since is None:
            self._deaf_since = now
        async with self._database.transaction() as transaction:
            told = self._hearing(now, since)
            if since is not None and listened_s >= self._quiet_s:
                told += await self._gateways(transaction, now)
            await ingest(transaction, told, now)
        if since is not None:
            self._deaf_since = None
        self._said_so = self._is_deaf(now)
        if told:
            for wake in self._taken:
                wake()
        return len(told)

    def _count(self, now: float, since: float | None) -> float:
        """Return for how many seconds we have listened with a clock that nobody set meanwhile."""
        moment, step = self._clock(), self._steps.taken()
        if since != self._since:
            self._since, self._from = since, moment - (0.0 if since is None else max(now - since, 0.0))
        if step:
            self._from = moment
            if self._deaf_since is not None and not self._said_so:
                self._deaf_since += step
        return moment - self._from

    def _hearing(self, now: float, since: float | None) -> list[Arrival]:
        """Return the event of having become deaf, or of hearing again, if that is due."""
        if self._deaf_since is None:
            return []
        if since is not None:
            return [self._deaf(Change.CLEARED, self._deaf_since, now)] if self._said_so else []
        is_due = self._is_deaf(now) and not self._said_so
        return [self._deaf(Change.RAISED, self._deaf_since, now)] if is_due else []

    def _is_deaf(self, now: float) -> bool:
        """Return whether there has been no broker for long enough to say so."""
        return self._deaf_since is not None and (self._said_so or now - self._deaf_since >= DEAF_S)

    def _deaf(self, change: Change, since: float, now: float) -> Arrival:
        return own_event(Own(self._name, DEAF, Severity.CRITICAL, texts.deaf()), change, since=since, now=now)

    async def _gateways(self, transaction: Transaction, now: float) -> list[Arrival]:
        """Mark the gateways that fell quiet or are back; return the events."""
        quiet = await gateways.fallen_quiet(
            transaction,
            unheard_since=now - self._quiet_s,
            offline_since=now - OFFLINE_S,
            ahead=now + self._quiet_s,
        )
        back = await gateways.speaking_again(transaction, heard_since=now - self._quiet_s)
        last = {row["gateway"]: min(row["heard_at"], now) for row in quiet}
        for name, heard_at in last.items():
            await gateways.mark(transaction, name, heard_at, now)
        for row in back:
            await gateways.mark(transaction, row["gateway"], None, now)
        return [
            *(own_event(_quiet(row), Change.RAISED, since=last[row["gateway"]], now=now) for row in quiet),
            *(own_event(_quiet(row), Change.CLEARED, since=row["quiet_since"], now=now) for row in back),
        ]


@dataclass(frozen=True, slots=True)
class Own:
    """What an alert of the desk's own is about."""

    name: str
    kind: str
    severity: Severity
    text: Words
    place: Place = field(default_factory=Place)


def own_event(about: Own, change: Change, *, since: float, now: float) -> Arrival:
    """Return the desk's own event about something that is so since `since`."""
    raised, over = change is Change.RAISED, change is Change.CLEARED
    body = {
        "kind": about.kind,
        "name": about.name,
        "change": change,
        "since": rfc3339(since),
        "text": {"zh": about.text.zh, "en": about.text.en},
    }
    return Arrival(
        gateway=f"{OWN}:{about.name}",
        epoch=1,
        # an end and the next beginning may share a moment; two desks find the same number
        # an end is newer than its beginning, also by a clock that was set back
        seq=int((since if raised else max(since, now)) * 1000) * 2 + (not raised),
        previous=None,
        alert=f"{OWN}:{about.name}/{about.kind}-{int(since * 1000)}",
        change=change,
        time=now,
        kind=about.kind,
        severity=about.severity,
        state="cleared_unacked" if over else "active_unacked",
        place=about.place,
        text=about.text,
        first_seen=since,
        count=1,
        body=msgspec.json.encode(body).decode(),
    )


def place_of(told: str) -> Place:
    """Return a place as the record has it."""
    return msgspec.json.decode(told, type=Place) if told else Place()


def _quiet(row: Row) -> Own:
    return Own(row["gateway"], QUIET, Severity.MAJOR, texts.quiet(row["gateway"]), place_of(row["place"]))
