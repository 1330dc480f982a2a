"""A whole gateway in a process that gets killed: at a moment the test chooses, or at a named point.

The points are those the journal and the uplink name to their probe. A warm server process forks each victim, so
that two hundred of them start in the time of a few.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from gateway import app, configuration
from gateway.runtime import loop

POINTS = (
    "journal.before_open", "journal.after_open",
    "journal.before_begin", "journal.after_begin", "journal.before_commit", "journal.after_commit",
    "journal.before_cursor", "journal.after_cursor",
    "uplink.before_publish", "uplink.after_publish",
    "uplink.before_acknowledgement", "uplink.after_acknowledgement",
    "uplink.before_cursor", "uplink.after_cursor",
)  # fmt: skip


def warm() -> "multiprocessing.context.ForkServerContext":
    """Return a context whose server has everything imported that a gateway needs."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.victim", "gateway.services.uplink.opening", "aiosqlite"])
    return context


def start(
    context: "multiprocessing.context.ForkServerContext", file: Path, point: str = "", hits: int = 1
) -> ForkServerProcess:
    """Start a gateway; it kills itself when it comes to `point` the `hits`-th time, if one is named."""
    process = context.Process(target=live, args=(file, point, hits))
    process.start()
    return process


def live(file: Path, point: str, hits: int) -> None:
    """Be a gateway until SIGTERM, or until the point is reached."""
    logging.disable(logging.CRITICAL)
    checked = configuration.load(file)

    async def main() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await app.serve(checked, stop=stop, probe=killing_at(point, hits))

    loop.run(main())


def killing_at(point: str, hits: int) -> Callable[[str], None]:
    """Return a probe that kills this process as a power cut would: no cleaning up, no last words."""
    left = [hits]

    def probe(reached: str) -> None:
        if reached == point:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return probe
