"""Look for a thing where it ought to be: against the background alone, and with a lower threshold than everywhere.

A track tells where its object will be in the next picture and where it was in the last ones, so there a fainter
trace is enough; and there the whole of the thing is measured, also the part of it that lay where it still lies.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision.motion import Picture
from gateway.vision.sight import Ground, Luma, Point
from gateway.vision.tubelet import SIDE

LOWER = 0.6  # share of the threshold that is enough where a thing is expected
LEAST = 4.0  # grey levels
FADING = 0.8  # what differs by less than this share of the picture before is what a noise filter left behind
OF_PEAK = 0.42  # a thing ends where it differs by less than this share of its strong pixels; ghosts do
FURTHEST = 96  # px: half a window is never larger


@dataclass(frozen=True, slots=True)
class Sighting:
    """A thing in one picture: weighted centre, box (left, top, right, bottom), signed contrast in grey levels."""

    x: float
    y: float
    box: tuple[float, float, float, float]
    contrast: float

    @property
    def size(self) -> float:
        """Return the longer side of its box."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])


def look(
    picture: Picture, ground: Ground, x: float, y: float, *, reach: float, size: float
) -> Sighting | None:
    """Return what differs from the background near (x, y) and is not further off than `reach` px; None if nothing."""
    half = int(min(reach + size + 4, FURTHEST))
    height, width = picture.luma.shape
    left, top = max(0, int(x) - half), max(0, int(y) - half)
    right, bottom = min(width, int(x) + half + 1), min(height, int(y) + half + 1)
    if right - left < 4 or bottom - top < 4:
        return None
    window = slice(top, bottom), slice(left, right)
    now, rest = picture.luma[window], ground.background[window]
    off = np.asarray(cv2.absdiff(now, rest), np.uint8)
    fading = cv2.absdiff(picture.before[window], rest) * np.float32(FADING)
    needed = np.maximum(ground.threshold[window] * np.float32(LOWER), np.float32(LEAST))
    mask = ((off > needed) & (off >= fading)).astype(np.uint8)
    if not mask.any():
        return None
    _, labels, _, centres = cv2.connectedComponentsWithStats(
        cv2.dilate(mask, np.ones((3, 3), np.uint8)), ltype=cv2.CV_16U
    )
    inside = mask > 0
    strength = np.bincount(labels[inside], weights=off[inside], minlength=len(centres))
    best = _nearest(strength, np.asarray(centres), (x - left, y - top), reach)
    if best is None:
        return None
    return _measure(now, rest, inside & (labels == best), (left, top))


def _nearest(strength: NDArray[Any], centres: NDArray[np.float64], at: Point, reach: float) -> int | None:
    """Return the label of the strongest thing within reach, the near ones preferred."""
    away = np.hypot(centres[:, 0] - at[0], centres[:, 1] - at[1])
    worth = np.where(away <= reach + 1.0, strength / (1.0 + (2.0 * away / (reach + 1.0)) ** 2), 0.0)
    worth[0] = 0.0
    best = int(worth.argmax())
    return best if worth[best] > 0 else None


def _measure(now: Luma, rest: Luma, of: NDArray[np.bool_], corner: tuple[int, int]) -> Sighting:
    """Measure the thing whose pixels are `of`, without its faintest."""
    signed = now.astype(np.int16) - rest
    off = np.abs(signed)
    levels = np.sort(off[of])
    strong = int(levels[len(levels) * 9 // 10])
    rows, columns = np.nonzero(of & (off >= OF_PEAK * strong))
    weight = off[rows, columns].astype(np.float64)
    total = float(weight.sum())
    left, top = corner
    return Sighting(
        x=left + float((weight * columns).sum()) / total,
        y=top + float((weight * rows).sum()) / total,
        box=(
            float(left + columns.min()), float(top + rows.min()),
            float(left + columns.max() + 1), float(top + rows.max() + 1),
        ),
        contrast=float(np.average(signed[rows, columns], weights=weight)),
    )  # fmt: skip


def cut(luma: Luma, background: Luma, x: float, y: float, *, size: float) -> tuple[NDArray[np.uint8], int]:
    """Return ((2, SIDE, SIDE) luma and difference around (x, y), how many times it was shrunk: 1, 2, 4 or 8)."""
    shrunk = 1
    while shrunk < 8 and size > 0.75 * SIDE * shrunk:
        shrunk *= 2
    side = SIDE * shrunk
    height, width = luma.shape
    left, top = round(x) - side // 2, round(y) - side // 2
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    if left >= 0 and top >= 0 and left + side <= width and top + side <= height:
        window: tuple[object, ...] = slice(top, top + side), slice(left, left + side)
    else:
        window = np.ix_(rows, columns)
    now, rest = luma[window], background[window]  # type: ignore[index]
    if shrunk > 1:
        now = np.asarray(cv2.resize(now, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
        rest = np.asarray(cv2.resize(rest, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    off = (now.astype(np.int16) - rest) // 2 + 128
    return np.stack([now, off.astype(np.uint8)]), shrunk
