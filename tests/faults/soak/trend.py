"""Whether something grows: the median of all slopes through its looks, and between which two slopes it surely lies.

Theil's estimate with Sen's interval (Sen 1968, "Estimates of the Regression Coefficient Based on Kendall's Tau"): a
peak while a broker is away moves it no further than any other look does, as it would a line of least squares. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import median

HOUR_S = 3600.0
SURE = 1.96  # of a normal distribution: 95 %
LEAST = 9  # looks, for a judgement
MOST = 400  # looks; more are thinned, the slopes are of all pairs


@dataclass(frozen=True, slots=True)
class Trend:
    """How much more of it there is each hour, in its own unit, and the 95 % interval of that."""

    per_hour: float
    least: float
    most: float

    def grows(self, bound: float) -> bool:
        """Return whether it surely grows by more than `bound` each hour."""
        return self.least > bound

    def __str__(self) -> str:
        return f"{self.per_hour:+.2f}/h ({self.least:+.2f} to {self.most:+.2f})"


def trend(looks: Sequence[tuple[float, float]]) -> Trend | None:
    """Return the trend of (seconds, value); None for too few to tell."""
    looks = looks[:: -(-len(looks) // MOST)] if looks else looks
    if len(looks) < LEAST:
        return None
    slopes = sorted(
        (later - earlier) / (then - before) * HOUR_S
        for (before, earlier), (then, later) in combinations(looks, 2)
        if then > before
    )
    count = len(looks)
    spread = SURE * sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low, high = int((len(slopes) - spread) / 2), int((len(slopes) + spread) / 2) + 1
    return Trend(median(slopes), slopes[max(low, 0)], slopes[min(high, len(slopes) - 1)])
