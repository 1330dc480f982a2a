"""A track: what is believed to be one thing, sighting by sighting. Plain data."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gateway.vision.shake import Shift

FOLLOWED = 4  # hits from which a track is looked for
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
    looked_back: bool = False
    over: bool = False
    rose_px: float = 0.0  # how far it had come up before its first hit
    ahead: tuple[float, float, float] = field(default=(0.0, 0.0, 0.0))  # x, y, reach in the next picture
    _sank: tuple[int, Hit | None, bool] = (0, None, False)  # of how many hits and which last one it was asked

    @property
    def sinking(self) -> bool:
        """Return whether it has come down of late, rather than gone aside or up."""
        count, last, sank = self._sank
        if count != len(self.hits) or last is not self.hits[-1]:
            late = self.hits[-LATE:]
            way = sum(abs(b.x - a.x) + abs(b.y - a.y) for a, b in pairwise(late))
            sank = late[-1].y - late[0].y >= LEAST_SINKING * way
            self._sank = len(self.hits), self.hits[-1], sank
        return sank

    @property
    def followed(self) -> bool:
        """Return whether it is worth being looked for."""
        return len(self.hits) >= FOLLOWED and self.sinking

    @property
    def size(self) -> float:
        """Return how large it has been of late."""
        return max(hit.size for hit in self.hits[-3:])
