"""What a rendered street is made of: a view, and agents that throw light into it. The renderer's contract.

The world is in metres: x along the facade to the right, y away from the camera, z up from the camera's ground.
Light is linear radiance, 0 dark to 1 the white of a sunlit wall. An agent is anything that moves: it says
which pixels it covers during one exposure and what light it brings; the camera does the rest (tone, noise,
sharpening, denoise, shake, codec).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class View:
    """A pinhole camera at `height_m` above ground, looking up by `pitch_deg` at a facade `distance_m` away.

    `focal_px` is the focal length in pixels of the (width, height) picture. `left_px`/`top_px` shift the
    principal point, so that a part of a larger picture can be rendered alone.
    """

    width: int
    height: int
    focal_px: float
    pitch_deg: float
    distance_m: float
    height_m: float = 3.0
    left_px: float = 0.0
    top_px: float = 0.0

    def project(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return ((n, 2) pixel positions, (n,) depths in m) of (n, 3) points of the world; depth <= 0 is behind."""
        pitch = np.radians(self.pitch_deg)
        x, y, z = points[:, 0], points[:, 1], points[:, 2] - self.height_m
        depth = y * np.cos(pitch) + z * np.sin(pitch)
        up = z * np.cos(pitch) - y * np.sin(pitch)
        safe = np.where(depth > 0.05, depth, np.nan)
        across = self.width / 2 - self.left_px + self.focal_px * x / safe
        down = self.height / 2 - self.top_px - self.focal_px * up / safe
        return np.stack([across, down], axis=1), depth

    def pixels_per_metre(self, z: float) -> float:
        """Return the size of a metre on the facade at height `z`, in pixels."""
        pitch = np.radians(self.pitch_deg)
        return float(self.focal_px / (self.distance_m * np.cos(pitch) + (z - self.height_m) * np.sin(pitch)))


@dataclass(frozen=True, slots=True)
class Patch:
    """The light of one thing over one exposure; `x`, `y` are the pixel of the upper left corner.

    `cover` (h, w) is the share 0..1 of the exposure for which the pixel is covered; `light` (h, w) is the
    radiance times that share. The camera shows `(1 - cover) * behind + light`. It may reach past the picture.
    """

    x: int
    y: int
    cover: Plane
    light: Plane


class Agent(Protocol):
    """One moving thing. `cause` names it: "object" for a falling one, else the negative cause it stands for."""

    cause: str

    def patches(self, opens_s: float, closes_s: float) -> Iterable[Patch]:
        """Yield what it shows between two times of the stream (the shutter); nothing when it is out of view."""
        ...

    def over(self, time_s: float) -> bool:
        """Return whether it will never show again."""
        ...


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to the whole picture at a time: gain of all light, a shift by shaking in px, and a roll in mrad."""

    gain: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    roll_mrad: float = 0.0


@runtime_checkable
class Disturbance(Protocol):
    """Something that happens to the whole camera: shake, clouds, lightning, the infra-red switch."""

    cause: str

    def weather(self, time_s: float) -> Weather:
        """Return what it does at that time."""
        ...
