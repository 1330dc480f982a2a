"""Blocking work in a thread that nobody needs to wait for: name resolution, an SD card that hangs.

The executor of asyncio would be joined at the end of the program, and a stuck disk or resolver would hold up a
stop for minutes. These threads are daemons: what they have not done when the program ends is not done.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T], discard: Callable[[T], None] | None = None) -> T:
    """Run `work` aside and return what it returns; a result that comes too late goes to `discard`."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def throw_away(result: T | None) -> None:
        if discard is not None:
            discard(result)  # type: ignore[arg-type]

    def deliver(result: T | None, error: Exception | None) -> None:
        if future.done():
            if error is None:
                throw_away(result)
        elif error is None:
            future.set_result(result)  # type: ignore[arg-type]
        else:
            future.set_exception(error)

    def run() -> None:
        result, fault = None, None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - carried over to whoever awaits
            fault = error
        try:
            loop.call_soon_threadsafe(deliver, result, fault)
        except RuntimeError:  # the loop is closed: the program ends
            if fault is None:
                throw_away(result)

    threading.Thread(target=run, name="aside", daemon=True).start()
    return await future
