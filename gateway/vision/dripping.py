"""Water drips: what is thin and falls again and again along the same way is told as no fall.

A drop from an air conditioner falls as freely as a stone, so no picture and no path of one drop tells it apart; only
that the next one follows it does. Two people never let two things go along the same few pixels. What is seen at the
same time, or is a piece of the same way, is no next one.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np

from gateway.vision.sight import Spot

MEMORY_S = 180.0
KEPT = 64
TIMES = 2  # so many went the same way before
THIN = 0.012  # of the picture's height: what is wider is no drop, however it is blurred
NEAR_PX, NEAR = 5.0, 0.01  # aside, in px and as a share of the way the two have in common
STARTS, COMMON = (
    0.08,
    0.4,
)  # heights between their beginnings; share of the shorter way that both must have come


class Dripping:
    """Remembers the ways of what fell of late. All times are of the stream."""

    def __init__(self) -> None:
        self._ways: deque[tuple[Sequence[Spot], float]] = deque(maxlen=KEPT)

    def again(self, track: Sequence[Spot], height: int, now: float) -> bool:
        """Take the way of one more thing; say whether it is thin and others went the same way before."""
        width = float(np.median([spot.w for spot in track]))
        if width > max(THIN * height, 3.0):
            return False
        before = sum(
            now - at <= MEMORY_S and way[-1].time_s < track[0].time_s and _same(track, way, height)
            for way, at in self._ways
        )
        self._ways.append((track, now))
        return before >= TIMES


def _same(one: Sequence[Spot], other: Sequence[Spot], height: int) -> bool:
    """Say whether two tracks begin at about the same height and lie on one another where both have been."""
    (first, second) = (np.array([spot.centre for spot in track]) for track in (one, other))
    if abs(first[0, 1] - second[0, 1]) > STARTS * height:
        return False
    top, bottom = max(first[0, 1], second[0, 1]), min(first[-1, 1], second[-1, 1])
    common, shorter = bottom - top, min(np.ptp(first[:, 1]), np.ptp(second[:, 1]))
    if common < COMMON * shorter or common <= 0:
        return False
    rows = np.linspace(top, bottom, 8)
    across = [np.interp(rows, np.maximum.accumulate(way[:, 1]), way[:, 0]) for way in (first, second)]
    return bool(np.abs(across[0] - across[1]).max() <= NEAR_PX + NEAR * common)
