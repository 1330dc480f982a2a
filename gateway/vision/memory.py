"""The last second at half the size: what a track that is noticed late is followed back through.

A thing that sets off slowly hardly leaves its own outline from one picture to the next, so it is noticed when it has
fallen for half a second; against the background it could be seen all along. Every second picture is kept, at a
quarter of the bytes, so that a second of 1080p takes less than whole pictures of a sixth of it would.
"""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from gateway.vision.shake import Shift
from gateway.vision.sight import Box, Luma

EVERY_S = 0.06
KEPT = 16


@dataclass(frozen=True, slots=True)
class Remembered:
    """A picture of which half the size was kept, and the one kept before it; parts are given at the full size."""

    index: int
    time_s: float
    shift: Shift
    height: int
    small: Luma
    small_before: Luma

    def part(self, box: Box) -> Luma:
        """Return what was inside (left, top, right, bottom), a little blurred."""
        return _enlarged(self.small, box)

    def part_before(self, box: Box) -> Luma:
        """Return the same of the picture kept before."""
        return _enlarged(self.small_before, box)


class Memory:
    """Keeps the last pictures, `KEPT` at most, no more than one in `EVERY_S`."""

    def __init__(self) -> None:
        self._kept: deque[Remembered] = deque()

    def take(self, index: int, time_s: float, luma: Luma, shift: Shift) -> None:
        """Remember a picture, unless the last one is hardly older."""
        if self._kept and time_s - self._kept[-1].time_s < EVERY_S:
            return
        height, width = luma.shape
        spent = self._kept.popleft().small_before if len(self._kept) >= KEPT else None
        small = np.empty((height // 2, width // 2), np.uint8) if spent is None else spent
        cv2.resize(
            luma[: height // 2 * 2, : width // 2 * 2],
            small.shape[::-1],
            dst=small,
            interpolation=cv2.INTER_AREA,
        )
        before = self._kept[-1].small if self._kept else small.copy()
        self._kept.append(Remembered(index, time_s, shift, height, small, before))

    def before(self, index: int) -> list[Remembered]:
        """Return the pictures older than a frame, the newest first."""
        return [each for each in reversed(self._kept) if each.index < index]


def _enlarged(small: Luma, box: Box) -> Luma:
    """Return a part of a picture from half its size; an odd last row or column is its neighbour again."""
    left, top, right, bottom = box
    tall, wide = small.shape
    y0, y1 = min(top // 2, tall - 1), min((bottom + 1) // 2, tall)
    x0, x1 = min(left // 2, wide - 1), min((right + 1) // 2, wide)
    part = small[y0:y1, x0:x1]
    whole = cv2.resize(part, (2 * part.shape[1], 2 * part.shape[0]), interpolation=cv2.INTER_LINEAR)
    whole = whole[top - 2 * y0 : bottom - 2 * y0, left - 2 * x0 : right - 2 * x0]
    lacking = (bottom - top - whole.shape[0], right - left - whole.shape[1])
    if lacking != (0, 0):
        whole = cv2.copyMakeBorder(whole, 0, lacking[0], 0, lacking[1], cv2.BORDER_REPLICATE)
    return np.asarray(whole, np.uint8)
