"""A process that appends alerts as fast as it may and says of each when it is durable, until it is killed.

journal_child FOLDER [POINT HIT]: with a point, it kills itself when it comes there for the HIT-th time.
"""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from gateway.runtime.journal import Journal, Lane, statements
from tests.events import alert, reading
from tests.gateway.runtime.journal_use import SMALL

SINK = "uplink.urgent"


async def live(folder: Path, point: str, hit: int) -> None:
    """Append until killed; print `durable EPOCH SEQ` and `cursor EPOCH SEQ`."""
    left = hit

    def probe(name: str) -> None:
        nonlocal left
        left -= name == point
        if name == point and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = replace(SMALL, cursor_delay_s=0.0, upkeep_s=0.05)
    journal = await Journal.open(folder / "journal.db", settings=settings, probe=probe)
    say("start", (journal.epoch, journal.last_seq))
    async with asyncio.TaskGroup() as group:
        group.create_task(journal.run(), name="journal")
        seq = journal.last_seq
        while True:
            for _ in range(3):
                seq += 1
                journal.append(alert(seq, epoch=journal.epoch))
            seq += 1
            journal.append(reading(seq, epoch=journal.epoch))
            await journal.wait(Lane.URGENT, (journal.epoch, seq - 2))
            say("durable", journal.last(Lane.URGENT))
            journal.move_cursor(SINK, (journal.epoch, seq - 3))
            await asyncio.sleep(0.002)  # many lives, not many rows


def say(what: str, position: tuple[int, int]) -> None:
    """Print one line, straight to the pipe."""
    os.write(1, f"{what} {position[0]} {position[1]}\n".encode())


if __name__ == "__main__":
    statements.CHECKPOINT_PAGES = 20  # type: ignore[misc]  # so that every life sees checkpoints
    place, point, hit = [*sys.argv[1:], "", "0"][:3]
    asyncio.run(live(Path(place), point, int(hit)))
