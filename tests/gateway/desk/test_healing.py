"""Whatever table has rotted, what stands open is rung again, and what was seen to is not."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.core.events import Change
from gateway.desk.escalating import Escalation
from gateway.desk.losing import tell
from gateway.desk.store import care, events, notices, people, replacing, work
from gateway.desk.store.database import Record
from gateway.desk.workflow import Command, Step
from tests import desk_canary
from tests.desk_parts import NOW, RULES, arrival, compound, opened
from tests.desk_parts import people as staff
from tests.desk_rot import leaves, roots, rot

LATER = NOW + 3600.0
OPEN, SEEN, OVER = (compound(name) for name in ("open", "seen to", "over"))
BEFORE = [arrival(1, place=OPEN), arrival(2, place=SEEN), arrival(3, place=OVER)]
STOPPED = arrival(4, life=3, place=OVER, change=Change.CLEARED, state="cleared_unacked", previous=3)


async def fill(database: Record) -> None:
    """Have three fires, each paged: one that nobody answered, one acknowledged, one resolved."""
    async with database.transaction() as transaction:
        await people.replace(transaction, staff())
        await events.ingest(transaction, [*BEFORE, STOPPED], NOW)
        for number, (each, step) in enumerate(
            ((BEFORE[1], Step.ACKNOWLEDGE), (BEFORE[2], Step.ACKNOWLEDGE), (BEFORE[2], Step.RESOLVE))
        ):
            command = Command(f"c{number}", each.alert, step, "warden-1", cause="burnt rice")
            await work.take_step(transaction, command, NOW + 1)
    await climb(database, NOW + 2)


async def climb(database: Record, now: float) -> None:
    """Climb what is due."""
    await Escalation(database, RULES, now=lambda: now).look()


async def rung(database: Record) -> set[str]:
    """Return the compounds somebody was told of, of what burns or rots."""
    async with database.transaction() as transaction:
        found = await notices.everything(transaction)
    return {
        row["incident"].partition("|")[0].rpartition("/")[2] for row in found if row["created_at"] > NOW + 60
    }


async def states(database: Record) -> dict[str, str]:
    """Return how far people have come with each fire."""
    async with database.transaction() as transaction:
        rows = await transaction.fetch("SELECT alert, state FROM work WHERE alert NOT LIKE '@%'")
    return {row["alert"]: row["state"] for row in rows}


def after(path: Path, tables: tuple[str, ...], look: Callable[[Record], Awaitable[None]]) -> None:
    """Let tables rot with all their indexes, save the record, tell of it and climb what is due; then look."""

    async def main() -> None:
        async with opened(str(path)) as database:
            await fill(database)
        rot(path, roots(path, *tables))
        replacing.replace(path)
        async with opened(str(path)) as database:
            async with database.transaction() as transaction:
                await tell(transaction, "street", LATER)
            await climb(database, LATER)
            await look(database)

    asyncio.run(main())


@pytest.mark.parametrize(
    "tables",
    [
        ("alerts",), ("work", "work_of_incident", "work_opened"), ("incidents",), ("heads",), ("timers",),
        ("notifications",), ("alerts", "work"), ("alerts", "incidents", "heads", "timers"),
    ],
    ids="+".join,
)  # fmt: skip
def test_what_stands_open_is_on_its_ladder_and_what_was_seen_to_stays_so(
    tmp_path: Path, tables: tuple[str, ...]
) -> None:
    async def look(database: Record) -> None:
        found = await states(database)
        assert found[BEFORE[0].alert] == "raised"
        assert found[BEFORE[1].alert] == "acknowledged"
        assert found[BEFORE[2].alert] == "resolved"
        assert (await rung(database)) - {"@desk"} == {"open"}
        async with database.transaction() as transaction:
            fires = {row["alert"] for row in await events.alerts(transaction)}
            assert {BEFORE[0].alert, BEFORE[1].alert} <= fires

    after(tmp_path / "desk.db", tables, look)


@pytest.mark.parametrize("tables", [("heads",), ("incidents", "heads", "timers")], ids="+".join)
def test_a_new_fire_where_one_was_seen_to_is_rung_as_one_of_its_own(
    tmp_path: Path, tables: tuple[str, ...]
) -> None:
    async def look(database: Record) -> None:
        new = arrival(5, place=OVER, previous=4)
        async with database.transaction() as transaction:
            await events.ingest(transaction, [new], LATER)
            found = [await work.find(transaction, each.alert) for each in (BEFORE[2], new)]
        assert found[0] is not None
        assert found[1] is not None
        assert found[0].incident != found[1].incident
        await climb(database, LATER + 1)
        assert "over" in await rung(database)

    after(tmp_path / "desk.db", tables, look)


def test_without_any_trail_what_its_sensor_cleared_is_not_rung_again(tmp_path: Path) -> None:
    async def look(database: Record) -> None:
        found = await states(database)
        assert found[BEFORE[2].alert] == "resolved"
        assert (await rung(database)) - {"@desk"} == {"open", "seen to"}

    after(tmp_path / "desk.db", ("work", "audit"), look)


def test_no_gateway_is_said_to_miss_what_has_rotted(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    many = [arrival(seq, previous=seq - 1 or None) for seq in range(1, 101)]

    async def main() -> None:
        async with opened(str(path)) as database, database.transaction() as transaction:
            await events.ingest(transaction, many, NOW)
        rot(path, leaves(path, "events")[3:4])
        replacing.replace(path)
        async with opened(str(path)) as database, database.transaction() as transaction:
            assert await events.gaps(transaction, 0.0, LATER)
            await tell(transaction, "street", LATER)
            assert not await events.gaps(transaction, 0.0, LATER + 1)

    asyncio.run(main())


def test_what_only_some_may_see_of_a_resident_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    fall = desk_canary.arrival(1)

    async def main() -> None:
        async with opened(str(path)) as database, database.transaction() as transaction:
            await events.ingest(transaction, [fall], NOW)
            before = await care.doors(transaction, [fall.alert])
        rot(path, roots(path, "alerts"))
        replacing.replace(path)
        async with opened(str(path)) as database, database.transaction() as transaction:
            await tell(transaction, "street", LATER)
            assert await care.doors(transaction, [fall.alert]) == before
            for table in ("alerts", "events", "work", "incidents", "audit"):
                rows = await transaction.fetch(f"SELECT * FROM {table}")
                assert not desk_canary.found_in(repr([tuple(row) for row in rows]).encode()), table  # type: ignore[arg-type]
            assert fall.alert in {row["alert"] for row in await events.alerts(transaction)}

    asyncio.run(main())


def test_a_desk_that_cannot_mend_a_row_starts_and_says_so_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "desk.db"

    async def main() -> None:
        async with opened(str(path)) as database:
            await fill(database)
            async with database.transaction() as transaction:
                await transaction.execute(
                    "UPDATE alerts SET place = '{rotten' WHERE alert = $1", BEFORE[0].alert
                )
                await transaction.execute(
                    "UPDATE audit SET detail = '{\"work\":{rotten' WHERE subject LIKE 'hxtp%'"
                )
        rot(path, roots(path, "work"))
        replacing.replace(path)
        async with opened(str(path)) as database:
            async with database.transaction() as transaction:
                await tell(transaction, "street", LATER)
            await climb(database, LATER)
            assert "@desk" in await rung(database)

    asyncio.run(main())
    assert "cannot be mended" in caplog.text
