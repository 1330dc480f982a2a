"""How far the picture has moved against its background: a mast in the wind, a lorry passing, a hand.

A thousand points with strong edges, spread over the picture, are compared with the background, and one robust
least squares fit gives the shift (Lucas and Kanade, 1981, with one window as large as the picture) together with
the change of exposure. Things that move disagree with the rest and lose their weight.
"""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision.sight import Luma

Floats: TypeAlias = NDArray[np.float32]
Places: TypeAlias = NDArray[np.intp]

SPACING = 24  # px: one point from each square of this side
MOST_POINTS = 1200
FEWEST_POINTS = 40
REACH = 24  # px: no shift further than this is followed
LEAST_SLOPE = 4.0  # grey levels per px
MOST_BENT = 1.3  # of the slope: on a ridge or a thin line the slope says nothing
LIT = 1.0  # grey levels: less is not worth a fit
ROUNDS = 4
SETTLED = 0.05  # px


@dataclass(frozen=True, slots=True)
class Shift:
    """The picture lies `x`, `y` px right and below of the background; light is `gain * background + bias`.

    `known` says whether there was enough to hold on to.
    """

    x: float = 0.0
    y: float = 0.0
    gain: float = 1.0
    bias: float = 0.0
    known: bool = False

    def lit(self, level: float) -> float:
        """Return by how many grey levels the light has changed what was at `level`."""
        return (self.gain - 1.0) * level + self.bias


class Anchor:
    """Points of the background by which the picture's shift is measured."""

    def __init__(self) -> None:
        self._rows = self._columns = np.zeros(0, np.intp)
        self._level = np.zeros(0, np.float32)
        self._design = np.zeros((0, 3), np.float32)
        self._calm: tuple[Places, Places] = (self._rows, self._rows)
        self._calm_level = self._level

    def hold(self, background: Luma) -> None:
        """Choose new points: the steepest pixel of each square, where it is steep enough."""
        height, width = background.shape
        inner = background[REACH + 1 : height - REACH - 1, REACH + 1 : width - REACH - 1]
        tall, wide = (side // SPACING for side in inner.shape)
        if tall < 2 or wide < 2:
            return
        thin = np.ascontiguousarray(inner[: tall * SPACING : 2, : wide * SPACING : 2])
        steep = np.zeros_like(thin)
        steep[:, 1:] = cv2.absdiff(thin[:, 1:], thin[:, :-1])
        steep[1:] = cv2.add(steep[1:], cv2.absdiff(thin[1:], thin[:-1]))
        side = SPACING // 2
        squares = (
            steep.reshape(tall, side, wide, side).transpose(0, 2, 1, 3).reshape(tall * wide, side * side)
        )
        best, calm = squares.argmax(axis=1), squares.argmin(axis=1)
        order = np.argsort(squares[np.arange(len(best)), best])[::-1][:MOST_POINTS]

        def place(chosen: NDArray[np.intp], which: NDArray[np.intp]) -> tuple[Places, Places]:
            rows = (which // wide) * SPACING + (chosen[which] // side) * 2 + REACH + 1
            return rows, (which % wide) * SPACING + (chosen[which] % side) * 2 + REACH + 1

        self._take(background, *place(best, order))
        self._calm = place(calm, np.arange(0, len(calm), 4))
        self._calm_level = background[self._calm].astype(np.float32)

    def _take(self, background: Luma, rows: Places, columns: Places) -> None:
        def at(down: int, across: int) -> Floats:
            return background[rows + down, columns + across].astype(np.float32)

        slope_x, slope_y = (at(0, 1) - at(0, -1)) / 2, (at(1, 0) - at(-1, 0)) / 2
        steep = np.hypot(slope_x, slope_y)
        bent = np.abs(at(0, 1) + at(0, -1) - 2 * at(0, 0)) + np.abs(at(1, 0) + at(-1, 0) - 2 * at(0, 0))
        keep = (steep >= LEAST_SLOPE) & (bent <= MOST_BENT * steep)
        self._rows, self._columns = rows[keep], columns[keep]
        self._level = at(0, 0)[keep]
        self._design = np.stack([slope_x[keep], slope_y[keep], np.ones_like(self._level)], axis=1)

    def measure(self, luma: Luma, near: Shift) -> Shift:
        """Return the shift of a picture; `near` is the last one known."""
        if len(self._rows) < FEWEST_POINTS:
            return Shift()
        x, y = near.x, near.y
        for _ in range(ROUNDS):
            whole_x, whole_y = round(x), round(y)
            seen = luma[self._rows + whole_y, self._columns + whole_x].astype(np.float32)
            step = _fit(self._design, seen - self._level)
            new_x = min(max(whole_x - float(step[0]), 1.0 - REACH), REACH - 1.0)
            new_y = min(max(whole_y - float(step[1]), 1.0 - REACH), REACH - 1.0)
            moved = max(abs(new_x - x), abs(new_y - y))
            x, y = new_x, new_y
            if moved < SETTLED:
                break
        return Shift(x, y, *self._light(luma), known=True)

    def _light(self, luma: Luma) -> tuple[float, float]:
        """Return gain and bias of the light, by what is even: there a shift does not tell."""
        off = luma[self._calm] - self._calm_level
        if abs(middle(off)) < LIT:
            return 1.0, 0.0
        centred = (self._calm_level - 128.0) / 64.0
        bias, slope = _fit(np.stack([np.ones_like(centred), centred], axis=1), off)
        return 1.0 + float(slope) / 64.0, float(bias) - float(slope) * 2.0


def _fit(design: Floats, rest: Floats) -> Floats:
    """Solve the robust least squares; the second round spares what disagrees.

    A difference in light says how far the picture lies the other way along the slope, hence the caller's minus.
    """
    weight = np.ones_like(rest)
    solved = np.zeros(design.shape[1], np.float32)
    for _ in range(2):
        weighted = design * weight[:, None]
        matrix = weighted.T @ design
        matrix[np.diag_indices(len(solved))] += np.float32(1e-3 * len(rest))
        solved = np.linalg.solve(matrix, weighted.T @ rest).astype(np.float32)
        left = np.abs(rest - design @ solved)
        scale = max(3.0, 2.0 * middle(left))
        weight = (1.0 / (1.0 + (left / scale) ** 2)).astype(np.float32)
    return solved


def middle(values: Floats) -> float:
    """Return the median; numpy's own takes three times as long for so few."""
    half = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, half)[half])
    low, high = np.partition(values, (half - 1, half))[half - 1 : half + 1]
    return float((low + high) / 2)
