"""The delivery worker over real databases: nothing lost, nothing twice, the next channel where one fails."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.desk.delivering import LAST_TRIES, Pace
from gateway.desk.delivery import AT_ONCE, LEASE_S, LOOK_S, WAIT_S, Delivery
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
        return Delivery(
            self.database,
            senders,
            owner=owner,
            paces={name: Pace(most) for name, most in limits.items()},
            now=lambda: self.now,
        )

    async def write(self, count: int, person: str = "warden-1", rank: int = 3) -> None:
        channels = (("phones", person), ("bot", person))
        made = [
            Notice(f"i|1.{number}|{person}", "i", person, "zh", channels, rank, f"告警 {number}", "", NOW)
            for number in range(count)
        ]
        async with self.database.transaction() as transaction:
            await notices.write(transaction, made, NOW)

    async def held(self) -> list[str]:
        """Return which pages are in somebody's hands."""
        async with self.database.transaction() as transaction:
            rows: Any = await notices.everything(transaction)
        return [row["id"] for row in rows if row["owner"]]

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


def test_a_channel_used_up_by_a_clock_that_was_ahead_takes_pages_again_at_once_when_it_is_set(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        delivery = scene.delivery(phones=2)
        scene.now = NOW + 86_400.0
        await scene.write(2)
        await delivery.look()
        scene.now = NOW
        await scene.write(1, person="warden-2")
        await delivery.look()
        assert [message.address for message in scene.phones.messages] == ["warden-1", "warden-1", "warden-2"]

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
        assert await escalation.look() == 2  # the fire's next rung, and that warden-1 cannot be reached
        async with scene.database.transaction() as transaction:
            everything: Any = await notices.everything(transaction)
            rows = [row for row in everything if "fire.smoke" in row["incident"]]
            trail: Any = await work.trail(transaction, rows[0]["incident"])
        assert sorted(row["person"] for row in rows) == ["warden-1", "warden-2"]
        assert {row["person"] for row in everything if row not in rows} == {"duty-room"}
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


def test_a_channel_that_hangs_holds_up_no_page_on_another(where: str) -> None:
    class Hanging(Phones):
        async def send(self, message: Message) -> Result:
            self.messages.append(message)
            await asyncio.get_running_loop().create_future()
            return self.answer

    async def body(scene: Scene) -> None:
        scene.phones = Hanging()
        await scene.write(20)
        await scene.write(1, person="warden-2")
        async with scene.database.transaction() as transaction:
            made = Notice("i|1.0|chief", "i", "chief", "zh", (("bot", "chief"),), 1, "告警", "", NOW)
            await notices.write(transaction, [made], NOW)
        working = asyncio.create_task(scene.delivery().run())
        async with asyncio.timeout(20):
            while not scene.bot.messages:
                await asyncio.sleep(0.01)
        working.cancel()
        assert [message.address for message in scene.bot.messages] == ["chief"]

    play(where, body)


def test_a_channel_that_hangs_with_all_it_may_have_in_hand_holds_up_no_page_on_another(where: str) -> None:
    async def body(scene: Scene) -> None:
        hung = asyncio.Event()

        class Hanging(Phones):
            async def send(self, message: Message) -> Result:
                await hung.wait()
                return await super().send(message)

        scene.phones = Hanging()
        for number in range(AT_ONCE + 20):
            await scene.write(1, person=f"warden-{number}")
        delivery = scene.delivery()
        hanging = asyncio.create_task(delivery.look())
        while len(await scene.held()) < AT_ONCE:
            await asyncio.sleep(0)
        async with scene.database.transaction() as transaction:
            made = Notice("i|1.0|chief", "i", "chief", "zh", (("bot", "chief"),), 3, "火", "", NOW)
            await notices.write(transaction, [made], NOW)
        await delivery.look()
        assert [message.address for message in scene.bot.messages] == ["chief"]
        hung.set()
        await hanging
        for _ in range(2):
            scene.now += WAIT_S
            await delivery.look()
        assert await scene.states() == {"delivered": AT_ONCE + 21}

    play(where, body)


def test_what_waits_for_a_hand_and_for_no_minute_goes_out_with_the_next_look(where: str) -> None:
    async def body(scene: Scene) -> None:
        slow = asyncio.Event()

        class Slow(Phones):
            async def send(self, message: Message) -> Result:
                await slow.wait()
                return await super().send(message)

        scene.phones = Slow()
        delivery, sending = scene.delivery(), []
        for persons in (range(AT_ONCE - 10), range(AT_ONCE, AT_ONCE + 20)):
            for number in persons:
                await scene.write(1, person=f"warden-{number}")
            sending.append(asyncio.create_task(delivery.look()))
            while len(await scene.held()) < min(persons.stop, AT_ONCE):
                await asyncio.sleep(0)
        slow.set()
        await asyncio.gather(*sending)
        assert await scene.states() == {"delivered": AT_ONCE, "waiting": 10}
        scene.now += LOOK_S
        await delivery.look()
        assert await scene.states() == {"delivered": AT_ONCE + 10}

    play(where, body)


def test_what_comes_too_late_to_its_turn_is_put_back_before_its_lease_ends_and_is_not_sent_twice(
    where: str,
) -> None:
    class Slow(Phones):
        async def send(self, message: Message) -> Result:
            result = await super().send(message)
            scene_of[0].now += 30.0
            return result

    scene_of: list[Scene] = []

    async def body(scene: Scene) -> None:
        scene_of.append(scene)
        scene.phones = Slow()
        await scene.write(3)
        paces = {"phones": Pace(0, at_once=1, longest_s=35.0)}
        delivery = Delivery(
            scene.database, {"phones": scene.phones}, owner="a", paces=paces, now=lambda: scene.now
        )
        await delivery.look()
        assert len(scene.phones.messages) == 1
        assert await scene.states() == {"delivered": 1, "waiting": 2}
        await delivery.look()
        await delivery.look()
        ids = [message.id for message in scene.phones.messages]
        assert (len(ids), len(set(ids))) == (3, 3)
        assert await scene.states() == {"delivered": 3}

    play(where, body)


def test_a_bot_that_is_flooded_takes_its_pace_and_every_page_gets_through_on_it(where: str) -> None:
    """Two bots with their own limits beside each other, as the services count: too many in any minute are refused."""

    async def body(scene: Scene) -> None:
        bots = {"narrow": Minute(scene, 20), "wide": Minute(scene, 60)}
        made = [
            Notice(
                f"i|1.{number}|{name}-{who}",
                "i",
                f"{name}-{who}",
                "zh",
                ((name, f"{who}"),),
                3,
                "火",
                "",
                NOW,
            )
            for name in bots
            for who in range(40)
            for number in range(25)
        ]
        async with scene.database.transaction() as transaction:
            await notices.write(transaction, made, NOW)
        paces = {"narrow": Pace(20), "wide": Pace(60)}
        delivery = Delivery(scene.database, bots, owner="a", paces=paces, now=lambda: scene.now)
        for _ in range(400):
            await delivery.look()
            scene.now += 1
        assert await scene.states() == {"delivered": 2000}
        assert [bot.refused for bot in bots.values()] == [0, 0]

    play(where, body)


class Minute(Phones):
    """A bot that refuses more than so many messages in any minute."""

    def __init__(self, scene: Scene, most: int) -> None:
        super().__init__()
        self.refused, self._scene, self._most, self._times = 0, scene, most, list[float]()

    async def send(self, message: Message) -> Result:
        now = self._scene.now
        self._times = [each for each in self._times if now - each < 60.0]
        if len(self._times) >= self._most:
            self.refused += 1
            return Rejected("too fast", retryable=True)
        self._times.append(now)
        return await super().send(message)


def test_a_bot_that_refuses_for_a_while_gets_the_page_in_the_end_though_it_is_the_only_way(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        async with scene.database.transaction() as transaction:
            made = Notice("i|1.0|w", "i", "w", "zh", (("bot", "w"),), 3, "火", "", NOW)
            await notices.write(transaction, [made], NOW)
        scene.bot.answer = Rejected("45009", retryable=True)
        delivery = scene.delivery()
        while scene.now < NOW + 240:
            await delivery.look()
            scene.now += 1
        scene.bot.answer = Delivered("ok")
        for _ in range(61):
            await delivery.look()
            scene.now += 1
        assert await scene.states() == {"delivered": 1}
        assert len(scene.bot.messages) < LAST_TRIES

    play(where, body)


def test_what_is_critical_goes_out_first_of_more_than_one_look_takes(where: str) -> None:
    async def main() -> list[str]:
        async with opened(where) as database, database.transaction() as transaction:
            made = [
                Notice(f"i|1.{rank}|{rank}", "i", "warden-1", "zh", (("phones", "w"),), rank, "", "", NOW)
                for rank in (1, 3, 2)
            ]
            await notices.write(transaction, made, NOW)
            found = [await notices.claim(transaction, "desk-a", NOW, lease_s=60.0, most=1) for _ in made]
            return [each.id[-1] for claimed in found for each in claimed]

    assert asyncio.run(main()) == ["3", "2", "1"]


def test_a_desk_that_has_lost_its_lease_puts_off_or_gives_up_nothing_of_who_has_it_now(where: str) -> None:
    async def main() -> Any:
        async with opened(where) as database, database.transaction() as transaction:
            made = Notice("i|1.0|w", "i", "w", "zh", (("phones", "w"),), 3, "", "", NOW)
            await notices.write(transaction, [made], NOW)
            await notices.claim(transaction, "desk-a", NOW, lease_s=60.0, most=1)
            await notices.claim(transaction, "desk-b", NOW + 60, lease_s=60.0, most=1)
            await notices.failed(transaction, made, "desk-a", "no")
            await notices.put_off(
                transaction, made, "desk-a", due_at=NOW + 1e6, channel=0, attempts=9, answer="no"
            )
            [before] = await notices.everything(transaction)
            await notices.delivered(transaction, made, "desk-b", channel="phones", answer="", now=NOW)
            await notices.failed(transaction, made, "", "no")
            [after] = await notices.everything(transaction)
            return before, after

    before, after = asyncio.run(main())
    assert (before["state"], before["owner"], before["due_at"]) == ("waiting", "desk-b", NOW)
    assert after["state"] == "delivered"
