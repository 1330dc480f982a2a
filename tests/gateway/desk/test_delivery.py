"""The delivery worker over real databases: nothing lost, nothing twice, the next channel where one fails."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.desk.delivery import LEASE_S, WAIT_S, Delivery
from gateway.desk.escalating import Escalation
from gateway.desk.sending import Delivered, Message, Rejected, Result, Unknown
from gateway.desk.store import events, notices, people, work
from gateway.desk.store.database import Database
from gateway.desk.store.notices import Notice
from tests import desk_parts
from tests.desk_parts import NOW, RULES, Phones, arrival, opened


class Scene:
    """A database with pages in it, and deliveries on a clock that the test moves."""

    def __init__(self, database: Database) -> None:
        self.database, self.now = database, NOW
        self.phones, self.bot = Phones(), Phones()

    def delivery(self, owner: str = "desk-a", **limits: int) -> Delivery:
        senders = {"phones": self.phones, "bot": self.bot}
        return Delivery(self.database, senders, owner=owner, per_minute=limits, now=lambda: self.now)

    async def write(self, count: int, person: str = "warden-1", rank: int = 3) -> None:
        channels = (("phones", person), ("bot", person))
        made = [
            Notice(f"i|1.{number}|{person}", "i", person, "zh", channels, rank, f"告警 {number}", "", NOW)
            for number in range(count)
        ]
        async with self.database.transaction() as transaction:
            await notices.write(transaction, made, NOW)

    async def states(self) -> dict[str, int]:
        async with self.database.transaction() as transaction:
            rows: Any = await notices.everything(transaction)
        return {state: sum(row["state"] == state for row in rows) for state in {row["state"] for row in rows}}


def play(where: str, body: Callable[[Scene], Awaitable[None]]) -> None:
    """Run a test."""

    async def main() -> None:
        async with opened(where) as database:
            await body(Scene(database))

    asyncio.run(main())


def test_a_page_is_sent_once_and_written_down_with_the_answer(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.write(1)
        delivery = scene.delivery()
        assert [await delivery.look(), await delivery.look()] == [1, 0]
        assert [message.id for message in scene.phones.messages] == ["i|1.0|warden-1"]
        assert await scene.states() == {"delivered": 1}

    play(where, body)


def test_two_desks_share_what_is_to_be_sent(where: str) -> None:
    async def body(scene: Scene) -> None:
        for number in range(40):
            await scene.write(2, person=f"warden-{number}")
        desks = [scene.delivery(f"desk-{number}") for number in range(3)]
        for _ in range(4):
            await asyncio.gather(*(desk.look() for desk in desks))
        ids = [message.id for message in scene.phones.messages]
        assert (len(ids), len(set(ids))) == (80, 80)
        assert await scene.states() == {"delivered": 80}

    play(where, body)


def test_a_desk_that_dies_with_a_page_in_hand_leaves_it_to_another_when_its_lease_is_over(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.write(1)
        async with scene.database.transaction() as transaction:
            await notices.claim(transaction, "desk-dead", NOW, lease_s=LEASE_S, most=5)
        scene.now += LEASE_S - 1
        assert await scene.delivery("desk-b").look() == 0
        scene.now += 1
        assert await scene.delivery("desk-b").look() == 1
        assert await scene.states() == {"delivered": 1}

    play(where, body)


def test_a_channel_that_refuses_is_tried_again_and_then_the_next_one_is(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.write(1)
        scene.phones.answer = Rejected('{"errcode":45009}', retryable=True)
        delivery = scene.delivery()
        for _ in range(8):
            await delivery.look()
            scene.now += 5
        assert len(scene.phones.messages) == 3
        assert len(scene.bot.messages) == 1
        assert await scene.states() == {"delivered": 1}

    play(where, body)


def test_a_page_that_nobody_answered_for_is_sent_again_under_the_same_id(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.write(1)
        scene.phones.answer = Unknown("the line went dead")
        delivery = scene.delivery()
        await delivery.look()
        scene.phones.answer = Delivered("ok")
        scene.now += 2
        await delivery.look()
        assert [message.id for message in scene.phones.messages] == ["i|1.0|warden-1"] * 2
        assert await scene.states() == {"delivered": 1}

    play(where, body)


def test_a_storm_becomes_summaries_within_the_channels_minute_and_nothing_is_dropped(where: str) -> None:
    async def body(scene: Scene) -> None:
        for number in range(30):
            await scene.write(10, person=f"warden-{number}", rank=2)
        delivery = scene.delivery(phones=20)
        for _ in range(30):
            await delivery.look()
            scene.now += WAIT_S
        assert len(scene.phones.messages) == 30
        assert all("另有 7 条" in message.text for message in scene.phones.messages)
        assert await scene.states() == {"delivered": 300}

    play(where, body)


def test_the_worst_go_first_when_a_channel_is_narrow(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.write(1, person="warden-1", rank=1)
        await scene.write(1, person="warden-2", rank=3)
        await scene.delivery(phones=1).look()
        assert [message.address for message in scene.phones.messages] == ["warden-2"]

    play(where, body)


def test_a_page_that_no_channel_takes_is_kept_as_failed_and_the_next_rung_is_climbed_at_once(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        async with scene.database.transaction() as transaction:
            await people.replace(transaction, desk_parts.people())
            await events.ingest(transaction, [arrival(1)], scene.now)
        escalation = Escalation(scene.database, RULES, now=lambda: scene.now)
        await escalation.look()
        scene.phones.answer = scene.bot.answer = Rejected("no such user", retryable=False)
        delivery = scene.delivery()
        await delivery.look()
        await delivery.look()
        assert await scene.states() == {"failed": 1}
        assert await escalation.look() == 1
        async with scene.database.transaction() as transaction:
            rows: Any = await notices.everything(transaction)
            trail: Any = await work.trail(transaction, rows[0]["incident"])
        assert sorted(row["person"] for row in rows) == ["warden-1", "warden-2"]
        assert [row["step"] for row in trail] == ["page 1.0", "not delivered", "page 1.1"]

    play(where, body)


def test_a_sender_that_raises_harms_its_own_page_only(where: str) -> None:
    class Broken(Phones):
        async def send(self, message: Message) -> Result:
            if message.address == "warden-0":
                raise RuntimeError("bug")
            return await super().send(message)

    async def body(scene: Scene) -> None:
        scene.phones = Broken()
        for number in range(3):
            await scene.write(1, person=f"warden-{number}")
        await scene.delivery().look()
        assert await scene.states() == {"delivered": 2, "waiting": 1}

    play(where, body)


def test_a_person_without_a_channel_is_shown_as_not_reached(where: str) -> None:
    async def body(scene: Scene) -> None:
        made = Notice("i|1.0|warden-9", "i", "warden-9", "zh", (), 3, "火", "fire", NOW)
        async with scene.database.transaction() as transaction:
            await notices.write(transaction, [made], NOW)
        assert await scene.states() == {"failed": 1}

    play(where, body)
