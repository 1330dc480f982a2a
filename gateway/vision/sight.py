"""What the watcher sees and says: frames in, falls out. Plain data, shared by every part of this wing.

Pixels are those of the frame as decoded: x to the right, y down, from the top left corner; boxes are
(x, y, w, h) with x, y the left and upper edge. Times are seconds of the stream, never of a clock.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Luma: TypeAlias = NDArray[np.uint8]
Point: TypeAlias = tuple[float, float]
Polygon: TypeAlias = tuple[Point, ...]
Box: TypeAlias = tuple[int, int, int, int]
"""A part of a picture, in whole pixels: left, top, right, bottom; the last two are exclusive."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture: `luma` is (height, width), only to be read; it may be a view into the decoder's own buffer.

    `index` counts from 0 what the decoder gave out, in order of presentation.
    """

    index: int
    time_s: float
    luma: Luma


@dataclass(frozen=True, slots=True)
class Ground:
    """What lies behind everything that moves, and by how many grey levels each pixel must differ from it."""

    background: Luma
    threshold: Luma


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the object was in one frame: its visible streak, in pixels of the input."""

    frame: int
    time_s: float
    x: float
    y: float
    w: float
    h: float

    @property
    def centre(self) -> Point:
        """Return the middle of the box."""
        return self.x + self.w / 2, self.y + self.h / 2


@dataclass(frozen=True, slots=True)
class Origin:
    """The floor the object left from: the likeliest, and the range it lies in with 90 % confidence."""

    floor: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Fall:
    """One thing that fell. `track` has one spot per frame, first to last; those it was hidden in are put in evenly.
    What rose before it fell is told with its way up.

    `confidence` is 0 to 1; `decided_s` is the stream time of the frame at which the verdict stood; `pieces`
    counts the tracks that were merged into this event (mirror image in glass, fragments). `number` counts the falls of
    a watcher from 1: what a camera tells at once it tells again, with the same number, when the whole way is known.
    """

    t_start: float
    t_end: float
    confidence: float
    track: tuple[Spot, ...]
    decided_s: float
    origin: Origin | None = None
    pieces: int = 1
    number: int = 0


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A track that looked at first like a fall and was not taken for one; `reason` is a word of `REASONS`."""

    t_start: float
    t_end: float
    reason: str
    score: float
    track: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of a camera's view; all of it optional.

    `watch` is the facade: a fall must start in it (empty: anywhere). Nothing is looked for inside `ignore`.
    `floors` are pairs (y of that floor's slab in pixels, floor number), at least two to tell floors. All of it was
    `marked_in` a picture so wide and high; None: as large as those that come.
    """

    watch: Polygon = ()
    ignore: tuple[Polygon, ...] = ()
    floors: tuple[tuple[float, float], ...] = field(default=())
    marked_in: tuple[int, int] | None = None
