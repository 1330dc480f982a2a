"""A frame laid over the background: moved back by what the camera moved, so that a pixel is always the same place."""

from dataclasses import dataclass

import cv2
import numpy as np

from gateway.vision.shake import Shift
from gateway.vision.sight import Box, Luma

SUBPIXEL = 0.12  # px: below this a shift is not worth two passes


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame laid over the background: `luma` is shifted back by `shift`; `before` is the picture before it."""

    index: int
    time_s: float
    luma: Luma
    shift: Shift
    before: Luma

    @property
    def height(self) -> int:
        """Return its height in px."""
        return int(self.luma.shape[0])

    def part(self, box: Box) -> Luma:
        """Return what is inside (left, top, right, bottom), which lies in the picture."""
        left, top, right, bottom = box
        return self.luma[top:bottom, left:right]

    def part_before(self, box: Box) -> Luma:
        """Return the same of the picture before."""
        left, top, right, bottom = box
        return self.before[top:bottom, left:right]


def lay(luma: Luma, x: float, y: float, out: Luma, spare: Luma) -> None:
    """Write into `out` the picture moved left by `x` and up by `y` px; edges keep what lies at the rim.

    Whole pixels are a matter of where to start reading, the rest is one blend along each axis.
    """
    whole_x, whole_y = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
    part_x, part_y = x - whole_x, y - whole_y
    source = luma
    if abs(part_x) > SUBPIXEL or abs(part_y) > SUBPIXEL:
        source = _blend(_blend(luma, part_x, spare, axis=1), part_y, out, axis=0)
        if (whole_x or whole_y) and source is out:
            np.copyto(spare, out)
            source = spare
    if source is out:
        return
    np.copyto(out, source)
    height, width = luma.shape
    if whole_x or whole_y:
        up, down = max(0, -whole_y), min(height, height - whole_y)
        left, right = max(0, -whole_x), min(width, width - whole_x)
        out[up:down, left:right] = source[up + whole_y : down + whole_y, left + whole_x : right + whole_x]


def _blend(luma: Luma, part: float, out: Luma, *, axis: int) -> Luma:
    if abs(part) <= SUBPIXEL:
        return luma
    ahead, behind = (slice(1, None), slice(None, -1)) if part > 0 else (slice(None, -1), slice(1, None))
    pick = (lambda each: (each, slice(None))) if axis == 0 else (lambda each: (slice(None), each))
    share = abs(part)
    cv2.addWeighted(luma[pick(behind)], 1 - share, luma[pick(ahead)], share, 0, dst=out[pick(behind)])
    rim = -1 if part > 0 else 0
    out[pick(slice(rim, None) if rim else slice(0, 1))] = luma[pick(slice(rim, None) if rim else slice(0, 1))]
    return out
