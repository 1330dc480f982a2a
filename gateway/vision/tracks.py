"""A track: what is believed to be one thing, sighting by sighting, and where it has been going of late."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gateway.vision.bending import after, bent
from gateway.vision.shake import Shift

FOLLOWED = 4  # hits from which a track is looked for
ARCH = 14  # hits by which it is told that something rises ever more slowly and turns
LEAST_PULL = 0.05  # of the picture's height per square second: gravity as it is seen from furthest off
USUAL = 8  # hits by which it is told how large it is
SPECK, SPECK_PX = 0.3, 1.5  # share of that, and px less, below which something is a speck beside it
LATE_BY = 0.8  # of the step to the next picture: what is seen further behind is what it left there
BEHIND_PX, BEHIND = 4.0, 0.4  # but not what is so near, in px and of its size
STRAIGHT = 0.7  # of its way must lead from its first place to its last
BOW, BOW_PX = 2.0, 0.5  # times what is left of a parabola's fit, and px more, that a way must bow down
PAST = 4  # hits from its highest place on by which it is past that
LEAST_BOW = 6  # hits by which that is told
LATE, LEAST_SINKING = 10, 0.3  # hits, share of the way that must lead down


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """One sighting of a track, in px of the background; `crop` is None before a track is followed."""

    index: int
    time_s: float
    x: float
    y: float
    box: tuple[float, float, float, float]
    contrast: float
    shift: Shift
    crop: NDArray[np.uint8] | None = None
    shrunk: int = 1

    @property
    def size(self) -> float:
        """Return the longer side of the box."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])


@dataclass(slots=True, eq=False)
class Track:
    """What is believed to be one thing."""

    hits: list[Hit]
    pull: float = 50.0  # px per square second by which what rises must slow down at least
    looked_back: bool = False
    joined: bool = False  # to the one it continues
    over: bool = False
    rise: tuple[Hit, ...] = ()  # its way up to the first hit
    waited: int = 0  # pictures since its last sight, where all are new
    ahead: tuple[float, float, float] = field(default=(0.0, 0.0, 0.0))  # x, y, reach in the next picture
    _asked: tuple[int, Hit | None] = (0, None)  # its hits, and the last one, when it was asked ...
    _answers: tuple[bool, bool] = (False, False)  # ... whether it sinks, and whether it is in an arch

    def take(self, hit: Hit) -> None:
        """Go on with a sighting."""
        self.hits.append(hit)
        self.waited = 0

    @property
    def sinking(self) -> bool:
        """Return whether it has come down of late, rather than gone aside or up."""
        return self._course()[0]

    @property
    def arching(self) -> bool:
        """Return whether it goes as what was thrown does: up ever more slowly, or aside and ever more steeply down."""
        return self._course()[1]

    def _course(self) -> tuple[bool, bool]:
        asked = len(self.hits), self.hits[-1]
        if self._asked != asked:
            self._asked = asked
            self._answers = _sinks(self.hits[-LATE:]), _arches(self.latest(ARCH), self.pull)
        return self._answers

    def latest(self, count: int) -> list[Hit]:
        """Return its last hits, so many if there are, those of its way up included."""
        late = self.hits[-count:]
        return [*self.rise[len(late) - count :], *late] if self.rise and len(late) < count else late

    @property
    def descending(self) -> bool:
        """Return whether it comes down, be it far aside: it sinks, or was thrown and is past its highest place."""
        if self.sinking or not self.arching:
            return self.sinking
        top = min(range(len(self.hits)), key=lambda at: self.hits[at].y)
        return len(self.hits) - top >= PAST

    @property
    def followed(self) -> bool:
        """Return whether it is worth being looked for."""
        return len(self.hits) >= FOLLOWED and (self.sinking or self.arching)

    def goes_on_with(self, x: float, y: float, size: float) -> bool:
        """Return whether a sighting can be its thing: no speck, nor what a noise filter left where it has been.

        Only a followed track can tell, by its `ahead` for the picture of the sighting.
        """
        if not self.followed:
            return True
        usual = usual_size(self.hits[-USUAL:])
        if size < SPECK * usual - SPECK_PX:
            return False
        last = self.hits[-1]
        step_x, step_y = self.ahead[0] - last.x, self.ahead[1] - last.y
        step = max(math.hypot(step_x, step_y), 1e-6)
        short = step - ((x - last.x) * step_x + (y - last.y) * step_y) / step
        return short < max(LATE_BY * step / max(self.waited, 1), BEHIND_PX, BEHIND * usual)

    @property
    def size(self) -> float:
        """Return how large it has been of late."""
        return max(hit.size for hit in self.hits[-3:])


def usual_size(hits: Sequence[Hit]) -> float:
    """Return how large a thing mostly is in some hits."""
    return sorted(hit.size for hit in hits)[len(hits) // 2]


def _way(hits: Sequence[Hit]) -> float:
    return sum(abs(b.x - a.x) + abs(b.y - a.y) for a, b in pairwise(hits))


def _sinks(late: Sequence[Hit]) -> bool:
    return late[-1].y - late[0].y >= LEAST_SINKING * _way(late)


def _arches(late: Sequence[Hit], pull: float) -> bool:
    """Say whether hits go straight and bow down by at least `pull` px per square second: plainly, unless they rise."""
    first, half, last = late[0], late[len(late) // 2], late[-1]
    rose, sank = half.time_s - first.time_s, last.time_s - half.time_s
    if len(late) < FOLLOWED or min(rose, sank) <= 0:
        return False
    slowed = (last.y - half.y) / sank - (half.y - first.y) / rose
    gone = first.y + last.y - 2 * min(hit.y for hit in late) + abs(last.x - first.x)
    if slowed < pull * (rose + sank) / 2 or gone < STRAIGHT * _way(late):
        return False
    return half.y < first.y or bows(late)


def bows(late: Sequence[Hit]) -> bool:
    """Say whether hits lie on a parabola that plainly bows down: by more than they lie off it."""
    if len(late) < LEAST_BOW:
        return False
    times = [hit.time_s - late[0].time_s for hit in late]
    across, down = bent(times, [[hit.x for hit in late], [hit.y for hit in late]], degree=2)
    off = sum(
        abs(hit.x - after(across, time)[0]) + abs(hit.y - after(down, time)[0])
        for hit, time in zip(late, times, strict=True)
    )
    bow = down[2] * times[-1] ** 2 / 4  # how far its middle lies above the line between its ends
    return bow >= BOW_PX + BOW * off / len(late)
