"""Take in what gateways publish: gather, commit, and only then answer with receipts.

How it works: messages queue up in memory while a transaction runs, and the next takes all that came meanwhile:
alone, an alert is committed at once; in a storm hundreds share a commit, and what is critical overtakes the rest
(order means nothing to the record). No timer, no delay. A message is settled (the
broker's acknowledgement) and its receipt published after the commit and never before. While the database is away the
batch is kept and tried again; nothing is settled, so broker and gateway still have it too. A batch the database will
not have for what is in it is halved until the one culprit stands alone; that one stays unsettled and is told.
"""

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from gateway.core.events import Place, Severity
from gateway.desk.arrivals import LARGEST, Arrival, UnreadableError, read
from gateway.desk.folding import receipts
from gateway.desk.masking import is_private
from gateway.desk.outages import Patience
from gateway.desk.store import gateways
from gateway.desk.store.database import Database, Transaction
from gateway.desk.store.events import Taken, ingest

log = logging.getLogger(__name__)

MOST: Final = 250  # messages of one transaction; a fire waits for at most one

TOPIC: Final = re.compile(
    r"compound/v1/(?P<gateway>[a-z0-9][a-z0-9-]{0,62})/(?P<what>alert|availability|health)"
)


@dataclass(frozen=True, slots=True)
class Item:
    """One message. `settled` is called once it is safe; `live`: said now, not kept by the broker."""

    gateway: str
    what: str
    content: bytes
    settled: Callable[[], None]
    live: bool = True
    arrival: Arrival | None = None


@dataclass(slots=True)
class Tally:
    """What was counted since the start."""

    received: int = 0
    stored: int = 0
    alerts: int = 0
    unreadable: int = 0
    set_aside: int = 0
    last_fault: str = ""


@dataclass(slots=True)
class Ears:
    """Who is told: `receipt(gateway, payload)` and `stored()` after each commit, `taken()` when an event was new."""

    receipt: list[Callable[[str, bytes], None]] = field(default_factory=list)
    stored: list[Callable[[], None]] = field(default_factory=list)
    taken: list[Callable[[], None]] = field(default_factory=list)


class Intake:
    """Stores what is offered. `offer` and the callbacks are of the event loop's thread."""

    def __init__(self, database: Database, *, now: Callable[[], float] = time.time) -> None:
        self.tally = Tally()
        self.ears = Ears()
        self._database, self._now = database, now
        self._patience = Patience(database, "nothing can be stored")
        self._critical: deque[Item] = deque()
        self._others: deque[Item] = deque()
        self._filled = asyncio.Event()

    def offer(self, topic: str, content: bytes, settled: Callable[[], None], *, live: bool = True) -> None:
        """Take one message; `settled` is called after its commit, or at once if it is nothing to store."""
        match = TOPIC.fullmatch(topic)
        if match is None or len(content) > LARGEST:
            self._refuse(topic, "a topic that is none of ours" if match is None else "too large")
            settled()
            return
        gateway, what = match["gateway"], match["what"]
        self.tally.received += 1
        try:
            arrival = read(gateway, content) if what == "alert" else None
        except UnreadableError as error:
            self._refuse(topic, str(error))
            settled()
            return
        critical = arrival is not None and arrival.severity is Severity.CRITICAL
        queue = self._critical if critical else self._others
        queue.append(Item(gateway, what, content, settled, live, arrival))
        self._filled.set()

    async def run(self) -> None:
        """Store what comes until cancelled."""
        while True:
            await self._filled.wait()
            await self._store(self._next())

    def _next(self) -> list[Item]:
        """Take the next batch out of the queues, what is critical first."""
        batch: list[Item] = []
        for queue in (self._critical, self._others):
            batch += [queue.popleft() for _ in range(min(len(queue), MOST - len(batch)))]
        if not self._critical and not self._others:
            self._filled.clear()
        return batch

    async def _store(self, batch: Sequence[Item]) -> None:
        try:
            taken = await self._patience.through(lambda: self._commit(batch))
        except Exception as error:  # noqa: BLE001 - whatever a database may raise for what is in a batch
            self.tally.last_fault = _told(error, batch)
            await self._halve(batch)
        else:
            self._done(batch, taken)

    async def _commit(self, batch: Sequence[Item]) -> Taken:
        async with self._database.transaction() as transaction:
            return await take(transaction, batch, self._now())

    async def _halve(self, batch: Sequence[Item]) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._store(batch[:middle])
            await self._store(batch[middle:])
            return
        self.tally.set_aside += 1
        log.error("the database will not take %s: %s", _named(batch[0]), self.tally.last_fault)

    def _done(self, batch: Sequence[Item], taken: Taken) -> None:
        """Answer: what is told here is committed."""
        self.tally.stored += taken.events
        self.tally.alerts += taken.alerts
        for gateway, payload in receipts(item.arrival for item in batch if item.arrival is not None):
            for tell in self.ears.receipt:
                tell(gateway, payload)
        for item in batch:
            item.settled()
        for wake in [*self.ears.stored, *(self.ears.taken if taken.events else ())]:
            wake()

    def _refuse(self, topic: str, why: str) -> None:
        self.tally.unreadable += 1
        if self.tally.unreadable.bit_count() == 1:  # the 1st, 2nd, 4th, 8th, ...: a flood is a few lines
            log.warning(
                "no. %d that cannot be read, on %s: %s", self.tally.unreadable, topic[:200], why[:200]
            )


async def take(transaction: Transaction, batch: Sequence[Item], now: float) -> Taken:
    """Store a batch in one transaction."""
    arrivals = [item.arrival for item in batch if item.arrival is not None]
    taken = await ingest(transaction, arrivals, now)
    if arrivals:
        places = {each.gateway: _compound(each.place) for each in arrivals}
        await gateways.heard(transaction, places, now)
    latest = {(item.gateway, item.what): item for item in batch if item.arrival is None}
    for gateway, what in sorted(latest):
        item = latest[gateway, what]
        text = item.content.decode("utf-8", "replace").replace("\x00", "")
        if what == "availability":
            told = "online" if text == "online" else "offline"
            await gateways.available(transaction, gateway, told, now, live=item.live)
        else:
            await gateways.healthy(transaction, gateway, text, now, live=item.live)
    return taken


def _told(error: Exception, batch: Sequence[Item]) -> str:
    """Return what is wrong; of what is about residents not in the database's words, which may hold theirs."""
    private = any(item.arrival is not None and is_private(item.arrival) for item in batch)
    return type(error).__name__ if private else f"{type(error).__name__}: {error}"


def _named(item: Item) -> str:
    """Return what an item is, without what it says: that may be of a resident, and a log is read by many."""
    number = "" if item.arrival is None else f" no. {item.arrival.epoch}.{item.arrival.seq}"
    return f"{item.what}{number} of {item.gateway}"


def _compound(place: Place) -> str:
    """Return where the gateway itself is: the place without the inside of the compound."""
    kept = Place(place.community, place.grid, place.microgrid, place.compound)
    return msgspec.json.encode(kept).decode()
