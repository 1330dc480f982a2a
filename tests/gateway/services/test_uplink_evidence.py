"""Pictures upstream: in parts, whole at the other end, behind everything else, going on where they were cut off."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.core.config import MqttTable
from gateway.services.uplink import Uplink
from gateway.services.uplink import evidence as lane
from gateway.services.uplink.connection import Message
from gateway.services.uplink.evidence import PART
from tests import virtual
from tests.uplink_parts import GATEWAY, MemoryBroker, MemoryJournal, MemoryLink, until


@dataclass
class Piece:
    """A piece of evidence."""

    content: bytes
    what: str = "clip"
    camera: str = "north"
    made_at: float = 1.0

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        return len(self.content)


@dataclass
class Shelf:
    """Evidence in memory. `broken` cannot be read."""

    pieces: dict[str, Piece]
    done: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def unsent(self) -> list[Piece]:
        return [piece for name, piece in self.pieces.items() if name not in self.done]

    def read(self, sha256: str, offset: int, size: int) -> bytes | None:
        return None if sha256 in self.broken else self.pieces[sha256].content[offset : offset + size]

    def sent(self, sha256: str) -> None:
        self.done.append(sha256)


def shelf(*contents: bytes) -> Shelf:
    pieces = [Piece(content) for content in contents]
    return Shelf({piece.sha256: piece for piece in pieces})


@pytest.fixture(autouse=True)
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time does not wait for threads."""

    async def at_once(work: Callable[[], object]) -> object:
        return work()

    monkeypatch.setattr(lane, "in_thread", at_once)


CLIP = bytes(range(256)) * (5 * PART // 256) + b"the end"


def parts(broker: MemoryBroker, sha256: str) -> list[tuple[dict[str, Any], bytes]]:
    """Return head and bytes of every part that was published."""
    told = []
    for message in broker.published(f"/evidence/{sha256}"):
        head, _, data = message.content.partition(b"\n")
        told.append((json.loads(head), data))
    return told


def run(
    evidence: Shelf, broker: MemoryBroker, journal: MemoryJournal, work: Callable[[], Awaitable[None]]
) -> None:
    async def main() -> None:
        uplink = Uplink(
            MqttTable(url="mqtt://a"),
            GATEWAY,
            journal=journal,
            states=lambda _device: None,
            health=lambda: b"{}",
            submit=journal.submit,
            evidence=evidence,
            connect=broker.connect,
        )
        task = asyncio.create_task(uplink.run())
        try:
            await work()
        finally:
            task.cancel()
            await asyncio.wait([task])

    virtual.run(main())


def test_a_clip_arrives_whole_in_small_parts_and_once() -> None:
    evidence, broker = shelf(CLIP), MemoryBroker()
    (sha256,) = evidence.pieces

    async def work() -> None:
        await until(lambda: evidence.done)
        await asyncio.sleep(30)

    run(evidence, broker, MemoryJournal(), work)
    told = parts(broker, sha256)
    assert [head["offset"] for head, _ in told] == [PART * number for number in range(6)]
    assert b"".join(data for _, data in told) == CLIP
    assert {(head["sha256"], head["size"], head["media"]) for head, _ in told} == {
        (sha256, len(CLIP), "video/mp4")
    }
    assert max(len(message.content) for message in broker.published(f"/evidence/{sha256}")) < PART + 512


def test_after_a_cut_it_goes_on_where_it_was() -> None:
    """The third part is on its way, and not acknowledged, when the link is cut."""
    evidence = shelf(CLIP)
    (sha256,) = evidence.pieces
    broker = MemoryBroker()
    broker.answer = lambda message: (
        MemoryLink.SILENT if "/evidence/" in message.topic and len(parts(broker, sha256)) == 3 else None
    )

    async def work() -> None:
        await until(lambda: len(parts(broker, sha256)) == 3)
        broker.cut()
        await asyncio.sleep(5)
        broker.up = True
        await until(lambda: evidence.done, within_s=60)

    run(evidence, broker, MemoryJournal(), work)
    offsets = [head["offset"] for head, _ in parts(broker, sha256)]
    assert offsets == [PART * number for number in (0, 1, 2, 2, 3, 4, 5)]


def test_no_part_goes_while_alerts_wait_and_only_one_is_ever_on_its_way() -> None:
    journal, evidence = MemoryJournal(), shelf(CLIP)
    (sha256,) = evidence.pieces
    journal.submit_alerts(300)

    def answer(message: Message) -> str | None:
        return MemoryLink.SILENT if "/evidence/" in message.topic else None

    broker = MemoryBroker(answer)

    async def work() -> None:
        await until(lambda: parts(broker, sha256))
        assert len(broker.published("/alert")) == 300, "all alerts went before the first part"
        journal.submit_alerts(50)
        await until(lambda: len(broker.published("/alert")) == 350)
        await asyncio.sleep(60)
        assert len(parts(broker, sha256)) == 1

    run(evidence, broker, journal, work)


def test_a_broker_that_refuses_pictures_is_asked_seldom_and_gets_every_alert() -> None:
    journal, evidence = MemoryJournal(), shelf(CLIP)
    (sha256,) = evidence.pieces

    def answer(message: Message) -> str | None:
        return "not authorized" if "/evidence/" in message.topic else None

    broker = MemoryBroker(answer)

    async def work() -> None:
        await asyncio.sleep(600)
        journal.submit_alerts(5)
        await until(lambda: len(broker.published("/alert")) == 5)
        assert 2 <= len(parts(broker, sha256)) <= 4

    run(evidence, broker, journal, work)


def test_a_piece_that_cannot_be_read_holds_up_no_other() -> None:
    evidence, broker = shelf(b"bad spot", b"good"), MemoryBroker()
    bad, good = evidence.pieces
    evidence.broken.add(bad)

    async def work() -> None:
        await until(lambda: evidence.done)

    run(evidence, broker, MemoryJournal(), work)
    assert evidence.done == [good]
