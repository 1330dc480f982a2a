"""The event loop with fine timers.

asyncio's epoll selector rounds every timer up to a whole millisecond. The silence between two Modbus frames
above 19200 baud is 1.75 ms, so each poll would lose up to a fifth of the wire. `select` takes microseconds;
its limit of 1024 descriptors is far above what a gateway opens.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop whose timers are good to some 0.1 ms."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on such a loop and return what it returns."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)
