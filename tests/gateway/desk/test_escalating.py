"""Escalation over real databases: who is told, when, and never twice for the same step."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.core import schedule
from gateway.core.events import Change, Place, Severity
from gateway.desk.escalating import AT_ONCE, Escalation
from gateway.desk.silences import Silence
from gateway.desk.store import events, notices, people, work
from gateway.desk.store.database import Database
from gateway.desk.workflow import Command, Step
from tests import desk_parts
from tests.desk_parts import NOW, RULES, arrival, compound, opened, staffed
from tests.events import PLACE

YEAR_S = 365 * 86_400.0


class Scene:
    """A desk's escalation on a clock that the test moves."""

    def __init__(self, database: Database) -> None:
        self.database, self.now = database, NOW
        self.escalation = Escalation(database, RULES, now=lambda: self.now)

    async def take(self, *batch: Any) -> None:
        async with self.database.transaction() as transaction:
            await events.ingest(transaction, batch, self.now)

    async def step(self, number: int, name: Step, **told: Any) -> None:
        command = Command(f"c-{number}-{name}-{self.now}", arrival(number).alert, name, "warden-1", **told)
        async with self.database.transaction() as transaction:
            await work.take_step(transaction, command, self.now)

    async def look(self, after_s: float = 0.0) -> list[str]:
        """Move on, look until nothing is due, and return the ids of the new pages."""
        self.now += after_s
        before = {row["id"] for row in await self.pages()}
        while await self.escalation.look() == AT_ONCE:
            pass
        return [row["id"] for row in await self.pages() if row["id"] not in before]

    async def pages(self) -> Any:
        async with self.database.transaction() as transaction:
            return await notices.everything(transaction)


def play(where: str, body: Callable[[Scene], Awaitable[None]]) -> None:
    """Run a test on a desk with its usual people."""

    async def main() -> None:
        async with staffed(where) as database:
            await body(Scene(database))

    asyncio.run(main())


def short(ids: list[str]) -> list[str]:
    """Return pages without their incident: `1.0|warden-1`."""
    return sorted(each.partition("#1|")[2] for each in ids)


def test_an_alert_that_nobody_acknowledges_climbs_to_the_duty_room_and_is_not_given_up(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(arrival(1))
        assert short(await scene.look()) == ["1.0|warden-1"]
        assert await scene.look(119) == []
        assert short(await scene.look(1)) == ["1.1|warden-2"]
        assert short(await scene.look(180)) == ["1.2|property-1", "1.2|warden-1", "1.2|warden-2"]
        assert short(await scene.look(300)) == ["1.3|duty-room"]
        assert short(await scene.look(600)) == ["1.4|duty-room"]

    play(where, body)


def test_an_acknowledged_alert_is_told_no_further_and_a_reopened_one_from_the_start(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(arrival(1))
        await scene.look()
        await scene.step(1, Step.ACKNOWLEDGE)
        assert await scene.look(7200) == []
        await scene.step(1, Step.REOPEN)
        assert short(await scene.look()) == ["2.0|warden-1"]

    play(where, body)


def test_a_storm_of_ten_thousand_pages_a_handful_of_times(where: str) -> None:
    async def body(scene: Scene) -> None:
        for first in range(1, 3001, 500):
            await scene.take(*(arrival(number) for number in range(first, first + 500)))
            await scene.look(0.1)
        pages = await scene.pages()
        assert 2 <= len(pages) <= 8
        assert "同类未确认的还有 2999 条" in pages[-1]["zh"] or len(pages) < 8
        assert len({row["incident"] for row in pages}) == 1

    play(where, body)


def test_another_kind_in_the_storm_is_an_incident_of_its_own(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(
            *(arrival(number, kind="bin.full", severity=Severity.MINOR) for number in range(1, 200))
        )
        await scene.look()
        await scene.take(arrival(500))
        [page] = await scene.look()
        assert "fire.smoke" in page

    play(where, body)


def test_a_second_detector_is_told_at_once(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(arrival(1))
        await scene.look()
        await scene.take(arrival(2))
        assert short(await scene.look(5)) == ["1.+2|warden-1"]

    play(where, body)


def test_a_new_alert_in_an_acknowledged_incident_begins_the_ladder_anew(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(arrival(1))
        await scene.look()
        await scene.step(1, Step.ACKNOWLEDGE)
        await scene.look(130)
        await scene.take(arrival(2))
        assert short(await scene.look()) == ["2.0|warden-1"]

    play(where, body)


def test_an_alert_long_after_the_last_is_a_new_incident(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(arrival(1))
        await scene.look()
        await scene.step(1, Step.RESOLVE)
        scene.now += 700
        await scene.look()
        await scene.take(arrival(2))
        [page] = await scene.look()
        assert page.endswith("#2|1.0|warden-1")

    play(where, body)


def test_an_alert_that_becomes_worse_is_told_although_acknowledged(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(arrival(1, kind="manhole.water", severity=Severity.MINOR))
        await scene.look()
        await scene.step(1, Step.ACKNOWLEDGE)
        await scene.look(7200)
        await scene.take(
            arrival(2, life=1, kind="manhole.water", severity=Severity.CRITICAL, change=Change.UPDATED)
        )
        assert short(await scene.look()) == ["2.0|warden-1"]
        assert await scene.look(7200) == []

    play(where, body)


def test_a_silence_keeps_pages_back_until_it_ends_early_or_late(where: str) -> None:
    async def body(scene: Scene) -> None:
        made = Silence("s-1", PLACE, "door", NOW + 3600, "painters", "property-1")
        async with scene.database.transaction() as transaction:
            await people.silence(transaction, made, NOW)
        await scene.take(arrival(1, kind="door.held", severity=Severity.MAJOR), arrival(2))
        assert [each.partition("|")[2] for each in await scene.look()] == ["fire.smoke#1|1.0|warden-1"]
        await scene.step(2, Step.ACKNOWLEDGE)
        assert await scene.look(1800) == []
        async with scene.database.transaction() as transaction:
            await people.end_silence(transaction, "s-1", scene.now)
        assert short(await scene.look()) == ["1.0|warden-1"]

    play(where, body)


def test_quiet_hours_write_the_page_for_the_morning(where: str) -> None:
    async def body(scene: Scene) -> None:
        quiet = schedule.parse(["always"])
        scene.escalation = Escalation(scene.database, replace(RULES, quiet=quiet), now=lambda: scene.now)
        await scene.take(arrival(1, kind="bin.full", severity=Severity.MINOR), arrival(2))
        await scene.look()
        later = {row["rank"]: row["due_at"] > scene.now for row in await scene.pages()}
        assert later == {1: True, 3: False}

    play(where, body)


def test_a_page_for_the_morning_is_not_sent_when_the_alert_was_seen_to_at_night(where: str) -> None:
    async def body(scene: Scene) -> None:
        quiet = schedule.parse(["always"])
        scene.escalation = Escalation(scene.database, replace(RULES, quiet=quiet), now=lambda: scene.now)
        alerts = [arrival(number, kind="door.held", severity=Severity.MAJOR) for number in (1, 2)]
        await scene.take(*alerts)
        await scene.look()
        await scene.step(1, Step.RESOLVE, cause="false")
        assert short([row["id"] for row in await scene.pages()]) == ["1.0|warden-1"]
        await scene.step(2, Step.ACKNOWLEDGE)
        assert await scene.pages() == []

    play(where, body)


def test_a_page_for_the_morning_that_tells_of_worse_goes_out_although_another_alert_was_seen_to(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        quiet = schedule.parse(["always"])
        scene.escalation = Escalation(scene.database, replace(RULES, quiet=quiet), now=lambda: scene.now)
        await scene.take(
            *(arrival(number, kind="manhole.water", severity=Severity.MINOR) for number in (1, 2))
        )
        await scene.step(1, Step.ACKNOWLEDGE)
        scene.now += 5
        await scene.take(
            arrival(3, life=1, kind="manhole.water", severity=Severity.MAJOR, change=Change.UPDATED)
        )
        await scene.look()
        await scene.step(2, Step.ACKNOWLEDGE)
        assert short([row["id"] for row in await scene.pages()]) == ["2.0|warden-1"]

    play(where, body)


def test_an_alert_from_nowhere_reaches_somebody(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(arrival(1, place=Place()))
        [page] = await scene.look()
        assert page.endswith("|duty-room")

    play(where, body)


def test_info_stands_in_the_list_and_pages_nobody(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(arrival(1, kind="door.opened", severity=Severity.INFO))
        assert await scene.look() == []

    play(where, body)


def test_several_desks_on_one_database_page_each_step_once(where: str) -> None:
    async def body(scene: Scene) -> None:
        compounds = [compound(str(number)) for number in range(60)]
        await scene.take(*(arrival(number + 1, place=place) for number, place in enumerate(compounds)))
        desks = [Escalation(scene.database, RULES, now=lambda: scene.now) for _ in range(3)]
        for after_s in (0, 120, 180):
            scene.now += after_s
            for _ in range(4):
                await asyncio.gather(*(desk.look() for desk in desks))
        ids = [row["id"] for row in await scene.pages()]
        assert len(ids) == len(set(ids)) == sum(desk.pages for desk in desks)
        assert {each.rpartition("|")[0].rpartition("|")[2] for each in ids} == {"1.0", "1.1", "1.2"}

    play(where, body)


def test_a_clock_that_is_set_back_an_hour_is_not_waited_for(tmp_path: Path) -> None:
    async def main() -> list[float]:
        at = [NOW]
        async with opened(str(tmp_path / "desk.db")) as database:
            async with database.transaction() as transaction:
                await people.replace(transaction, desk_parts.people())
                await events.ingest(transaction, [arrival(1)], NOW)
            escalation = Escalation(database, RULES, now=lambda: at[0])
            assert await escalation.look() == 1
            told: list[float] = []
            at[0] -= 3600.0
            for _ in range(240):
                at[0] += 1.0
                if await escalation.look():
                    told.append(at[0] - (NOW - 3600.0))
            return told

    assert asyncio.run(main()) == [pytest.approx(121.0, abs=1.5)]


def test_a_silence_made_while_the_clock_was_ahead_lasts_no_longer_than_it_was_made_for(
    tmp_path: Path,
) -> None:
    async def body(scene: Scene) -> None:
        scene.now = NOW + YEAR_S
        silence = Silence("s-1", PLACE, "door", scene.now + 3600.0, "装修", "property-1")
        async with scene.database.transaction() as transaction:
            await people.silence(transaction, silence, scene.now)
        scene.now = NOW
        await scene.take(arrival(1, kind="door.held", severity=Severity.MAJOR))
        assert await scene.look() == []
        assert short(await scene.look(3601)) == ["1.0|warden-1"]

    play(str(tmp_path / "desk.db"), body)


def test_a_page_that_waited_while_the_clock_was_ahead_goes_out_when_it_is_set_and_not_in_a_year(
    tmp_path: Path,
) -> None:
    async def body(scene: Scene) -> None:
        scene.now = NOW + YEAR_S
        await scene.take(arrival(1, kind="fire.smoke"))
        await scene.look()
        await scene.step(1, Step.ACKNOWLEDGE)
        await scene.look(120)  # the ladder is at its end
        scene.now = NOW
        await scene.look()
        [page] = await scene.pages()
        assert (page["state"], page["due_at"]) == ("waiting", NOW)

    play(str(tmp_path / "desk.db"), body)


def test_a_fire_after_the_clock_was_set_back_is_told_at_once_and_not_as_one_more_of_a_fire_long_past(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        scene.now = NOW + YEAR_S
        await scene.take(*(arrival(number) for number in range(1, 8)))
        await scene.look()
        scene.now = NOW
        await scene.look()
        await scene.take(arrival(8))
        [page] = await scene.look()
        assert page.endswith("#2|1.0|warden-1")
        await scene.take(arrival(9))
        [page] = await scene.look()
        assert page.endswith("#2|1.+2|warden-1")

    play(where, body)
