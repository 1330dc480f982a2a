"""What has changed, to every open page at once: reads the news as they are committed and hands them on in order.

It is woken by this desk's own commits, by those of other desks (PostgreSQL's LISTEN/NOTIFY), and by the clock, which
alone would do: whoever forgets to wake it, or dies before, delays a page by `LOOK_S` and costs it nothing.

Other desks are told by the feed and not in the transactions that change things: PostgreSQL puts commits that notify
one behind the other, each with its flush to the disk, and a storm of alerts would be taken in at a third of the pace.

An id that is passed over may be one whose transaction is not committed yet, or one that was undone. The feed looks
for it again, for as long as a transaction may take; so a row may come behind one with a greater id, and never twice.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from gateway.desk.outages import Patience
from gateway.desk.store import news
from gateway.desk.store.database import Database, Transaction
from gateway.desk.store.news import News

log = logging.getLogger(__name__)

LOOK_S: Final = 2.0
PAUSE_S: Final = 1.0  # before the next try to hear other desks
MOST_MISSING: Final = 1_000

Listener: TypeAlias = Callable[[Sequence[News]], None]
"""Takes news in the order of their ids; called on the event loop, so it hands on and does not wait."""


class Feed:
    """Tells listeners what has changed, after it was committed."""

    def __init__(self, database: Database, *, look_s: float = LOOK_S) -> None:
        self.told = 0
        self._database, self._look_s = database, look_s
        self._listeners: dict[object, Listener] = {}
        self._due, self._ours = asyncio.Event(), False
        self._last: int | None = None
        self._missing: dict[int, float] = {}  # id -> when the search ends, by the loop's clock
        self._patience = Patience(database, "pages cannot be told what changes")

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` told of everything from now on; return what ends that."""
        key = object()
        self._listeners[key] = listener

        def unsubscribe() -> None:
            self._listeners.pop(key, None)

        return unsubscribe

    def wake(self) -> None:
        """Look at once: this desk has committed something, and other desks are to hear of it."""
        self._ours = True
        self._due.set()

    async def run(self) -> None:
        """Read and tell until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(), name="feed.listen")
            group.create_task(self._read(), name="feed.read")

    async def _read(self) -> None:
        while True:
            await self._patience.through(self._look)
            try:
                async with asyncio.timeout(self._look_s):
                    await self._due.wait()
            except TimeoutError:
                continue

    async def _look(self) -> None:
        """Read all there is."""
        self._due.clear()
        ours, self._ours = self._ours, False
        if ours:
            await self._database.announce()
        more = True
        while more:
            async with self._database.transaction() as transaction:
                last, late, found = await self._next(transaction)
            self._go_on(last, late, found)
            more = len(late) + len(found) >= news.MOST
            self._tell([*late, *found])

    async def _next(self, transaction: Transaction) -> tuple[int, list[News], list[News]]:
        """Return after which id it was read, those that were missing, and what is new.

        It notes nothing: where the database goes away before the transaction has ended, all of it is read again.
        """
        if self._last is None:  # a page may have asked for its news just before we came
            last = await news.latest(transaction)
            return last, await news.since(transaction, last) or [], []
        late = await news.among_ids(transaction, self._missing)
        return self._last, late, await news.after(transaction, self._last)

    def _go_on(self, last: int, late: Sequence[News], found: Sequence[News]) -> None:
        """Go on behind what was read, and look for the ids that were passed over."""
        now, came = asyncio.get_running_loop().time(), {each.id for each in late}
        self._missing = {
            each: until for each, until in self._missing.items() if until > now and each not in came
        }
        self._last = last
        for each in found:
            passed = range(max(self._last + 1, each.id - MOST_MISSING), each.id)
            self._missing |= dict.fromkeys(passed, now + news.LOOK_BACK_S)
            self._last = each.id
        for old in list(self._missing)[: -MOST_MISSING or None]:
            del self._missing[old]

    def _tell(self, found: Sequence[News]) -> None:
        if not found:
            return
        self.told += len(found)
        for listener in list(self._listeners.values()):
            try:
                listener(found)
            except Exception:  # one page's trouble is not another's
                log.exception("a page could not be told")

    async def _listen(self) -> None:
        """Hear other desks; without that line the clock does it."""
        while True:
            try:
                await self._database.listen(self._due.set)
            except Exception as error:
                if not self._database.is_outage(error):
                    raise
                log.warning("other desks are not heard at once: %s: %s", type(error).__name__, error)
            await asyncio.sleep(PAUSE_S)
