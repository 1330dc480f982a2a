"""What is due is told once a day as one alert a compound, changes with the days, and is over when it is seen to."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from gateway.core.events import Place
from gateway.core.installed import Asset, Reported, Written
from gateway.desk.registry.telling import Telling
from gateway.desk.store import assets, events, work
from gateway.desk.store.database import Database
from gateway.desk.workflow import Command, Step
from tests.desk_parts import PLACE_OF_COMPOUND, compound, opened
from tests.events import PLACE

DAY_S = 86_400.0
EIGHT = datetime(2026, 11, 24, 8, 30, tzinfo=UTC).timestamp() - 8 * 3600  # half past eight in Chongqing


class Scene:
    """A desk's word of the morning. `at` is its clock."""

    def __init__(self, database: Database) -> None:
        self.database, self.at = database, EIGHT
        self.telling = Telling(database, now=lambda: self.at)

    async def write(self, device: str, place: Place = PLACE, **written: Any) -> None:
        asset = Asset("hxtp-01", device, msgspec.convert(written, Written), Reported("smoke", "", "", place))
        async with self.database.transaction() as transaction:
            await assets.report(transaction, [msgspec.structs.replace(asset, reported_at=self.at)], self.at)
            await assets.write(transaction, [asset], self.at)

    async def alerts(self) -> list[Any]:
        async with self.database.transaction() as transaction:
            return list(await events.alerts(transaction))

    async def next_day(self) -> int:
        self.at += DAY_S
        return await self.telling.look()


def run(where: str, body: Callable[[Scene], Awaitable[None]]) -> None:
    """Run a test over an empty registry."""

    async def main() -> None:
        async with asyncio.timeout(60), opened(where) as database:
            await body(Scene(database))

    asyncio.run(main())


def test_what_is_due_is_told_in_the_morning_once_a_day_and_by_two_desks_once(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.write("smoke-1", installed_on=date(2014, 11, 1), tested_on=date(2026, 1, 1))
        await scene.write("smoke-2", compound("别的院"), maintain_on=date(2026, 11, 24))
        assert await scene.telling.look() == 0
        scene.at += 3_600
        assert await scene.telling.look() == 2
        assert await scene.telling.look() == 0
        assert await Telling(scene.database, now=lambda: scene.at + 5).look() == 0
        first, second = sorted(await scene.alerts(), key=lambda each: each["zh"])
        assert (first["rank"], first["kind"]) == (0, "asset.due")
        assert {msgspec.json.decode(each["place"], type=Place) for each in (first, second)} == {
            PLACE_OF_COMPOUND, compound("别的院")
        }  # fmt: skip
        assert "使用年限已到" in first["zh"] + second["zh"]
        assert "maintenance due" in first["en"] + second["en"]

    run(where, body)


def test_the_same_alert_says_what_is_due_by_then_and_is_over_when_nothing_is(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.write("smoke-1", maintain_on=date(2026, 11, 24))
        scene.at += 3_600
        await scene.telling.look()
        await scene.write("smoke-2", maintain_on=date(2026, 11, 25))
        assert await scene.next_day() == 1
        (alert,) = await scene.alerts()
        assert (alert["change"], "2 台设备到期" in alert["zh"]) == ("updated", True)
        assert await scene.next_day() == 0
        await scene.write("smoke-1", maintain_on=date(2027, 1, 1))
        await scene.write("smoke-2", maintain_on=date(2027, 1, 1))
        assert await scene.next_day() == 1
        (alert,) = await scene.alerts()
        assert alert["change"] == "cleared"

    run(where, body)


def test_what_people_have_closed_and_is_still_due_begins_anew_the_next_morning(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.write("smoke-1", maintain_on=date(2026, 11, 24))
        scene.at += 3_600
        await scene.telling.look()
        (alert,) = await scene.alerts()
        async with scene.database.transaction() as transaction:
            step = Command("c-1", alert["alert"], Step.RESOLVE, "property-1", cause="real")
            await work.take_step(transaction, step, scene.at)
        assert await scene.next_day() == 2
        old, new = await scene.alerts()
        assert (old["change"], new["change"]) == ("cleared", "raised")

    run(where, body)
