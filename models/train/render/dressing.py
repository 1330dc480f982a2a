"""What hangs on a house: windows with frames and curtains, cages, balconies, coolers, laundry, pipes, stains.

All seen from below: whatever stands out from the wall shows its dark underside and throws a shadow under itself.
"""

from dataclasses import dataclass

import numpy as np

from models.train.render.canvas import Canvas
from models.train.render.styles import Style


@dataclass(frozen=True)
class Painter:
    """Paints one house's places. `dark` is 0 by day and 1 at night, `sheen` how bright the sky is in the glass."""

    rng: np.random.Generator
    canvas: Canvas
    style: Style
    dark: float
    sheen: float
    frame: float
    slab: float
    pane_m: tuple[float, float]

    def place(self, kind: str, x: float, z: float, wide: float, high: float) -> None:
        """Paint one bay of one floor: `x`, `z` is its lower left corner."""
        middle = x + wide / 2
        if kind in ("balcony", "loggia", "gallery"):
            self._balcony(kind, x, z, wide, high)
            return
        width, height = self.pane_m
        width = {"small": 0.5 * width, "wide": 1.45 * width, "stair": 0.6 * width}.get(kind, width)
        width = min(width, wide - 0.5)
        sill = z + (0.9 if kind != "stair" else high * 0.55)
        height = min(height, z + high - 0.25 - sill) if kind != "stair" else 0.9
        if kind == "small":
            height, sill = height * 0.7, sill + 0.3 * height
        self.window(middle - width / 2, sill, width, height)
        self._beside(middle, sill, width, height, caged=kind != "stair")

    def window(self, x: float, z: float, width: float, height: float) -> None:
        """Paint a window: frame, panes, curtains, and the room's light."""
        canvas, rng = self.canvas, self.rng
        canvas.rect(x - 0.05, z - 0.05, x + width + 0.05, z + height + 0.05, self.frame)
        glow = float(rng.uniform(0.1, 1.3)) if rng.random() < 0.42 * self.dark else 0.0
        count = 2 if width < 1.6 else 3 if width < 2.5 else 4
        curtain = rng.random(2) < 0.45
        for number in range(count):
            left = x + number * width / count + 0.025
            right = x + (number + 1) * width / count - 0.025
            inside, mirror = rng.uniform(0.015, 0.09), self.sheen * rng.uniform(0.5, 1.2)
            lit = glow * rng.uniform(0.6, 1.1)
            if (number == 0 and curtain[0]) or (number == count - 1 and curtain[1]):
                inside, lit = inside + rng.uniform(0.1, 0.35), lit * 0.55
            canvas.pane(
                left, z, right, z + height, top=inside + mirror, bottom=inside + 0.5 * mirror, glow=lit
            )
            if rng.random() < 0.12:
                canvas.rect(left, z, left + 0.5 * (right - left), z + height, 0.02)
        canvas.rect(x - 0.1, z - 0.14, x + width + 0.1, z - 0.05, self.slab * 1.1)
        canvas.shade(x - 0.1, z - 0.2, x + width + 0.1, z - 0.14, 0.55)

    def _beside(self, middle: float, sill: float, width: float, height: float, *, caged: bool) -> None:
        rng, style = self.rng, self.style
        if caged and rng.random() < style.cages:
            self.cage(middle - width / 2 - 0.12, sill - 0.25, width + 0.24, height + 0.35)
        elif rng.random() < style.laundry * 0.6:
            self.laundry(middle - width / 2, sill + 0.1, width)
        if rng.random() < style.coolers:
            side = middle + (width / 2 + 0.15 if rng.random() < 0.5 else -width / 2 - 0.95)
            self.cooler(side, sill - rng.uniform(0.2, 0.75))
        if rng.random() < 0.25:
            self.canvas.rect(middle - width / 2 - 0.2, sill + height + 0.08, middle + width / 2 + 0.2,
                             sill + height + 0.3, float(rng.uniform(0.15, 0.6)))  # fmt: skip

    def cage(self, x: float, z: float, width: float, height: float) -> None:
        """Paint a burglar cage with what people keep in it."""
        canvas, rng = self.canvas, self.rng
        light = float(rng.uniform(*self.style.bar_light))
        floor = z + 0.16
        canvas.shade(x, z - 0.3, x + width, z, 0.6)
        canvas.ramp(x, z, x + width, floor, top=0.06, bottom=0.12)
        at = x + 0.1
        while at < x + width - 0.2 and rng.random() < 0.75:
            wide = rng.uniform(0.12, 0.4)
            canvas.rect(
                at,
                floor,
                min(at + wide, x + width),
                floor + rng.uniform(0.1, 0.4),
                float(rng.uniform(0.05, 0.6)),
            )
            at += wide + rng.uniform(0.05, 0.5)
        canvas.bars(x, z, x + width, z + height, step=0.12, light=light, thick=0.016)
        canvas.rails(x, floor, x + width, z + height, step=0.45, light=light, thick=0.025)
        canvas.rect(x, z + height - 0.03, x + width, z + height, light)
        if rng.random() < 0.3:
            canvas.rect(
                x - 0.05, z + height, x + width + 0.05, z + height + 0.12, float(rng.uniform(0.1, 0.7))
            )

    def _balcony(self, kind: str, x: float, z: float, wide: float, high: float) -> None:
        canvas, rng = self.canvas, self.rng
        gap = 0.0 if kind in ("loggia", "gallery") else 0.2
        left, right = x + gap, x + wide - gap
        canvas.ramp(left, z + 0.1, right, z + high - 0.1, top=0.03, bottom=0.12)
        canvas.shade(left, z - 0.4, right, z, 0.5)
        if self.rng.random() < self.style.glazed and kind != "gallery":
            self.window(left + 0.05, z + 1.05, right - left - 0.1, high - 1.35)
        else:
            glow = float(rng.uniform(0.1, 0.8)) if rng.random() < 0.25 * self.dark else 0.0
            door = left + rng.uniform(0.2, 0.6) * (right - left)
            canvas.pane(
                door, z + 0.3, min(door + 0.9, right), z + high - 0.5, top=0.04, bottom=0.1, glow=glow
            )
            if rng.random() < self.style.laundry:
                self.laundry(left + 0.1, z + high - 0.5, right - left - 0.2)
        band = self.slab if kind != "gallery" else self.slab * 1.05
        if rng.random() < 0.75 or kind == "gallery":
            canvas.rect(left, z + 0.05, right, z + 1.05, band * float(rng.uniform(0.93, 1.05)))
            canvas.rect(left, z + 1.0, right, z + 1.08, min(band * 1.2, 0.9))
        else:
            canvas.bars(
                left, z + 0.05, right, z + 1.05, step=0.13, light=float(rng.uniform(0.1, 0.5)), thick=0.02
            )
        canvas.rect(left, z - 0.06, right, z + 0.08, band * 0.85)
        canvas.rect(left, z - 0.16, right, z - 0.06, 0.07)
        if kind == "balcony" and rng.random() < self.style.cages * 0.5:
            canvas.bars(
                left,
                z + 1.0,
                right,
                z + high - 0.2,
                step=0.12,
                light=float(rng.uniform(0.2, 0.7)),
                thick=0.016,
            )

    def laundry(self, x: float, z: float, width: float) -> None:
        """Paint clothes on a pole."""
        rng = self.rng
        self.canvas.rect(x, z, x + width, z + 0.025, float(rng.uniform(0.2, 0.7)))
        at = x + rng.uniform(0, 0.3)
        while at < x + width - 0.2:
            wide, light = (
                rng.uniform(0.2, 0.55),
                float(rng.choice([0.05, 0.12, 0.25, 0.4, 0.65]) * rng.uniform(0.7, 1.3)),
            )
            self.canvas.ramp(
                at, z - rng.uniform(0.35, 0.9), min(at + wide, x + width), z, top=light, bottom=0.8 * light
            )
            at += wide + rng.uniform(0.02, 0.4)

    def cooler(self, x: float, z: float) -> None:
        """Paint an air conditioner on its brackets, with its pipe and what drips from it."""
        canvas, rng = self.canvas, self.rng
        light = float(rng.uniform(0.35, 0.75))
        canvas.shade(x - 0.02, z - 0.35, x + 0.82, z, 0.6)
        canvas.rect(x, z, x + 0.8, z + 0.55, light)
        canvas.disc(x + 0.3, z + 0.28, 0.21, light * 0.35)
        canvas.rect(x, z - 0.1, x + 0.8, z, 0.05)
        canvas.rect(x + 0.75, z + 0.5, x + 0.79, z + 0.5 + rng.uniform(0.2, 0.9), light * 0.9)
        if rng.random() < 0.6:
            canvas.shade(x + 0.2, z - rng.uniform(0.8, 2.6), x + 0.26, z, float(rng.uniform(0.6, 0.85)))
