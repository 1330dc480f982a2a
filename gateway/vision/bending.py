"""The line or parabola that a few hits lie on, by least squares: plain sums, for it is asked often, of few numbers."""

import operator
from collections.abc import Sequence
from typing import TypeAlias

Curve: TypeAlias = tuple[float, float, float]
"""Place at time 0, speed there, and half the acceleration."""


def bent(times: Sequence[float], ways: Sequence[Sequence[float]], degree: int) -> list[Curve]:
    """Return the curve of each way, whose places belong to `times`; of `degree` 1 it is a line, of 2 a parabola.

    Times must grow, as those of a stream's clock do, and be one more than `degree` at least.
    """
    n, s1 = float(len(times)), sum(times)
    squares = [t * t for t in times]
    s2 = sum(squares)
    sums = [(sum(way), sum(map(operator.mul, times, way))) for way in ways]
    if degree == 1:
        below = n * s2 - s1 * s1
        slopes = [(n * p1 - s1 * p0) / below for p0, p1 in sums]
        return [((p0 - m * s1) / n, m, 0.0) for (p0, _), m in zip(sums, slopes, strict=True)]
    s3, s4 = sum(map(operator.mul, squares, times)), sum(map(operator.mul, squares, squares))
    # the inverse of [[n, s1, s2], [s1, s2, s3], [s2, s3, s4]], which is symmetric, row by row
    aa, ab, ac = s2 * s4 - s3 * s3, s2 * s3 - s1 * s4, s1 * s3 - s2 * s2
    bb, bc, cc = n * s4 - s2 * s2, s1 * s2 - n * s3, n * s2 - s1 * s1
    whole = n * aa + s1 * ab + s2 * ac
    found = []
    for (p0, p1), way in zip(sums, ways, strict=True):
        p2 = sum(map(operator.mul, squares, way))
        a, b, c = p0 * aa + p1 * ab + p2 * ac, p0 * ab + p1 * bb + p2 * bc, p0 * ac + p1 * bc + p2 * cc
        found.append((a / whole, b / whole, c / whole))
    return found


def after(curve: Curve, lapse: float) -> tuple[float, float]:
    """Return (place, speed) on a curve after so many seconds."""
    place, speed, pull = curve
    return place + (speed + pull * lapse) * lapse, speed + 2 * pull * lapse
