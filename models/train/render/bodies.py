"""The shapes of falling things: solids that tumble, sheets that turn, soft things that change their outline."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float64]
Shape: TypeAlias = Literal["box", "bottle", "pot", "blob", "shard", "sheet", "stick", "soft"]

ROUND = 10  # corners of what is round
SOFT_CORNERS = 18


@dataclass(frozen=True, slots=True)
class Outline:
    """A filled outline in metres around the thing's middle, (k, 2) right and up, and its radiance by day."""

    points: Points
    light: float


@dataclass(frozen=True)
class Body:
    """One thing: its corners in metres, how it turns, and how bright its two halves are.

    `soft` are (k, 4) harmonics (number, strength, speed in rad/s, phase) of a limp outline; empty for solids.
    """

    corners: Points
    axis: Points
    spin: float
    phase: float
    lights: tuple[float, float]
    soft: Points
    gloss: float = 0.0

    def outlines(self, time_s: float) -> list[Outline]:
        """Return what is seen of it from the front; later ones hide earlier ones."""
        angle = self.phase + self.spin * time_s
        turned = self.corners @ _turn(self.axis, angle).T
        facing = abs(float(np.cos(angle + self.phase)))
        shade = 0.62 + 0.38 * facing + self.gloss * max(0.0, facing - 0.9) * 10
        flat = turned[:, (0, 2)]
        if len(self.soft):
            flat = flat * self._limp(time_s)
            return [Outline(flat, self.lights[0] * shade)]
        whole = Outline(hull(flat), self.lights[0] * shade)
        half = flat[self.corners[:, 2] >= np.median(self.corners[:, 2])]
        if self.lights[0] == self.lights[1] or len(half) < 3:
            return [whole]
        return [whole, Outline(hull(half), self.lights[1] * shade)]

    def _limp(self, time_s: float) -> Points:
        around = np.linspace(0, 2 * np.pi, len(self.corners), endpoint=False)[:, None]
        number, strength, speed, phase = self.soft.T
        waves = strength * np.cos(number * around + speed * time_s + phase)
        factor: Points = np.maximum(0.35, 1 + waves.sum(axis=1))[:, None]
        return factor

    def width_m(self, time_s: float) -> float:
        """Return the smaller side of its outline at a time."""
        sides = cv2.minAreaRect(self.outlines(time_s)[0].points.astype(np.float32))[1]
        return float(min(sides))


def body(
    rng: np.random.Generator, shape: Shape, size_m: float, *, spin: float, light: float, plain: bool = False
) -> Body:
    """Return a thing of a shape whose largest side is `size_m` long."""
    corners = _CORNERS[shape](rng)
    corners = corners * (size_m / np.ptp(corners, axis=0).max())
    axis = rng.normal(size=3)
    soft = np.zeros((0, 4))
    if shape == "soft":
        count = 4
        soft = np.stack(
            [
                np.arange(count) + 2.0,
                rng.uniform(0.05, 0.28, count),
                rng.normal(0, 6, count),
                rng.uniform(0, 6.3, count),
            ],
            axis=1,
        )
    other = light if plain or rng.random() < 0.5 else float(np.clip(light * rng.uniform(0.4, 2.2), 0.02, 1.2))
    return Body(
        corners=corners,
        axis=axis / np.linalg.norm(axis),
        spin=spin,
        phase=float(rng.uniform(0, 6.3)),
        lights=(light, other),
        soft=soft,
        gloss=float(rng.uniform(0, 0.8)) if shape in ("bottle", "shard") else 0.0,
    )


def hull(points: Points) -> Points:
    """Return the convex hull of (n, 2) points."""
    return np.asarray(cv2.convexHull(points.astype(np.float32))[:, 0, :], np.float64)


def _turn(axis: Points, angle: float) -> Points:
    """Return the rotation matrix about a unit axis (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross))


def _ring(radius: float, z: float) -> Points:
    around = np.linspace(0, 2 * np.pi, ROUND, endpoint=False)
    return np.stack([radius * np.cos(around), radius * np.sin(around), np.full(ROUND, z)], axis=1)


def _box(rng: np.random.Generator) -> Points:
    sides = np.array([rng.uniform(0.25, 0.9), rng.uniform(0.15, 0.7), 1.0])
    signs = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    return np.asarray(signs * sides)


def _bottle(rng: np.random.Generator) -> Points:
    radius = rng.uniform(0.12, 0.3)
    return np.concatenate([_ring(radius, -0.5), _ring(radius, 0.2), _ring(radius * 0.4, 0.5)])


def _pot(rng: np.random.Generator) -> Points:
    return np.concatenate([_ring(rng.uniform(0.25, 0.4), -0.45), _ring(0.5, 0.45)])


def _blob(rng: np.random.Generator) -> Points:
    points = rng.normal(size=(24, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    flat = np.array([1.0, rng.uniform(0.5, 1), rng.uniform(0.5, 1)])
    return np.asarray(points * rng.uniform(0.35, 0.5, (24, 1)) * flat)


def _shard(rng: np.random.Generator) -> Points:
    around = np.sort(rng.uniform(0, 2 * np.pi, 6))
    radius = rng.uniform(0.25, 0.5, 6)
    return np.stack([radius * np.cos(around), np.full(6, 0.0), radius * np.sin(around)], axis=1)


def _sheet(rng: np.random.Generator) -> Points:
    width, bow = rng.uniform(0.5, 0.9), rng.uniform(0, 0.15)
    corners = np.array([[x, bow * abs(z), z] for x in (-0.5, 0.5) for z in (-0.5, 0.0, 0.5)])
    return np.asarray(corners * np.array([width, 1.0, 1.0]))


def _stick(rng: np.random.Generator) -> Points:
    radius = rng.uniform(0.03, 0.13)
    return np.concatenate([_ring(radius, -0.5), _ring(radius, 0.5)])


def _soft(rng: np.random.Generator) -> Points:
    around = np.linspace(0, 2 * np.pi, SOFT_CORNERS, endpoint=False)
    tall = rng.uniform(0.6, 1.0)
    deep = rng.uniform(0.3, 1.0) * np.sin(2 * around) * 0.3
    return np.stack([0.5 * np.cos(around), deep, 0.5 * tall * np.sin(around)], axis=1)


_CORNERS = {
    "box": _box, "bottle": _bottle, "pot": _pot, "blob": _blob,
    "shard": _shard, "sheet": _sheet, "stick": _stick, "soft": _soft,
}  # fmt: skip
