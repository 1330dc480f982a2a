"""A database that goes away, a desk that is told to stop: what was sent is written down, nobody is told twice."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from gateway.desk import outages
from gateway.desk.delivery import Delivery
from gateway.desk.escalating import Escalation
from gateway.desk.ordering.service import Ordering
from gateway.desk.orders import State
from gateway.desk.sending import Delivered, Message, Result
from gateway.desk.store import events, notices, order_rows, orders, people
from gateway.desk.store.database import Database, Transaction
from gateway.desk.store.notices import Notice
from gateway.desk.store.orders import Wish
from tests import desk_parts
from tests.desk_parts import NOW, RULES, arrival, opened


class Shaky:
    """A database that can be away: nothing begins while `away`, and what has begun is lost."""

    def __init__(self, real: Database) -> None:
        self._real, self.away, self.refused = real, False, 0

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin, unless it is away."""
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        if self.away:
            self.refused += 1
            raise ConnectionResetError("the database is away")
        async with self._real.transaction() as transaction:
            yield transaction

    def is_outage(self, error: BaseException) -> bool:
        """Return whether an error is the database's own trouble."""
        return self._real.is_outage(error)

    async def announce(self) -> None:
        """Tell nobody."""

    async def listen(self, heard: Callable[[], None]) -> None:
        """Hear nobody."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Close nothing."""


class Slow:
    """A sender that answers when it is told to."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.asked, self.answer = asyncio.Event(), asyncio.Event()

    async def send(self, message: Message) -> Result:
        """Keep the message, and wait."""
        self.messages.append(message)
        self.asked.set()
        await self.answer.wait()
        return Delivered("ok")


async def write(database: Database, count: int = 1) -> None:
    """Have pages in the database."""
    made = [
        Notice(f"i|1.{each}|w", "i", "w", "zh", (("phones", "w"),), 3, "告警", "", NOW)
        for each in range(count)
    ]
    async with database.transaction() as transaction:
        await notices.write(transaction, made, NOW)


async def states(database: Database) -> list[str]:
    """Return the states of all pages."""
    async with database.transaction() as transaction:
        return [row["state"] for row in await notices.everything(transaction)]


@asynccontextmanager
async def at_work(run: Callable[[], Awaitable[None]]) -> AsyncIterator[asyncio.Task[None]]:
    """Have a service running."""
    task = asyncio.ensure_future(run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def play(where: str, body: Callable[[Shaky], Awaitable[None]]) -> None:
    """Run a test."""

    async def main() -> None:
        async with asyncio.timeout(60), opened(where) as database:
            await body(Shaky(database))

    asyncio.run(main())


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "PAUSE_S", 0.01)


def test_a_page_that_was_sent_while_the_database_was_away_is_not_sent_again(
    where: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def body(database: Shaky) -> None:
        await write(database, 3)
        sender = Slow()
        delivery = Delivery(database, {"phones": sender}, owner="a", now=lambda: NOW)
        async with at_work(delivery.run):
            await sender.asked.wait()
            database.away = True
            sender.answer.set()
            while database.refused < 9:
                await asyncio.sleep(0)
            database.away = False
            while set(await states(database)) != {"delivered"}:
                await asyncio.sleep(0)
        assert sorted(each.id for each in sender.messages) == [f"i|1.{each}|w" for each in range(3)]

    play(where, body)
    assert caplog.text.count("what was sent cannot be written down, trying again") == 1
    assert "the database is back" in caplog.text


def test_a_desk_that_is_told_to_stop_hears_what_comes_of_the_page_in_its_hands(where: str) -> None:
    async def body(database: Shaky) -> None:
        await write(database)
        sender = Slow()
        async with at_work(Delivery(database, {"phones": sender}, owner="a", now=lambda: NOW).run) as task:
            await sender.asked.wait()
            task.cancel()
            await asyncio.sleep(0)
            sender.answer.set()
            await asyncio.wait([task])
            assert task.cancelled()
        assert await states(database) == ["delivered"]

    play(where, body)


def test_a_desk_that_is_told_to_stop_waits_no_longer_than_a_few_seconds(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.desk.delivery.LAST_S", 0.01)

    async def body(database: Shaky) -> None:
        await write(database)
        sender = Slow()
        async with at_work(Delivery(database, {"phones": sender}, owner="a", now=lambda: NOW).run) as task:
            await sender.asked.wait()
            task.cancel()
            await asyncio.wait([task])
        assert await states(database) == ["waiting"]

    play(where, body)


def test_a_desk_that_is_started_again_sends_at_once_what_it_held_as_it_died(where: str) -> None:
    async def body(database: Shaky) -> None:
        await write(database, 2)
        async with database.transaction() as transaction:
            for owner, number in (("street-a-pi-77", 0), ("street-b-pi-78", 1)):
                await transaction.execute(
                    "UPDATE notifications SET owner = $1, leased_until = $2 WHERE id = $3",
                    owner, NOW + 50, f"i|1.{number}|w",
                )  # fmt: skip
        sender = Slow()
        sender.answer.set()
        delivery = Delivery(database, {"phones": sender}, owner="street-a-pi-99", now=lambda: NOW)
        async with at_work(delivery.run):
            while "delivered" not in await states(database):
                await asyncio.sleep(0)
        assert [each.id for each in sender.messages] == ["i|1.0|w"]  # what another desk holds is left to it

    play(where, body)


def test_ladders_are_climbed_as_soon_as_the_database_is_back(where: str) -> None:
    async def body(database: Shaky) -> None:
        async with database.transaction() as transaction:
            await people.replace(transaction, desk_parts.people())
            await events.ingest(transaction, [arrival(1)], NOW)
        database.away = True
        escalation = Escalation(database, RULES, now=lambda: NOW)
        async with at_work(escalation.run):
            while database.refused < 3:
                await asyncio.sleep(0)
            database.away = False
            while not escalation.pages:
                await asyncio.sleep(0)
        assert await states(database) == ["waiting"]

    play(where, body)


def test_orders_are_looked_at_as_soon_as_the_database_is_back(where: str) -> None:
    async def body(database: Shaky) -> None:
        async with database.transaction() as transaction:
            await orders.order(transaction, Wish("o-1", "hxtp-01", "gate-1", "unlock", {}, "网格员"), NOW)
        database.away = True
        ordering = Ordering(database, None, operator="desk", owner="a", now=lambda: NOW)
        async with at_work(ordering.run) as task:
            while database.refused < 3:
                assert not task.done()
                await asyncio.sleep(0)
            database.away = False
            found = None
            while found is None or found.state is not State.REFUSED:
                async with database.transaction() as transaction:
                    found = await order_rows.find(transaction, "o-1")

    play(where, body)


def test_whoever_begins_a_transaction_within_another_fails_and_nobody_else_waits_for_ever(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with asyncio.timeout(10), opened(str(tmp_path / "desk.db")) as database:
            with pytest.raises(RuntimeError, match="a transaction within another"):
                async with database.transaction(), database.transaction():
                    pass
            async with database.transaction() as transaction:
                await events.ingest(transaction, [arrival(1)], NOW)

    asyncio.run(main())
