"""One flipped bit anywhere in the file: it changes nothing that is delivered, or it is found. None is sent on."""

import asyncio
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.core.events import Event
from gateway.runtime.journal import Journal, Lane
from tests.events import alert, reading
from tests.gateway.runtime.journal_use import SMALL, every, running, store

FLIPS = 400
SINK = "uplink.urgent"
EVENTS = [alert(n) if n % 2 else reading(n) for n in range(1, 601)]


@dataclass(frozen=True, slots=True)
class Seen:
    """What an opened journal delivers, and whether it noticed anything."""

    rows: list[Event]
    cursor: tuple[int, int]
    noticed: bool


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a journal of 600 rows, left in peace."""
    folder = tmp_path_factory.mktemp("original")

    async def fill() -> None:
        async with running(folder) as journal:
            journal.cursor(SINK)
            for event in EVENTS[:-2]:
                journal.append(event)
            await store(journal, Lane.URGENT, EVENTS[-2:-1])
            await store(journal, Lane.READINGS, EVENTS[-1:])
            journal.move_cursor(SINK, (1, 100))

    asyncio.run(fill())
    return folder


def seen(folder: Path) -> Seen:
    async def look() -> Seen:
        journal = await Journal.open(folder / "journal.db", settings=SMALL)
        try:
            rows = [event for lane in Lane for event in await every(journal, lane)]
            noticed = journal.salvage is not None or journal.statistics().damaged > 0
            return Seen(rows, journal.cursor(SINK), noticed)
        finally:
            await journal.close()

    return asyncio.run(look())


def flipped(original: Path, folder: Path, bit: int) -> Path:
    """Return a folder with a copy of the journal in which one bit is the other way."""
    shutil.copytree(original, folder)
    path = folder / "journal.db"
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))
    return folder


@pytest.mark.slow
def test_no_flipped_bit_is_sent_on_and_none_that_matters_goes_unnoticed(
    original: Path, tmp_path: Path
) -> None:
    chance = random.Random(1)
    size = (original / "journal.db").stat().st_size * 8
    found = harmless = 0
    whole = set(EVENTS)
    for number in range(FLIPS):
        bit = chance.randrange(size)
        after = seen(flipped(original, tmp_path / str(number), bit))
        shutil.rmtree(tmp_path / str(number))
        assert set(after.rows) <= whole, f"bit {bit}: something was sent on that was never written"
        assert after.cursor <= (1, 100), f"bit {bit}: the cursor ran ahead"
        same = set(after.rows) == whole and len(after.rows) == len(whole) and after.cursor == (1, 100)
        assert same or after.noticed, (
            f"bit {bit}: {len(after.rows)} rows, cursor {after.cursor}, and no word of it"
        )
        found, harmless = found + after.noticed, harmless + (same and not after.noticed)
    assert found + harmless == FLIPS
    assert found > FLIPS // 2
