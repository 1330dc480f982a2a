"""Open pages are told what has changed: server-sent events, made once for all who see the same places.

How it works: the feed says which alerts have changed; they are read once, written as bytes once for each set of places
somebody looks at, and put into the queue of every stream that has it. A batch ends with its number, so a page that
comes back says after which it wants to hear, and is told what is missing, or `reset` if that is too much or too
long ago: then it loads its list anew. A page too slow to keep up is let go and comes back by itself.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from gateway.core.events import Place
from gateway.desk.feed import Feed
from gateway.desk.store import assets, gateways, news
from gateway.desk.store.database import Database, Transaction
from gateway.desk.store.news import News
from gateway.desk.web.permissions import reaches
from gateway.desk.web.showing import Seen, Showing

BEAT_S: Final = 5.0
MOST_OF_A_PHONE: Final = 4  # pages open at once, of the six connections a browser has; the oldest makes room
MOST_WAITING: Final = 64  # batches a slow page may lag
MOST_MISSED: Final = 2_000
RETRY: Final = b"retry: 1000\n\n"
RESET: Final = b"event: reset\ndata: {}\n\n"
TOPICS: Final = ("gateway", "asset", "silence", "order")

Scope = tuple[Place, ...]


@dataclass(eq=False, slots=True)
class Stream:
    """One open page: whose, what it may see, and what it has not been sent yet. None ends it."""

    phone: str
    scope: Scope
    person: str = ""
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))

    def put(self, told: bytes) -> bool:
        """Have bytes sent; False for a page that lags too far."""
        try:
            self.queue.put_nowait(told)
        except asyncio.QueueFull:
            return False
        return True

    def end(self) -> None:
        """Have the stream closed at once."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Live:
    """All open pages. `now` is wall seconds."""

    def __init__(
        self, database: Database, feed: Feed, showing: Showing, *, now: Callable[[], float] = time.time
    ) -> None:
        self._database, self._feed, self._showing, self._now = database, feed, showing, now
        self._streams: dict[Scope, set[Stream]] = {}
        self._of_phone: dict[str, list[Stream]] = {}
        self._news: list[News] = []
        self._told = asyncio.Event()

    @property
    def streams(self) -> int:
        """Return how many pages are open."""
        return sum(len(group) for group in self._streams.values())

    async def run(self) -> None:
        """Tell every page until cancelled, then end them all."""
        unsubscribe = self._feed.subscribe(self._hear)
        self.close()  # who came while nobody told them anything: they come back, and say from where
        try:
            await self._showing.load()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat(), name="beat")
                group.create_task(self._tell(), name="tell")
        finally:
            unsubscribe()
            self.close()

    async def follow(
        self, phone: str, scope: Scope, after: int | None, person: str = ""
    ) -> AsyncIterator[bytes]:
        """Yield what a page of somebody's is to be sent, first what it missed since news no. `after`."""
        stream = Stream(phone, scope, person)
        self._streams.setdefault(scope, set()).add(stream)
        own = self._of_phone.setdefault(phone, [])
        own.append(stream)
        if len(own) > MOST_OF_A_PHONE:
            own.pop(0).end()
        try:
            yield RETRY + await self._missed(stream, after)
            while (told := await stream.queue.get()) is not None:
                yield told
        finally:
            self._leave(stream)

    def close(self) -> None:
        """End every open page."""
        self._end(lambda _: True)

    def _hear(self, batch: Sequence[News]) -> None:
        self._news += batch
        self._told.set()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            self._send(dict.fromkeys(self._streams, _event("beat", {"at": self._now()})))

    async def _tell(self) -> None:
        while True:
            await self._told.wait()
            self._told.clear()
            batch, self._news = self._news, []
            subjects = _by_topic(batch)
            if "people" in subjects:  # roles may be others now: all come back and are looked at anew
                await self._showing.rename()
                self._end(lambda _: True)
            for phone in subjects.get("phone", ()):
                self._end(lambda stream, phone=phone: stream.phone == phone)  # type: ignore[misc]
            alerts = await self._showing.refresh(subjects.get("alert", {}))
            others = await self._others(subjects)
            end = _end(max(each.id for each in batch))
            self._send({scope: _told(scope, alerts, others) + end for scope in list(self._streams)})
            self._send_doors([each for each in alerts.values() if each.door is not None])

    async def _missed(self, stream: Stream, after: int | None) -> bytes:
        """Return what changed since news no. `after`."""
        async with self._database.transaction() as transaction:
            latest = await news.latest(transaction)
            batch = None if after is None else await news.since(transaction, after, MOST_MISSED)
        if batch is None:
            return RESET + _end(latest)
        subjects = _by_topic(batch)
        alerts = await self._showing.refresh(subjects.get("alert", {}))
        told = _told(stream.scope, alerts, await self._others(subjects))
        return told + _doors(stream, alerts.values()) + _end(latest)

    async def _others(self, subjects: Mapping[str, Iterable[str]]) -> list[tuple[Place | None, bytes]]:
        """Return what is to be said of other things, and where each is; None: its name says nothing."""
        found: list[tuple[Place | None, bytes]] = []
        told = {topic: list(subjects[topic]) for topic in TOPICS if topic in subjects}
        if not told:
            return found
        async with self._database.transaction() as transaction:
            where = await _places(transaction) if told.keys() & {"gateway", "asset"} else {}
            known = await assets.these(transaction, told.get("asset", ()))
        if "asset" in told:  # the name of one that watches over somebody may be that of their door
            told["asset"] = [
                name for name in told["asset"] if name not in known or not known[name].reported.resident
            ]
        for topic, names in told.items():
            for name in names:
                there = where.get(name.partition("/")[0], Place()) if topic in {"gateway", "asset"} else None
                found.append((there, _event(topic, {"subject": name})))
        return found

    def _send(self, told: Mapping[Scope, bytes]) -> None:
        for scope, data in told.items():
            for stream in list(self._streams.get(scope, ())):
                if data and not stream.put(data):
                    stream.end()

    def _send_doors(self, alerts: Sequence[Seen]) -> None:
        """Tell which door it is to those who are to go there: after what everybody is told, so that it stays."""
        for group in list(self._streams.values()) if alerts else ():
            for stream in list(group):
                data = _doors(stream, alerts)
                if data and not stream.put(data):
                    stream.end()

    def _end(self, whom: Callable[[Stream], bool]) -> None:
        for group in self._streams.values():
            for stream in group:
                if whom(stream):
                    stream.end()

    def _leave(self, stream: Stream) -> None:
        group, own = self._streams[stream.scope], self._of_phone[stream.phone]
        group.discard(stream)
        if not group:
            del self._streams[stream.scope]
        if stream in own:
            own.remove(stream)
        if not own:
            del self._of_phone[stream.phone]


async def _places(transaction: Transaction) -> dict[str, Place]:
    """Return where each gateway is, as far as it has said."""
    return {
        row["gateway"]: msgspec.json.decode(row["place"], type=Place)
        for row in await gateways.everyone(transaction)
        if row["place"]
    }


def _told(scope: Scope, alerts: Mapping[str, Seen], others: Sequence[tuple[Place | None, bytes]]) -> bytes:
    """Return what of a batch those who look at these places are told."""
    seen = [
        _event("alert", each.alert)
        for each in alerts.values()
        if not each.discreet and reaches(scope, each.place)
    ]
    seen += [told for place, told in others if place is None or reaches(scope, place)]
    return b"".join(seen)


def _doors(stream: Stream, alerts: Iterable[Seen]) -> bytes:
    """Return the alerts about residents that the person of a page is to go to, as they may see them.

    What is discreet they are told of here alone, also that it is closed.
    """
    return b"".join(
        _event("alert", each.told(stream.person))
        for each in alerts
        if (each.concerns(stream.person) if each.discreet else each.is_for(stream.person))
        and reaches(stream.scope, each.place)
    )


def _by_topic(batch: Iterable[News]) -> dict[str, dict[str, None]]:
    """Return the subjects of a batch by topic, each once, in order."""
    found: dict[str, dict[str, None]] = {}
    for each in batch:
        found.setdefault(each.topic, {})[each.subject] = None
    return found


def _event(name: str, told: object) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(told) + b"\n\n"


def _end(number: int) -> bytes:
    """Return the end of a batch: the number from which a page goes on."""
    return b"id: %d\nevent: at\ndata: {}\n\n" % number
