"""The parts of the journal, each alone."""

import asyncio
import os
import sqlite3
import tempfile
import zlib
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.events import Event, NoteBody
from gateway.runtime.journal import JournalSettings, Lane, StoreError, salvage, statements
from gateway.runtime.journal.compress import restore, shrink
from gateway.runtime.journal.pending import Pending, Tail
from gateway.runtime.journal.reserve import Reserve
from gateway.runtime.journal.rows import RowError, decode, encode, pack, unpack, verify
from gateway.runtime.journal.salvage import FoundRow
from gateway.runtime.journal.statements import PAGE_SIZE
from tests.events import alert, event, note, reading
from tests.gateway.runtime.journal_use import every, running, served, store

SETTINGS = JournalSettings(readings_delay_s=5.0, cursor_delay_s=1.0, pending_readings=3)


@given(st.binary(max_size=5000))
def test_what_was_shrunk_comes_back(body: bytes) -> None:
    assert restore(shrink(body)) == body


@given(st.binary(max_size=300))
def test_what_was_never_shrunk_is_an_error_or_bytes(data: bytes) -> None:
    with suppress(zlib.error):
        assert isinstance(restore(data), bytes)


def test_an_alert_becomes_a_fifth_of_its_size() -> None:
    row = encode(alert(1042))
    assert len(row.body) * 4 < len(restore(row.body))


@given(st.integers(1, 1 << 20), st.integers(0, (1 << 40) - 1))
def test_a_position_is_one_number_in_the_same_order(epoch: int, seq: int) -> None:
    assert unpack(pack((epoch, seq))) == (epoch, seq)
    assert pack((epoch, seq)) < pack((epoch + 1, 0))


def test_a_row_that_was_moved_or_changed_fails() -> None:
    row = encode(alert(5))
    columns = [row.position, row.kind, row.time, row.checksum, row.body]
    assert decode(verify(Lane.URGENT, columns)) == alert(5)
    with pytest.raises(RowError):
        verify(Lane.READINGS, columns)
    for index, other in enumerate(
        [row.position + 1, "note", row.time + 1, row.checksum ^ 1, row.body + b"x"]
    ):
        with pytest.raises(RowError):
            verify(Lane.URGENT, [*columns[:index], other, *columns[index + 1 :]])
    with pytest.raises(RowError):
        verify(Lane.URGENT, [row.position, None, row.time, row.checksum, row.body])


def test_what_is_urgent_is_due_at_once_and_a_reading_after_its_delay() -> None:
    pending = Pending(SETTINGS)
    assert pending.due() == float("inf")
    pending.mark("cursor/x", 1, 9.5)
    assert pending.due() == 10.5
    pending.add(Lane.READINGS, encode(reading(1)), 3.0)
    assert pending.due() == 8.0
    pending.add(Lane.URGENT, encode(alert(2)), 4.0)
    assert pending.due() == 0.0


def test_a_cursor_joins_a_batch_only_when_it_is_due() -> None:
    pending = Pending(SETTINGS)
    pending.mark("cursor/x", 1, 10.0)
    pending.add(Lane.URGENT, encode(alert(2)), 10.1)
    assert pending.take(10.2).marks == {}
    pending.written()
    assert pending.take(11.0).marks == {"cursor/x": 1}


def test_a_refused_batch_comes_again_in_front_of_the_rest() -> None:
    pending = Pending(SETTINGS)
    rows = [encode(alert(n)) for n in range(1, 5)]
    for row in rows[:2]:
        pending.add(Lane.URGENT, row, 0.0)
    pending.mark("cursor/x", 1, 0.0)
    pending.take(99.0)
    for row in rows[2:]:
        pending.add(Lane.URGENT, row, 0.0)
    pending.mark("cursor/x", 7, 0.0)
    assert pending.held(Lane.URGENT) == rows
    pending.refused()
    batch = pending.take(99.0)
    assert list(batch.rows[Lane.URGENT]) == rows
    assert batch.marks == {"cursor/x": 7}


def test_a_refused_cursor_is_not_lost_and_what_is_written_is_held_no_more() -> None:
    pending = Pending(SETTINGS)
    pending.mark("cursor/x", 7, 0.0)
    pending.add(Lane.URGENT, encode(alert(1)), 0.0)
    pending.take(99.0)
    assert pending.count(Lane.URGENT) == 1
    pending.refused()
    assert (pending.due(), pending.count(Lane.URGENT)) == (0.0, 1)
    assert pending.take(99.0).marks == {"cursor/x": 7}
    pending.written()
    assert (pending.held(Lane.URGENT), pending.count(Lane.URGENT)) == ([], 0)
    pending.refused()  # nothing is being written
    assert (pending.due(), pending.count(Lane.URGENT)) == (float("inf"), 0)


def test_once_the_readings_are_taken_none_is_due() -> None:
    pending = Pending(SETTINGS)
    pending.add(Lane.READINGS, encode(reading(1)), 0.0)
    assert len(pending.take(5.0).rows[Lane.READINGS]) == 1
    pending.written()
    assert pending.due() == float("inf")


def test_too_many_readings_lose_the_oldest_and_are_counted() -> None:
    pending = Pending(SETTINGS)
    for n in range(1, 11):
        pending.add(Lane.READINGS, encode(reading(n)), 0.0)
    assert [unpack(row.position)[1] for row in pending.held(Lane.READINGS)] == [8, 9, 10]
    assert pending.thinned == 7


def test_the_tail_knows_how_far_back_it_reaches() -> None:
    tail = Tail(after=pack((1, 0)), size=3)
    tail.extend([encode(alert(n)) for n in range(1, 6)])
    assert tail.covers(pack((1, 2)))
    assert not tail.covers(pack((1, 1)))
    assert [unpack(row.position)[1] for row in tail.past(pack((1, 3)), 10)] == [4, 5]


def test_the_reserve_is_really_allocated_and_really_given_back(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", 1 << 20)
    assert reserve.make()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 1 << 20
    assert reserve.release()
    assert not (tmp_path / "reserve").exists()
    assert not reserve.release()


def test_a_reserve_that_can_be_neither_made_nor_removed_is_none_and_no_fault(tmp_path: Path) -> None:
    """On a card that the kernel has just made read-only both fail; here a folder has its name."""
    (tmp_path / "reserve").mkdir()
    reserve = Reserve(tmp_path / "reserve", 1 << 20)
    assert not reserve.make()
    assert not reserve.held


def test_the_pragmas_are_what_we_insist_on(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as connection:
        statements.configure(connection)
        statements.migrate(connection, 0)

        def pragma(name: str) -> object:
            return connection.execute(f"PRAGMA {name}").fetchone()[0]

        assert pragma("locking_mode") == "exclusive"
        assert pragma("journal_mode") == "wal"
        assert pragma("synchronous") == 2
        assert pragma("page_size") == PAGE_SIZE
        assert not (tmp_path / "x.db-shm").exists(), "the lock was not taken before WAL"


def test_a_connection_that_will_not_have_wal_is_refused() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with closing(connection), pytest.raises(StoreError, match="journal_mode is memory"):
        statements.configure(connection)


def test_every_table_is_strict() -> None:
    tables = [text for text in statements.schema_statements(1) if "CREATE TABLE" in text]
    assert len(tables) == 3
    assert all(text.rstrip().endswith("STRICT;") for text in tables)


def test_a_row_longer_than_a_page_is_salvaged_too(tmp_path: Path) -> None:
    """It stands in overflow pages."""
    long = event(1, NoteBody("site.photo", os.urandom(9 * PAGE_SIZE).hex()))

    async def fill() -> None:
        async with running(tmp_path) as journal:
            await store(journal, Lane.URGENT, [long, alert(2)])

    asyncio.run(fill())
    found = [thing for thing in salvage.scan(tmp_path / "journal.db") if isinstance(thing, FoundRow)]
    assert {decode(thing.row).seq for thing in found} == {1, 2}
    assert decode(found[0].row) in (long, alert(2))


@given(st.binary(min_size=PAGE_SIZE * 2, max_size=PAGE_SIZE * 2))
def test_the_salvage_finds_nothing_in_noise(noise: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "noise.db")
        path.write_bytes(bytes([salvage.LEAF]) + noise[1:])
        assert list(salvage.scan(path)) == []


def test_a_file_that_breaks_while_we_run_is_replaced_under_us(tmp_path: Path) -> None:
    """An inner page of the table is lost: the sink that reads there waits a little and is given every row."""
    told: list[NoteBody] = []
    events = [alert(n) for n in range(1, 10_001)]  # more than the page cache holds

    async def scene() -> list[Event]:
        async with running(tmp_path) as journal, asyncio.timeout(60):
            journal.report = told.append
            for start in range(0, len(events), 500):
                await store(journal, Lane.URGENT, events[start : start + 500])
            lose_an_inner_page(tmp_path / "journal.db")
            rows = await every(journal, Lane.URGENT)
            await store(journal, Lane.URGENT, [note(10_001)])
            assert journal.salvage is not None
            assert journal.salvage.path.exists()
            return rows

    assert asyncio.run(scene()) == events
    assert [n.what for n in told] == ["journal.failing", "journal.corrupt", "journal.recovered"]
    assert served(tmp_path) == [*events, note(10_001)]


def lose_an_inner_page(path: Path) -> None:
    data = path.read_bytes()
    inner = [at for at in range(2 * PAGE_SIZE, len(data), PAGE_SIZE) if data[at] == 5]
    with path.open("r+b") as file:
        file.seek(inner[0])
        file.write(bytes(PAGE_SIZE))
