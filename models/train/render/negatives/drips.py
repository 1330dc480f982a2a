"""Water that drips from air conditioners, and steam and smoke that rise.

A drip IS in free fall: but it is a thread of water a few millimetres thick that comes again and again from the
same point.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models.train.render.negatives.actors import Sprite
from models.train.render.negatives.dice import Dice
from models.train.render.negatives.drawing import dashes
from models.train.render.negatives.places import Path, Points, clock, scale_at, somewhere, travel, wander
from models.train.render.parts import Agent, Patch, Plane, View

GRAVITY = 9.81
GLINT = 2.0  # a drop throws the sky into the lens


def fallen(since: Points, terminal_mps: float) -> Points:
    """Return the metres fallen after (n,) seconds under gravity and quadratic drag (the exact solution)."""
    ratio = terminal_mps / GRAVITY
    return np.asarray(terminal_mps * ratio * np.log(np.cosh(np.maximum(since, 0.0) / ratio)))


@dataclass(slots=True)
class Drip:
    """One dripping point `place`; drops leave it at (n,) `releases` with (n,) `radii_m`, and fall `way_m`."""

    cause: str
    view: View
    place: Points
    releases: Points
    radii_m: Points
    terminal_mps: float
    way_m: float
    light: float
    ends_s: float
    glows: bool = False
    overlay: bool = False

    def patches(self, opens_s: float, closes_s: float) -> Iterable[Patch]:
        """Yield a thin streak for each drop under way."""
        both = np.array([opens_s, closes_s])
        ways = fallen(both[:, None] - self.releases, self.terminal_mps)
        moving = np.flatnonzero((closes_s > self.releases) & (ways[0] < self.way_m))
        if not len(moving) or opens_s > self.ends_s:
            return
        down = np.array([0.0, 0.0, -1.0])
        starts, depths = self.view.project(self.place + ways[0, moving, None] * down)
        ends, _ = self.view.project(self.place + ways[1, moving, None] * down)
        widths = 2 * self.view.focal_px * self.radii_m[moving] / depths
        lengths = np.hypot(*(ends - starts).T)
        dwell = np.minimum(1.0, GLINT * widths / (widths + lengths))
        yield from dashes(self.view, starts, ends, widths=widths, opacities=dwell, light=self.light)

    def over(self, time_s: float) -> bool:
        """Return whether it has stopped dripping."""
        return time_s > self.ends_s


def drips(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return a few points that drip, each in its own rhythm; at times several drops leave as one thread."""
    found: list[Agent] = []
    for _ in range(dice.count((2, 4), (3, 6))):
        period = dice.between((0.25, 1.5), (0.15, 1.0))
        first = np.arange(dice.between((0.0, period)) - 1.0, seconds, period)
        first += dice.rng.normal(0.0, 0.05 * period, len(first))
        releases = (first[:, None] + np.arange(dice.count((1, 3))) * 0.012).ravel()
        terminal = 8.5 + dice.between((-0.7, 0.7))
        light = dice.between((0.8, 1.5)) if dice.chance(0.7) else 0.1
        large = dice.between((0.0015, 0.0028), (0.0018, 0.0035))
        place = somewhere(dice, view, rows=(0.1, 0.6), y=view.distance_m * dice.between((0.25, 0.95)))
        radii = large * dice.rng.uniform(0.7, 1.1, len(releases))
        way = dice.between((3.0, 25.0))
        found.append(Drip("drip", view, place, releases, radii, terminal, way, light, seconds))
    return found


def smoke(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return puffs of steam or smoke from a kitchen vent: they rise, drift, grow and thin out."""
    found: list[Agent] = []
    place = somewhere(dice, view, rows=(0.3, 0.9))
    light, period = dice.one((0.9, 0.8, 0.1)), dice.between((0.5, 1.2), (0.3, 0.9))
    for begins in np.arange(-1.0, seconds, period):
        times = clock(float(begins), dice.between((2.0, 3.5)), 30.0)
        velocity = wander(dice, times, sigma=0.4, memory_s=0.8, columns=3)
        velocity += (dice.between((-0.6, 0.6), (-1.5, 1.5)), 0.0, dice.between((0.5, 1.8)))
        path = travel(times, velocity, through=place, share=0.0)
        found.append(_puff(dice, view, path, light))
    return found


def _puff(dice: Dice, view: View, path: Path, light: float) -> Sprite:
    """Return one puff."""
    scale, texture = scale_at(view, path.points[0]), _cloud(dice, light)
    first, grows, thick = (
        dice.between((0.1, 0.3)),
        dice.between((0.2, 0.5), (0.3, 0.8)),
        dice.between((0.2, 0.7)),
    )

    def motion(t: float) -> Points:
        pixel = view.project(path.at(np.array([t])))[0][0]
        side = float(np.clip((first + grows * (t - path.starts_s)) * scale * 2, 3.0, 260.0))
        return np.array([[side / 32, 0.0, pixel[0] - side / 2], [0.0, side / 32, pixel[1] - side / 2]])

    def course(t: float) -> float:
        part = (t - path.starts_s) / (path.ends_s - path.starts_s)
        return thick * max(0.0, min(1.0, 6 * part) * (1 - part))

    return Sprite("smoke_steam", view, texture, motion, path.starts_s, path.ends_s, course, exposures=1)


def _cloud(dice: Dice, light: float) -> Plane:
    """Return a soft uneven round texture."""
    rough = cv2.resize(dice.rng.random((5, 5)).astype(np.float32), (32, 32), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    cover = np.clip(1.1 - np.hypot(x, y) - 0.5 * rough, 0, 1)
    return np.stack([cover, cover * light], axis=2).astype(np.float32)
