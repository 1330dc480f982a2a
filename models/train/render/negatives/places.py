"""Where things are: world points found from picture points, and paths through them over time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.train.render.negatives.dice import Dice, Span
from models.train.render.parts import View

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Path:
    """A table of (n,) times and (n, k) values, straight between the entries; ends are held."""

    times: Points
    points: Points

    @property
    def starts_s(self) -> float:
        """Return the first time of the table."""
        return float(self.times[0])

    @property
    def ends_s(self) -> float:
        """Return the last time of the table."""
        return float(self.times[-1])

    def at(self, times: Points) -> Points:
        """Return the (m, k) values at (m,) times."""
        columns = [np.interp(times, self.times, self.points[:, k]) for k in range(self.points.shape[1])]
        return np.stack(columns, axis=1)


def unproject(view: View, across: float, down: float, y: float) -> Points:
    """Return the world point `y` metres away (measured along the ground) that shows at a picture point.

    A ray that climbs steeper than 80 degrees would meet that distance too high up; it is cut off there.
    """
    pitch = np.radians(view.pitch_deg)
    right = (across - view.width / 2 + view.left_px) / view.focal_px
    up = (view.height / 2 - view.top_px - down) / view.focal_px
    forth = max(np.cos(pitch) - up * np.sin(pitch), 0.17)
    rise = np.sin(pitch) + up * np.cos(pitch)
    return np.array([right * y / forth, y, view.height_m + rise * y / forth])


def somewhere(
    dice: Dice, view: View, *, rows: Span = (0.1, 0.9), columns: Span = (0.08, 0.92), y: float | None = None
) -> Points:
    """Return a world point that shows in the given share of the picture, on the facade unless `y` says else."""
    across = dice.between(columns) * view.width
    down = dice.between(rows) * view.height
    return unproject(view, across, down, view.distance_m if y is None else y)


def scale_at(view: View, point: Points) -> float:
    """Return the pixels per metre at a world point."""
    depth = view.project(point[None, :])[1][0]
    return float(view.focal_px / max(depth, 0.05))


def clock(starts_s: float, lasts_s: float, rate_hz: float = 60.0) -> Points:
    """Return evenly spaced times of a path."""
    return starts_s + np.linspace(0.0, lasts_s, max(2, int(lasts_s * rate_hz) + 1))


def travel(times: Points, velocity: Points, *, through: Points, share: float = 0.5) -> Path:
    """Integrate (n, 3) velocities over (n,) times so that the path is at `through` at `share` of its time."""
    steps = np.diff(times)[:, None] * (velocity[1:] + velocity[:-1]) / 2
    points = np.concatenate([np.zeros((1, velocity.shape[1])), np.cumsum(steps, axis=0)])
    return Path(times, points - points[int(share * (len(times) - 1))] + through)


def straight(start: Points, end: Points, starts_s: float, ends_s: float) -> Path:
    """Return the path from one point to another at constant velocity."""
    return Path(np.array([starts_s, ends_s]), np.stack([start, end]))


def wander(dice: Dice, times: Points, *, sigma: float, memory_s: float, columns: int = 1) -> Points:
    """Return (n, columns) values of a random walk pulled back to zero (Ornstein-Uhlenbeck)."""
    keep = np.exp(-np.diff(times, prepend=times[0] - 1 / 60) / memory_s)
    kicks = dice.rng.normal(0.0, 1.0, (len(times), columns)) * sigma * np.sqrt(1 - keep**2)[:, None]
    values = np.empty((len(times), columns))
    state = dice.rng.normal(0.0, sigma, columns)
    for i in range(len(times)):
        state = state * keep[i] + kicks[i]
        values[i] = state
    return values
