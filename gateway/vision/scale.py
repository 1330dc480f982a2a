"""A floor scale as it lies over a picture: a line for every floor, and the marks it does not fit. Pure.

Computed by the very scale that tells which floor something fell from: what a person sees is what is meant.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from gateway.vision.floors import Storeys

MOST_LINES = 150
CLOSEST_PX = 2.0  # lines closer than that say nothing: the scale runs into its horizon
MISSED = 0.3  # floors


def lines(floors: Sequence[tuple[float, float]], height: int) -> list[tuple[int, float]]:
    """Return (floor, row) for each floor's slab inside a picture, lowest floor first; none for fewer than two marks."""
    if len(floors) < 2:
        return []
    storeys = Storeys(floors)
    bottom, top = (float(each) for each in storeys.at(np.array([height - 1.0, 0.0])))
    ground = min(1.0, *(floor for _, floor in floors))
    first = max(math.ceil(bottom), math.ceil(ground))
    numbers = range(first, min(math.floor(top), first + MOST_LINES) + 1)
    rows = storeys.rows(np.array(numbers, np.float64))
    return list(_spaced(zip(numbers, rows.tolist(), strict=True), height))


def missed(floors: Sequence[tuple[float, float]]) -> list[tuple[int, float]]:
    """Return the marks the scale misses by a good part of a floor: (place in the list, floor it says there)."""
    if len(floors) < 3:
        return []
    said = Storeys(floors).at(np.array([row for row, _ in floors]))
    return [
        (place, float(there))
        for place, (there, (_, floor)) in enumerate(zip(said, floors, strict=True))
        if not abs(there - floor) <= MISSED
    ]


def _spaced(found: Iterator[tuple[int, float]], height: int) -> Iterator[tuple[int, float]]:
    """Yield lines upwards from the first inside the picture, as long as they lie inside and apart."""
    last = math.inf
    for floor, row in found:
        if 0 <= row < height and row <= last - CLOSEST_PX:
            yield floor, row
            last = row
        elif last < math.inf:
            return
