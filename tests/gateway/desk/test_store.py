"""What every store of the desk must do, whichever database is below it."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from gateway.core.events import Change, Place, Severity
from gateway.desk.arrivals import Arrival
from gateway.desk.silences import Silence
from gateway.desk.store import events, gateways, notices, people, timers, work
from gateway.desk.store.database import Database, Transaction
from gateway.desk.workflow import Command, Outcome, State, Step
from tests import desk_parts
from tests.desk_parts import GATEWAY, NOW, PLACE_OF_COMPOUND, arrival, opened

Work = Callable[[Database], Awaitable[None]]


def run(where: str, body: Work) -> None:
    """Run a test over an open database."""

    async def main() -> None:
        async with opened(where) as database:
            await body(database)

    asyncio.run(main())


async def take(database: Database, batch: Sequence[Arrival], now: float = NOW) -> events.Taken:
    """Take in a batch, committed."""
    async with database.transaction() as transaction:
        return await events.ingest(transaction, batch, now)


async def ask(database: Database, question: Callable[..., Awaitable[Any]], *values: Any, **named: Any) -> Any:
    """Ask one thing in a transaction of its own."""
    async with database.transaction() as transaction:
        return await question(transaction, *values, **named)


def life() -> list[Arrival]:
    """Return the whole life of two alerts, in order."""
    return [
        arrival(1, life=1),
        arrival(2, life=1, change=Change.UPDATED, severity=Severity.CRITICAL, previous=1),
        arrival(3, life=2, kind="door.held", severity=Severity.MINOR, previous=2),
        arrival(4, life=1, change=Change.CLEARED, previous=3),
        arrival(5, life=1, change=Change.RAISED, previous=4),
        arrival(6, life=2, kind="door.held", severity=Severity.MINOR, change=Change.CLEARED, previous=5),
    ]


def test_an_event_taken_twice_changes_nothing(where: str) -> None:
    async def body(database: Database) -> None:
        assert await take(database, life()) == events.Taken(6, 2)
        before = [dict(row) for row in await ask(database, events.alerts)]
        assert await take(database, life(), NOW + 100) == events.Taken(0, 0)
        assert [dict(row) for row in await ask(database, events.alerts)] == before

    run(where, body)


def test_any_order_and_any_batches_with_repeats_fold_to_the_same_alerts(where: str) -> None:
    async def body(database: Database) -> None:
        chance = random.Random(7)
        wanted: dict[str, tuple[int, str]] = {}
        for turn in range(12):
            gateway = f"gw-{turn}"
            batch = [arrival(each.seq, gateway=gateway, **_changes(each)) for each in life()]
            shuffled = [*batch, *chance.choices(batch, k=4)]
            chance.shuffle(shuffled)
            while shuffled:
                size = chance.randint(1, 4)
                await take(database, shuffled[:size])
                del shuffled[:size]
            rows = [row for row in await ask(database, events.alerts) if row["gateway"] == gateway]
            found = {row["alert"].partition("/")[2]: (row["seq"], row["change"]) for row in rows}
            wanted = wanted or found
            assert found == wanted
        assert sorted(seq for seq, _ in wanted.values()) == [5, 6]

    run(where, body)


def _changes(each: Arrival) -> dict[str, Any]:
    number = int(each.alert[-12:])
    return {
        "life": number, "change": each.change, "kind": each.kind, "severity": each.severity, "previous": each.previous,
    }  # fmt: skip


def test_a_later_epoch_is_newer_whatever_its_number(where: str) -> None:
    async def body(database: Database) -> None:
        await take(database, [arrival(1, life=1, epoch=2)])
        await take(database, [arrival(900, life=1, epoch=1, change=Change.CLEARED)])
        [row] = await ask(database, events.alerts)
        assert (row["epoch"], row["change"]) == (2, "raised")

    run(where, body)


def test_a_gap_is_noticed_until_what_is_missing_comes(where: str) -> None:
    async def body(database: Database) -> None:
        await take(database, [each for each in life() if each.seq != 3])
        [gap] = await ask(database, events.gaps, NOW - 1, NOW + 1)
        assert (gap["seq"], gap["previous"]) == (4, 3)
        await take(database, life())
        assert not await ask(database, events.gaps, NOW - 1, NOW + 1)

    run(where, body)


def test_what_fails_halfway_leaves_nothing(where: str) -> None:
    async def body(database: Database) -> None:
        async def fail(transaction: Transaction) -> None:
            await events.ingest(transaction, life(), NOW)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await ask(database, fail)
        assert not await ask(database, events.alerts)
        assert await take(database, life()) == events.Taken(6, 2)

    run(where, body)


def test_a_transaction_called_off_at_any_moment_leaves_the_database_usable_and_itself_whole_or_not_at_all(
    where: str,
) -> None:
    async def body(database: Database) -> None:
        async def write(number: int) -> None:
            async with database.transaction() as transaction:
                for half in ("a", "b"):
                    await transaction.execute(
                        "INSERT INTO heads (key, number, count, last_at) VALUES ($1, $2, 0, 0)",
                        f"{number} {half}", number,
                    )  # fmt: skip

        called_off = 0
        for number in range(60):
            task = asyncio.create_task(write(number))
            for _ in range(number // 3):
                await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                called_off += 1
            async with database.transaction() as transaction:
                rows = await transaction.fetch("SELECT key FROM heads WHERE number = $1", number)
                assert len(rows) in {0, 2}
        assert called_off > 0

    run(where, body)


def test_places_are_a_tree_from_the_community_down(where: str) -> None:
    async def body(database: Database) -> None:
        await take(database, life())
        rows = await ask(database, _rows, "SELECT * FROM places ORDER BY length(path)")
        assert [row["level"] for row in rows] == list(Place.__struct_fields__)
        assert [row["parent"] for row in rows] == [None, *(row["path"] for row in rows[:-1])]

    run(where, body)


def test_a_step_repeated_returns_its_first_answer_and_a_second_person_learns_who_was_first(
    where: str,
) -> None:
    async def body(database: Database) -> None:
        await take(database, life())
        alert = arrival(1, life=1).alert
        first = Command("c-1", alert, Step.ACKNOWLEDGE, "warden-1", version=1)
        done = await ask(database, work.take_step, first, NOW + 1)
        second = await ask(
            database, work.take_step, Command("c-2", alert, Step.ACKNOWLEDGE, "warden-2"), NOW + 2
        )
        later = await ask(
            database, work.take_step, Command("c-3", alert, Step.ASSIGN, "warden-2", to="property-1"), NOW + 3
        )
        again = await ask(database, work.take_step, first, NOW + 9)
        assert done.outcome is Outcome.DONE
        assert second.outcome is Outcome.ALREADY
        assert (second.work.acknowledged_by, second.work.acknowledged_at) == ("warden-1", NOW + 1)
        assert later.work.assignee == "property-1"
        assert again == done
        trail = await ask(database, work.trail, alert)
        assert [(row["who"], row["step"], row["outcome"]) for row in trail] == [
            ("warden-1", "acknowledge", "done"), ("warden-2", "acknowledge", "already"), ("warden-2", "assign", "done"),
        ]  # fmt: skip

    run(where, body)


def test_the_next_event_of_the_sensor_wipes_nothing_that_people_wrote(where: str) -> None:
    async def body(database: Database) -> None:
        await take(database, life()[:1])
        alert = arrival(1, life=1).alert
        steps = [
            Command("c-1", alert, Step.ASSIGN, "warden-1", to="property-1"),
            Command("c-2", alert, Step.NOTE, "property-1", note="邻居说在烧饭"),
        ]
        for step in steps:
            await ask(database, work.take_step, step, NOW)
        before = await ask(database, work.find, alert)
        await take(database, life())
        assert await ask(database, work.find, alert) == before
        assert (before.state, before.assignee, before.note) == (State.ASSIGNED, "property-1", "邻居说在烧饭")

    run(where, body)


def test_an_acknowledgement_at_the_gateway_counts_and_comes_before_its_alert_as_well(where: str) -> None:
    async def body(database: Database) -> None:
        await take(database, [arrival(2, life=1, change=Change.ACKNOWLEDGED, by="root")])
        await take(database, [arrival(1, life=1)])
        found = await ask(database, work.find, arrival(1, life=1).alert)
        assert (found.state, found.acknowledged_by) == (State.ACKNOWLEDGED, f"{GATEWAY}: root")

    run(where, body)


def test_a_step_on_an_older_version_is_told_so(where: str) -> None:
    async def body(database: Database) -> None:
        await take(database, life())
        alert = arrival(1, life=1).alert
        await ask(database, work.take_step, Command("c-1", alert, Step.ACKNOWLEDGE, "warden-1"), NOW)
        stale = Command("c-2", alert, Step.RESOLVE, "warden-2", version=1, cause="cooking")
        answer = await ask(database, work.take_step, stale, NOW)
        assert answer.outcome is Outcome.CHANGED
        assert answer.work.version == 2
        unknown = await ask(database, work.take_step, Command("c-3", "no/such", Step.NOTE, "warden-1"), NOW)
        assert unknown.outcome is Outcome.UNKNOWN

    run(where, body)


def test_people_are_read_back_as_they_were_written(where: str) -> None:
    async def body(database: Database) -> None:
        wanted = desk_parts.people()
        for _ in range(2):
            await ask(database, people.replace, wanted)
        found = await ask(database, people.directory)
        assert dict(found.people) == dict(wanted.people)
        assert (set(found.roles), found.duties) == (set(wanted.roles), wanted.duties)

    run(where, body)


def test_a_silence_ends_by_itself_or_by_somebody(where: str) -> None:
    async def body(database: Database) -> None:
        made = Silence("s-1", PLACE_OF_COMPOUND, "door", NOW + 100, "painters", "property-1")
        for _ in range(2):
            await ask(database, people.silence, made, NOW)
        assert await ask(database, people.silences, NOW + 99) == [made]
        assert not await ask(database, people.silences, NOW + 100)
        await ask(database, people.end_silence, "s-1", NOW + 50)
        assert not await ask(database, people.silences, NOW + 51)

    run(where, body)


def test_a_lease_keeps_others_away_until_it_runs_out(where: str) -> None:
    async def body(database: Database) -> None:
        notice = notices.Notice(
            "i|1.0|warden-1", "i", "warden-1", "zh", (("phones", "w"),), 3, "火", "fire", NOW
        )
        assert await ask(database, notices.write, [notice], NOW) == 1
        assert await ask(database, notices.write, [notice], NOW) == 0
        [mine] = await ask(database, notices.claim, "desk-a", NOW, lease_s=60, most=10)
        assert not await ask(database, notices.claim, "desk-b", NOW + 59, lease_s=60, most=10)
        [taken_over] = await ask(database, notices.claim, "desk-b", NOW + 60, lease_s=60, most=10)
        assert mine.id == taken_over.id
        await ask(database, notices.delivered, mine, "desk-a", channel="phones", answer="late", now=NOW + 61)
        [row] = await ask(database, notices.everything)
        assert row["state"] == "waiting"  # who has lost the lease settles nothing any more
        await ask(database, notices.delivered, mine, "desk-b", channel="phones", answer="ok", now=NOW + 62)
        [row] = await ask(database, notices.everything)
        assert (row["state"], row["answer"]) == ("delivered", "ok")
        assert await ask(database, notices.sent_within, 60.0, NOW + 62) == {"phones": 1}

    run(where, body)


def test_a_timer_is_armed_once_and_again_when_its_ladder_had_ended(where: str) -> None:
    async def body(database: Database) -> None:
        await take(database, [arrival(1)])
        await take(database, [arrival(2)], NOW + 5)
        [timer] = await ask(database, timers.claim, NOW + 5, 10)
        assert (timer.round, timer.step, timer.due_at, timer.news) == (1, 0, NOW, False)
        await ask(database, timers.move, timer, step=1, due_at=None, count=2, now=NOW)
        assert not await ask(database, timers.claim, NOW + 900, 10)
        await take(database, [arrival(3)], NOW + 10)
        [timer] = await ask(database, timers.claim, NOW + 10, 10)
        assert (timer.round, timer.step) == (2, 0)

    run(where, body)


def test_a_gateway_is_quiet_when_nothing_is_heard_and_back_when_something_is(where: str) -> None:
    async def body(database: Database) -> None:
        await ask(database, gateways.available, "gw-1", "online", NOW, live=True)
        await ask(database, gateways.available, "gw-2", "offline", NOW, live=True)
        await ask(database, gateways.healthy, "gw-1", "{}", NOW + 10, live=False)
        found = await ask(
            database, gateways.fallen_quiet, unheard_since=NOW - 1, offline_since=NOW + 1, ahead=NOW + 2
        )
        assert [row["gateway"] for row in found] == ["gw-2"]
        found = await ask(
            database, gateways.fallen_quiet, unheard_since=NOW + 1, offline_since=NOW - 1, ahead=NOW + 2
        )
        assert [row["gateway"] for row in found] == ["gw-1", "gw-2"]
        await ask(database, gateways.mark, "gw-1", NOW, NOW)
        await ask(database, gateways.heard, {"gw-1": ""}, NOW + 50)
        [row] = await ask(database, gateways.speaking_again, heard_since=NOW + 40)
        assert row["gateway"] == "gw-1"

    run(where, body)


async def _rows(transaction: Transaction, statement: str) -> Any:
    return await transaction.fetch(statement)


def test_a_database_of_a_newer_program_is_refused(where: str) -> None:
    from gateway.desk.store.database import StoreError

    async def body(database: Database) -> None:
        newer = "INSERT INTO schema_version VALUES (99)" if "://" in where else "PRAGMA user_version=99"
        if "://" in where:
            await ask(database, _rows, newer)
        else:
            await database._connection.execute(newer)  # type: ignore[attr-defined]

    run(where, body)
    with pytest.raises(StoreError, match="newer than this program"):
        run(where, body)


def test_whoever_leaves_in_the_middle_of_a_transaction_leaves_the_database_to_the_others(where: str) -> None:
    async def body(database: Database) -> None:
        async def use() -> None:
            async with database.transaction() as transaction:
                await transaction.execute(
                    "INSERT INTO heads (key, number, count, last_at) VALUES ('a', 1, 1, 0.0)"
                )
                await asyncio.sleep(60)

        for steps in range(12):
            leaving = asyncio.create_task(use())
            for _ in range(steps):
                await asyncio.sleep(0 if steps % 2 else 0.0005)
            leaving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await leaving
            async with database.transaction() as transaction:
                assert await transaction.fetch("SELECT * FROM heads") == []

    run(where, body)
