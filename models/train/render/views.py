"""Where the camera stands and what part of its picture is rendered."""

from dataclasses import replace

import numpy as np

from models.train.render.facade import House
from models.train.render.parts import View
from models.train.render.settings import PART_SIZES, Settings

STEEPEST = 83.0  # degrees: what is seen still more from below than this is no facade any more
LEAST_SEEN_M = 9.0
MOST_SKY = 0.6  # of the picture above the roof
PITCHES, WIDER_PITCHES = (25.0, 60.0), (10.0, 62.0)  # degrees upwards; training shows more than is asked for
LEAST_SCALE, MOST_SCALE = 9.0, 150.0  # px per metre at the middle of what is seen of the house


def choose(rng: np.random.Generator, settings: Settings, house: House) -> View:
    """Return a camera that sees at least a few floors of the house, large enough."""
    distance = _distance(rng)
    for number in range(600):
        if number % 60 == 59:  # or only those would be left that see much easily: near and steep
            distance = _distance(rng)
        view = _drawn(rng, settings, distance)
        low, high = seen_m(view, house)
        if high - low < LEAST_SEEN_M or row_of(view, house.roof_m) > MOST_SKY * view.height:
            continue
        if LEAST_SCALE < view.pixels_per_metre((low + high) / 2) < MOST_SCALE and low < house.roof_m / 2:
            return view
    return View(settings.width, settings.height, 0.9 * settings.width, 40.0, 20.0)


def _distance(rng: np.random.Generator) -> float:
    if rng.random() < 0.07:
        return float(rng.uniform(35, 50))
    return float(np.exp(rng.uniform(np.log(8), np.log(35))))


def _drawn(rng: np.random.Generator, settings: Settings, distance: float) -> View:
    across = np.radians(rng.uniform(38, 88) if settings.held_out else rng.uniform(40, 85))
    return View(
        width=settings.width,
        height=settings.height,
        focal_px=float(settings.width / 2 / np.tan(across / 2)),
        pitch_deg=float(rng.uniform(*(WIDER_PITCHES if settings.split == "train" else PITCHES))),
        distance_m=distance,
        height_m=float(rng.uniform(2, 4)),
    )


def height_at(view: View, row: float) -> float:
    """Return the height on the facade that shows in a row of the picture."""
    up = np.degrees(np.arctan2(view.height / 2 - view.top_px - row, view.focal_px))
    return float(view.height_m + view.distance_m * np.tan(np.radians(min(view.pitch_deg + up, STEEPEST))))


def row_of(view: View, z: float) -> float:
    """Return the row in which a height on the facade shows."""
    return float(view.project(np.array([[0.0, view.distance_m, z]]))[0][0, 1])


def seen_m(view: View, house: House) -> tuple[float, float]:
    """Return the lowest and the highest point of the house in the picture."""
    low, high = height_at(view, view.height), height_at(view, 0)
    return max(low, 0.0), min(high, house.roof_m)


def part(rng: np.random.Generator, view: View, house: House) -> View:
    """Return a part of a picture that shows as much as possible of the house."""
    width, height = PART_SIZES[rng.integers(len(PART_SIZES))]
    width, height = min(width, view.width), min(height, view.height)
    low, high = seen_m(view, house)
    top = np.clip(row_of(view, high), 0, view.height)
    bottom = np.clip(row_of(view, low), 0, view.height)
    room = max(0.0, (bottom - top) - height)
    down = float(np.clip(top - 60 + rng.uniform(0, 1) * room, 0, view.height - height))
    middle = view.project(np.array([[0.0, view.distance_m, (low + high) / 2]]))[1][0]
    left, right = (view.width / 2 + view.focal_px * x / middle for x in (house.left, house.right))
    least, most = max(left, 0.0), min(right, view.width) - width
    across = float(np.clip(rng.uniform(min(least, most), max(least, most)), 0, view.width - width))
    return replace(
        view,
        width=width,
        height=height,
        left_px=float(round(across)) - (view.width - width) / 2,
        top_px=float(round(down)) - (view.height - height) / 2,
    )
