"""The feed: what is committed reaches every listener in order, whoever committed it and whatever breaks meanwhile."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from gateway.desk.feed import Feed
from gateway.desk.intake import Intake
from gateway.desk.store import news
from gateway.desk.store.database import Database, Row, Transaction
from gateway.desk.store.news import News
from tests.desk_parts import GATEWAY, NOW, opened, published, told
from tests.postgres import Cluster

NEVER_S = 3600.0
WAIT_S = 20.0


class Page:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.news: list[News] = []
        self._more = asyncio.Event()

    def hear(self, found: Sequence[News]) -> None:
        self.news += found
        self._more.set()

    async def heard(self, count: int) -> None:
        """Return once it was told of so much."""
        async with asyncio.timeout(WAIT_S):
            while len(self.news) < count:
                self._more.clear()
                await self._more.wait()

    async def has(self, *subjects: str) -> None:
        """Return once it was told of these, in this order."""
        async with asyncio.timeout(WAIT_S):
            while [each.subject for each in self.news] != list(subjects):
                self._more.clear()
                await self._more.wait()


async def tell(database: Database, *subjects: str) -> None:
    async with database.transaction() as transaction:
        await news.tell(transaction, "alert", subjects, NOW)


@asynccontextmanager
async def fed(database: Database, look_s: float = NEVER_S) -> AsyncIterator[tuple[Feed, Page]]:
    """Run a feed with one listener until the block ends; by default no clock helps it."""
    feed, page = Feed(database, look_s=look_s), Page()
    feed.subscribe(page.hear)
    await tell(database, "hello")  # before it runs: a page may have been quicker than the feed
    task = asyncio.create_task(feed.run(), name="feed")
    await page.heard(1)  # of another feed's as well, if there is one
    page.news.clear()
    try:
        yield feed, page
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_every_listener_hears_of_a_commit_and_one_that_left_does_not(where: str) -> None:
    async def main() -> None:
        async with opened(where) as database, fed(database) as (feed, page):
            second, gone = Page(), Page()
            feed.subscribe(second.hear)
            feed.subscribe(gone.hear)()
            await tell(database, "a", "b")
            feed.wake()
            await page.has("a", "b")
            await second.has("a", "b")
            assert gone.news == []

    asyncio.run(main())


def test_a_listener_that_fails_costs_the_others_nothing(where: str, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Sequence[News]) -> None:
        raise ZeroDivisionError

    async def main() -> None:
        async with opened(where) as database, fed(database) as (feed, page):
            feed.subscribe(fail)
            last = Page()
            feed.subscribe(last.hear)
            await tell(database, "a")
            feed.wake()
            await last.has("a")
            await page.has("a")

    asyncio.run(main())
    assert "a page could not be told" in caplog.text


def test_nobody_needs_to_wake_it(where: str) -> None:
    async def main() -> None:
        async with opened(where) as database, fed(database, look_s=0.05) as (_, page):
            await tell(database, "a")
            await page.has("a")

    asyncio.run(main())


def test_a_storm_comes_whole_and_in_order(where: str) -> None:
    async def main() -> None:
        names = [f"a-{number}" for number in range(news.MOST + 500)]
        async with opened(where) as database, fed(database) as (feed, page):
            await tell(database, *names)
            feed.wake()
            await page.has(*names)

    asyncio.run(main())


def test_what_the_intake_commits_is_told(where: str) -> None:
    async def main() -> None:
        async with opened(where) as database, fed(database) as (feed, page):
            intake = Intake(database)
            intake.ears.stored.append(feed.wake)
            task = asyncio.create_task(intake.run())
            intake.offer(f"compound/v1/{GATEWAY}/availability", b"online", lambda: None)
            await page.has(GATEWAY)
            intake.offer(f"compound/v1/{GATEWAY}/alert", published(told(1)), lambda: None)
            await page.heard(2)
            assert page.news[1].topic == "alert"
            task.cancel()

    asyncio.run(main())


class Flaky:
    """A database that is away as often as it is told, at the beginning of a transaction or at its end."""

    def __init__(self, database: Database) -> None:
        self.database, self.away, self.lost = database, 0, 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        if self.away:
            self.away -= 1
            raise OSError("gone")
        async with self.database.transaction() as transaction:
            yield transaction
        if self.lost:
            self.lost -= 1
            raise OSError("gone before it answered")

    def is_outage(self, error: BaseException) -> bool:
        return isinstance(error, OSError)

    async def announce(self) -> None:
        await self.database.announce()

    async def listen(self, heard: Callable[[], None]) -> None:
        await self.database.listen(heard)

    async def close(self) -> None:
        await self.database.close()


@asynccontextmanager
async def fed_by_flaky(where: str) -> AsyncIterator[tuple[Flaky, Feed, Page]]:
    """Run a feed whose database goes away as it is told, with one listener."""
    async with opened(where) as database:
        flaky = Flaky(database)
        async with fed(flaky) as (feed, page):
            yield flaky, feed, page


def test_what_was_told_while_the_database_was_away_comes_when_it_is_back(
    where: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.desk.outages.PAUSE_S", 0.01)

    async def main() -> None:
        async with fed_by_flaky(where) as (flaky, feed, page):
            flaky.away = for_long = 1_000_000
            feed.wake()
            async with asyncio.timeout(WAIT_S):
                while flaky.away > for_long - 3:  # a look that had begun before may still end well
                    await asyncio.sleep(0.005)
            await tell(flaky.database, "a")
            flaky.away = 0
            await page.has("a")

    with caplog.at_level(logging.ERROR):
        asyncio.run(main())
    assert caplog.text.count("pages cannot be told") == 1  # not once a try


def test_what_was_read_as_the_database_went_away_is_told_all_the_same(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.desk.outages.PAUSE_S", 0.01)

    async def main() -> None:
        async with fed_by_flaky(where) as (flaky, feed, page):
            await tell(flaky.database, "a")
            flaky.lost = 1
            feed.wake()
            await page.has("a")
            assert flaky.lost == 0

    asyncio.run(main())


def test_another_desk_hears_at_once(postgres: Cluster) -> None:
    where = postgres.database()

    async def main() -> None:
        async with (
            opened(where) as one,
            opened(where) as other,
            fed(one) as (first, _),
            fed(other) as (_, page),
        ):
            await tell(one, "a")
            first.wake()
            await page.has("a")

    asyncio.run(main())


def test_a_desk_whose_line_to_the_others_was_cut_takes_it_up_again(
    postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.desk.feed.PAUSE_S", 0.01)
    where = postgres.database()
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"

    async def main() -> None:
        async with opened(where) as one, opened(where) as other, fed(other) as (_, page):
            async with asyncio.timeout(2 * WAIT_S):
                ended: Sequence[Row] = ()
                while not ended:  # the line may not be there yet
                    async with one.transaction() as transaction:
                        ended = await transaction.fetch(cut)
                await tell(one, "a")
                while not page.news:  # heard by the new line: no clock helps
                    await one.announce()
                    await asyncio.sleep(0.01)
                await page.has("a")

    asyncio.run(main())


def test_what_is_committed_late_under_an_earlier_id_is_told_once_and_late(postgres: Cluster) -> None:
    where = postgres.database()

    async def main() -> None:
        async with opened(where) as database, fed(database) as (feed, page):
            async with database.transaction() as transaction:
                await news.tell(transaction, "alert", ["late"], NOW)
                await tell(database, "early")
                feed.wake()
                await page.has("early")
            feed.wake()
            await page.has("early", "late")
            assert page.news[1].id < page.news[0].id
            await tell(database, "next")
            feed.wake()
            await page.has("early", "late", "next")

    asyncio.run(main())


def test_ids_that_were_undone_are_not_looked_for_for_ever(
    postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.desk.store.news.LOOK_BACK_S", 0.0)
    where = postgres.database()

    async def main() -> None:
        async with opened(where) as database, fed(database) as (feed, page):
            with contextlib.suppress(ZeroDivisionError):
                async with database.transaction() as transaction:
                    await news.tell(transaction, "alert", ["undone"], NOW)
                    raise ZeroDivisionError
            for name in ("a", "b"):
                await tell(database, name)
                feed.wake()
                await page.has(*"ab"[: "ab".index(name) + 1])
            assert feed._missing == {}

    asyncio.run(main())
