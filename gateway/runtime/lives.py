"""One life after another in one process: SIGTERM or SIGINT ends them, SIGHUP begins the next with the file as it is.

Gateway and desk live so alike. A file with mistakes is told by whoever reads it, and the life in force goes on, as it
does while the file is read: a disk that hangs keeps the next life waiting, and no line.
"""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway.runtime.systemd import Notifier
from gateway.runtime.threads import in_thread

T = TypeVar("T")

Live = Callable[[T, asyncio.Event, Callable[[], None]], Awaitable[None]]
"""Lives with a configuration until the event is set; the callable asks for the next life, as SIGHUP does."""


async def lives(
    first: T, live: Live[T], read: Callable[[], T | None], manager: Notifier, *, only: bool = False
) -> None:
    """Live until told to stop. `read`, in a thread, returns the next configuration, None for none that may be taken.

    `only`: there is no life after the first; SIGHUP ends it, and so does whoever sets its event.
    """
    stop, again = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, stop.set if only else again.set)
    present = first
    while not stop.is_set():
        life = stop if only else asyncio.Event()
        async with asyncio.TaskGroup() as group:
            living = group.create_task(_run(live, present, life, again.set), name="life")
            present = await _next(present, read, stop, again)
            if stop.is_set():
                manager.send("STOPPING=1")
            else:
                manager.reloading()
            life.set()
            await living
        gc.collect()  # a life is full of circles, and would lie beside the next ones: measured, 11 MB


async def _run(live: Live[T], present: T, life: asyncio.Event, again: Callable[[], None]) -> None:
    await live(present, life, again)


async def _next(present: T, read: Callable[[], T | None], stop: asyncio.Event, again: asyncio.Event) -> T:
    """Return when this life must end, with the configuration of the next."""
    while not await _stopped(stop, again.wait()):
        again.clear()
        reading = asyncio.create_task(in_thread(read), name="reading")
        if not await _stopped(stop, reading) and (fresh := await reading) is not None:
            return fresh
    return present


async def _stopped(stop: asyncio.Event, other: Awaitable[object]) -> bool:
    """Return when something has come about, or at once when all is to stop; say whether it is."""
    waits = [asyncio.ensure_future(other), asyncio.create_task(stop.wait(), name="signal")]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return stop.is_set()
