"""One life after another in one process leaves nothing behind."""

import asyncio
import gc
import os
import signal
import threading
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


class Disk:
    """Hangs whoever reads from it until it is mended."""

    def __init__(self) -> None:
        self.mended, self.asked = threading.Event(), threading.Event()

    def read(self) -> str:
        """Read."""
        self.asked.set()
        assert self.mended.wait(20)
        return "next"


def test_a_life_goes_on_while_the_next_file_is_read_from_a_disk_that_hangs() -> None:
    disk, told = Disk(), list[str]()

    async def live(present: str, stop: asyncio.Event, again: Callable[[], None]) -> None:
        told.append(present)
        if present == "next":
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            again()
            while not disk.asked.is_set():
                await asyncio.sleep(0.001)
            told.append("polled")
            assert not stop.is_set()
            disk.mended.set()
        await stop.wait()

    asyncio.run(lives("first", live, disk.read, Notifier()))
    assert told == ["first", "polled", "next"]


def test_who_is_told_to_stop_waits_for_no_disk_that_hangs() -> None:
    disk = Disk()

    async def live(_present: str, stop: asyncio.Event, again: Callable[[], None]) -> None:
        again()
        while not disk.asked.is_set():
            await asyncio.sleep(0.001)
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        assert not disk.mended.is_set()

    asyncio.run(lives("first", live, disk.read, Notifier()))
    disk.mended.set()
