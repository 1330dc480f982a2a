"""A process without real time: clock, event loop and threads, so that a week of the whole gateway passes in minutes.

Import this before anything of the gateway: it takes the place of the clocks. When nothing is ready the clock leaps to
the next timer, but never past work that is under way in a thread: a commit takes no time, and it is never overtaken.
"""

import asyncio
import queue
import selectors
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import aiosqlite.core

from gateway.runtime import threads

T = TypeVar("T")

real_time = time.perf_counter
WALL = 1_800_000_000.0  # 2027-01-15
STUCK_S = 30.0  # real seconds for a thread; more is a hang


class _Time:
    """The one clock. `stepped` is what somebody did to the time of day."""

    now = 1000.0
    stepped = 0.0
    under_way = 0


TIME = _Time()


def install() -> None:
    """Take the place of the process's clocks, and count what is under way in threads."""
    time.monotonic = lambda: TIME.now
    time.time = lambda: WALL + TIME.now + TIME.stepped
    setattr(aiosqlite.core, "SimpleQueue", _Counted)  # noqa: B010 - it is not exported
    in_thread = threads.in_thread

    async def counted(*arguments: Any) -> Any:
        TIME.under_way += 1
        try:
            return await in_thread(*arguments)
        finally:
            TIME.under_way -= 1

    threads.in_thread = counted  # type: ignore[assignment]


class _Counted(queue.SimpleQueue):  # type: ignore[type-arg]
    """The queue of a database's thread."""

    def put_nowait(self, item: Any) -> None:
        """Queue work and count it until its result is back on the loop."""
        future = item[0]
        if future is not None:
            TIME.under_way += 1
            future.add_done_callback(_back)
        super().put_nowait(item)


def _back(_future: object) -> None:
    TIME.under_way -= 1


class _Leaping(selectors.SelectSelector):
    """Leaps where another selector waits."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if TIME.under_way or timeout is None:
            ready = super().select(STUCK_S)
            assert ready, f"{TIME.under_way} pieces of work never came back from their threads"
            return ready
        TIME.now += timeout
        return []


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on such a loop."""
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(_Leaping())) as runner:
        return runner.run(main)
