"""Formulas over the last minutes of one reading: how fast it changes, its middle value, how often it fell at once.

A rate is the median of the slopes between all pairs of readings (Theil 1950, Sen 1968): up to 29 % of them may be
nonsense and it hardly moves. It says nothing before it has seen half its time, and a pause in between is bridged, not
filled in; one of twice its time begins it anew. What is read too seldom for it, a temperature once a minute, is looked
at over its last five readings: such a rise is seen later, and not never. At most 24 readings are held, evenly spaced,
so a minute and a day cost the same. After a restart it has to see again: minutes during which it is bad, never zero.
"""

import statistics
from collections import deque
from collections.abc import Sequence
from typing import Final

from drivers.api import Quality
from gateway.core.assets.seen import Seen

HELD: Final = 24
FEWEST: Final = 5  # of which one may be nonsense

Sources = Sequence[Seen | None]


def number(seen: Seen) -> float:
    """Return the value of a good reading."""
    assert seen.value is not None
    return float(seen.value)


class _Window:
    """The readings of the last `over_s` seconds, at most `HELD`, or the last `fewest` where those are more."""

    __slots__ = ("_fewest", "_over_s", "readings")

    def __init__(self, over_s: float, fewest: int = 1) -> None:
        self._over_s, self._fewest = over_s, fewest
        self.readings: deque[tuple[float, float]] = deque()

    def add(self, at: float, value: float) -> bool:
        """Take a reading; return whether it was wanted: not older than the last, nor too soon after it."""
        silent_s = at - self.readings[-1][0] if self.readings else self._over_s
        if silent_s < self._over_s / HELD:
            return False
        if silent_s > 2 * self._over_s:
            self.readings.clear()
        self.readings.append((at, value))
        while len(self.readings) > self._fewest and at - self.readings[0][0] > self._over_s:
            self.readings.popleft()
        return True

    @property
    def span_s(self) -> float:
        """Return the time from the first to the last."""
        return self.readings[-1][0] - self.readings[0][0] if self.readings else 0.0


class Rate:
    """How much a value changes in `per_s`, seen over `over_s`."""

    def __init__(self, per_s: float, over_s: float) -> None:
        self._per_s, self._over_s = per_s, over_s
        self._window = _Window(over_s, FEWEST)
        self._last: float | None = None

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return the rate; bad while too little was seen, as its source where that is not good."""
        del wall
        seen = sources[0]
        if seen is None:
            return None
        if not seen.good:
            return Seen(self._last, seen.quality, seen.at, seen.oldest)
        if not self._window.add(seen.at, number(seen)):
            return None
        readings = list(self._window.readings)
        if len(readings) < FEWEST or self._window.span_s < self._over_s / 2:
            return Seen(None, Quality.BAD, seen.at, seen.oldest)
        slopes = [
            (later[1] - earlier[1]) / (later[0] - earlier[0])
            for i, earlier in enumerate(readings)
            for later in readings[i + 1 :]
        ]
        self._last = round(statistics.median(slopes) * self._per_s, 3)
        return Seen(self._last, Quality.GOOD, seen.at, seen.at)


class Median:
    """The middle one of the last `reads` readings: what comes only once is not seen."""

    def __init__(self, reads: float) -> None:
        self._reads = int(reads)
        self._values: deque[float] = deque(maxlen=self._reads)
        self._at = float("-inf")
        self._last: float | None = None

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return the middle value; None before there are enough readings."""
        del wall
        seen = sources[0]
        if seen is None or (seen.good and seen.at <= self._at):
            return None
        if not seen.good:
            return None if self._last is None else Seen(self._last, seen.quality, seen.at, seen.oldest)
        self._at = seen.at
        self._values.append(number(seen))
        if len(self._values) < self._reads:
            return None
        self._last = statistics.median(self._values)
        return Seen(self._last, Quality.GOOD, seen.at, seen.at)


class Falls:
    """How often a value fell by `by` or more within `within_s`, and stayed down: a bin that was emptied.

    `memory` is the count, which outlives a restart.
    """

    def __init__(self, by: float, within_s: float) -> None:
        self._by = by
        self._window = _Window(within_s)
        self._low = 0
        self.memory: float | None = None

    def remember(self, memory: float | None, wall: float) -> None:
        """Take up what was counted before."""
        del wall
        self.memory = memory

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return the count."""
        del wall
        seen = sources[0]
        if seen is None:
            return None
        count = int(self.memory or 0)
        if not seen.good:
            return Seen(count, seen.quality, seen.at, seen.oldest)
        value = number(seen)
        if self._window.add(seen.at, value):
            down = max(each for _, each in self._window.readings) - value >= self._by
            self._low = self._low + 1 if down else 0
            if self._low >= 2:
                self._window.readings.clear()
                self._window.add(seen.at, value)
                self._low, count = 0, count + 1
                self.memory = float(count)
        return Seen(count, Quality.GOOD, seen.at, seen.at)
