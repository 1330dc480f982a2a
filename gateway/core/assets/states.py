"""Formulas over one reading that are a state: on or off with hysteresis and delays, how long, since when, ordered.

A pause in the readings proves nothing: what was becoming true begins anew after it, what was true stays as it was,
shown as stale. How long something has lasted outlives a restart: it is written down after its first minute, and taken
up again when the first good reading says that it is still so.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from drivers.api import Quality
from gateway.core.assets.seen import Seen
from gateway.core.assets.windows import number
from gateway.core.rules import Level, Test

KEPT_AFTER_S: Final = 60.0
LONGEST_S: Final = 30 * 86_400.0
MINUTE_S: Final = 60.0
LONGEST_ORDER_S: Final = 7 * 86_400.0
STEP_S: Final = 60.0  # by so much a clock is set; less is how it goes

Sources = Sequence[Seen | None]


@dataclass(frozen=True, slots=True)
class Same:
    """A part's own value."""

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return what the source says."""
        del wall
        return sources[0]


@dataclass(frozen=True, slots=True)
class Scaled:
    """A distance as a share in per cent: `zero` is 0, `full` is 100. Far outside of both it means nothing."""

    zero: float
    full: float
    slack: float = (
        25.0  # so many per cent outside are a lid or a bulge; more is another thing that was measured
    )

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return the share, 0 to 100; bad where the distance cannot be one of this container."""
        del wall
        seen = sources[0]
        if seen is None or seen.value is None:
            return seen
        share = (float(seen.value) - self.zero) / (self.full - self.zero) * 100
        if not -self.slack <= share <= 100 + self.slack:
            return Seen(None, Quality.BAD, seen.at, seen.oldest)
        return Seen(round(min(max(share, 0.0), 100.0), 1), seen.quality, seen.at, seen.oldest)


class Is:
    """Whether a value passes a test: on once it has for `on_s`, off once it has not for `off_s`."""

    def __init__(self, test: Test, on_s: float, off_s: float) -> None:
        self._test, self._on_s, self._off_s = test, on_s, off_s
        self._on: bool | None = None
        self._turning_since: float | None = None

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return on or off; None before it is known."""
        del wall
        seen = sources[0]
        if seen is None:
            return None
        if not seen.good:
            self._turning_since = None
            return None if self._on is None else Seen(self._on, seen.quality, seen.at, seen.oldest)
        assert seen.value is not None
        on = self._test.level(seen.value, active=bool(self._on), baseline=None) is not Level.NORMAL
        if on is self._on:
            self._turning_since = None
        elif self._on is None and not on:
            self._on, self._turning_since = False, None  # nothing was known: it is simply off
        else:
            self._turn(on, seen.at)
        return None if self._on is None else Seen(self._on, Quality.GOOD, seen.at, seen.oldest)

    def _turn(self, on: bool, at: float) -> None:
        since = at if self._turning_since is None else self._turning_since
        self._turning_since = since
        if at - since >= (self._on_s if on else self._off_s):
            self._on, self._turning_since = on, None


class Lasts:
    """For how many minutes something has been true; 0 while it is not. `memory` is when it began, in wall seconds.

    What began in this life moves with a clock that is set, and what was not believed is written anew.
    """

    def __init__(self) -> None:
        self.memory: float | None = None
        self._began_before = False  # in an earlier life, whose clock is believed
        self._restored_s: float | None = None  # how long it had lasted before this life's first reading
        self._since: float | None = None
        self._last: float | None = None

    def remember(self, memory: float | None, wall: float) -> None:
        """Take up since when it was true when the gateway stopped; a clock that went back is not believed."""
        self.memory = memory
        if memory is not None and math.isfinite(memory) and 0.0 <= wall - memory <= LONGEST_S:
            self._restored_s, self._began_before = wall - memory, True

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return the minutes."""
        seen = sources[0]
        if seen is None:
            return None
        if not seen.good:
            return None if self._last is None else Seen(self._last, seen.quality, seen.at, seen.oldest)
        if not number(seen):
            self._since = self.memory = self._restored_s = None
            self._began_before, self._last = False, 0.0
            return Seen(0.0, Quality.GOOD, seen.at, seen.at)
        if self._since is None:
            self._since = seen.at - (self._restored_s or 0.0)
            self._restored_s = None
        lasted_s = max(seen.at - self._since, 0.0)
        began = round(wall - lasted_s, 1)
        if lasted_s >= KEPT_AFTER_S and not self._began_before:
            is_set = self.memory is None or abs(began - self.memory) >= STEP_S
            self.memory = began if is_set else self.memory
        self._last = round(lasted_s / MINUTE_S, 1)
        return Seen(self._last, Quality.GOOD, seen.at, seen.at)


class When:
    """The time of day, seconds since 1970, at which a count last rose. `memory` is that time."""

    def __init__(self) -> None:
        self.memory: float | None = None
        self._count: float | None = None

    def remember(self, memory: float | None, wall: float) -> None:
        """Take up the time that was known before; one that is still to come is not believed."""
        if memory is not None and memory <= wall:
            self.memory = memory

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return the time; None where it never happened."""
        seen = sources[0]
        if seen is None or not seen.good:
            return None
        count = number(seen)
        if self._count is not None and count > self._count:
            self.memory = round(wall)
        self._count = count
        return None if self.memory is None else Seen(self.memory, Quality.GOOD, seen.at, seen.at)


class Ordered:
    """What a person switched on, until a time of day. `memory` is that time; reads nothing, so it is never old.

    It lasts as long as was ordered also where the clock is put right meanwhile, after a power cut in a storm: the time
    moves with the clock. That of an earlier life stays as it is, for the clock may have been right then; one that lies
    further ahead than anybody can order shows, once the clock is trusted, that it was not, and ends.
    """

    def __init__(self) -> None:
        self.memory: float | None = None
        self._ahead: float | None = None  # wall less monotonic when it was ordered; None: in an earlier life

    def order(self, until: float | None, at: float, wall: float) -> None:
        """Take a person's order until a time of day, or its end."""
        self.memory, self._ahead = until, wall - at

    def is_over(self, at: float, wall: float, *, trusted: bool = False) -> bool:
        """Return whether its time is up, after it has moved with the clock; `trusted`: that clock is right."""
        step = 0.0 if self._ahead is None else wall - at - self._ahead
        if self.memory is not None and self._ahead is not None and abs(step) >= STEP_S:
            self.memory, self._ahead = self.memory + step, self._ahead + step
        if trusted and self._ahead is None and (self.memory or wall) - wall > LONGEST_ORDER_S + STEP_S:
            self.memory = wall
        return self.memory is not None and wall >= self.memory

    def remember(self, memory: float | None, wall: float) -> None:
        """Take up an order that is not over yet."""
        if memory is not None and memory > wall:
            self.memory = memory

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return whether it is on; `sources` is the moment it is asked at."""
        (seen,) = sources
        if self.memory is not None and wall >= self.memory:
            self.memory = None
        if seen is None:
            return None
        return Seen(self.memory is not None, Quality.GOOD, seen.at, math.inf)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody else tells of an asset, straight into the stream."""

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return nothing: it is not reckoned."""
        del sources, wall
        return None
