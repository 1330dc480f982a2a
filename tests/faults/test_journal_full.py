"""The disk is full, and has room again: nothing urgent is lost, a sink is served meanwhile, a person is told."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.events import Event, NoteBody
from gateway.runtime.journal import START, Journal, JournalSettings, Lane
from tests.events import alert, reading
from tests.gateway.runtime.journal_use import SMALL, at, every, running, served, store

SIZE_MIB = 6
SETTINGS = replace(SMALL, reserve_bytes=1 << 20, upkeep_s=0.05)
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder on a disk of a few MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


async def until_failing(journal: Journal, seq: int) -> int:
    """Append alerts until the disk refuses them and a few hundred are held; return the last number."""
    async with asyncio.timeout(60):
        while journal.statistics().failing is None or journal.statistics().held < 300:
            for _ in range(50):
                seq += 1
                journal.append(alert(seq))
            await asyncio.sleep(0.002)
    return seq


def test_nothing_urgent_is_lost_while_the_disk_is_full(small_disk: Path) -> None:
    told: list[NoteBody] = []

    async def scene() -> tuple[int, list[Event]]:
        async with running(small_disk, SETTINGS) as journal:
            journal.report = told.append
            await store(journal, Lane.URGENT, [alert(1)])
            ballast = fill(small_disk)
            last = await until_failing(journal, 1)
            held = await every(journal, Lane.URGENT, (1, last - 20))
            ballast.unlink()
            async with asyncio.timeout(20):
                while journal.statistics().held or journal.statistics().failing:
                    await asyncio.sleep(0.01)
            return last, held

    last, held = asyncio.run(scene())
    assert [e.seq for e in held] == list(range(last - 19, last + 1)), "a sink is served from memory"
    assert [e.seq for e in served(small_disk)] == list(range(1, last + 1))
    assert [note.what for note in told] == ["journal.full", "journal.failing", "journal.recovered"]


def test_the_reserve_keeps_ten_thousand_more_alerts(tmp_path: Path) -> None:
    """The size it has by default, measured on the file rather than on a full disk of that size."""

    async def scene() -> int:
        async with running(tmp_path) as journal:
            await store(journal, Lane.URGENT, [alert(n) for n in range(1, 10_001)])
        return (tmp_path / "journal.db").stat().st_size

    assert asyncio.run(scene()) < JournalSettings().reserve_bytes


def test_the_reserve_is_given_up_first_and_made_again(small_disk: Path) -> None:
    told: list[NoteBody] = []

    async def scene() -> None:
        async with running(small_disk, SETTINGS) as journal:
            journal.report = told.append
            assert journal.statistics().reserve
            ballast = fill(small_disk)
            seq = 0
            while not told:
                await store(journal, Lane.URGENT, [alert(seq := seq + 1) for _ in range(100)])
            assert journal.statistics().failing is None, "the reserve gave it room"
            assert not journal.statistics().reserve
            ballast.unlink()
            async with asyncio.timeout(20):
                while not journal.statistics().reserve:
                    await asyncio.sleep(0.01)
            await store(journal, Lane.URGENT, [alert(seq + 1)])

    asyncio.run(scene())
    assert [note.what for note in told] == ["journal.full", "journal.recovered"], (
        "the next time is told again"
    )
    assert "make room" in told[0].detail


def test_readings_are_thinned_in_memory_and_counted(small_disk: Path) -> None:
    settings = replace(SETTINGS, pending_readings=50)

    async def scene() -> None:
        async with running(small_disk, settings) as journal:
            ballast = fill(small_disk)
            last = await until_failing(journal, 0)
            for seq in range(last + 1, last + 201):
                journal.append(reading(seq))
            statistics = journal.statistics()
            assert statistics.thinned >= 100
            assert statistics.held > 0
            ballast.unlink()

    asyncio.run(scene())
    assert served(small_disk)


def test_a_gateway_that_starts_on_a_full_disk_starts(small_disk: Path) -> None:
    async def first() -> None:
        async with running(small_disk, SETTINGS) as journal:
            await store(journal, Lane.URGENT, [alert(n) for n in range(1, 101)])

    async def second() -> list[Event]:
        async with running(small_disk, SETTINGS) as journal:
            return await every(journal, Lane.URGENT, START)

    asyncio.run(first())
    fill(small_disk)
    assert [at(e) for e in asyncio.run(second())] == [(1, n) for n in range(1, 101)]
