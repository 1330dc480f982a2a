"""The readings lane between journal and fire centre: analog values in full packets, one at a time. Told `now`.

Rows that are no analog value for a centre cost a look. A packet that is refused to the last is tried again with growing
pauses; the cursor waits for it, because only a confirmation moves it.
"""

from collections.abc import Callable
from typing import Final

from drivers.gb26875 import units
from drivers.gb26875.units import Analog, Unit
from gateway.runtime.journal.feed import Feed, Rows
from gateway.runtime.journal.rows import Lane, Position
from gateway.services.centre.facility import ANALOGS, Facility, Stamper

PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 600.0


class Drain:
    """What of the readings was told. `cursor` is the last row that needs no more telling."""

    def __init__(self, facility: Facility, stamper: Stamper, cursor: Position) -> None:
        self.cursor = cursor
        self._facility, self._stamper = facility, stamper
        self._feed: Feed | None = None
        self._values: list[Analog] = []
        self._end = cursor
        self._not_before = 0.0
        self._pause_s = PAUSE_S

    def feed(self, journal: Rows, nudge: Callable[[], None]) -> Feed:
        """Begin on a new connection, with what was not confirmed on the last one."""
        self._values, self._end = [], self.cursor
        self._feed = Feed(journal, Lane.READINGS, self.cursor, nudge)
        return self._feed

    def take(self, now: float) -> bytes:
        """Return the next packet's unit; nothing where there is none, or not yet."""
        if now < self._not_before or self._feed is None:
            return b""
        most = units.LAYOUTS[ANALOGS].most
        self._not_before = 0.0
        while len(self._values) < most and (event := self._feed.take()) is not None:
            self._end = (event.epoch, event.seq)
            value = self._facility.analog(event, self._stamper)
            if value is not None:
                self._values.append(value)
        if not self._values:
            self.cursor = self._end
            return b""
        return units.encode(Unit(ANALOGS, tuple(self._values)))

    def settled(self, *, confirmed: bool, now: float) -> int:
        """Take in what became of the packet; return how many values it told."""
        if not confirmed:
            self._not_before = now + self._pause_s
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
            return 0
        self._pause_s = PAUSE_S
        told, self._values, self.cursor = len(self._values), [], self._end
        return told

    def next_due(self) -> float | None:
        """Return when a refused packet may be tried again."""
        return self._not_before or None
