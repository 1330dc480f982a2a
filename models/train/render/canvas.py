"""A wall to paint on, in metres: reflectance, glass, and what shines at night."""

import cv2
import numpy as np

from models.train.render.parts import Plane


class Canvas:
    """A part of a facade, `left` to `right` and `bottom` to `top` in metres, at `scale` pixels a metre.

    Rows go down from the top. `wall` is the reflectance, `glass` 1 where there is glass, `glow` light of its own.
    """

    def __init__(self, left: float, bottom: float, right: float, top: float, scale: float) -> None:
        self.left, self.bottom, self.right, self.top, self.scale = left, bottom, right, top, scale
        shape = (max(8, round((top - bottom) * scale)), max(8, round((right - left) * scale)))
        self.wall = np.zeros(shape, np.float32)
        self.glass = np.zeros(shape, np.float32)
        self.glow = np.zeros(shape, np.float32)

    def slices(self, x0: float, z0: float, x1: float, z1: float) -> tuple[slice, slice]:
        """Return the rows and columns of a rectangle; at least one pixel, unless it lies outside."""
        height, width = self.wall.shape
        a, b = round((x0 - self.left) * self.scale), round((x1 - self.left) * self.scale)
        c, d = round((self.top - z1) * self.scale), round((self.top - z0) * self.scale)
        b, d = max(b, a + 1), max(d, c + 1)
        return slice(min(max(c, 0), height), min(max(d, 0), height)), slice(
            min(max(a, 0), width), min(max(b, 0), width)
        )

    def sees(self, x0: float, z0: float, x1: float, z1: float) -> bool:
        """Return whether any of a rectangle is on the canvas."""
        return x1 > self.left and x0 < self.right and z1 > self.bottom and z0 < self.top

    def rect(self, x0: float, z0: float, x1: float, z1: float, light: float) -> None:
        """Fill a rectangle; it covers glass and light."""
        where = self.slices(x0, z0, x1, z1)
        self.wall[where] = light
        self.glass[where] = 0
        self.glow[where] = 0

    def shade(self, x0: float, z0: float, x1: float, z1: float, factor: float) -> None:
        """Make a rectangle darker or brighter by a factor."""
        self.wall[self.slices(x0, z0, x1, z1)] *= factor

    def ramp(self, x0: float, z0: float, x1: float, z1: float, *, top: float, bottom: float) -> None:
        """Fill a rectangle from one brightness above to another below."""
        rows, columns = self.slices(x0, z0, x1, z1)
        if rows.stop > rows.start:
            self.wall[rows, columns] = np.linspace(top, bottom, rows.stop - rows.start, dtype=np.float32)[
                :, None
            ]

    def pane(
        self, x0: float, z0: float, x1: float, z1: float, *, top: float, bottom: float, glow: float
    ) -> None:
        """Fill a rectangle with glass."""
        self.ramp(x0, z0, x1, z1, top=top, bottom=bottom)
        where = self.slices(x0, z0, x1, z1)
        self.glass[where] = 1
        self.glow[where] = glow

    def bars(
        self, x0: float, z0: float, x1: float, z1: float, *, step: float, light: float, thick: float
    ) -> None:
        """Draw upright bars, faint where they are thinner than a pixel."""
        rows, _ = self.slices(x0, z0, x1, z1)
        share = min(1.0, thick * self.scale)
        for x in np.arange(x0, x1, max(step, 2.2 / self.scale)):
            column = self.slices(x, z0, x + thick, z1)[1]
            for plane, value in ((self.wall, light), (self.glass, 0.0), (self.glow, 0.0)):
                part = plane[rows, column]
                part += (value - part) * share

    def rails(
        self, x0: float, z0: float, x1: float, z1: float, *, step: float, light: float, thick: float
    ) -> None:
        """Draw level bars."""
        _, columns = self.slices(x0, z0, x1, z1)
        share = min(1.0, thick * self.scale)
        for z in np.arange(z0, z1, max(step, 2.2 / self.scale)):
            row = self.slices(x0, z, x1, z + thick)[0]
            for plane, value in ((self.wall, light), (self.glass, 0.0), (self.glow, 0.0)):
                part = plane[row, columns]
                part += (value - part) * share

    def disc(self, x: float, z: float, radius: float, light: float) -> None:
        """Fill a round spot."""
        at = (round((x - self.left) * self.scale), round((self.top - z) * self.scale))
        cv2.circle(self.wall, at, max(1, round(radius * self.scale)), light, -1)


def cloud(rng: np.random.Generator, shape: tuple[int, int], size_px: float, stretch: float = 1.0) -> Plane:
    """Return smooth noise of about -1..1 whose patches are `size_px` wide and `stretch` times as high."""
    rows = max(3, int(shape[0] / (size_px * stretch)) + 3)
    columns = max(3, int(shape[1] / size_px) + 3)
    coarse = rng.uniform(-1, 1, (rows, columns)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)
