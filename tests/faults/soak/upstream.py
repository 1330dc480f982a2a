"""What is upstream of the virtual soak's gateway, in memory: a broker and a desk that answer as they are told."""

import asyncio
import hashlib
import json
from dataclasses import dataclass, field

from gateway.core.incoming import Incoming
from gateway.services.uplink.brokers import Broker, ConnectError
from gateway.services.uplink.connection import Connection, Done, Identity, Message, Receive
from tests.faults.soak.instant import TIME, WALL
from tests.faults.soak.ledger import Arrival
from tests.uplink_parts import MemoryLink

UNACKNOWLEDGED_S = 4.0  # the real link gives up then
SLOW_S = 3.5


@dataclass
class FarEnd:
    """The desk's record: what it has committed, in order."""

    heard: list[Arrival] = field(default_factory=list)


class Link(MemoryLink):
    """One that keeps nothing of what went over it: a week is long. `late_s` is how long an acknowledgement takes."""

    late_s = 0.0

    def publish(self, message: Message, done: Done) -> None:
        """Take a message."""
        super().publish(message, done)
        self.published.clear()

    def _finish(self, done: Done, answer: str | None) -> None:
        if self.late_s:
            asyncio.get_running_loop().call_later(self.late_s, super()._finish, done, answer)
        else:
            super()._finish(done, answer)


class Upstream:
    """Broker and desk. `away`, `silent`, `slow` and `refusing` are the broker's faults, `deaf` is the desk's."""

    def __init__(self) -> None:
        self.away = self.silent = self.refusing = self.deaf = False
        self.far_end = FarEnd()
        self.life = 0
        self.lying: set[int] = set()  # planted: numbers it takes and never delivers
        self._links: list[Link] = []
        self._waiting: list[bytes] = []  # for a desk that does not listen
        self._receive: Receive = lambda _message: None

    async def connect(self, broker: Broker, _identity: Identity, receive: Receive) -> Connection:
        """Let a gateway in, unless it died already or we are away."""
        life = self.life
        await asyncio.sleep(0.01)
        if self.away or self.silent or life != self.life:
            raise ConnectError("connect", broker.url, "refused")
        link = Link(broker.url, lambda message: self._answer(message, life))
        self._links = [each for each in self._links if not each.lost.done()]
        self._links.append(link)
        self._receive = receive
        return link

    @property
    def slow(self) -> bool:
        """Whether acknowledgements take their time."""
        return Link.late_s > 0

    @slow.setter
    def slow(self, slow: bool) -> None:
        Link.late_s = SLOW_S if slow else 0.0

    def cut(self, reason: str) -> None:
        """Drop every connection."""
        for link in self._links:
            link.drop(reason)
        self._links.clear()

    def listen(self) -> None:
        """Let the desk take in what waited for it."""
        waiting, self._waiting = self._waiting, []
        for content in waiting:
            self._commit(content)

    def _answer(self, message: Message, life: int) -> str | None:
        if life != self.life:
            return MemoryLink.SILENT
        if self.silent:
            asyncio.get_running_loop().call_later(UNACKNOWLEDGED_S, self.cut, "it acknowledged nothing")
            return MemoryLink.SILENT
        if self.refusing:
            return "Quota exceeded"
        if message.topic.endswith("/alert"):
            if self.deaf:
                self._waiting.append(message.content)
            else:
                asyncio.get_running_loop().call_soon(self._commit, message.content)
        return None

    def _commit(self, content: bytes) -> None:
        """Be the desk: commit, then say so."""
        arrival = _arrival(content)
        epoch, seq = arrival.number
        if len(self.far_end.heard) not in self.lying:
            self.far_end.heard.append(arrival)
        else:
            self.lying.clear()
        receipt = json.dumps({"epoch": epoch, "stored": [[seq, seq]]}).encode()
        self._receive(Incoming("compound/v1/bench/receipt", receipt))


def _arrival(content: bytes) -> Arrival:
    event = json.loads(content)
    epoch, _, seq = event["id"].partition(".")
    previous = tuple(map(int, event["previous"].split("."))) if "previous" in event else None
    data = event["data"]
    return Arrival(
        (int(epoch), int(seq)), previous, event["subject"], data["kind"], data["device"],  # type: ignore[arg-type]
        WALL + TIME.now, hashlib.blake2b(content, digest_size=8).digest(),
        state=data["state"], point=data["point"], count=data["count"],
    )  # fmt: skip
