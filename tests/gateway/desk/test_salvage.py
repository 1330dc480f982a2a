"""A damaged record: set aside, and all that can be read of it taken over into a new one."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from gateway.desk.store import events, phones, replacing, work
from gateway.desk.store.database import Record, StoreError, migrations
from gateway.desk.store.salvage import Lost
from gateway.desk.workflow import Command, Step
from tests.desk_parts import GATEWAY, NOW, arrival, opened
from tests.desk_rot import crumb, cut, is_whole, leaves, roots, rot, scramble
from tests.faults.test_desk_rotten import paired
from tests.small_files import files_of_at_most

ALERTS = 600


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a record with alerts, one of them acknowledged, and a phone; nobody has it open."""
    found = tmp_path / "desk.db"

    async def main() -> None:
        async with opened(str(found)) as database:
            await fill(database)

    asyncio.run(main())
    return found


async def fill(database: Record) -> None:
    """Take in alerts, let a phone in and acknowledge the first."""
    async with database.transaction() as transaction:
        told = [arrival(seq, previous=seq - 1 or None) for seq in range(1, ALERTS + 1)]
        await events.ingest(transaction, told, NOW)
        await paired(transaction)
        await work.take_step(transaction, Command("c1", told[0].alert, Step.ACKNOWLEDGE, "warden-1"), NOW)


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """Return what a record holds."""
    with closing(sqlite3.connect(path)) as record:
        return record.execute(query).fetchall()


def count(path: Path, table: str) -> int:
    """Return how many rows a table has."""
    found = rows(path, f"SELECT count(*) FROM {table}")[0][0]
    assert isinstance(found, int)
    return found


def lost(path: Path) -> dict[str, int | None]:
    """Return what the newest salvage said was lost."""
    told = str(rows(path, "SELECT lost FROM salvages ORDER BY at DESC LIMIT 1")[0][0])
    return {each.table: each.rows for each in msgspec.json.decode(told, type=list[Lost])}


def asides(path: Path) -> list[Path]:
    """Return the files that were set aside."""
    return sorted(path.parent.glob("desk.db.set-aside-*"))


def test_of_a_table_with_several_rotten_pages_only_their_rows_are_lost_and_counted(path: Path) -> None:
    pages = leaves(path, "events")
    assert len(pages) > 20
    rot(path, pages[5:18:4])
    replacing.replace(path)
    gone = lost(path)
    assert set(gone) == {"events"}
    assert gone["events"] == ALERTS - count(path, "events")
    assert 0 < gone["events"] <= 4 * (ALERTS // len(pages) + 2)
    assert is_whole(path)


def test_rows_between_two_rotten_pages_are_found_by_what_other_tables_say_of_them(path: Path) -> None:
    pages = leaves(path, "alerts")
    rot(path, [pages[1], pages[-2]])
    replacing.replace(path)
    assert count(path, "alerts") > ALERTS - 3 * (ALERTS // len(pages) + 2)
    assert lost(path) == {"alerts": ALERTS - count(path, "alerts")}


@pytest.mark.parametrize("rotten", ["phones", "phones_twin", "sqlite_autoindex_phones_2", "news", "audit"])
def test_a_phone_is_known_whichever_page_has_rotted(path: Path, rotten: str) -> None:
    before = rows(path, "SELECT * FROM phones")
    rot(path, roots(path, rotten))
    replacing.replace(path)
    assert rows(path, "SELECT * FROM phones") == before
    assert "phones" not in lost(path)


def test_numbers_that_were_given_are_given_to_nothing_else(path: Path) -> None:
    (before,) = rows(path, "SELECT seq FROM sqlite_sequence WHERE name = 'news'")
    rot(path, roots(path, "news"))
    replacing.replace(path)
    assert lost(path) == {"news": None} or "news" in lost(path)
    assert rows(path, "SELECT seq FROM sqlite_sequence WHERE name = 'news'") == [before]


def test_a_row_with_text_that_is_none_is_left_out(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as record:
        record.execute("UPDATE events SET body = CAST(x'ff00fe' AS TEXT) WHERE seq = 7")
    replacing.replace(path)
    assert lost(path) == {"events": 1}
    assert count(path, "events") == ALERTS - 1


def test_a_damaged_file_of_an_older_desk_is_brought_up_to_date_as_well(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for _, script in migrations("sqlite")[:2]:
            old.executescript(script)
        old.execute("PRAGMA user_version=2")
        old.execute("INSERT INTO silences VALUES ('s', '{}', '', 1.0, 'roof', 'warden-1', 0.0)")
    rot(path, roots(path, "heads"))
    replacing.replace(path)
    assert lost(path) == {"heads": None}
    assert rows(path, "SELECT reason FROM silences") == [("roof",)]
    assert rows(path, "PRAGMA user_version") == [(migrations("sqlite")[-1][0],)]


def test_damage_met_at_work_stops_every_later_statement_and_the_next_opening_mends_it(path: Path) -> None:
    rot(path, roots(path, "events"))

    async def main() -> None:
        async with opened(str(path)) as database:
            waiting = asyncio.create_task(database.damaged())
            for _ in range(2):
                with pytest.raises(StoreError, match=r"desk\.db.*replace it"):
                    async with database.transaction() as transaction:
                        await events.ingest(transaction, [arrival(ALERTS + 1)], NOW)
            with pytest.raises(StoreError):
                await waiting
        async with opened(str(path)) as database, database.transaction() as transaction:
            assert (await events.ingest(transaction, [arrival(ALERTS + 1)], NOW)).events == 1
            assert len(await phones.everyone(transaction)) == 1

    asyncio.run(main())
    assert len(asides(path)) == 1


@pytest.mark.parametrize("harm", [cut, crumb, scramble])
def test_a_file_that_cannot_be_opened_is_replaced_at_once(path: Path, harm: object) -> None:
    assert callable(harm)
    harm(path)

    async def main() -> None:
        async with opened(str(path)) as database, database.transaction() as transaction:
            await events.ingest(transaction, [arrival(ALERTS + 1)], NOW)

    asyncio.run(main())
    assert len(asides(path)) == 1
    assert rows(path, f"SELECT gateway FROM events WHERE seq = {ALERTS + 1}") == [(GATEWAY,)]
    assert is_whole(path)


def test_a_rotten_first_page_costs_nothing(path: Path) -> None:
    before = {table: count(path, table) for table in ("events", "alerts", "work", "phones", "audit", "news")}
    rot(path, [1])
    replacing.replace(path)
    assert {table: count(path, table) for table in before} == before
    assert lost(path) == {}
    assert is_whole(path)


def test_a_rotten_first_page_and_others_cost_the_others_rows(path: Path) -> None:
    pages = leaves(path, "events")
    rot(path, [*pages[3:5], 1])
    replacing.replace(path)
    assert lost(path) == {"events": ALERTS - count(path, "events")}
    assert ALERTS * 3 // 4 < count(path, "events") < ALERTS


@pytest.mark.parametrize("first", [b"", b"\xff" * 4096], ids=["whole", "first page rotten"])
def test_commits_that_stand_only_in_the_log_are_taken_over(path: Path, first: bytes) -> None:
    pid = os.fork()
    if not pid:  # ends as a power cut would end it
        with closing(sqlite3.connect(path, isolation_level=None)) as record:
            record.execute("PRAGMA journal_mode=WAL")
            record.execute("INSERT INTO news (at, topic, subject) VALUES (1.0, 'alert', 'in the log')")
            os._exit(0)
    os.waitpid(pid, 0)
    assert path.with_name("desk.db-wal").stat().st_size
    with path.open("r+b") as file:
        file.write(first)
    replacing.mark(path)
    replacing.take_up(path)
    assert rows(path, "SELECT at FROM news WHERE subject = 'in the log'") == [(1.0,)]
    assert count(path, "events") == ALERTS
    assert is_whole(path)


def test_a_crash_at_any_step_is_made_up_for_at_the_next_opening(path: Path) -> None:
    replacing.mark(path)
    path.with_name("desk.db.saving").write_bytes(b"half of it")
    replacing.take_up(path)
    (aside,) = asides(path)
    assert sorted(each.name for each in path.parent.iterdir()) == [
        "desk.db",
        aside.name,
    ]  # and no half of one
    path.rename(path.with_name(aside.name.replace("set-aside", "fresh")))
    path.with_name("desk.db-wal").write_bytes(b"of the old file")
    replacing.take_up(path)
    assert aside.with_name(aside.name + "-wal").read_bytes() == b"of the old file"
    assert count(path, "events") == ALERTS
    assert len(asides(path)) == 2


def test_a_file_that_another_desk_has_open_is_not_touched(path: Path) -> None:
    replacing.mark(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")

        async def main() -> None:
            with pytest.raises(StoreError, match="another desk"):
                async with opened(str(path)):
                    pass

        asyncio.run(main())
    assert asides(path) == []


def test_few_files_are_kept_and_none_for_longer_than_a_month(path: Path) -> None:
    for _ in range(replacing.KEPT + 2):
        replacing.replace(path)
    assert len(asides(path)) == replacing.KEPT
    replacing.forget(path, now=asides(path)[0].stat().st_ctime + replacing.KEPT_S + 60)
    assert asides(path) == []
    assert count(path, "salvages") == replacing.KEPT + 2


def test_where_there_is_no_room_for_two_the_history_stays_in_the_old_file(path: Path) -> None:
    with files_of_at_most(path.stat().st_size * 9 // 10):
        replacing.replace(path)
    assert set(lost(path)) == {"events", "audit", "news", "looks"}
    assert count(path, "phones") == 1
    assert count(path, "alerts") == ALERTS
    assert count(asides(path)[0], "events") == ALERTS


def test_where_there_is_no_room_at_all_the_old_file_stays_and_it_is_said(path: Path) -> None:
    replacing.mark(path)

    async def main() -> None:
        with files_of_at_most(64 * 1024), pytest.raises(StoreError, match="disk full"):
            async with opened(str(path)):
                pass

    asyncio.run(main())
    assert asides(path) == []
    assert count(path, "events") == ALERTS
