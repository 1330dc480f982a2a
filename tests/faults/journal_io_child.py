"""Runs inside the failing disk: for every n, the n-th call fails, and everything must be there in the end.

Prints one line of JSON per problem, and a last line that says how many runs there were. See faultyio.c.
"""

import asyncio
import ctypes
import errno
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from gateway.core.events import Event, NoteBody
from gateway.runtime.journal import START, Journal, Lane, StoreError, statements
from tests.events import alert, reading
from tests.gateway.runtime.journal_use import SMALL, at, every

SETTINGS = replace(SMALL, upkeep_s=0.05)
SINK = "uplink.urgent"
EVENTS = 24
MOST_CALLS = 2000
CODES = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC, "short write": 0}


class Run:
    """One life of a journal on the failing disk."""

    def __init__(self, folder: Path, library: ctypes.CDLL) -> None:
        self.folder, self.shim = folder, library
        self.told: list[NoteBody] = []
        self.sent: list[Event] = []

    def through(self, *, sticky: bool) -> str:
        """Live, and return what is wrong in the end."""
        try:
            asyncio.run(asyncio.wait_for(self.live(sticky=sticky), 10))
        except TimeoutError:
            return f"it hangs after {len(self.sent)} rows; {self.told}"
        return self.problem()

    async def live(self, *, sticky: bool) -> None:
        """Open, write, be refused, go on, close."""
        journal = await self.opened()
        journal.report = self.told.append
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(journal.run(), name="journal")
            helper = group.create_task(self.heal(journal), name="heal") if sticky else None
            for seq in range(1, EVENTS + 1):
                event = alert(seq) if seq % 3 else reading(seq)
                journal.append(event)
                if seq % 3:
                    await journal.wait(Lane.URGENT, (1, seq - 1))
                    self.sent += await journal.rows(
                        Lane.URGENT, at(self.sent[-1]) if self.sent else START, 50
                    )
                    journal.move_cursor(SINK, at(self.sent[-1]))
            while journal.last(Lane.URGENT) < (1, EVENTS - 1) or journal.last(Lane.READINGS) < (1, EVENTS):
                await asyncio.sleep(0.005)
            if helper:
                helper.cancel()
            writer.cancel()

    async def opened(self) -> Journal:
        """Open the journal; a disk that refuses already then is told, and mended."""
        try:
            return await Journal.open(self.folder / "journal.db", settings=SETTINGS)
        except StoreError:
            self.shim.arm(-1, 0, 0)
            return await Journal.open(self.folder / "journal.db", settings=SETTINGS)

    async def heal(self, journal: Journal) -> None:
        """Mend the disk a little after the journal has noticed."""
        while True:
            if journal.statistics().failing:
                await asyncio.sleep(0.02)
                self.shim.arm(-1, 0, 0)
            await asyncio.sleep(0.005)

    def problem(self) -> str:
        """Return what is wrong in the end."""
        self.shim.arm(-1, 0, 0)
        urgent, readings, cursor = asyncio.run(self.look())
        wanted = [seq for seq in range(1, EVENTS + 1) if seq % 3]
        if [e.seq for e in urgent] != wanted:
            return f"urgent rows are {[e.seq for e in urgent]}"
        kept, full = [e.seq for e in readings], any(note.what == "journal.full" for note in self.told)
        if kept != list(range(3, EVENTS + 1, 3))[-len(kept) if full else 0 :]:
            return f"readings are {kept}"  # a full disk may cost the oldest of them, nothing else may
        if [e.seq for e in self.sent] != wanted:
            return f"a sink was given {[e.seq for e in self.sent]}"
        if any(note.what in {"journal.corrupt", "journal.damaged"} for note in self.told):
            return f"a false alarm: {self.told}"
        return "" if cursor <= (1, EVENTS) else f"the cursor is at {cursor}"

    async def look(self) -> tuple[list[Event], list[Event], tuple[int, int]]:
        """Open it once more on a good disk."""
        journal = await Journal.open(self.folder / "journal.db", settings=SETTINGS)
        try:
            rows = [await every(journal, lane) for lane in Lane]
            return rows[0], rows[1], journal.cursor(SINK)
        finally:
            await journal.close()


def main(code: str, *, sticky: bool) -> None:
    """Let every call fail in one way, once or for good."""
    library = ctypes.CDLL(None)
    library.failed.restype = ctypes.c_long
    statements.CHECKPOINT_PAGES = 20  # type: ignore[misc]  # so that a short life sees checkpoints
    n, fired = 0, True
    while fired and n < MOST_CALLS:
        n += 1
        with tempfile.TemporaryDirectory() as folder:
            run = Run(Path(folder), library)
            library.arm(n, CODES[code], int(sticky))
            problem = run.through(sticky=sticky)
            fired = bool(library.failed())
            if problem:
                told = {"n": n, "code": code, "sticky": sticky, "problem": problem}
                print(json.dumps(told), flush=True)
    print(json.dumps({"runs": n}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sticky=sys.argv[2] == "sticky")
