"""How things fall: gravity, drag with the square of the airspeed, wind, flutter, the wall and its ledges.

Integrated in plain floats, step by step: a fall is a few hundred steps, and arrays of three would be slower.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GRAVITY_MPS2 = 9.81
STEP_S = 1 / 240
LONGEST_S = 25.0
REBOUND_OF_WALL = 0.35
CLEARANCE_M = 0.08


@dataclass(frozen=True, slots=True)
class Wind:
    """Mean wind in m/s along x and y, and gusts: an Ornstein-Uhlenbeck process of this spread and memory."""

    x: float = 0.0
    y: float = 0.0
    gusts: float = 0.0
    memory_s: float = 1.5


@dataclass(frozen=True, slots=True)
class Flutter:
    """What a light thing does while it sinks.

    "swing": it swings to and fro like a falling leaf and sinks slower at the turns. "spin": it turns over and
    over and glides to one side, until by chance it glides to the other; it sinks in jerks.
    """

    manner: str
    rate_hz: float
    glide: float
    phase: float
    heading: float


@dataclass(frozen=True, slots=True)
class Release:
    """Where a thing starts (metres), with what velocity, its terminal speed, and what is in its way.

    `wall_y` is the facade; below `ledge_z` a ledge sends it off once (None: there is none).
    """

    start: tuple[float, float, float]
    toss: tuple[float, float, float]
    terminal_mps: float
    wall_y: float
    wind: Wind = Wind()
    flutter: Flutter | None = None
    ledge_z: float | None = None


@dataclass(frozen=True, slots=True)
class Flight:
    """A table of where a thing was: (n,) seconds since its release and (n, 3) points, until it lies on the ground."""

    times: NDArray[np.float64]
    points: NDArray[np.float64]

    @property
    def lasts_s(self) -> float:
        """Return how long it is in the air."""
        return float(self.times[-1])

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the (m, 3) points at (m,) times since the release."""
        return np.stack([np.interp(times, self.times, self.points[:, k]) for k in range(3)], axis=1)


def fly(rng: np.random.Generator, release: Release) -> Flight:
    """Integrate a fall from its release to the ground (z = 0)."""
    (x, y, z), (vx, vy, vz) = release.start, release.toss
    drag = GRAVITY_MPS2 / release.terminal_mps**2
    steps = int(LONGEST_S / STEP_S)
    gusts = _gusts(rng, release.wind, steps)
    pushes = _pushes(rng, release, steps)
    ledge_z = release.ledge_z
    points = [(x, y, z)]
    for step in range(steps):
        ax, ay, lift = pushes[step]
        rx, ry = vx - gusts[step][0], vy - gusts[step][1]
        pull = drag * (rx * rx + ry * ry + vz * vz) ** 0.5 * lift
        vx += (ax - pull * rx) * STEP_S
        vy += (ay - pull * ry) * STEP_S
        vz += (-GRAVITY_MPS2 - pull * vz) * STEP_S
        x, y, z = x + vx * STEP_S, y + vy * STEP_S, z + vz * STEP_S
        if y > release.wall_y - CLEARANCE_M:
            y, vy = release.wall_y - CLEARANCE_M, -abs(vy) * REBOUND_OF_WALL
        if ledge_z is not None and z < ledge_z:
            ledge_z, vz, vy, vx = None, -0.3 * vz, -0.1 * abs(vz) - 0.5, vx + 0.1 * vz
        points.append((x, y, z))
        if z <= 0:
            break
    return Flight(np.arange(len(points), dtype=np.float64) * STEP_S, np.array(points))


def _gusts(rng: np.random.Generator, wind: Wind, steps: int) -> list[tuple[float, float]]:
    """Return the wind at every step. Gusts are drawn ten times a second, and straight between."""
    count = int(steps * STEP_S * 10) + 2
    keep = float(np.exp(-0.1 / wind.memory_s))
    kicks = rng.normal(0.0, wind.gusts * (1 - keep**2) ** 0.5 if wind.gusts else 0.0, (count, 2))
    state = rng.normal(0.0, wind.gusts, 2) if wind.gusts else np.zeros(2)
    walk = np.empty((count, 2))
    for i in range(count):
        state = state * keep + kicks[i]
        walk[i] = state
    walk[:, 1] *= 0.4  # a wall is near: air moves along it
    at = np.arange(steps) * STEP_S
    knots = np.arange(count) * 0.1
    across = np.interp(at, knots, walk[:, 0]) + wind.x
    forth = np.interp(at, knots, walk[:, 1]) + wind.y
    return list(zip(across.tolist(), forth.tolist(), strict=True))


def _pushes(rng: np.random.Generator, release: Release, steps: int) -> list[tuple[float, float, float]]:
    """Return for every step the push by flutter along x and y in m/s2, and a factor on the drag."""
    flutter = release.flutter
    if flutter is None:
        return [(0.0, 0.0, 1.0)] * steps
    at = np.arange(steps) * STEP_S
    turn = 2 * np.pi * flutter.rate_hz * at + flutter.phase
    if flutter.manner == "swing":
        push = flutter.glide * GRAVITY_MPS2 * np.sin(turn)
        lift = 1.0 + 0.6 * np.cos(2 * turn)
    else:
        flips = np.cumsum(rng.random(steps) < 0.35 * STEP_S) % 2 * 2 - 1
        push = flutter.glide * GRAVITY_MPS2 * flips * (0.7 + 0.5 * np.sin(turn))
        lift = 1.0 + 0.8 * np.sin(turn) ** 3
    heading = flutter.heading + 0.6 * np.sin(0.7 * at + flutter.phase)
    along, forth = push * np.cos(heading), push * np.sin(heading)
    return list(zip(along.tolist(), forth.tolist(), np.maximum(lift, 0.15).tolist(), strict=True))
