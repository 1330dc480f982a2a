"""Whether one piece of a way leads to another: what went from the one to the other kept about the pace of their ends.

The mean of both paces bridges the gap: exactly so for what is steadily pulled, as all that falls is. Where a piece
alone is carried on, a bend that a few sights tell badly leads astray the further the longer the gap.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Place: TypeAlias = tuple[float, float, float]
"""Time in s, x and y in px."""

PLACES = 5  # by which it is told how fast a piece goes at its end
OFF_PX, OFF = 8.0, 0.3  # from where it must have gone: px, and share of the way between


@dataclass(frozen=True, slots=True)
class End:
    """Where a piece begins or ends, and how fast it goes there in px per second."""

    time_s: float
    x: float
    y: float
    pace_x: float
    pace_y: float


def first(places: Sequence[Place]) -> End:
    """Return how a piece begins."""
    return _end(places[:PLACES], places[0])


def last(places: Sequence[Place]) -> End:
    """Return how a piece ends."""
    return _end(places[-PLACES:], places[-1])


def off(one: End, other: End, size: float) -> float:
    """Return how far off the other begins from where one must have gone, as a share of what is allowed.

    `size` in px is that of the thing: half of it may be seen here and the other half there.
    """
    gap = other.time_s - one.time_s
    way_x, way_y = (one.pace_x + other.pace_x) / 2 * gap, (one.pace_y + other.pace_y) / 2 * gap
    apart = math.hypot(other.x - one.x - way_x, other.y - one.y - way_y)
    return apart / (OFF_PX + OFF * math.hypot(way_x, way_y) + size / 2)


def _end(places: Sequence[Place], at: Place) -> End:
    (begun, ax, ay), (ended, bx, by) = places[0], places[-1]
    lapse = max(ended - begun, 1e-3)
    return End(*at, (bx - ax) / lapse, (by - ay) / lapse)
