"""Fit free fall as a camera sees it, and tell how much better it explains a path than steady motion does.

A camera that looks up a facade sees no parabola. A point that has dropped u metres is seen at

    y = (a + b u) / (1 - c u)           u = v0 t + g t^2 / 2, with drag: u = (k / g) ln(cosh(...)), k = vt^2

with a, b, c of the camera (b: pixels a metre, c: perspective). Given v0 and the terminal speed vt this is linear
in a, b, c, so a grid over both and one least squares each finds the best. Steady motion is the same with u = t.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Reals: TypeAlias = NDArray[np.float64]

GRAVITY = 9.81
STARTS = np.array([-2.0, 0.0, 1.0, 2.0, 4.0, 6.0, 9.0, 12.0, 16.0, 20.0])  # m/s downwards at the first sight
TERMINALS = np.array([1e6, 25.0, 14.0, 8.0, 4.5, 2.5])  # m/s
UPWARDS_PX = 1e3  # put on the misfit of what would rise
TAME = 1e-5  # keeps c small where the path says nothing of it


@dataclass(frozen=True, slots=True)
class FreeFall:
    """The best fit of a path: rms of what is left in px, and `scale_px`, which is b above, in pixels a metre.

    What comes towards the camera faster than it falls has no such scale: there b is 0 or less. `first_px` is how many
    pixels a metre has where the path begins; other than b it is the same wherever rows are counted from.
    `steady_px` is what is left when the path is taken for motion at constant speed.
    """

    misfit_px: float
    steady_px: float
    scale_px: float
    first_px: float

    @property
    def bend(self) -> float:
        """Return how many times better free fall explains the path than steady motion, as a logarithm."""
        return float(np.log((self.steady_px + 0.3) / (self.misfit_px + 0.3)))


def fit(times: Reals, downs: Reals) -> FreeFall:
    """Fit `downs` (px, growing downwards) at `times` (s); at least four of each."""
    lapse = times - times[0]
    drops = _drops(lapse)
    solved, misfit = _solve(drops.reshape(-1, len(lapse)), downs)
    first = solved[:, 1] + solved[:, 0] * solved[:, 2]
    misfit = np.where(first <= 0, misfit + UPWARDS_PX, misfit)  # a fall goes down
    best = int(np.argmin(misfit))
    _, steady = _solve(lapse[None, :], downs)
    return FreeFall(
        misfit_px=float(misfit[best]),
        steady_px=float(steady[0]),
        scale_px=float(solved[best, 1]),
        first_px=float(first[best]),
    )


def _drops(lapse: Reals) -> Reals:
    """Return metres dropped, (starts, terminals, times): the fall with drag that grows with the speed squared."""
    end = TERMINALS[None, :, None]
    start = np.minimum(STARTS[:, None, None], 0.98 * end)
    time = lapse[None, None, :]
    free = start * time + GRAVITY * time**2 / 2
    begun = np.arctanh(np.maximum(start, 0.0) / end)
    with_drag = end**2 / GRAVITY * (_log_cosh(GRAVITY * time / end + begun) - _log_cosh(begun))
    return np.asarray(np.where((end > 1e5) | (start < 0), free, with_drag))


def _log_cosh(value: Reals) -> Reals:
    return np.asarray(np.abs(value) + np.log1p(np.exp(-2 * np.abs(value))) - np.log(2.0))


def _solve(drops: Reals, downs: Reals) -> tuple[Reals, Reals]:
    """Return ((n, 3) a, b, c, (n,) rms in px) of y = a + b u + c u y for each row of drops, outliers tamed once."""
    weight = np.ones_like(drops)
    for _ in range(2):
        design = np.stack([np.ones_like(drops), drops, drops * downs[None, :]], axis=2)
        weighted = design * weight[:, :, None]
        matrix = np.einsum("nti,ntj->nij", weighted, design)
        matrix[:, 2, 2] += TAME * matrix[:, 2, 2] + 1e-3
        matrix[:, (0, 1), (0, 1)] += 1e-6
        goal = np.einsum("nti,t->ni", weighted, downs)
        solved = np.linalg.solve(matrix, goal[:, :, None])[:, :, 0]
        below = 1 - solved[:, 2:3] * drops
        seen = (solved[:, 0:1] + solved[:, 1:2] * drops) / np.where(below > 0.1, below, np.nan)
        off = np.nan_to_num(downs[None, :] - seen, nan=1e3)
        scale = 1.5 + 2 * np.median(np.abs(off), axis=1, keepdims=True)
        weight = 1 / (1 + (off / scale) ** 2)
    rms = np.sqrt((weight * off**2).sum(axis=1) / weight.sum(axis=1))
    return solved, rms
