"""An event loop whose time jumps: a week of silence on a line is one test of a few milliseconds.

Whenever nothing is ready to run, the clock leaps to the next timer instead of waiting for it. The order of
everything is that of the real loop, so a test over an in-memory line is exact and repeatable. Sockets and
threads still work when nothing but them is waited for; beside a timer the timer wins, because no real time
passes.
"""

import asyncio
import contextlib
import selectors
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

REAL_WAIT_S = 10.0  # for a thread or a socket, when no timer is pending


class StuckError(AssertionError):
    """Nothing will ever happen again: no timer is pending and no thread or socket spoke up."""


class _JumpingSelector(selectors.SelectSelector):
    """A selector that moves a clock instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is not None:
            self.now += timeout
            return []
        ready = super().select(REAL_WAIT_S)
        if not ready:
            raise StuckError("nothing is left that could wake the loop")
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop on virtual time, starting at 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._jumping.now


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end in virtual time and return what it returns."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


async def beside(running: Coroutine[Any, Any, object], main: Awaitable[T]) -> T:
    """Have something run while `main` does, and end it then; return what came of `main`."""
    task = asyncio.create_task(running, name="beside")
    try:
        return await main
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
