"""What is known of one value: how good it is, when it was read, and how old the oldest reading in it is.

Values made of several readings must not confirm themselves: two of them count as two reads only when nothing of the
first is in the second. `oldest` is what that is told by: the next one is new when its oldest reading is younger than
everything in the last one. Made of a single reading, `oldest` is `at`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from drivers.api import Quality, Value


@dataclass(frozen=True, slots=True)
class Seen:
    """A value with its quality. `at` and `oldest` are monotonic seconds of its youngest and its oldest reading."""

    value: Value | None
    quality: Quality
    at: float
    oldest: float

    @property
    def good(self) -> bool:
        """Return whether the value may be believed."""
        return self.quality is Quality.GOOD and self.value is not None

    def times(self, factor: float) -> "Seen":
        """Return the same in another unit."""
        value = self.value if self.value is None or isinstance(self.value, bool) else self.value * factor
        return Seen(value, self.quality, self.at, self.oldest)


def raw(value: Value | None, quality: Quality, at: float) -> Seen:
    """Return one reading of a device; a number that is none is bad."""
    if value is not None and not math.isfinite(value):
        value, quality = None, Quality.BAD
    if value is None and quality is Quality.GOOD:
        quality = Quality.BAD
    return Seen(value, quality, at, at)


def is_true(seen: Seen | None) -> bool:
    """Return whether something good says yes."""
    return seen is not None and seen.good and bool(seen.value)


def worst(sources: Iterable[Seen | None]) -> Quality:
    """Return the quality of what stands on all of these; what was never read is stale."""
    qualities = {Quality.STALE if each is None else each.quality for each in sources}
    return next((each for each in (Quality.BAD, Quality.STALE) if each in qualities), Quality.GOOD)
