"""Which floor a thing left from: the facade's scale, and the path followed back to where it was at rest.

Two marks give an even scale, three or more a perspective one (floor = (p + q y) / (1 + r y)), which is what
a camera that looks up sees. A mark says where the slab of a floor lies, so whatever starts between slab 5 and
slab 6 left floor 5.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.vision.sight import Origin, Outlook, Point, Spot

STOREY_M = 2.9
GRAVITY = 9.81
EARLY_S = 0.7  # of the path: drag does not tell yet
MOST_BACK_S = 0.45  # nothing is followed back further before its first sight
NEAREST = 0.05  # to the horizon, where the floors would run together
SLACK_M = 0.7  # how well a release is known at best: an arm, a sill, a toss

Reals = NDArray[np.float64]


class Storeys:
    """The scale of one facade: tells the height of a pixel row in floors."""

    def __init__(self, floors: Sequence[tuple[float, float]]) -> None:
        rows = np.array([row for row, _ in floors], np.float64)
        numbers = np.array([number for _, number in floors], np.float64)
        self._middle, self._spread = float(rows.mean()), max(float(np.ptp(rows)), 1.0)
        even = (rows - self._middle) / self._spread
        design = np.stack([np.ones_like(even), even, -even * numbers], axis=1)[:, : 2 if len(even) < 3 else 3]
        solved = np.linalg.lstsq(design, numbers, rcond=None)[0]
        self._terms = np.append(solved, np.zeros(3 - len(solved)))

    def at(self, rows: Reals) -> Reals:
        """Return the height of pixel rows in floors: 5.0 is the slab of floor 5."""
        even = (rows - self._middle) / self._spread
        p, q, r = self._terms
        return np.asarray((p + q * even) / np.maximum(1 + r * even, NEAREST))

    def rows(self, heights: Reals) -> Reals:
        """Return where the slabs of floors are seen, the reverse of `at`; NaN for what is beyond the horizon."""
        p, q, r = self._terms
        with np.errstate(divide="ignore", invalid="ignore"):
            even = (heights - p) / (q - r * heights)
            seen = 1 + r * even > NEAREST
        return np.asarray(np.where(seen, even * self._spread + self._middle, np.nan))


def origin(track: Sequence[Spot], outlook: Outlook) -> Origin | None:
    """Return the floor a track left; None without a scale of at least two marks or with too short a track."""
    if len(outlook.floors) < 2 or len(track) < 4:
        return None
    storeys = Storeys(outlook.floors)
    times = np.array([spot.time_s for spot in track])
    metres = storeys.at(np.array([spot.centre[1] for spot in track])) * STOREY_M
    early = times - times[0] <= max(EARLY_S, times[min(5, len(times) - 1)] - times[0])
    lapse, height = times[early] - times[0], metres[early]
    # height + g t^2 / 2 = first - speed t: free fall from the first sight on
    design = np.stack([np.ones_like(lapse), -lapse], axis=1)
    (first, speed), *_ = np.linalg.lstsq(design, height + GRAVITY * lapse**2 / 2, rcond=None)
    back = float(np.clip(speed / GRAVITY, 0.0, MOST_BACK_S))
    released = float(first) + speed * back - GRAVITY * back**2 / 2
    left = height - (first - speed * lapse - GRAVITY * lapse**2 / 2)
    doubt = SLACK_M + 1.6 * float(np.std(left)) + 0.5 * (released - float(first))
    floor = int(np.floor(released / STOREY_M))
    low, high = (int(np.floor((released + way * doubt) / STOREY_M)) for way in (-1, 1))
    return Origin(floor, min(low, floor), max(high, floor))


def inside(point: Point, polygon: Sequence[Point], margin: float = 0.0) -> bool:
    """Say whether a point lies in a polygon (even-odd rule) or at most `margin` px off it; an empty one holds all."""
    if not polygon:
        return True
    x, y = point
    within = False
    for (ax, ay), (bx, by) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            within = not within
        if _off((x, y), (ax, ay), (bx, by)) <= margin:
            return True
    return within


def _off(point: Point, start: Point, end: Point) -> float:
    """Return how far a point lies off a line from start to end."""
    (x, y), (ax, ay), (bx, by) = point, start, end
    length = math.hypot(bx - ax, by - ay)
    share = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / max(length * length, 1e-9)
    share = min(max(share, 0.0), 1.0)
    return math.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay))
