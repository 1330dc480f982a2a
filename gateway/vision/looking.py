"""Look for a thing where it ought to be: against the background alone, and with a lower threshold than everywhere.

A track tells where its object will be in the next picture and where it was in the last ones, so there a fainter
trace is enough; and there the whole of the thing is measured, also the part of it that lay where it still lies.
A large thing is measured on a quarter of its pixels, which costs a quarter and tells as much.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

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
LARGE = 24.0  # px: of what is expected to be as large every second pixel in every second row is measured
FURTHEST = 96  # px: half a window is never larger
FITS = 0.5  # of a little picture's side: what is larger is shrunk until it is not


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
    step = 2 if size >= LARGE else 1
    thin = slice(None, None, step)
    window = slice(top, bottom, step), slice(left, right, step)
    box = (left, top, right, bottom)
    now, before, rest, threshold = (
        np.ascontiguousarray(each)
        for each in (
            picture.part(box)[thin, thin], picture.part_before(box)[thin, thin],
            ground.background[window], ground.threshold[window],
        )
    )  # fmt: skip
    off = np.asarray(cv2.absdiff(now, rest), np.uint8)
    strong_enough = cv2.compare(off, cv2.LUT(threshold, NEEDED), cv2.CMP_GT)
    fading = cv2.LUT(cv2.absdiff(before, rest), FADED)
    mask = np.asarray(cv2.bitwise_and(strong_enough, cv2.compare(off, fading, cv2.CMP_GE)), np.uint8)
    at, reach, size = ((x - left) / step, (y - top) / step), reach / step, size / step
    sighting = _best(now, rest, off, mask, at=at, reach=reach)
    if sighting is not None and sighting.size > TOO_LARGE * size + 5:  # grown into what trembles around it
        near = (mask > 0) & _round(mask.shape, at, reach + size / 2)
        bright = off >= OF_BRIGHTEST * int(off[near].max(initial=0))
        sighting = _best(now, rest, off, mask * bright, at=at, reach=reach) or sighting
    return sighting and _placed(sighting, left, top, step)


def _placed(sighting: Sighting, left: int, top: int, step: int) -> Sighting:
    """Return in px of the picture what was measured on each `step`th pixel from (left, top) on.

    A thing ends beside such a pixel: half of those between it and the next are taken to belong to it.
    """
    rim = (step - 1) / 2
    x0, y0, x1, y1 = sighting.box
    return Sighting(
        x=left + step * sighting.x,
        y=top + step * sighting.y,
        box=(
            left + step * x0 - rim, top + step * y0 - rim,
            left + step * (x1 - 1) + 1 + rim, top + step * (y1 - 1) + 1 + rim,
        ),
        contrast=sighting.contrast,
    )  # fmt: skip


def _best(now: Luma, rest: Luma, off: Luma, mask: Luma, *, at: Point, reach: float) -> Sighting | None:
    """Return the strongest thing of a mask (0 or not) within reach, measured in px of the window."""
    places = np.flatnonzero(mask != 0)  # of truth values: the quick way
    if not len(places):
        return None
    count, labels, _, centres = cv2.connectedComponentsWithStats(
        cv2.dilate(mask, NEIGHBOURS), ltype=cv2.CV_16U
    )
    of, strengths = labels.reshape(-1)[places], off.reshape(-1)[places]
    totals = np.bincount(of, strengths, count).tolist()
    best = _nearest(totals, np.asarray(centres).tolist(), at, reach)
    if best is None:
        return None
    if count > 2:
        its = of == best
        places, strengths = places[its], strengths[its]
    return _measure(now, rest, places, strengths)


def _round(shape: tuple[int, ...], at: Point, reach: float) -> NDArray[np.bool_]:
    """Return which pixels of a window lie within reach of a point."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((columns - at[0]) ** 2 + (rows - at[1]) ** 2 <= reach**2)


def _nearest(
    totals: Sequence[float], centres: Sequence[Sequence[float]], at: Point, reach: float
) -> int | None:
    """Return the label of the strongest thing within reach, the near ones preferred; 0 is what is no thing."""
    best, most, furthest = None, 0.0, reach + 1.0
    for label in range(1, len(totals)):
        x, y = centres[label]
        away = math.hypot(x - at[0], y - at[1])
        if away <= furthest:
            nearness = 2.0 * away / furthest
            worth = totals[label] / (1.0 + nearness * nearness)
            if worth > most:
                best, most = label, worth
    return best


def _measure(now: Luma, rest: Luma, places: NDArray[np.intp], strengths: NDArray[np.uint8]) -> Sighting:
    """Measure the thing of these pixels, in ascending order, without its faintest."""
    at = len(strengths) * 9 // 10
    strong = strengths >= OF_PEAK * int(np.partition(strengths, at)[at])
    rows, columns = np.divmod(places[strong], now.shape[1])
    weight = strengths[strong].astype(np.float64)
    total = float(weight.sum())
    darker = now[rows, columns] < rest[rows, columns]
    squares = weight * weight
    return Sighting(
        x=float(weight @ columns) / total,
        y=float(weight @ rows) / total,
        box=(float(columns.min()), float(rows[0]), float(columns.max() + 1), float(rows[-1] + 1)),
        contrast=(float(squares.sum()) - 2 * float(squares @ darker)) / total,
    )


def cut(
    picture: Picture, background: Luma, x: float, y: float, *, size: float
) -> tuple[NDArray[np.uint8], int]:
    """Return ((2, SIDE, SIDE) luma and difference around (x, y), how many times it was shrunk: 1, 2, 4 or 8)."""
    shrunk = 1
    while shrunk < 8 and size > FITS * SIDE * shrunk:
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
