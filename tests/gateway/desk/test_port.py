"""The hatch, both ends of it: a gateway beside its desk is heard and answered, whichever of them ends first."""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import payload
from gateway.core.hatch import Confirm, Frames, HatchError, Passed, Publish, Tell, encode
from gateway.core.incoming import Incoming
from gateway.desk.intake import Intake
from gateway.desk.listening import Heard, Way
from gateway.desk.port import Port
from gateway.desk.store.database import Database
from gateway.services.uplink.beside import SILENCE_S, DeskLink
from gateway.services.uplink.connection import Message
from tests import virtual
from tests.desk_parts import GATEWAY, opened, published, told

WAIT_S = 20.0
ALERT = payload.topic(GATEWAY, "alert")
PASSED: list[Passed] = [
    Publish(1, ALERT, b"\x00{}"),
    Confirm(1),
    Tell(payload.topic(GATEWAY, "receipt"), b""),
]


class Ears:
    """A listener that takes evidence, and answers with an order."""

    subscriptions = ()

    def __init__(self) -> None:
        self.heard: list[Heard] = []

    def hear(self, heard: Heard, way: Way) -> bool:
        if heard.what != "evidence":
            return False
        self.heard.append(heard)
        heard.settled()
        assert way.publish(payload.topic(GATEWAY, "command"), b"open", expiry_s=10)
        return True


class Scene:
    """A link and a port, and all that came of what was published."""

    def __init__(self, database: Database, link: DeskLink, told: list[Incoming]) -> None:
        self.link, self.told, self.confirmed = link, told, list[str]()
        self.ears = Ears()
        self.intake = Intake(database)
        self.port = Port(self.intake, [self.ears])

    def publish(self, content: bytes, *what: str) -> None:
        message = Message(payload.topic(GATEWAY, *what), content)
        self.link.publish(message, lambda refusal: self.confirmed.append(refusal or what[0]))

    async def until(self, count: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while len(self.confirmed) < count:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def scene(database: Database) -> AsyncIterator[Scene]:
    """Have a hatch open."""
    ours, theirs = socket.socketpair()
    told: list[Incoming] = []
    link = DeskLink(told.append)
    await link.open(ours)
    made = Scene(database, link, told)
    serving = asyncio.create_task(made.port.serve(theirs))
    taking = asyncio.create_task(made.intake.run())
    try:
        yield made
    finally:
        for task in (serving, taking):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await link.close(Message(payload.topic(GATEWAY, "availability"), b"offline"))


@given(cuts=st.lists(st.integers(0, 120), max_size=6))
def test_what_is_passed_comes_out_however_the_bytes_are_cut(cuts: list[int]) -> None:
    data = b"".join(encode(each) for each in PASSED)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    frames, found = Frames(), list[Passed]()
    for start, end in itertools.pairwise(edges):
        found += frames.feed(data[start:end])
    assert found == PASSED


@given(st.binary(min_size=1, max_size=60))
def test_garbage_is_nothing_or_refused(garbage: bytes) -> None:
    with contextlib.suppress(HatchError):
        for passed in Frames().feed(garbage):
            assert isinstance(passed, Publish | Confirm | Tell)


def test_a_frame_too_large_is_refused_before_it_is_waited_for() -> None:
    with pytest.raises(HatchError, match="a frame of"):
        list(Frames().feed(b"\xff\xff\xff\xff"))


def test_alerts_are_confirmed_when_they_are_committed_and_receipted(where: str) -> None:
    async def main() -> None:
        async with opened(where) as database, scene(database) as made:
            made.publish(b"online", "availability")
            for number in (7, 8):
                made.publish(published(told(number)), "alert")
            await made.until(3)
            assert made.intake.tally.stored == 2
            stored = [each for each in made.told if each.topic.endswith("/receipt")]
            assert stored
            assert made.link.flying == 0

    asyncio.run(main())


def test_a_link_whose_listener_fails_is_lost_at_once_and_not_half_alive() -> None:
    def fails(told: Incoming) -> None:
        raise ValueError(told.topic)

    async def main() -> None:
        ours, theirs = socket.socketpair()
        link = DeskLink(fails)
        await link.open(ours)
        with theirs:
            theirs.sendall(encode(Tell("compound/v1/hxtp-01/receipt", b"{}")))
            async with asyncio.timeout(WAIT_S):
                assert await link.lost == "what the desk said could not be taken"

    asyncio.run(main())


def test_evidence_goes_its_way_orders_come_back_and_what_nobody_wants_is_confirmed(where: str) -> None:
    async def main() -> None:
        async with opened(where) as database, scene(database) as made:
            made.publish(b"part", "evidence", "a" * 64)
            made.publish(b"{}", "state", "smoke-1")
            await made.until(2)
            assert [(each.what, each.name) for each in made.ears.heard] == [("evidence", "a" * 64)]
            assert made.told == [Incoming(payload.topic(GATEWAY, "command"), b"open")]
            assert made.intake.tally.unreadable == 0

    asyncio.run(main())


def test_the_desk_ends_when_the_gateway_closes_its_end_and_the_other_way_round(where: str) -> None:
    async def main() -> None:
        async with opened(where) as database:
            ours, theirs = socket.socketpair()
            port = Port(Intake(database))
            serving = asyncio.create_task(port.serve(theirs))
            while not port.is_open():
                await asyncio.sleep(0)
            ours.close()
            async with asyncio.timeout(WAIT_S):
                await serving
            assert not port.is_open()
            assert not port.publish("x", b"", expiry_s=1)
            ours, theirs = socket.socketpair()
            link = DeskLink(lambda _: None)
            await link.open(ours)
            theirs.close()
            async with asyncio.timeout(WAIT_S):
                assert await link.lost == "the desk ended"

    asyncio.run(main())


def test_a_desk_of_another_version_is_left(where: str) -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        link = DeskLink(lambda _: None)
        await link.open(ours)
        with theirs:
            theirs.sendall(b"\x00\x00\x00\x02hi")
            async with asyncio.timeout(WAIT_S):
                assert "the desk: " in await link.lost

    asyncio.run(main())


def test_a_desk_that_confirms_nothing_for_a_minute_is_left() -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        link = DeskLink(lambda _: None)
        await link.open(ours)
        with theirs:
            link.publish(Message(ALERT, b"{}"), lambda _: None)
            await asyncio.sleep(SILENCE_S - 1)
            link.tick()
            assert not link.lost.done()
            await asyncio.sleep(2)
            link.tick()
            assert "confirmed nothing" in await link.lost

    virtual.run(main())


def test_closing_says_goodbye_first(where: str) -> None:
    async def main() -> None:
        async with opened(where) as database, scene(database) as made:
            await made.link.close(Message(payload.topic(GATEWAY, "availability"), b"offline"))
            assert made.intake.tally.received == 1

    asyncio.run(main())
