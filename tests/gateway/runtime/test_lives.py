"""One life after another in one process leaves nothing behind."""

import asyncio
import gc
import os
import signal
import weakref
from collections.abc import Callable, Iterator

import pytest

from gateway.runtime.lives import lives
from gateway.runtime.systemd import Notifier


class House:
    """Like a real one it holds itself, by what its parts are told to call."""

    def __init__(self) -> None:
        self.call = self.live

    def live(self) -> None:
        """Live."""


@pytest.fixture(name="no_collector")
def _no_collector() -> Iterator[None]:
    """Have no garbage collected but by who asks for it."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
def test_nothing_is_left_of_a_life_when_the_next_begins() -> None:
    """Garbage of ten reloads, 1 MB each, would stay for as long as nothing else makes so much."""
    before: list[weakref.ref[House]] = []
    there: list[int] = []

    async def live(_present: str, stop: asyncio.Event, again: Callable[[], None]) -> None:
        house = House()
        there.append(sum(each() is not None for each in before))
        before.append(weakref.ref(house))
        again() if len(before) < 4 else os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()

    asyncio.run(lives("first", live, lambda: "next", Notifier()))
    assert there == [0, 0, 0, 0]
