"""Ingest: committed first, told after; what the database cannot take now is kept, and what it will not is told."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from gateway.core.events import Severity
from gateway.desk.intake import MOST, Intake
from gateway.desk.store import events, gateways
from gateway.desk.store.database import Database, Transaction
from gateway.desk.watching import DEAF_S, Watch
from tests import virtual
from tests.desk_parts import GATEWAY, NOW, arrival, opened, published, told
from tests.events import PLACE

ALERT = f"compound/v1/{GATEWAY}/alert"


class Watched:
    """A database that notes when it has committed, and fails as it is told."""

    def __init__(self, database: Database, log: list[str]) -> None:
        self.database, self.log = database, log
        self.faults: list[Exception] = []
        self.poison = ""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        if self.faults:
            raise self.faults.pop(0)
        async with self.database.transaction() as transaction:
            yield transaction
            if self.poison:
                rows = await transaction.fetch("SELECT * FROM alerts WHERE alert LIKE $1", f"%{self.poison}")
                if rows:
                    raise ValueError("will not have it")
        self.log.append("commit")

    def is_outage(self, error: BaseException) -> bool:
        return self.database.is_outage(error)

    async def announce(self) -> None:
        await self.database.announce()

    async def listen(self, heard: Callable[[], None]) -> None:
        await self.database.listen(heard)

    async def close(self) -> None:
        await self.database.close()


class Scene:
    """An intake at work over a watched database."""

    def __init__(self, database: Database) -> None:
        self.log: list[str] = []
        self.database = Watched(database, self.log)
        self.intake = Intake(self.database, now=lambda: NOW)
        self.intake.ears.receipt.append(
            lambda gateway, payload: self.log.append(f"{gateway} {payload.decode()}")
        )

    def offer(self, number: int) -> None:
        self.intake.offer(ALERT, published(told(number)), lambda: self.log.append(f"settled {number}"))

    async def done(self, count: int) -> None:
        while sum(line.startswith("settled") for line in self.log) < count:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def scene(where: str) -> AsyncIterator[Scene]:
    """Run an intake until the block ends."""
    async with opened(where) as database:
        made = Scene(database)
        task = asyncio.create_task(made.intake.run(), name="intake")
        try:
            yield made
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def test_receipt_and_acknowledgement_come_after_the_commit_and_not_before(where: str) -> None:
    async def main() -> None:
        async with scene(where) as made:
            for number in (1, 2, 3, 3):
                made.offer(number)
            await made.done(4)
            assert made.log == [
                "commit", 'hxtp-01 {"epoch":1,"stored":[[1,3]]}', "settled 1", "settled 2", "settled 3", "settled 3",
            ]  # fmt: skip

    asyncio.run(main())


def test_what_is_sent_again_gets_its_receipt_again(where: str) -> None:
    async def main() -> None:
        async with scene(where) as made:
            made.offer(1)
            await made.done(1)
            made.offer(1)
            await made.done(2)
            assert made.log.count('hxtp-01 {"epoch":1,"stored":[[1,1]]}') == 2
            assert made.intake.tally.stored == 1

    asyncio.run(main())


def test_while_the_database_is_away_nothing_is_told_and_nothing_forgotten(where: str) -> None:
    async def main() -> None:
        async with scene(where) as made:
            made.database.faults = [sqlite3.OperationalError("disk full"), OSError("gone")]
            if "://" in where:
                made.database.faults = [ConnectionError("gone"), OSError("gone")]
            made.offer(1)
            await made.done(1)
            assert made.log[0] == "commit"
            assert made.intake.tally.stored == 1

    asyncio.run(main())


def test_one_event_that_the_database_will_not_have_holds_up_no_other(where: str) -> None:
    async def main() -> None:
        async with scene(where) as made:
            made.database.poison = "000000000005"
            for number in range(1, 10):
                made.offer(number)
            await made.done(8)
            assert "settled 5" not in made.log
            assert made.intake.tally.set_aside == 1
            async with made.database.database.transaction() as transaction:
                assert len(await events.alerts(transaction)) == 8

    asyncio.run(main())


def test_a_fire_overtakes_a_storm_that_came_before_it(tmp_path: Any) -> None:
    async def main() -> None:
        async with scene(str(tmp_path / "desk.db")) as made:
            for number in range(1, 2 * MOST):
                minor = told(number, kind="bin.full", severity=Severity.MINOR)
                made.intake.offer(ALERT, published(minor), lambda: made.log.append("settled"))
            made.offer(9999)
            await made.done(2 * MOST)
            first_commit = made.log[: made.log.index("commit", 1)]
            assert "settled 9999" in first_commit

    asyncio.run(main())


def test_more_fires_than_one_transaction_takes_are_all_stored_without_another_message(where: str) -> None:
    async def main() -> int:
        async with scene(where) as there:
            for number in range(1, MOST + 3):
                there.offer(number)
            await there.done(MOST + 2)
            async with there.database.transaction() as transaction:
                return len(await events.alerts(transaction))

    assert asyncio.run(asyncio.wait_for(main(), 60)) == MOST + 2


def test_what_a_gateway_says_of_itself_is_stored_beside_its_alerts_and_what_the_broker_kept_is_no_sign_of_life(
    where: str,
) -> None:
    async def main() -> list[tuple[str, float, str]]:
        found = []
        async with scene(where) as there:
            for count, (word, live) in enumerate([("online", False), ("online", True), ("offline", True)], 1):
                async with there.database.transaction() as transaction:
                    await transaction.execute("UPDATE gateways SET heard_at = 1.0")
                for what, content in (("availability", word), ("health", f'{{"count": {count}}}')):
                    topic = f"compound/v1/hxtp-0{count}/{what}"
                    there.intake.offer(
                        topic, content.encode(), lambda: there.log.append("settled"), live=live
                    )
                there.intake.offer(topic, b" " * 70_000, lambda: there.log.append("settled"))
                there.offer(count)
                await there.done(4 * count)
                async with there.database.transaction() as transaction:
                    rows: Any = await gateways.everyone(transaction)
                (row,) = [row for row in rows if row["gateway"] == f"hxtp-0{count}"]
                found.append((row["availability"], row["heard_at"], row["health"]))
        return found

    assert asyncio.run(asyncio.wait_for(main(), 60)) == [
        ("online", NOW, '{"count": 1}'),
        ("online", NOW, '{"count": 2}'),
        ("offline", NOW, '{"count": 3}'),
    ]


@pytest.mark.parametrize(
    ("topic", "content"),
    [
        (ALERT, b"{}"),
        (ALERT, b"\xff" * 100),
        (ALERT, b" " * 70_000),
        ("compound/v1/other-01/alert", published(told(1))),
        ("compound/v1/UPPER/alert", published(told(1))),
        ("compound/v1/@desk/alert", published(told(1))),
        ("compound/v1/hxtp-01/command", b""),
    ],
)
def test_what_is_no_alert_is_counted_settled_and_not_stored(
    topic: str, content: bytes, tmp_path: Any
) -> None:
    async def main() -> None:
        async with scene(str(tmp_path / "desk.db")) as made:
            made.intake.offer(topic, content, lambda: made.log.append("settled"))
            made.offer(2)
            await made.done(2)
            assert made.intake.tally.unreadable == 1
            assert made.intake.tally.stored == 1

    asyncio.run(main())


def test_a_gateway_that_falls_quiet_is_an_alert_and_its_return_clears_it(where: str) -> None:
    async def main() -> None:
        async with opened(where) as database:
            now = [NOW]
            watch = Watch(
                database,
                name="street",
                listening_since=lambda: NOW,
                quiet_s=180,
                now=lambda: now[0],
                clock=lambda: now[0],
            )
            async with database.transaction() as transaction:
                await events.ingest(transaction, [arrival(1)], NOW)
                place = msgspec.json.encode(PLACE).decode()
                await gateways.heard(transaction, {GATEWAY: place, "other-01": ""}, NOW)
            found = []
            for after_s, heard in ((179, []), (2, []), (10, []), (10, [GATEWAY]), (5, []), (190, [])):
                now[0] += after_s
                async with database.transaction() as transaction:
                    if heard:
                        await gateways.heard(transaction, dict.fromkeys(heard, ""), now[0])
                found.append(await watch.look())
            assert found == [0, 2, 0, 1, 0, 1]
            async with database.transaction() as transaction:
                own = [row for row in await events.alerts(transaction) if row["kind"] == "gateway.quiet"]
            assert sorted((row["gateway"], row["change"]) for row in own) == [
                ("@desk:hxtp-01", "cleared"), ("@desk:hxtp-01", "raised"), ("@desk:other-01", "raised"),
            ]  # fmt: skip
            assert "红星亭坡" in next(row["place"] for row in own if row["gateway"].endswith(GATEWAY))

    asyncio.run(main())


def test_two_desks_that_notice_the_same_silence_raise_one_alert(where: str) -> None:
    async def main() -> None:
        async with opened(where) as database:
            async with database.transaction() as transaction:
                await gateways.heard(transaction, {GATEWAY: ""}, NOW)
            desks = [
                Watch(database, name="street", listening_since=lambda: NOW, now=lambda: NOW + 500)
                for _ in range(3)
            ]
            await asyncio.gather(*(desk.look() for desk in desks))
            async with database.transaction() as transaction:
                assert len(await events.alerts(transaction)) == 1

    asyncio.run(main())


@pytest.mark.parametrize("since", [None, NOW + 400])
def test_a_desk_that_has_not_listened_long_enough_accuses_nobody(since: float | None, tmp_path: Any) -> None:
    async def main() -> None:
        async with opened(str(tmp_path / "desk.db")) as database:
            async with database.transaction() as transaction:
                await gateways.available(transaction, GATEWAY, "offline", NOW, live=True)
            assert (
                await Watch(
                    database, name="street", listening_since=lambda: since, now=lambda: NOW + 500
                ).look()
                == 0
            )

    asyncio.run(main())


def test_a_last_will_is_an_alert_after_half_a_minute_without_return(where: str) -> None:
    async def main() -> None:
        async with opened(where) as database:
            now = [NOW]
            watch = Watch(
                database,
                name="street",
                listening_since=lambda: NOW - 900,
                now=lambda: now[0],
                clock=lambda: now[0],
            )
            async with database.transaction() as transaction:
                await gateways.available(transaction, GATEWAY, "online", NOW, live=True)
                await gateways.available(transaction, GATEWAY, "offline", NOW + 1, live=True)
            found = []
            for at in (20, 32, 40):
                now[0] = NOW + at
                found.append(await watch.look())
            assert found == [0, 1, 0]

    asyncio.run(main())


def test_a_desk_without_its_broker_says_that_it_is_deaf_and_when_it_hears_again(where: str) -> None:
    async def main() -> None:
        async with opened(where) as database:
            now, since = [NOW], [NOW - 900.0, None, None, None, NOW + 150, None, None]
            watch = Watch(
                database,
                name="street",
                listening_since=lambda: since[0],
                now=lambda: now[0],
                clock=lambda: now[0],
            )
            found = []
            while len(since) > 1:
                found.append(await watch.look())
                del since[0]
                now[0] += 50
            assert found == [0, 0, 0, 1, 1, 0]
            async with database.transaction() as transaction:
                [row] = await events.alerts(transaction)
            assert (row["kind"], row["change"], row["rank"]) == ("desk.deaf", "cleared", 3)

    asyncio.run(main())


def test_what_the_watch_could_not_write_down_it_says_again(where: str) -> None:
    async def main() -> None:
        async with opened(where) as real:
            database, now, since = Watched(real, []), [NOW], [None, NOW + DEAF_S]
            watch = Watch(
                database,
                name="street",
                listening_since=lambda: since[0],
                now=lambda: now[0],
                clock=lambda: now[0],
            )
            assert await watch.look() == 0
            for change in ("raised", "cleared"):
                now[0] += DEAF_S
                database.poison = "%"
                with pytest.raises(ValueError, match="will not have it"):
                    await watch.look()
                database.poison = ""
                assert await watch.look() == 1
                async with real.transaction() as transaction:
                    assert [row["change"] for row in await events.alerts(transaction)] == [change]
                del since[0]

    asyncio.run(main())


def test_the_watch_looks_again_and_again(tmp_path: Any) -> None:
    looks: list[int] = []

    class Counting(Watch):
        async def look(self) -> int:
            looks.append(1)
            return 0

    async def main() -> None:
        watch = Counting(None, name="street", listening_since=lambda: None)  # type: ignore[arg-type]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(51):
                await watch.run()

    virtual.run(main())
    assert len(looks) == 11
