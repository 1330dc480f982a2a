"""While the disk refuses, what was offered from memory stays offered, overtakes no row, and is written at the end."""

import asyncio
import dataclasses
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gateway.core.events import Event, NoteBody
from gateway.runtime.journal import Journal, Lane
from gateway.runtime.journal.cursors import UNSERVED
from tests.events import alert, reading
from tests.gateway.runtime.journal_use import SMALL, at, every, running, served, store
from tests.uplink_parts import until


class Card:
    """A disk that refuses every commit while `refuses`; where there is a gate, a commit waits until it opens."""

    def __init__(self, code: int) -> None:
        self.refuses = False
        self.code = code
        self.gate: threading.Event | None = None
        self.waiting = threading.Event()

    def probe(self, point: str) -> None:
        if point != "journal.before_commit":
            return
        if (gate := self.gate) is not None:
            self.waiting.set()
            gate.wait(10)
        if self.refuses:
            error = sqlite3.OperationalError("refused")
            error.sqlite_errorcode = self.code
            raise error


async def refused(journal: Journal, card: Card, seq: int) -> None:
    """Append an alert that the disk does not take."""
    card.refuses = True
    journal.append(alert(seq))
    await until(lambda: journal.failing, what="the disk refuses")


def test_an_alert_offered_from_memory_stays_offered_until_it_is_written(tmp_path: Path) -> None:
    """A sink that asks for it again and is told there is none takes it for gone, and its cursor passes it."""
    card = Card(sqlite3.SQLITE_FULL)

    async def scene() -> None:
        async with running(tmp_path, probe=card.probe) as journal, asyncio.timeout(20):
            await store(journal, Lane.URGENT, [alert(1)])
            await refused(journal, card, 2)
            card.gate = first = threading.Event()
            await until(card.waiting.is_set, what="the disk is tried again")
            journal.append(alert(3))  # too late for the batch on its way
            assert await journal.rows(Lane.URGENT, (1, 1), 9) == [alert(2), alert(3)]
            card.refuses, card.gate = False, (second := threading.Event())
            card.waiting.clear()
            first.set()
            await until(lambda: not journal.failing, what="the disk takes everything again")
            assert journal.last(Lane.URGENT) == (1, 2)
            assert await journal.rows(Lane.URGENT, at(alert(2)), 1) == [alert(3)]
            second.set()

    asyncio.run(scene())
    assert served(tmp_path) == [alert(1), alert(2), alert(3)]


def test_what_only_memory_holds_is_safe_once_it_was_served_upstream(tmp_path: Path) -> None:
    card = Card(sqlite3.SQLITE_IOERR)

    async def scene() -> None:
        async with running(tmp_path, probe=card.probe) as journal, asyncio.timeout(20):
            await refused(journal, card, 1)
            journal.append(alert(2))
            journal.move_cursor("centre", UNSERVED)
            for sink in ("uplink.urgent", "centre"):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await journal.secured(alert(1), sink)
            journal.move_cursor("uplink.urgent", at(alert(1)))
            await journal.secured(alert(1), "uplink.urgent")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await journal.secured(alert(2), "uplink.urgent")
            card.refuses = False
            await journal.secured(alert(2), "uplink.urgent")

    asyncio.run(scene())


def test_who_waits_is_offered_what_may_leave_and_not_what_only_waits_for_the_disk(tmp_path: Path) -> None:
    card = Card(sqlite3.SQLITE_FULL)

    async def scene() -> None:
        async with running(tmp_path, probe=card.probe) as journal, asyncio.timeout(20):
            await store(journal, Lane.URGENT, [alert(1)])
            journal.move_cursor("uplink.urgent", at(alert(1)))
            journal.append(reading(2))
            await refused(journal, card, 3)
            assert journal.depth("uplink.urgent", Lane.URGENT) > 0
            assert journal.has(Lane.URGENT, journal.cursor("uplink.urgent"))
            journal.move_cursor("uplink.urgent", at(alert(3)))
            assert not journal.has(Lane.URGENT, journal.cursor("uplink.urgent"))
            assert not journal.has(Lane.READINGS, journal.last(Lane.READINGS))
            card.refuses = False
            await until(lambda: journal.has(Lane.READINGS, (0, 0)), what="the reading on the disk")

    asyncio.run(scene())


def test_what_a_passing_fault_of_the_disk_refused_is_written_when_the_gateway_is_stopped_at_once(
    tmp_path: Path,
) -> None:
    card = Card(sqlite3.SQLITE_IOERR)
    patient = dataclasses.replace(SMALL, retry_s=60.0)

    async def scene() -> None:
        journal = await Journal.open(tmp_path / "journal.db", settings=patient, probe=card.probe)
        writer = asyncio.create_task(journal.run())
        await store(journal, Lane.URGENT, [alert(1)])
        await refused(journal, card, 2)
        card.refuses = False
        writer.cancel()
        await asyncio.wait([writer])

    asyncio.run(scene())
    assert served(tmp_path) == [alert(1), alert(2)]


def test_a_disk_that_was_full_is_told_to_have_room_when_the_reserve_is_made_again_and_full_the_next_time_too(
    tmp_path: Path,
) -> None:
    """Its alert stayed up for ever, and the next full disk raised none."""
    card, told = Card(sqlite3.SQLITE_FULL), list[str]()

    def report(note: NoteBody) -> None:
        card.refuses = False  # what was given up is room
        told.append(note.what)

    async def scene() -> None:
        settings = dataclasses.replace(SMALL, upkeep_s=0.01)
        async with running(tmp_path, settings, card.probe) as journal, asyncio.timeout(20):
            journal.report = report
            for seq in (1, 2):
                await until(lambda: journal.statistics().reserve, what="the reserve")
                card.refuses = True
                await store(journal, Lane.URGENT, [alert(seq)])
                await until(lambda: told[-1:] == ["journal.recovered"], what="the word that there is room")

    asyncio.run(scene())
    assert told == ["journal.full", "journal.recovered"] * 2


def test_no_row_is_missed_where_a_commit_that_failed_was_on_the_disk_after_all(tmp_path: Path) -> None:
    """Its rows come again and were counted twice, which looks like rows that somebody took out of the file."""
    late, told = Late(), list[NoteBody]()

    async def scene() -> None:
        async with running(tmp_path, probe=late.probe) as journal, asyncio.timeout(20):
            await store(journal, Lane.URGENT, [alert(seq) for seq in range(1, 11)])
            late.fails = True
            for seq in (11, 12, 13):
                journal.append(alert(seq))
            await until(lambda: journal.failing, what="the late failure")
            journal.append(alert(14))
            await until(lambda: not journal.failing, what="the disk takes everything again")
            await store(journal, Lane.URGENT, [alert(15)])
            assert journal.depth("nobody.urgent", Lane.URGENT) == 15

    async def look() -> list[Event]:
        async with running(tmp_path) as journal:
            journal.report = told.append
            return await every(journal, Lane.URGENT)

    asyncio.run(scene())
    assert asyncio.run(look()) == [alert(seq) for seq in range(1, 16)]
    assert told == []


class Late:
    """A disk that takes the next commit and says it did not."""

    def __init__(self) -> None:
        self.fails = False

    def probe(self, point: str) -> None:
        if point == "journal.after_commit" and self.fails:
            self.fails = False
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error


def test_an_alert_in_memory_overtakes_no_row_behind_a_damaged_one(tmp_path: Path) -> None:
    card = Card(sqlite3.SQLITE_FULL)
    stored = [alert(seq) for seq in range(1, 401)]

    async def fill() -> None:
        async with running(tmp_path) as journal:
            await store(journal, Lane.URGENT, stored)

    async def scene() -> None:
        async with running(tmp_path, probe=card.probe) as journal, asyncio.timeout(20):
            await refused(journal, card, 500)
            seen = await every(journal, Lane.URGENT)
            card.refuses = False
            assert seen == [*(event for event in stored if event.seq != 5), alert(500)]

    asyncio.run(fill())
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        connection.execute("UPDATE urgent SET time = time + 1 WHERE position & 0xffffff = 5")
    asyncio.run(scene())
