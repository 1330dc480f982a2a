"""What all shells of a simulated line share: one timer that is there when bytes are through the wire."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from drivers.api import LineSettings


class Wire(Protocol):
    """A simulated line, as its shells know it: told the time, it takes bytes and gives bytes back."""

    settings: LineSettings
    plugged: bool
    on_plug: Callable[[bool], None]
    counts: Counter[str]

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the master."""

    def next_at(self) -> float | None:
        """Return when `take` has something to do; None: not before `receive`."""

    def take(self, now: float) -> bytes:
        """Return the bytes that are through the wire by now."""

    def unplug(self) -> None:
        """Pull the adapter."""

    def plug(self) -> None:
        """Put the adapter back."""


class LineTimer:
    """Stands between a line and an event loop: bytes in at the loop's time, bytes out when they are due."""

    def __init__(self, line: Wire, send: Callable[[bytes], None]) -> None:
        self._line, self._send = line, send
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def receive(self, data: bytes) -> None:
        """Give the line what the master sent just now."""
        self._line.receive(data, self._loop.time())
        self.arm()

    def arm(self) -> None:
        """Be back when the line next has something to do."""
        at = self._line.next_at()
        if self._timer is not None:
            if at is not None and self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = None if at is None else self._loop.call_at(at, self._due, at)

    def stop(self) -> None:
        """Send nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self, at: float) -> None:
        """Send what is due; a clock that reads a hair less than the time it was asked for must not matter."""
        self._timer = None
        if data := self._line.take(max(at, self._loop.time())):
            self._send(data)
        self.arm()
