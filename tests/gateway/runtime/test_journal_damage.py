"""Whatever happened to the file, the journal opens, keeps what is whole, and says what it set aside."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.core import last_resort
from gateway.core.events import CommandBody, Event, InterlockBody, MemoryBody, NoteBody, OrderedBody, Place
from gateway.runtime.journal import START, Journal, Lane, Position, Salvage, StoreError, statements
from gateway.runtime.journal.retention import CUT
from gateway.runtime.journal.rows import pack
from gateway.runtime.journal.statements import PAGE_SIZE, SCHEMA
from tests.events import alert, alert_body, baseline, event, note, reading
from tests.gateway.runtime.journal_use import SMALL, every, running, served, store

OLD = Path(__file__).with_name("journal-schema-1.db")
ALERTS = [alert(n) for n in range(2, 400, 2)]
READINGS = [reading(n) for n in range(1, 400, 2)]
SINK = "uplink.urgent"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a journal of some 400 rows, left in peace."""

    async def fill() -> None:
        async with running(tmp_path) as journal:
            journal.cursor(SINK)
            for event in READINGS:
                journal.append(event)
            await store(journal, Lane.URGENT, ALERTS)
            journal.move_cursor(SINK, (1, 100))

    asyncio.run(fill())
    return tmp_path


def opened(folder: Path) -> tuple[Salvage | None, Position, Position, list[Event], list[Event]]:
    """Return what was salvaged, where numbering goes on, the sink's cursor, and all rows."""

    async def look() -> tuple[Salvage | None, Position, Position, list[Event], list[Event]]:
        journal = await Journal.open(folder / "journal.db", settings=SMALL)
        try:
            rows = [await every(journal, lane) for lane in Lane]
            return journal.salvage, (journal.epoch, journal.last_seq), journal.cursor(SINK), rows[0], rows[1]
        finally:
            await journal.close()

    return asyncio.run(look())


def damage_header(path: Path) -> None:
    patch(path, 0, b"not a database at all")


def damage_schema_page(path: Path) -> None:
    patch(path, 100, bytes(PAGE_SIZE - 100))


def damage_user_version(path: Path) -> None:
    patch(path, 63, b"\x09")


def patch(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


@pytest.mark.parametrize("damage", [damage_header, damage_schema_page, damage_user_version])
def test_with_a_damaged_head_every_row_and_cursor_is_carried_over(
    folder: Path, damage: Callable[[Path], None]
) -> None:
    damage(folder / "journal.db")
    salvage, start, cursor, urgent, readings = opened(folder)
    assert salvage is not None
    assert salvage.path.exists()
    assert salvage.rows == len(ALERTS) + len(READINGS)
    assert start == (2, 1)
    assert cursor == (1, 100)
    assert urgent == ALERTS
    assert readings == READINGS


def test_what_stands_is_carried_over_though_retention_has_passed_it(tmp_path: Path) -> None:
    """A lock-down of last year stands: no card opens since, and none may for a bad sector."""
    stands = [
        alert(1),
        event(2, OrderedBody("front", "lock_down", "remote:police/wang")),
        event(3, InterlockBody("fire-2", True, (Place(building="2"),), "0193a5f2")),
        event(4, MemoryBody("lift-1", "trips", 4711.0)),
        event(5, CommandBody("0193a5f3", "siren-1", "on", {}, "remote:desk/warden-1")),
        baseline(6, 0.25),
        event(7, last_resort.note(alert_body(1).alert, "sms-1", "ok")),
    ]
    passed = [*stands, note(8)]

    async def fill() -> None:
        async with running(tmp_path) as journal:
            await store(journal, Lane.URGENT, [*passed, note(9)])

    asyncio.run(fill())
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        statements.raise_mark(connection, CUT + Lane.URGENT.table, pack((1, 8)))
    damage_header(tmp_path / "journal.db")
    salvage, _, _, urgent, _ = opened(tmp_path)
    assert salvage is not None
    assert urgent == [*stands, note(9)], "and what an old page still held of the rest is not back"


def test_a_salvaged_journal_is_healthy_the_next_time(folder: Path) -> None:
    damage_header(folder / "journal.db")
    opened(folder)
    salvage, start, _, urgent, _ = opened(folder)
    assert salvage is None
    assert start[0] == 2
    assert urgent == ALERTS


def test_a_page_of_nonsense_costs_only_its_own_rows(folder: Path) -> None:
    path = folder / "journal.db"
    pages = path.stat().st_size // PAGE_SIZE
    patch(path, pages // 2 * PAGE_SIZE, os.urandom(PAGE_SIZE))
    salvage, _, _, urgent, readings = opened(folder)
    assert salvage is not None
    assert len(urgent) + len(readings) >= len(ALERTS) + len(READINGS) - PAGE_SIZE // 60
    assert set(urgent) <= set(ALERTS)


def test_a_truncated_file_gives_what_it_still_has(folder: Path) -> None:
    path = folder / "journal.db"
    os.truncate(path, path.stat().st_size * 2 // 3)
    salvage, _, _, urgent, readings = opened(folder)
    assert salvage is not None
    assert len(urgent) + len(readings) > (len(ALERTS) + len(READINGS)) // 3


def test_a_foreign_database_is_set_aside_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
        other.execute("INSERT INTO recipes VALUES ('mapo tofu')")
        other.commit()
    salvage, start, _, urgent, _ = opened(tmp_path)
    assert salvage is not None
    assert (start, urgent) == ((1, 1), [])
    with closing(sqlite3.connect(salvage.path)) as other:
        assert other.execute("SELECT name FROM recipes").fetchall() == [("mapo tofu",)]


def test_something_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_text("dear diary\n" * 500)
    salvage, _, _, urgent, _ = opened(tmp_path)
    assert salvage is not None
    assert salvage.path.read_text().startswith("dear diary")
    assert urgent == []


def test_the_epoch_grows_even_when_nothing_can_be_read(folder: Path) -> None:
    path = folder / "journal.db"
    for epoch in (2, 3, 4):
        path.write_bytes(os.urandom(path.stat().st_size))
        salvage, start, _, urgent, _ = opened(folder)
        assert salvage is not None
        assert start == (epoch, 1)
        assert urgent == []
    assert len(list(folder.glob("journal.db.set-aside-*"))) == 3


def test_what_was_set_aside_before_stays_when_somebody_removed_the_oldest_of_it(folder: Path) -> None:
    """They lie there until a person clears them away, and a person begins with the oldest."""
    path = folder / "journal.db"
    for number in (1, 2):
        path.write_bytes(b"diary %d" % number * 1000)
        opened(folder)
    (folder / "journal.db.set-aside-1").unlink()
    path.write_bytes(b"diary 3" * 1000)
    salvage, _, _, _, _ = opened(folder)
    assert salvage is not None
    assert salvage.path == folder / "journal.db.set-aside-3"
    assert (folder / "journal.db.set-aside-2").read_bytes().startswith(b"diary 2")
    assert salvage.path.read_bytes().startswith(b"diary 3")


def test_a_journal_that_vanished_does_not_start_its_numbers_again(folder: Path) -> None:
    """Somebody deleted the file: its numbers are known upstream."""
    (folder / "journal.db").unlink()
    _, start, _, _, _ = opened(folder)
    assert start[0] == 2


def test_rows_behind_a_flipped_bit_in_the_wal_are_not_lost(tmp_path: Path) -> None:
    """SQLite ignores everything from the damaged frame on, and says nothing."""
    copy = tmp_path / "copy"
    copy.mkdir()

    async def fill() -> None:
        async with running(tmp_path) as journal:
            for event in ALERTS:
                await store(journal, Lane.URGENT, [event])
            for name in ("journal.db", "journal.db-wal"):
                shutil.copy(tmp_path / name, copy / name)

    asyncio.run(fill())
    patch(copy / "journal.db-wal", 32 + 40 * (PAGE_SIZE + 24) + 500, b"\xff\x00\xff")
    rows = served(copy)
    assert rows == ALERTS


def test_the_wal_alone_is_enough(tmp_path: Path) -> None:
    """The file is gone, its WAL is not."""
    copy = tmp_path / "copy"
    copy.mkdir()

    async def fill() -> None:
        async with running(tmp_path) as journal:
            await store(journal, Lane.URGENT, ALERTS)
            shutil.copy(tmp_path / "journal.db-wal", copy / "journal.db-wal")

    asyncio.run(fill())
    salvage, _, _, urgent, _ = opened(copy)
    assert salvage is not None
    assert urgent == ALERTS


def test_a_journal_of_a_newer_version_is_refused_and_left_alone(folder: Path) -> None:
    from gateway.runtime.journal.statements import layout, put_marks

    path = folder / "journal.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as newer:
        newer.execute("CREATE TABLE more (something TEXT) STRICT")
        put_marks(newer, {"schema": SCHEMA + 1, "layout": layout(newer)})
        newer.execute(f"PRAGMA user_version={SCHEMA + 1}")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="install the newer gateway again"):
        opened(folder)
    assert path.read_bytes()[PAGE_SIZE:] == before[PAGE_SIZE:]
    assert not list(folder.glob("*set-aside*"))


def test_a_journal_written_by_the_first_version_opens(tmp_path: Path) -> None:
    shutil.copy(OLD, tmp_path / "journal.db")
    salvage, start, cursor, urgent, readings = opened(tmp_path)
    assert salvage is None
    assert start[0] == 1
    assert cursor == (1, 3)
    assert [e.seq for e in urgent] == [2, 3, 5]
    assert [e.seq for e in readings] == [1, 4]


@pytest.mark.parametrize("point", ["journal.before_set_aside", "journal.after_set_aside"])
def test_a_crash_while_setting_aside_is_taken_up_again(folder: Path, point: str) -> None:
    damage_header(folder / "journal.db")

    def stop(name: str) -> None:
        if name == point:
            raise InterruptedError(name)

    async def crash() -> None:
        await Journal.open(folder / "journal.db", settings=SMALL, probe=stop)

    with pytest.raises(StoreError):
        asyncio.run(crash())
    _, start, _, urgent, _ = opened(folder)
    assert start[0] == 2
    assert urgent == ALERTS


def test_a_row_whose_bit_flipped_is_never_given_to_a_sink(folder: Path) -> None:
    path = folder / "journal.db"
    data = path.read_bytes()
    with closing(sqlite3.connect(path)) as look:
        (body,) = look.execute("SELECT body FROM urgent WHERE position & 0xffffff = 200").fetchone()
    at = data.index(body) + len(body) // 2
    patch(path, at, bytes([data[at] ^ 0x10]))
    told: list[NoteBody] = []

    async def look_again() -> list[Event]:
        async with running(folder) as journal:
            journal.report = told.append
            rows = await every(journal, Lane.URGENT, START)
            assert await every(journal, Lane.URGENT, START) == rows
            assert journal.statistics().damaged == 1
            return rows

    assert asyncio.run(look_again()) == [e for e in ALERTS if e.seq != 200]
    assert [note.what for note in told] == ["journal.damaged"]
    assert "1.200" in told[0].detail


def test_numbers_that_left_from_memory_are_not_given_again_after_a_crash(tmp_path: Path) -> None:
    """An event may have been sent while the disk refused, and be forgotten in the crash."""
    copy = tmp_path / "copy"
    copy.mkdir()

    async def first() -> None:
        async with running(tmp_path) as journal:
            await store(journal, Lane.URGENT, [alert(1)])
            for name in ("journal.db", "journal.db-wal"):
                shutil.copy(tmp_path / name, copy / name)

    asyncio.run(first())
    _, start, _, _, _ = opened(copy)
    assert start[0] == 1
    assert start[1] >= 1 << 20
