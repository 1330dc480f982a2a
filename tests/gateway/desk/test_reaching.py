"""Somebody who cannot be reached is an alert once, and over when a page gets through; tested every week."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.core import schedule
from gateway.desk.delivery import Delivery
from gateway.desk.escalating import Escalation
from gateway.desk.routing import Directory
from gateway.desk.sending import Delivered, Rejected
from gateway.desk.store import events, notices, people, unreached, work
from gateway.desk.store.database import Database
from gateway.desk.weekly import LATE_S, WeeklyTest
from gateway.desk.workflow import Command, Step
from tests.desk_parts import RULES, Phones, opened
from tests.desk_parts import people as everybody

MONDAY = 1_795_399_200.0  # 2026-11-23 10:00 in China
WEEK_S = 7 * 86_400.0
TEN = schedule.weekly("mon 10:00")
NO = Rejected("no such user", retryable=False)


class Scene:
    """A desk of four people, on a clock that the test moves."""

    def __init__(self, database: Database) -> None:
        self.database, self.now = database, MONDAY
        self.phones, self.bot = Phones(), Phones()
        self.told = 0

    def weekly(self) -> WeeklyTest:
        return WeeklyTest(self.database, TEN, now=lambda: self.now)

    def delivery(self, owner: str = "desk-a") -> Delivery:
        senders = {"phones": self.phones, "bot": self.bot}
        made = Delivery(self.database, senders, owner=owner, now=lambda: self.now)
        made.taken.append(self.count)
        return made

    def count(self) -> None:
        self.told += 1

    async def deliver(self, looks: int = 3) -> None:
        delivery = self.delivery()
        for _ in range(looks):
            await delivery.look()

    async def rows(self) -> Any:
        async with self.database.transaction() as transaction:
            return await notices.everything(transaction)

    async def alerts(self) -> list[tuple[str, str]]:
        """Return what the desk has to say of people: name and change."""
        async with self.database.transaction() as transaction:
            rows: Any = await events.alerts(transaction)
        found = (row for row in rows if row["kind"] == "desk.unreachable")
        return [(row["gateway"].partition(":")[2], row["change"]) for row in found]


def play(where: str, body: Callable[[Scene], Awaitable[None]]) -> None:
    """Run a test."""

    async def main() -> None:
        async with opened(where) as database:
            async with database.transaction() as transaction:
                await people.replace(transaction, everybody())
            await body(Scene(database))

    asyncio.run(main())


def test_the_week_is_tested_once_for_each_person_however_many_desks_there_are_and_begin_anew(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        desks = [scene.weekly() for _ in range(3)]
        for _ in range(3):
            await asyncio.gather(*(desk.look() for desk in desks))
            scene.now += 60.0
            desks = [scene.weekly() for _ in range(3)]
        ids = [row["id"] for row in await scene.rows()]
        names = ("duty-room", "property-1", "warden-1", "warden-2")
        assert sorted(ids) == [f"test|2026-W48|{name}" for name in names]
        await scene.deliver()
        assert sorted(message.address for message in scene.phones.messages) == sorted(names)
        assert all("测试" in message.text for message in scene.phones.messages)

    play(where, body)


def test_the_next_week_is_tested_by_the_same_desk(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.weekly()
        assert [await desk.look(), await desk.look()] == [4, 0]
        scene.now += WEEK_S - 1
        assert await desk.look() == 0
        scene.now += 1
        assert await desk.look() == 4
        assert {row["incident"] for row in await scene.rows()} == {"test|2026-W48", "test|2026-W49"}

    play(where, body)


def test_a_desk_that_was_down_makes_up_for_it_the_same_day_and_not_in_the_night_or_the_week_after(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        scene.now = MONDAY + LATE_S + 1
        assert await scene.weekly().look() == 0
        scene.now = MONDAY + LATE_S - 1
        assert await scene.weekly().look() == 4

    play(where, body)


def test_whom_no_channel_reaches_is_an_alert_once_and_it_is_over_when_a_page_gets_through(where: str) -> None:
    async def body(scene: Scene) -> None:
        scene.phones.answer = scene.bot.answer = NO
        for _ in range(2):
            await scene.weekly().look()
            await scene.deliver()
            scene.now += WEEK_S
        names = ("duty-room", "property-1", "warden-1", "warden-2")
        assert sorted(await scene.alerts()) == [(name, "raised") for name in names]
        assert scene.told == 4
        async with scene.database.transaction() as transaction:
            assert sorted(row["person"] for row in await unreached.everybody(transaction)) == list(names)
        scene.bot.answer = Delivered("ok")
        await scene.weekly().look()
        await scene.deliver()
        assert sorted(await scene.alerts()) == [(name, "cleared") for name in names]
        async with scene.database.transaction() as transaction:
            assert await unreached.everybody(transaction) == []

    play(where, body)


def test_somebody_out_of_reach_again_is_a_new_alert(where: str) -> None:
    async def body(scene: Scene) -> None:
        for answer in (NO, Delivered("ok"), NO):
            scene.phones.answer = scene.bot.answer = answer
            await scene.weekly().look()
            await scene.deliver()
            scene.now += WEEK_S
        found = [change for name, change in await scene.alerts() if name == "warden-1"]
        assert sorted(found) == ["cleared", "raised"]

    play(where, body)


def test_somebody_still_out_of_reach_after_people_closed_the_alert_is_told_anew_and_not_while_it_is_open(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        scene.phones.answer = scene.bot.answer = NO
        for closed in (False, True, False):
            await scene.weekly().look()
            await scene.deliver()
            async with scene.database.transaction() as transaction:
                rows: Any = await events.alerts(transaction)
                for row in rows if closed else ():
                    made = Command(row["alert"], row["alert"], Step.RESOLVE, "property-1")
                    await work.take_step(transaction, made, scene.now)
            scene.now += WEEK_S
        found = [change for name, change in await scene.alerts() if name == "warden-1"]
        assert found == ["cleared", "raised"]
        scene.bot.answer = Delivered("ok")
        await scene.weekly().look()
        await scene.deliver()
        found = [change for name, change in await scene.alerts() if name == "warden-1"]
        assert found == ["cleared", "cleared"]

    play(where, body)


def test_the_alert_pages_others_and_comes_to_an_end_though_it_cannot_be_delivered_either(where: str) -> None:
    async def body(scene: Scene) -> None:
        scene.phones.answer = scene.bot.answer = NO
        await scene.weekly().look()
        escalation, delivery = Escalation(scene.database, RULES, now=lambda: scene.now), scene.delivery()
        for _ in range(600):
            await escalation.look()
            await delivery.look()
            scene.now += 10.0
        rows = await scene.rows()
        assert len(rows) < 60
        assert {row["incident"] for row in rows if "unreachable" in row["incident"]} == {
            "@desk|desk.unreachable#1"
        }
        assert len(await scene.alerts()) == 4

    play(where, body)


def test_a_desk_of_nobody_tests_nobody(where: str) -> None:
    async def body(scene: Scene) -> None:
        async with scene.database.transaction() as transaction:
            await people.replace(transaction, Directory())
        assert await scene.weekly().look() == 0

    play(where, body)
