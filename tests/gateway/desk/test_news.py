"""What has changed: told with the change or not at all, found by a reader that comes back, forgotten in time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.core.events import Place
from gateway.desk.silences import Silence
from gateway.desk.store import events, gateways, news, people, work
from gateway.desk.store.database import Database
from gateway.desk.store.news import LOOK_BACK_S, News
from gateway.desk.workflow import Command, Step
from tests.desk_parts import GATEWAY, NOW, arrival, opened


def run(where: str, body: Callable[[Database], Awaitable[None]]) -> None:
    """Run a test over an open database."""

    async def main() -> None:
        async with opened(where) as database:
            await body(database)

    asyncio.run(main())


async def told(database: Database, subjects: list[str], now: float = NOW) -> None:
    """Tell of these, committed."""
    async with database.transaction() as transaction:
        await news.tell(transaction, "alert", subjects, now)


async def everything(database: Database) -> list[News]:
    """Return all news there are."""
    async with database.transaction() as transaction:
        return await news.after(transaction, 0)


def test_what_changes_on_a_page_is_told_in_order(where: str) -> None:
    async def body(database: Database) -> None:
        async with database.transaction() as transaction:
            await events.ingest(transaction, [arrival(1), arrival(2, kind="door.held")], NOW)
        async with database.transaction() as transaction:
            await work.take_step(transaction, Command("c-1", arrival(1).alert, Step.ACKNOWLEDGE, "a"), NOW)
            await gateways.available(transaction, GATEWAY, "online", NOW, live=True)
            await gateways.mark(transaction, GATEWAY, NOW, NOW)
            await people.silence(transaction, Silence("s-1", Place(), "bin", NOW + 60, "full", "a"), NOW)
            await people.end_silence(transaction, "s-1", NOW + 1)
        found = [(each.topic, each.subject) for each in await everything(database)]
        first = arrival(1).alert, arrival(2).alert
        assert sorted(found[:2]) == sorted(("alert", name) for name in first)
        gateway, silence = ("gateway", GATEWAY), ("silence", "s-1")
        assert found[2:] == [("alert", first[0]), gateway, gateway, silence, silence]

    run(where, body)


def test_what_changes_nothing_is_no_news(where: str) -> None:
    async def body(database: Database) -> None:
        for _ in range(2):
            async with database.transaction() as transaction:
                await events.ingest(transaction, [arrival(1)], NOW)
                await gateways.available(transaction, GATEWAY, "online", NOW, live=True)
        async with database.transaction() as transaction:
            await work.take_step(transaction, Command("c-1", "no/such", Step.ACKNOWLEDGE, "a"), NOW)
        assert [each.topic for each in await everything(database)] == ["alert", "gateway"]

    run(where, body)


def test_a_change_that_is_undone_is_not_told(where: str) -> None:
    async def body(database: Database) -> None:
        async def fail() -> None:
            async with database.transaction() as transaction:
                await events.ingest(transaction, [arrival(1)], NOW)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        assert await everything(database) == []

    run(where, body)


def test_hundreds_of_subjects_are_told_at_once_and_read_in_pieces(where: str) -> None:
    async def body(database: Database) -> None:
        names = [f"a-{number}" for number in range(250)]
        await told(database, names)
        async with database.transaction() as transaction:
            first = await news.after(transaction, 0, 200)
            rest = await news.after(transaction, first[-1].id, 200)
            again = await news.among_ids(transaction, [each.id for each in rest] + [999_999])
        assert [each.subject for each in [*first, *rest]] == names
        assert again == rest

    run(where, body)


def test_a_reader_that_comes_back_gets_what_was_told_meanwhile_and_a_little_of_before(where: str) -> None:
    async def body(database: Database) -> None:
        await told(database, ["long ago"], NOW - LOOK_BACK_S - 1)
        await told(database, ["shortly before"], NOW - 1)
        await told(database, ["the last it was told"], NOW)
        async with database.transaction() as transaction:
            here = await news.latest(transaction)
        await told(database, ["meanwhile"], NOW + 1)
        async with database.transaction() as transaction:
            missed = await news.since(transaction, here)
        assert missed is not None
        assert [each.subject for each in missed] == ["shortly before", "the last it was told", "meanwhile"]

    run(where, body)


def test_a_reader_resumes_from_a_desk_that_had_no_news_yet(where: str) -> None:
    async def body(database: Database) -> None:
        async with database.transaction() as transaction:
            assert (await news.latest(transaction), await news.since(transaction, 0)) == (0, [])
        await told(database, ["first"])
        async with database.transaction() as transaction:
            assert await news.since(transaction, 0) == [News(1, "alert", "first")]

    run(where, body)


def test_a_reader_that_was_away_too_long_is_told_so(where: str) -> None:
    async def body(database: Database) -> None:
        await told(database, ["old", "older"], NOW - 100)
        await told(database, [f"a-{number}" for number in range(5)])
        async with database.transaction() as transaction:
            assert await news.since(transaction, 1, most=6) is None  # too much
            assert len(await news.since(transaction, 1, most=7) or []) == 7
            assert await news.forget(transaction, NOW - 1) == 2
            assert await news.since(transaction, 1) is None  # forgotten
            assert await news.since(transaction, 0) is None
            assert await news.since(transaction, 12_345) is None  # another database's

    run(where, body)


def test_the_newest_is_never_forgotten_so_that_a_page_of_a_quiet_week_resumes(where: str) -> None:
    async def body(database: Database) -> None:
        await told(database, ["a", "b", "c"])
        async with database.transaction() as transaction:
            assert await news.forget(transaction, NOW + 1e6, most=1) == 1
            assert await news.forget(transaction, NOW + 1e6) == 1
            assert await news.forget(transaction, NOW + 1e6) == 0
            here = await news.latest(transaction)
            assert await news.since(transaction, here) == [News(here, "alert", "c")]

    run(where, body)


def test_what_was_committed_late_under_an_earlier_id_is_found_by_whoever_comes_back(
    request: pytest.FixtureRequest,
) -> None:
    """Ids are given in one order and committed in another; only PostgreSQL has two transactions at once."""
    where = request.getfixturevalue("postgres").database()

    async def body(database: Database) -> None:
        async with database.transaction() as transaction:
            await news.tell(transaction, "alert", ["late"], NOW)
            await told(database, ["early"], NOW)  # in a transaction of its own, committed first
        async with database.transaction() as transaction:
            both = await news.after(transaction, 0)
            assert [each.subject for each in both] == ["late", "early"]
            missed = await news.since(transaction, both[1].id)
            assert missed is not None
            assert [each.subject for each in missed] == ["late", "early"]

    run(where, body)
