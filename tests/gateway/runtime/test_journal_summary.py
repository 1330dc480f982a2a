"""An old journal opens as fast as a young one, and what a restart is given is the same as if all of it were read."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.core.alerts import State
from gateway.core.events import Event
from gateway.core.standing import Standing
from gateway.runtime.journal import (
    Journal,
    JournalSettings,
    Lane,
    Needed,
    StoreError,
    reading,
    statements,
    summary,
)
from gateway.runtime.journal.statements import PAGE_SIZE
from tests.events import alert, baseline, note
from tests.gateway.runtime.journal_use import SMALL, every, running, store

LARGE = JournalSettings(reserve_bytes=1 << 16, retry_s=0.01, check_bytes=0)  # every file is a large one
MANY = summary.AT_CLOSE_ROWS + 100
LAST = MANY + 3


def life(number: int) -> Event:
    """Return an event of a long life: a baseline first, one alert that stays open, many others that end, notes."""
    if number == 1:
        return baseline(1, 2.0)
    if number == 7:
        return alert(7)
    return note(number) if number % 5 == 0 else alert(number, state=State.OVER)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a journal of a life that ended in peace."""
    state = tmp_path / "state"
    state.mkdir()
    live(state, [life(number) for number in range(1, MANY + 1)])
    assert summary.file_of(state / "journal.db").exists()
    return state


def live(folder: Path, events: list[Event]) -> None:
    """Have a life in which these events come."""

    async def scene() -> None:
        async with running(folder) as journal:
            standing = Standing(await journal.standing())
            journal.protect = standing.positions
            journal.needed = lambda: Needed(standing.positions(), standing.answered())
            for each in events:
                standing.follow(each)
            await store(journal, Lane.URGENT, events)

    asyncio.run(scene())


def restored(folder: Path) -> list[Event]:
    """Return what a restart is given."""

    async def look() -> list[Event]:
        journal = await Journal.open(folder / "journal.db", settings=SMALL)
        try:
            return await journal.standing()
        finally:
            await journal.close()

    return asyncio.run(look())


def without_summary(folder: Path) -> list[Event]:
    """Return what a restart is given that reads everything."""
    other = folder.with_name("all of it")
    shutil.copytree(folder, other, ignore=shutil.ignore_patterns("*.standing"))
    return restored(other)


def test_a_start_reads_what_it_needs_and_not_the_whole_journal(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    read_chunk = reading.read_chunk

    def counting(connection: Any, lane: Lane, after: int, limit: int) -> reading.Chunk:
        chunk = read_chunk(connection, lane, after, limit)
        seen.append(len(chunk.events))
        return chunk

    monkeypatch.setattr(reading, "read_chunk", counting)
    assert [each.seq for each in restored(folder)] == [1, 7]
    assert seen == [0]


def test_what_came_after_the_summary_counts_as_well(folder: Path) -> None:
    before = summary.file_of(folder / "journal.db").read_bytes()
    live(folder, [alert(n) for n in range(MANY + 10, MANY + 13)])
    assert summary.file_of(folder / "journal.db").read_bytes() == before, "so few rows are no reason to write"
    found = [each.seq for each in restored(folder)]
    assert found == [1, 7, MANY + 10, MANY + 11, MANY + 12]
    assert restored(folder) == without_summary(folder)


def tear(file: Path, _journal: Path) -> None:
    file.write_bytes(file.read_bytes()[:-5])


def empty(file: Path, _journal: Path) -> None:
    file.write_bytes(b"")


def make_a_folder(file: Path, _journal: Path) -> None:
    file.unlink()
    file.mkdir()


def drop_a_row(_file: Path, journal: Path) -> None:
    change(journal, "DELETE FROM urgent WHERE position & 1099511627775 = 7")


def damage_a_row(_file: Path, journal: Path) -> None:
    change(journal, "UPDATE urgent SET body = x'00' WHERE position & 1099511627775 = 1")


def take_its_last_row(_file: Path, journal: Path) -> None:
    change(journal, f"DELETE FROM urgent WHERE position & 1099511627775 = {MANY}")


def be_of_another(_file: Path, journal: Path) -> None:
    change(journal, f"UPDATE urgent SET checksum = 5 WHERE position & 1099511627775 = {MANY}")


def change(journal: Path, statement: str) -> None:
    with closing(sqlite3.connect(journal)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    "hurt", [tear, empty, make_a_folder, drop_a_row, damage_a_row, take_its_last_row, be_of_another]
)
def test_a_summary_that_does_not_fit_is_not_believed(
    folder: Path, hurt: Callable[[Path, Path], None]
) -> None:
    hurt(summary.file_of(folder / "journal.db"), folder / "journal.db")
    assert restored(folder) == without_summary(folder)


def test_where_nobody_says_what_is_needed_there_is_no_summary(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as journal:
            await store(journal, Lane.URGENT, [alert(n) for n in range(1, MANY)])

    asyncio.run(scene())
    assert not summary.file_of(tmp_path / "journal.db").exists()


def test_a_summary_is_written_while_it_runs_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut needs no closing in peace."""
    monkeypatch.setattr(summary, "EVERY_ROWS", 50)
    events = [alert(n, state=State.OVER) for n in range(1, 51)]

    async def scene() -> None:
        async with running(tmp_path) as journal:
            journal.needed = Needed
            await store(journal, Lane.URGENT, events)
            while not summary.file_of(tmp_path / "journal.db").exists():
                await asyncio.sleep(0.01)  # upkeep comes a second after the start

    asyncio.run(scene())


def test_a_disk_that_takes_no_summary_costs_the_next_start_time_and_nothing_else(folder: Path) -> None:
    file = summary.file_of(folder / "journal.db")
    file.unlink()
    file.with_suffix(".new").mkdir()
    live(folder, [alert(n, state=State.OVER) for n in range(LAST, LAST + MANY)])
    assert not file.exists()
    assert [each.seq for each in restored(folder)] == [1, 7]


def test_counting_the_rows_of_an_old_journal_reads_a_few_pages(folder: Path) -> None:
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        connection.set_progress_handler(count, 10)
        for lane in Lane:
            statements.ordinal_at(connection, lane, 0)
    assert steps < 20, "it looks at every row"


def test_damage_in_a_large_journal_is_found_when_it_is_met_and_set_aside(folder: Path) -> None:
    """It is not looked through at every start: that would take as long as reading all of it."""
    path = folder / "journal.db"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // PAGE_SIZE // 2 * PAGE_SIZE)
        file.write(os.urandom(1) * PAGE_SIZE)

    async def scene() -> None:
        async with running(folder, LARGE) as journal:
            found = [journal.salvage]
            rows = await every(journal, Lane.URGENT)
            found.append(journal.salvage)
            assert [each is None for each in found] == [True, False]
            assert MANY - 20 < len(rows) < MANY

    asyncio.run(scene())


@pytest.mark.parametrize("row", [0, MANY // 2])
def test_a_large_journal_whose_damage_the_start_meets_is_set_aside_and_the_start_goes_on(
    folder: Path, row: int
) -> None:
    """Else systemd would start it again and again, and no line be polled. The first row is met earlier than others."""
    path = folder / "journal.db"
    summary.file_of(path).unlink()
    damage_the_page_of(row, path)

    async def scene() -> None:
        journal = await Journal.open(path, settings=LARGE)
        try:
            found = await journal.standing()
            assert journal.salvage is not None
            assert journal.epoch == 2, "numbers of the damaged file would be given again"
            assert {each.seq for each in found} <= {1, 7}
        finally:
            await journal.close()

    asyncio.run(scene())


def damage_the_page_of(row: int, path: Path) -> None:
    """Write nonsense over the page that holds a row."""
    with closing(sqlite3.connect(path)) as connection:
        (body,) = connection.execute(
            "SELECT body FROM urgent ORDER BY position LIMIT 1 OFFSET ?", (row,)
        ).fetchone()
    content = path.read_bytes()
    page = content.index(body) // PAGE_SIZE * PAGE_SIZE
    path.write_bytes(content[:page] + b"\x0d" + b"\xff" * (PAGE_SIZE - 1) + content[page + PAGE_SIZE :])


def test_a_row_that_is_not_whole_is_no_reason_to_end_the_journal(folder: Path) -> None:
    """The summary leans on the last row; where that is damaged there is none."""
    path = folder / "journal.db"
    summary.file_of(path).unlink()
    damage_a_row(path, path)
    change(path, f"UPDATE urgent SET body = x'00' WHERE position & 1099511627775 = {MANY}")
    with closing(sqlite3.connect(path)) as connection:
        (last,) = connection.execute("SELECT max(position) FROM urgent").fetchone()
        summary.write(connection, path, last, Needed())
        summary.write(connection, path, last + 1, Needed())
    assert not summary.file_of(path).exists()


def test_a_foreign_event_in_the_summary_is_no_reason_to_fail(folder: Path) -> None:
    file = summary.file_of(folder / "journal.db")
    file.write_bytes(b"00000000\n{}")
    assert [each.seq for each in restored(folder)] == [1, 7]
    with pytest.raises(StoreError):
        restored(folder / "nowhere")
