"""The size at which pictures are watched and drawn as stills: their own up to 1440p, else smaller."""

import math
from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np

from gateway.vision.sight import Luma, Spot

LARGEST = 3_700_000  # pixels of 2560 x 1440, and some: what is larger is watched smaller ...
LARGE = 2_500_000  # ... with so many at most


def watched_size(width: int, height: int) -> tuple[int, int]:
    """Return the width and height in px at which pictures of a size are watched."""
    if width * height <= LARGEST:
        return width, height
    times = math.sqrt(width * height / LARGE)
    share = 2 / 3 if times <= 1.5 else 1 / math.ceil(times)
    return round(width * share), round(height * share)


def shrunk(luma: Luma, out: Luma | None = None) -> Luma:
    """Return a picture as it is watched: itself where that is its own size, else in `out` if that is given."""
    height, width = luma.shape
    wide, tall = watched_size(width, height)
    if (wide, tall) == (width, height):
        return luma
    whole = height % tall == 0 and width % wide == 0  # a mean of whole pixels costs least
    way = cv2.INTER_AREA if whole else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(luma, (wide, tall), dst=out, interpolation=way), np.uint8)


def scaled(track: Iterable[Spot], across: float, down: float) -> tuple[Spot, ...]:
    """Return a track in other pixels, so many times as many to the right and down."""
    return tuple(
        replace(spot, x=spot.x * across, y=spot.y * down, w=spot.w * across, h=spot.h * down)
        for spot in track
    )
