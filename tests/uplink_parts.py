"""Pieces for tests of the uplink: made-up events, a journal in memory, a broker in memory."""

import asyncio
from collections.abc import Callable, Sequence

from drivers.api import Quality
from gateway.core.events import (
    AlertBody,
    Body,
    Certainty,
    Change,
    Clock,
    Event,
    OutcomeBody,
    Place,
    ReadingBody,
    Severity,
    Words,
)
from gateway.core.incoming import Incoming
from gateway.runtime.journal.rows import START, Lane, Position, lane_of
from gateway.services.uplink.brokers import Broker, ConnectError
from gateway.services.uplink.connection import Connection, Done, Identity, Message, Receive

GATEWAY = "hxtp-01"
MORNING = 1_795_508_130.123


def alert_body(number: int = 1, *, kind: str = "door.held", severity: Severity = Severity.MINOR) -> AlertBody:
    """Return a plausible alert; `number` makes its UUIDv7."""
    return AlertBody(
        alert=f"0193a5f2-0000-7000-8000-{number:012x}",
        key=f"{kind}/door-{number}",
        change=Change.RAISED,
        state="unacknowledged",
        kind=kind,
        severity=severity,
        certainty=Certainty.OBSERVED,
        text=Words(zh="2 栋 1 单元 门开太久", en="Door held open, building 2, unit 1"),
        place=Place(community="中山二路", compound="红星亭坡 1 号院", building="2", unit="1"),
        first_seen=MORNING,
        clock=Clock.SYNCED,
        device=f"door-{number % 6}",
        point="contact",
        value=True,
        devices=(f"door-{number % 6}",),
    )


def outcome_body(number: int = 1) -> OutcomeBody:
    """Return what came of a command."""
    return OutcomeBody(f"order-{number}", "door-1", "unlock", "done", "read back", "console", grants=True)


def reading_body(device: str, value: float = 1.0) -> ReadingBody:
    """Return a reading."""
    return ReadingBody(device, "temperature", value, Quality.GOOD, 1.0, "°C")


class MemoryJournal:
    """The journal as the uplink sees it, in memory; also the stream, since it numbers what is submitted."""

    def __init__(self) -> None:
        self.events: dict[Lane, list[Event]] = {lane: [] for lane in Lane}
        self.cursors: dict[str, Position] = {}
        self.seq = 0
        self._previous = 0
        self._wakers: set[asyncio.Future[None]] = set()

    def submit(self, body: Body) -> Event:
        """Number a body and keep it."""
        self.seq += 1
        previous = None
        if isinstance(body, AlertBody):
            previous, self._previous = self._previous, self.seq
        event = Event(1, self.seq, MORNING + self.seq / 1000, float(self.seq), Clock.SYNCED, body, previous)
        self.events[lane_of(body)].append(event)
        for waker in self._wakers:
            if not waker.done():
                waker.set_result(None)
        return event

    def submit_alerts(self, count: int) -> list[Event]:
        """Submit `count` alerts."""
        return [self.submit(alert_body(number)) for number in range(count)]

    async def rows(self, lane: Lane, after: Position, limit: int) -> list[Event]:
        """Return up to `limit` events past `after`."""
        await asyncio.sleep(0)
        start = self._index(lane, after)
        return self.events[lane][start : start + limit]

    async def wait(self, lane: Lane, after: Position) -> None:
        """Return when there is an event past `after`."""
        while not self.has(lane, after):
            waker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._wakers.add(waker)
            try:
                await waker
            finally:
                self._wakers.discard(waker)

    def has(self, lane: Lane, after: Position) -> bool:
        """Return whether there is an event past `after`."""
        return self._index(lane, after) < len(self.events[lane])

    def last(self, lane: Lane) -> Position:
        """Return the position of the last row of a lane."""
        return (self.events[lane][-1].epoch, self.events[lane][-1].seq) if self.events[lane] else START

    def cursor(self, sink: str) -> Position:
        """Return a sink's cursor."""
        return self.cursors.get(sink, START)

    def move_cursor(self, sink: str, position: Position) -> None:
        """Move a sink's cursor; it never goes back."""
        assert position > self.cursor(sink), f"{sink} from {self.cursor(sink)} to {position}"
        self.cursors[sink] = position

    def depth(self, sink: str, lane: Lane) -> int:
        """Return how many rows lie past a cursor."""
        return len(self.events[lane]) - self._index(lane, self.cursor(sink))

    def _index(self, lane: Lane, after: Position) -> int:
        low, high, events = 0, len(self.events[lane]), self.events[lane]
        while low < high:
            middle = (low + high) // 2
            if (events[middle].epoch, events[middle].seq) <= after:
                low = middle + 1
            else:
                high = middle
        return low


class DeadCard(MemoryJournal):
    """A journal on a card that cannot be read: what is new comes from memory, a row asked for once more never does."""

    async def rows(self, lane: Lane, after: Position, limit: int) -> list[Event]:
        """Return what is in memory."""
        if limit == 1:
            await asyncio.get_running_loop().create_future()
        return await super().rows(lane, after, limit)


class MemoryLink:
    """A connection in memory. `answer` says of each message: None delivered, a reason refused, SILENT nothing.

    What it says is heard after `delay_s`.
    """

    SILENT = "silent"

    def __init__(
        self,
        broker: str,
        answer: Callable[[Message], str | None],
        *,
        window: int = 100,
        delay_s: float = 0.0,
    ) -> None:
        self.broker, self.protocol, self.window, self.resumed = broker, "5", window, False
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.published: list[Message] = []
        self.most_flying = 0
        self._answer, self._delay_s = answer, delay_s
        self._flying = 0

    @property
    def flying(self) -> int:
        """Return how many messages are unacknowledged."""
        return self._flying

    def publish(self, message: Message, done: Done) -> None:
        """Keep the message and answer it, at the earliest on the loop's next turn."""
        self.published.append(message)
        self._flying += 1
        self.most_flying = max(self.most_flying, self._flying)
        answer = self._answer(message)
        loop = asyncio.get_running_loop()
        if answer != self.SILENT and self._delay_s:
            loop.call_later(self._delay_s, self._finish, done, answer)
        elif answer != self.SILENT:
            loop.call_soon(self._finish, done, answer)

    def tick(self) -> None:
        """Do nothing: time-outs belong to the real link."""

    async def close(self, farewell: Message) -> None:
        """Take the farewell and end."""
        self.published.append(farewell)
        self.drop("closed")

    def drop(self, reason: str) -> None:
        """Lose the connection."""
        if not self.lost.done():
            self.lost.set_result(reason)

    def _finish(self, done: Done, answer: str | None) -> None:
        if not self.lost.done():
            self._flying -= 1
            done(answer)


class MemoryBroker:
    """Brokers by address: makes links while it is up, keeps what arrived over all of them."""

    def __init__(
        self,
        answer: Callable[[Message], str | None] = lambda _message: None,
        *,
        window: int = 100,
        delay_s: float = 0.0,
    ) -> None:
        self.up = True
        self.answer = answer
        self.away: set[str] = set()
        self.links: list[MemoryLink] = []
        self._receive: Receive = lambda _message: None
        self.attempts = 0
        self._window, self._delay_s = window, delay_s

    async def connect(self, broker: Broker, _identity: Identity, receive: Receive) -> Connection:
        """Connect, or not."""
        self.attempts += 1
        await asyncio.sleep(0.01)
        if not self.up or broker.url in self.away:
            raise ConnectError("connect", broker.url, "refused")
        self._receive = receive
        self.links.append(MemoryLink(broker.url, self._ask, window=self._window, delay_s=self._delay_s))
        return self.links[-1]

    def receive(self, content: bytes, what: str = "receipt") -> None:
        """Hand a message to whoever is connected."""
        self._receive(Incoming(f"compound/v1/{GATEWAY}/{what}", content))

    def _ask(self, message: Message) -> str | None:
        return self.answer(message)

    def published(self, ending: str = "/alert") -> list[Message]:
        """Return what was published on topics that end so, in order, over all links."""
        return [
            message for link in self.links for message in link.published if message.topic.endswith(ending)
        ]

    def cut(self) -> None:
        """Go away and drop all links."""
        self.up = False
        for link in self.links:
            link.drop("cut")


async def until(condition: Callable[[], object], *, within_s: float = 20.0, what: str = "it") -> None:
    """Wait on the loop until `condition` holds; fail after `within_s`."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


def first_seen_order(ids: Sequence[str]) -> list[str]:
    """Return ids in the order in which each was seen first."""
    return list(dict.fromkeys(ids))
