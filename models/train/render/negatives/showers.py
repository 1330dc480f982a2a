"""Rain and snow: many particles that fall for ever through the view, and drops that run down the dome.

A shower is one agent. Each particle crosses a slab of air from above the picture to below it and begins again
elsewhere; where it is at a time follows from its number and the time alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from models.train.render.negatives.actors import Sprite, instants
from models.train.render.negatives.dice import Dice
from models.train.render.negatives.drawing import dashes
from models.train.render.negatives.places import Points, clock, unproject
from models.train.render.parts import Agent, Patch, Plane, View

PLACES = 997  # a prime number of random places that the particles take in turn
GLINT = 4.0  # drops show the bright sky in a spot, which makes them plainer than their mean light says


@dataclass(slots=True)
class Shower:
    """Particles `y` (n,) away of `radius_m` (n,), falling at `speed_mps` (n,) with `drift` (m/s), swaying.

    `top_m`, `drop_m` and `wide_m` (n,) bound the air that shows at each distance. `blurred` (n,) is the
    radius in px that being out of focus adds.
    """

    cause: str
    view: View
    y: Points
    radius_m: Points
    speed_mps: Points
    top_m: Points
    drop_m: Points
    wide_m: Points
    shares: Points  # (PLACES,) where along the width a particle comes down
    drift_mps: float
    sway_m: float
    sway_hz: float
    light: float
    blurred: Points
    ends_s: float
    glows: bool = False
    overlay: bool = False

    def places(self, times: Points) -> Points:
        """Return (m, n, 3) world places at (m,) times."""
        count = np.arange(len(self.y))
        fallen = self.speed_mps * times[:, None] + self.shares[count % PLACES] * self.drop_m
        turn = np.floor(fallen[:1] / self.drop_m)
        within = fallen - turn * self.drop_m
        share = self.shares[(count * 31 + turn.astype(np.int64) * 7919 + 13) % PLACES]
        phase = share * 40.0 + count
        sway = self.sway_m * np.sin(2 * np.pi * self.sway_hz * times[:, None] + phase)
        x = (share - 0.5) * self.wide_m + self.drift_mps * (within / self.speed_mps) + sway
        return np.stack([x, np.broadcast_to(self.y, x.shape), self.top_m - within], axis=2)

    def patches(self, opens_s: float, closes_s: float) -> Iterable[Patch]:
        """Yield a streak for each particle in the picture."""
        if opens_s > self.ends_s:
            return
        times = instants(opens_s, closes_s, 3)
        places = self.places(times)
        flat, depths = self.view.project(places.reshape(-1, 3))
        pixels = flat.reshape(3, -1, 2)
        near = np.maximum(depths.reshape(3, -1)[1], 0.2)
        sharp = self.view.focal_px * self.radius_m / near
        inside = (pixels[1] > -60.0) & (pixels[1] < (self.view.width + 60.0, self.view.height + 60.0))
        shown = np.flatnonzero(inside.all(axis=1))
        middle, half = pixels[1, shown], 0.75 * (pixels[2, shown] - pixels[0, shown])
        wide = 2 * sharp[shown] + self.blurred[shown]
        dwell = wide / (wide + np.hypot(half[:, 0], half[:, 1]) * 2)
        thinned = 2 * sharp[shown] / wide
        yield from dashes(
            self.view,
            middle - half,
            middle + half,
            widths=wide,
            opacities=np.minimum(1.0, GLINT * dwell * thinned),
            light=self.light,
            soft=self.blurred[shown] / 2,
        )

    def over(self, time_s: float) -> bool:
        """Return whether it has stopped."""
        return time_s > self.ends_s


def _shower(
    dice: Dice,
    view: View,
    seconds: float,
    *,
    cause: str,
    count: int,
    y: Points,
    radius_m: Points,
    speed_mps: Points,
    light: float,
    drift_mps: float,
    sway: tuple[float, float] = (0.0, 1.0),
    focus_m: float = 0.0,
) -> Shower:
    """Return a shower whose particles fill the air that the view sees at their distances."""
    tops = np.array([unproject(view, 0.0, -30.0, float(d))[2] for d in y])
    floors = np.array([unproject(view, 0.0, view.height + 30.0, float(d))[2] for d in y])
    left = np.array([unproject(view, -20.0, view.height * 0.5, float(d))[0] for d in y])
    right = np.array([unproject(view, view.width + 20.0, view.height * 0.5, float(d))[0] for d in y])
    drop = np.maximum(tops - floors, 0.3)
    blurred = np.maximum(0.0, focus_m / y - 1.0) * 4.0
    return Shower(
        cause, view, y, radius_m, speed_mps, tops, drop, 2 * np.maximum(abs(left), abs(right)),
        dice.rng.random(PLACES), drift_mps, sway[0], sway[1], light, blurred, seconds,
    )  # fmt: skip


def rain_far(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return many thin drops three to fourteen metres off, each at its constant terminal speed."""
    count = dice.count((40, 90), (60, 110))
    size = dice.rng.uniform(0.0006, 0.0022, count)
    return [
        _shower(
            dice, view, seconds, cause="rain.far", count=count, y=dice.rng.uniform(3.0, 14.0, count), radius_m=size,
            speed_mps=4.0 + 2200.0 * size, light=dice.between((0.6, 1.1), (0.5, 1.4)),
            drift_mps=dice.between((-2.0, 2.0), (-4.0, 4.0)),
        )
    ]  # fmt: skip


def rain_near(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return a few big streaks close to the lens, and drops on the dome that cling and then run."""
    count = dice.count((10, 22), (16, 30))
    size = dice.rng.uniform(0.0008, 0.002, count)
    found: list[Agent] = [
        _shower(
            dice, view, seconds, cause="rain.near", count=count, y=dice.rng.uniform(0.6, 2.5, count), radius_m=size,
            speed_mps=4.0 + 2200.0 * size, light=dice.between((0.6, 1.2)), drift_mps=dice.between((-1.0, 1.0)),
            focus_m=1.4,
        )
    ]  # fmt: skip
    found.extend(_dome_drop(dice, view, seconds) for _ in range(dice.count((4, 8), (6, 10))))
    return found


def snow(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return flakes near and far: slow, swaying, larger and softer the closer they are."""
    count = dice.count((35, 60), (45, 70))
    return [
        _shower(
            dice, view, seconds, cause="snow", count=count, y=np.exp(dice.rng.uniform(0.2, 2.5, count)),
            radius_m=dice.rng.uniform(0.0015, 0.006, count), speed_mps=dice.rng.uniform(0.7, 2.0, count),
            light=dice.between((0.7, 1.1)), drift_mps=dice.between((-1.2, 1.2), (-3.0, 3.0)),
            sway=(dice.between((0.02, 0.12)), dice.between((0.4, 1.4), (1.0, 2.2))), focus_m=2.5,
        )
    ]  # fmt: skip


def _dome_drop(dice: Dice, view: View, seconds: float) -> Sprite:
    """Return a drop on the dome: it clings, then runs down faster and faster, halts and runs again."""
    times = clock(0.0, seconds)
    down, speed, running = dice.between((0.0, 0.6)) * view.height, 0.0, dice.chance(0.4)
    pull = dice.between((150.0, 1200.0), (300.0, 2000.0))
    downs = np.empty(len(times))
    for i in range(len(times)):
        if dice.rng.random() < (0.03 if running else 0.012):
            running = not running
        speed = min(speed + pull / 60, 900.0) if running else speed * 0.7
        down += speed / 60
        downs[i] = down
    across = dice.between((0.05, 0.95)) * view.width
    aside = np.cumsum(dice.rng.normal(0.0, 0.02, len(times)) * np.gradient(downs))
    texture = _lens_drop(dice, dice.count((8, 28), (10, 40)))

    def motion(time_s: float) -> Points:
        x, y = across + np.interp(time_s, times, aside), np.interp(time_s, times, downs)
        return np.array([[1.0, 0.0, x], [0.0, 1.0, y]])

    return Sprite("rain.near", view, texture, motion, 0.0, seconds)


def _lens_drop(dice: Dice, radius: int) -> Plane:
    """Return the look of a drop: the world upside down, bright below and dark above, soft at the rim."""
    tall = int(radius * dice.between((1.0, 1.5)))
    y, x = np.mgrid[-tall : tall + 1, -radius : radius + 1].astype(np.float32)
    inside = 1 - np.sqrt((x / radius) ** 2 + (y / tall) ** 2)
    cover = np.clip(inside * 4, 0, 1) * dice.between((0.5, 0.9))
    light = 0.35 + 0.4 * y / tall
    return np.stack([cover, cover * np.clip(light, 0.02, 1.2)], axis=2).astype(np.float32)
