"""Look for a thing where it ought to be: against the background alone, and with a lower threshold than everywhere.

A track tells where its object will be in the next picture and where it was in the last ones, so there a fainter
trace is enough; and there the whole of the thing is measured, also the part of it that lay where it still lies.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision.shake import Shift
from gateway.vision.sight import Box, Ground, Luma, Point
from gateway.vision.tubelet import SIDE

LOWER = 0.6  # share of the threshold that is enough where a thing is expected
LEAST = 4.0  # grey levels
FADING = 0.8  # what differs by less than this share of the picture before is what a noise filter left behind
OF_PEAK = 0.42  # a thing ends where it differs by less than this share of its strong pixels; ghosts do
TOO_LARGE, OF_BRIGHTEST = 2.0, 0.5  # times what was expected; share of the brightest pixel within reach
NEEDED = np.maximum(np.arange(256) * LOWER, LEAST).astype(np.uint8)  # to differ by more, for each threshold
FADED = np.ceil(np.arange(256) * FADING).astype(np.uint8)  # to differ by as much, for each difference before
NEIGHBOURS = np.ones((3, 3), np.uint8)
FURTHEST = 96  # px: half a window is never larger


class Picture(Protocol):
    """A picture laid over the background; parts of it, and of the one before it, are asked for."""

    @property
    def index(self) -> int:
        """Return the frame's number."""
        ...

    @property
    def time_s(self) -> float:
        """Return its time in the stream."""
        ...

    @property
    def shift(self) -> Shift:
        """Return by how much the frame lies off the background."""
        ...

    @property
    def height(self) -> int:
        """Return its height in px."""
        ...

    def part(self, box: Box) -> Luma:
        """Return what is inside a box, which lies in the picture."""
        ...

    def part_before(self, box: Box) -> Luma:
        """Return the same of the picture before."""
        ...


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
    height, width = ground.background.shape
    left, top = max(0, int(x) - half), max(0, int(y) - half)
    right, bottom = min(width, int(x) + half + 1), min(height, int(y) + half + 1)
    if right - left < 4 or bottom - top < 4:
        return None
    window = slice(top, bottom), slice(left, right)
    box = (left, top, right, bottom)
    now, rest = picture.part(box), ground.background[window]
    off = np.asarray(cv2.absdiff(now, rest), np.uint8)
    strong_enough = cv2.compare(off, cv2.LUT(ground.threshold[window], NEEDED), cv2.CMP_GT)
    fading = cv2.LUT(cv2.absdiff(picture.part_before(box), rest), FADED)
    mask = np.asarray(cv2.bitwise_and(strong_enough, cv2.compare(off, fading, cv2.CMP_GE)), np.uint8)
    at = (x - left, y - top)
    sighting = _best(now, rest, off, mask, at=at, reach=reach)
    if sighting is not None and sighting.size > TOO_LARGE * size + 5:  # grown into what trembles around it
        near = (mask > 0) & _round(mask.shape, at, reach + size / 2)
        bright = off >= OF_BRIGHTEST * int(off[near].max(initial=0))
        sighting = _best(now, rest, off, mask * bright, at=at, reach=reach) or sighting
    return sighting and replace(
        sighting, x=sighting.x + left, y=sighting.y + top,
        box=(sighting.box[0] + left, sighting.box[1] + top, sighting.box[2] + left, sighting.box[3] + top),
    )  # fmt: skip


def _best(now: Luma, rest: Luma, off: Luma, mask: Luma, *, at: Point, reach: float) -> Sighting | None:
    """Return the strongest thing of a mask (0 or not) within reach, measured in px of the window."""
    places = np.flatnonzero(mask != 0)  # of truth values: the quick way
    if not len(places):
        return None
    _, labels, _, centres = cv2.connectedComponentsWithStats(cv2.dilate(mask, NEIGHBOURS), ltype=cv2.CV_16U)
    of = labels.reshape(-1)[places]
    strength = np.bincount(of, weights=off.reshape(-1)[places], minlength=len(centres))
    best = _nearest(strength, np.asarray(centres), at, reach)
    if best is None:
        return None
    rows, columns = np.divmod(places[of == best], mask.shape[1])
    return _measure(now, rest, rows, columns)


def _round(shape: tuple[int, ...], at: Point, reach: float) -> NDArray[np.bool_]:
    """Return which pixels of a window lie within reach of a point."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((columns - at[0]) ** 2 + (rows - at[1]) ** 2 <= reach**2)


def _nearest(strength: NDArray[Any], centres: NDArray[np.float64], at: Point, reach: float) -> int | None:
    """Return the label of the strongest thing within reach, the near ones preferred."""
    away = np.hypot(centres[:, 0] - at[0], centres[:, 1] - at[1])
    worth = np.where(away <= reach + 1.0, strength / (1.0 + (2.0 * away / (reach + 1.0)) ** 2), 0.0)
    worth[0] = 0.0
    best = int(worth.argmax())
    return best if worth[best] > 0 else None


def _measure(now: Luma, rest: Luma, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Sighting:
    """Measure the thing of these pixels, without its faintest."""
    signed = now[rows, columns].astype(np.int16) - rest[rows, columns]
    off = np.abs(signed)
    at = len(off) * 9 // 10
    strong = off >= OF_PEAK * int(np.partition(off, at)[at])
    rows, columns, signed = rows[strong], columns[strong], signed[strong]
    weight = off[strong].astype(np.float64)
    total = float(weight.sum())
    return Sighting(
        x=float(weight @ columns) / total,
        y=float(weight @ rows) / total,
        box=(float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)),
        contrast=float(weight @ signed) / total,
    )


def cut(
    picture: Picture, background: Luma, x: float, y: float, *, size: float
) -> tuple[NDArray[np.uint8], int]:
    """Return ((2, SIDE, SIDE) luma and difference around (x, y), how many times it was shrunk: 1, 2, 4 or 8)."""
    shrunk = 1
    while shrunk < 8 and size > 0.75 * SIDE * shrunk:
        shrunk *= 2
    side = SIDE * shrunk
    height, width = background.shape
    left, top = round(x) - side // 2, round(y) - side // 2
    box = (max(left, 0), max(top, 0), min(left + side, width), min(top + side, height))
    now, rest = picture.part(box), background[box[1] : box[3], box[0] : box[2]]
    if now.shape != (side, side):
        beyond = (box[1] - top, top + side - box[3], box[0] - left, left + side - box[2])
        now, rest = (
            np.asarray(cv2.copyMakeBorder(each, *beyond, cv2.BORDER_REPLICATE), np.uint8)
            for each in (now, rest)
        )
    if shrunk > 1:
        now = np.asarray(cv2.resize(now, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
        rest = np.asarray(cv2.resize(rest, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    off = (now.astype(np.int16) - rest) // 2 + 128
    return np.stack([now, off.astype(np.uint8)]), shrunk
