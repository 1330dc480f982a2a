"""The event loop with fine timers.

asyncio's epoll selector rounds every timer up to a whole millisecond. The silence between two Modbus frames
above 19200 baud is 1.75 ms, so each poll would lose up to a fifth of the wire. `select` takes microseconds;
its limit of 1024 descriptors is far above what a gateway opens.
"""

import asyncio
import contextlib
import selectors
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

TIMER_SLACK = Path("/proc/self/timerslack_ns")


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop whose timers are good to some 0.1 ms."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on such a loop and return what it returns."""
    _tighten_timers()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)


def _tighten_timers() -> None:
    """Ask Linux not to let our timers slip by its usual 50 us; elsewhere, and where it refuses, they do."""
    with contextlib.suppress(OSError):
        TIMER_SLACK.write_text("1", encoding="ascii")
