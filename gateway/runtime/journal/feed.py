"""One lane of the journal, read a little ahead, so that the next row is at hand when there is room for it.

Whoever sends rows waits for none: while the disk cannot be read, what is new is offered from memory and must go out.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from gateway.core.events import Event
from gateway.runtime.journal.rows import Lane, Position

CHUNK: Final = 200
PATIENCE_S, LONGEST_PATIENCE_S = 5.0, 300.0


class Rows(Protocol):
    """What a sink needs of the journal."""

    async def rows(self, lane: Lane, after: Position, limit: int) -> list[Event]:
        """Return up to `limit` events of a lane past `after`, in order."""

    async def wait(self, lane: Lane, after: Position) -> None:
        """Return when the lane has a row past `after`."""

    def has(self, lane: Lane, after: Position) -> bool:
        """Return whether the lane has a row past `after`."""

    def last(self, lane: Lane) -> Position:
        """Return the last row of a lane."""

    def cursor(self, sink: str) -> Position:
        """Return how far a sink has confirmed."""

    def move_cursor(self, sink: str, position: Position) -> None:
        """Note that a sink has confirmed everything up to `position`."""

    def depth(self, sink: str, lane: Lane) -> int:
        """Return how many rows of a lane lie past a sink's cursor."""


class Feed:
    """Reads a lane in order into `ready`; `nudge` is called when something came."""

    def __init__(self, journal: Rows, lane: Lane, after: Position, nudge: Callable[[], None]) -> None:
        self.ready: deque[Event] = deque()
        self.caught_up = False  # as of the last reading there was no more
        self._journal, self._lane, self._after = journal, lane, after
        self._nudge = nudge
        self._room = asyncio.Event()
        self._waiting: asyncio.Timeout | None = None

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            await self._wait()
            after = self._after
            events = await self._journal.rows(self._lane, after, CHUNK)
            if after != self._after:  # rewound meanwhile
                continue
            self.caught_up = len(events) < CHUNK
            if events:
                self._after = events[-1].epoch, events[-1].seq
                self.ready.extend(events)
                self._nudge()
            else:
                await asyncio.sleep(0.1)  # announced, and not to be read yet
            while len(self.ready) > CHUNK:
                self._room.clear()
                await self._room.wait()

    def take(self) -> Event | None:
        """Return the next row, or None."""
        event = self.ready.popleft() if self.ready else None
        if len(self.ready) <= CHUNK:
            self._room.set()
        return event

    def rewind(self, after: Position) -> None:
        """Go back and read from `after` again."""
        self._after = after
        self.ready.clear()
        self.caught_up = False
        self._room.set()
        if self._waiting is not None:  # for a new row, which may never come
            self._waiting.reschedule(asyncio.get_running_loop().time())
            self._waiting = None

    async def _wait(self) -> None:
        """Return when there may be something to read: a new row, or those it went back to."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None) as self._waiting:
                await self._journal.wait(self._lane, self._after)
        self._waiting = None


class Again:
    """Reads single urgent rows anew, one at a time; `nudge` is called when one was read.

    One that does not come, because it is on a disk that cannot be read, is `put_off`: others are in memory still.
    """

    def __init__(self, journal: Rows, nudge: Callable[[], None], put_off: Callable[[Position], None]) -> None:
        self._journal, self._nudge, self._put_off = journal, nudge, put_off
        self._patience_s = PATIENCE_S
        self._asked = asyncio.Event()
        self._wanted: tuple[Position, Position] | None = None
        self._read: tuple[Position, Event | None] | None = None

    @property
    def idle(self) -> bool:
        """Return whether the next row may be asked for."""
        return self._wanted is None

    def want(self, position: Position, before: Position) -> None:
        """Ask for the row at a position; `before` is that of the row ahead of it. Only when idle."""
        self._wanted = position, before
        self._asked.set()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            assert self._wanted is not None
            position, before = self._wanted
            try:
                self._read = position, await self._row(position, before)
                self._patience_s = PATIENCE_S
            except TimeoutError:  # longer the next time: a disk that hangs gathers questions
                self._patience_s = min(self._patience_s * 2, LONGEST_PATIENCE_S)
                self._wanted = None
                self._put_off(position)
            self._nudge()

    async def _row(self, position: Position, before: Position) -> Event | None:
        async with asyncio.timeout(self._patience_s):
            rows = await self._journal.rows(Lane.URGENT, before, 1)
        return rows[0] if rows and (rows[0].epoch, rows[0].seq) == position else None

    def take(self) -> tuple[Position, Event | None] | None:
        """Return what was read, with None for a row that the journal no longer has; None if nothing was."""
        if (read := self._read) is not None:
            self._wanted = self._read = None
        return read
