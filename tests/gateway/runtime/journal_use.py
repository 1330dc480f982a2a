"""How the journal's tests use it: opened in a folder, running, and closed again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.core.events import Event
from gateway.runtime.journal import START, Journal, JournalSettings, Lane, Position
from gateway.runtime.journal.statements import no_probe

SMALL = JournalSettings(reserve_bytes=1 << 16, readings_delay_s=0.05, cursor_delay_s=0.02, retry_s=0.01)


def at(event: Event) -> Position:
    return event.epoch, event.seq


@asynccontextmanager
async def running(
    folder: Path, settings: JournalSettings = SMALL, probe: Callable[[str], None] = no_probe
) -> AsyncIterator[Journal]:
    """Yield the journal of a folder with its writer at work; it is closed in peace at the end."""
    journal = await Journal.open(folder / "journal.db", settings=settings, probe=probe)
    try:
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(journal.run(), name="journal")
            try:
                yield journal
            finally:
                writer.cancel()
    finally:
        await journal.close()  # a task that is cancelled before its first step has not run at all


async def store(journal: Journal, lane: Lane, events: Iterable[Event]) -> list[Event]:
    """Append events of one lane and wait until all are durable."""
    stored = list(events)
    for event in stored:
        journal.append(event)
    epoch, seq = at(stored[-1])
    await journal.wait(lane, (epoch, seq - 1))
    return stored


async def every(journal: Journal, lane: Lane, after: Position = START) -> list[Event]:
    """Return all rows of a lane."""
    found: list[Event] = []
    while chunk := await journal.rows(lane, after, 100):
        found += chunk
        after = at(chunk[-1])
    return found


def served(folder: Path, lane: Lane = Lane.URGENT) -> list[Event]:
    """Open the journal of a folder and return what a sink would be given."""

    async def look() -> list[Event]:
        journal = await Journal.open(folder / "journal.db", settings=SMALL)
        try:
            return await every(journal, lane)
        finally:
            await journal.close()

    return asyncio.run(look())
