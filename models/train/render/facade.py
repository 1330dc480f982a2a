"""A whole house front: cladding, bands of colour, bays of windows on every floor, pipes and the dirt of decades."""

from dataclasses import dataclass

import numpy as np

from models.train.render.canvas import Canvas, cloud
from models.train.render.dressing import Painter
from models.train.render.parts import Plane
from models.train.render.styles import Style

COURSES_M = {"tile": (0.1, 0.2), "mosaic": (0.05, 0.1), "brick": (0.066, 0.25), "panel": (2.8, 3.3)}


@dataclass(frozen=True, slots=True)
class House:
    """A house front from x `left` to `right`, of `floors` storeys of `floor_m`; floor 1's slab is at z = `base_m`."""

    style: Style
    left: float
    right: float
    floors: int
    floor_m: float
    base_m: float
    bay_m: float

    @property
    def roof_m(self) -> float:
        """Return how high the roof is."""
        return self.base_m + self.floors * self.floor_m

    def slab_m(self, floor: float) -> float:
        """Return how high the slab of a floor is; floors count from 1."""
        return self.base_m + (floor - 1) * self.floor_m


def house(rng: np.random.Generator, style: Style, *, floors: int, left: float, right: float) -> House:
    """Return a house of a style."""
    return House(
        style=style,
        left=left,
        right=right,
        floors=floors,
        floor_m=float(rng.uniform(*style.floor_m)),
        base_m=float(rng.uniform(0.0, 1.0)),
        bay_m=float(rng.uniform(*style.bay_m)),
    )


def paint(rng: np.random.Generator, canvas: Canvas, house: House, *, dark: float) -> None:
    """Paint a house on a canvas that shows a part of it."""
    style = house.style
    wall, second = float(rng.uniform(*style.wall)), float(rng.uniform(*style.band))
    canvas.wall[:] = wall
    _bands(canvas, house, second)
    _cladding(rng, canvas, style)
    painter = Painter(
        rng=rng,
        canvas=canvas,
        style=style,
        dark=dark,
        sheen=float(rng.uniform(0.0, 0.35)),
        frame=float(rng.choice([0.08, 0.25, 0.6, 0.75])),
        slab=second if style.bands != "none" else wall * float(rng.uniform(0.8, 1.1)),
        pane_m=(float(rng.uniform(*style.pane_m[0])), float(rng.uniform(*style.pane_m[1]))),
    )
    _bays(rng, painter, house)
    _pipes(rng, canvas, house)
    _dirt(rng, canvas, style.stains)


def _bays(rng: np.random.Generator, painter: Painter, house: House) -> None:
    bays = house.style.bays
    order = list(bays) + list(bays[::-1]) if rng.random() < 0.7 else list(bays)
    count = int((house.right - house.left) / house.bay_m)
    for column in range(count):
        x = house.left + column * house.bay_m
        kind = order[column % len(order)]
        for floor in range(1, house.floors + 1):
            z = house.slab_m(floor)
            if painter.canvas.sees(x - 1, z - 1, x + house.bay_m + 1, z + house.floor_m + 1):
                painter.place(kind, x, z, house.bay_m, house.floor_m)


def _bands(canvas: Canvas, house: House, light: float) -> None:
    kind, width = house.style.bands, house.bay_m
    for floor in range(1, house.floors + 2):
        z = house.slab_m(floor)
        if kind == "slab":
            canvas.rect(house.left, z - 0.18, house.right, z + 0.08, light)
        elif kind == "parapet":
            canvas.rect(house.left, z - 0.15, house.right, z + 0.85, light)
        elif kind == "checked":
            for x in np.arange(house.left + floor % 2 * width, house.right, 2 * width):
                canvas.rect(x, z, min(x + width, house.right), z + house.floor_m, light)
    if kind == "pilaster":
        for x in np.arange(house.left, house.right, width):
            canvas.rect(x - 0.3, house.base_m, x + 0.3, house.roof_m, light)


def _cladding(rng: np.random.Generator, canvas: Canvas, style: Style) -> None:
    """Lay courses of tiles or bricks, faint where they are finer than the pixels, and the coarseness of the rest."""
    shape, scale = canvas.wall.shape, canvas.scale
    rough = {"plaster": 0.05, "pebble": 0.22, "panel": 0.06}.get(style.texture, 0.07)
    fine = rng.standard_normal(shape, dtype=np.float32) * np.float32(rough)
    canvas.wall *= 1 + fine
    if style.texture in COURSES_M:
        high, wide = COURSES_M[style.texture]
        joint = float(rng.uniform(0.75, 1.25) if style.texture != "panel" else 0.7)
        strength = min(1.0, high * scale / 4)
        _joints(canvas.wall, high * scale, wide * scale, 1 + (joint - 1) * strength, style.texture == "brick")


def _joints(wall: Plane, high: float, wide: float, factor: float, staggered: bool) -> None:
    if high < 2:
        return
    rows = np.unique(np.arange(0, wall.shape[0], high).astype(int))
    wall[rows] *= factor
    if wide < 3:
        return
    for number, row in enumerate(rows):
        start = wide / 2 if staggered and number % 2 else 0
        wall[row : row + int(high), np.arange(start, wall.shape[1], wide).astype(int)] *= factor


def _pipes(rng: np.random.Generator, canvas: Canvas, house: House) -> None:
    for x in np.arange(house.left, house.right, house.bay_m):
        if rng.random() < 0.35:
            at, light = x + rng.uniform(-0.3, 0.3), float(rng.uniform(0.1, 0.75))
            canvas.rect(at, house.base_m, at + 0.11, house.roof_m, light)
            canvas.shade(at + 0.11, house.base_m, at + 0.18, house.roof_m, 0.7)


def _dirt(rng: np.random.Generator, canvas: Canvas, strength: float) -> None:
    shape, scale = canvas.wall.shape, canvas.scale
    canvas.wall *= 1 + np.float32(0.1 * strength) * cloud(rng, shape, 4 * scale)
    canvas.wall *= 1 + np.float32(0.07 * strength) * cloud(rng, shape, 0.5 * scale, 6)
    streaks = np.maximum(cloud(rng, shape, 0.15 * scale + 1, 14) - 0.35, 0)
    canvas.wall *= 1 - np.float32(0.35 * strength) * streaks
    np.clip(canvas.wall, 0.01, 0.95, out=canvas.wall)
