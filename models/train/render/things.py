"""Falling things before the camera: a flight and a body become one motion-blurred patch per exposure.

A thing may have company: its image in the windows' glass (the same thing as far behind the wall as it is before
it, seen through the glass only) and its shadow on a sunlit wall. Real footage shows both; neither is another fall.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.train.render.bodies import Body, Outline
from models.train.render.flight import Flight
from models.train.render.parts import Patch, Plane, View

Points: TypeAlias = NDArray[np.float64]
Ghost: TypeAlias = Callable[[Points], Points]

LEAST_SAMPLES, MOST_SAMPLES = 3, 40
FINE_PX = 14.0  # what is smaller is drawn at four times the resolution
FRACTION = 4  # bits behind the point in what OpenCV's polygons take
WEAKEST = 0.004


@dataclass(frozen=True)
class Thing:
    """One falling thing, or an image of it. `starts_s` is its release in time of the stream.

    `ghost` moves its world points to where the image is; `glass` (h, w) is where the image can show at all, and
    `strength` how much of it does. With `shade` it is a shadow: it takes light and brings none.
    `row_s` is how much later the next row of the picture is exposed (rolling shutter).
    """

    view: View
    flight: Flight
    body: Body
    starts_s: float
    row_s: float = 0.0
    ghost: Ghost | None = None
    glass: Plane | None = None
    strength: float = 1.0
    shade: bool = False
    cause: str = "object"

    def patches(self, opens_s: float, closes_s: float) -> Iterable[Patch]:
        """Yield its streak over one exposure."""
        times = self._instants(opens_s, closes_s)
        if times is None:
            return
        patch = self._drawn(times)
        if patch is not None:
            yield self._through_glass(patch)

    def over(self, time_s: float) -> bool:
        """Return whether it lies on the ground."""
        return time_s > self.starts_s + self.flight.lasts_s

    def width_px(self, time_s: float) -> float:
        """Return the smaller side of its outline in the picture, without blur."""
        since = time_s - self.starts_s
        _, depths = self.view.project(self._places(np.array([since])))
        return self.body.width_m(since) * self.view.focal_px / max(float(depths[0]), 0.1)

    def _places(self, since: Points) -> Points:
        points = self.flight.at(since)
        return self.ghost(points) if self.ghost else points

    def _instants(self, opens_s: float, closes_s: float) -> Points | None:
        """Return the times, since its release, at which it is drawn; None when it is not in the air or in sight."""
        ends = np.array([opens_s, closes_s]) - self.starts_s
        if ends[1] <= 0 or ends[0] >= self.flight.lasts_s:
            return None
        centres, depths = self.view.project(self._places(ends))
        if not np.isfinite(centres).all() or depths.min() < 0.3:
            return None
        reach = 0.6 * self.view.focal_px / float(depths.min()) + 10
        if (centres < -reach).all(axis=0).any() or (
            (centres > (self.view.width + reach, self.view.height + reach)).all(axis=0).any()
        ):
            return None
        ends = ends + centres[:, 1] * self.row_s
        if ends[1] - ends[0] < 1e-5:
            ends[1] = ends[0] + 1e-5
        travelled = float(np.hypot(*(centres[1] - centres[0])))
        width = max(1.0, self.body.width_m(float(ends[0])) * self.view.focal_px / float(depths.min()))
        count = int(np.clip(round(2.2 * travelled / width) + LEAST_SAMPLES, LEAST_SAMPLES, MOST_SAMPLES))
        times = ends[0] + (np.arange(count) + 0.5) * ((ends[1] - ends[0]) / count)
        inside = times[(times > 0) & (times < self.flight.lasts_s)]
        return inside if len(inside) else None

    def _drawn(self, times: Points) -> Patch | None:
        centres, depths = self.view.project(self._places(times))
        scales = self.view.focal_px / depths
        poses = [self.body.outlines(float(t)) for t in times[:: max(1, len(times) // 4)]]
        extent = max(float(np.abs(each.points).max()) for pose in poses for each in pose) * float(
            scales.max()
        )
        low = np.floor(centres.min(axis=0) - extent - 2).astype(int)
        high = np.ceil(centres.max(axis=0) + extent + 2).astype(int)
        low, high = np.maximum(low, -64), np.minimum(high, (self.view.width + 64, self.view.height + 64))
        if (high - low < 2).any():
            return None
        fine = 4 if extent < FINE_PX else 1
        size = tuple((high - low) * fine)
        cover: Plane = np.zeros((size[1], size[0]), np.float32)
        light: Plane = np.zeros_like(cover)
        for i, (centre, scale) in enumerate(zip(centres, scales, strict=True)):
            pose = poses[min(i * len(poses) // len(times), len(poses) - 1)]
            _stamp(cover, light, pose, centre=(centre - low) * fine, scale=scale * fine, share=1 / len(times))
        if fine > 1:
            shape = (int(high[0] - low[0]), int(high[1] - low[1]))
            cover = np.asarray(cv2.resize(cover, shape, interpolation=cv2.INTER_AREA), np.float32)
            light = np.asarray(cv2.resize(light, shape, interpolation=cv2.INTER_AREA), np.float32)
        cover *= np.float32(self.strength)
        light *= np.float32(0 if self.shade else self.strength)
        return Patch(int(low[0]), int(low[1]), cover, light)

    def _through_glass(self, patch: Patch) -> Patch:
        if self.glass is None:
            return patch
        seen = window(self.glass, patch.x, patch.y, patch.cover.shape)
        return Patch(patch.x, patch.y, patch.cover * seen, patch.light * seen)


def window(plane: Plane, x: int, y: int, shape: tuple[int, ...]) -> Plane:
    """Return a part of a plane; what lies outside it is zero."""
    result = np.zeros(shape, np.float32)
    top, left = max(y, 0), max(x, 0)
    bottom, right = min(y + shape[0], plane.shape[0]), min(x + shape[1], plane.shape[1])
    if bottom > top and right > left:
        result[top - y : bottom - y, left - x : right - x] = plane[top:bottom, left:right]
    return result


def _stamp(
    cover: Plane, light: Plane, pose: list[Outline], *, centre: Points, scale: float, share: float
) -> None:
    """Add one instant: the outlines in turn, the later hiding the earlier, for a share of the exposure."""
    spread = max(float(np.abs(each.points).max()) for each in pose) * scale + 3
    x0, y0 = np.maximum(np.floor(centre - spread).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(centre + spread).astype(int), (cover.shape[1], cover.shape[0]))
    if x1 <= x0 or y1 <= y0:
        return
    whole = np.zeros((y1 - y0, x1 - x0), np.uint8)
    bright: Plane = np.zeros(whole.shape, np.float32)
    for each in pose:
        mask = np.zeros_like(whole)
        points = (each.points * (scale, -scale) + centre - (x0, y0) - 0.5) * (1 << FRACTION)
        cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 255, cv2.LINE_AA, FRACTION)
        part = mask.astype(np.float32) * np.float32(1 / 255)
        bright += part * (np.float32(each.light) - bright)
        whole = np.maximum(whole, mask)
    cover[y0:y1, x0:x1] += whole.astype(np.float32) * (share / 255)
    light[y0:y1, x0:x1] += bright * np.float32(share)


def mirrored(wall_y: float, tilt: float) -> Ghost:
    """Return where the image in glass at `wall_y` is; panes stand a little open: `tilt` m aside per m of depth."""

    def move(points: Points) -> Points:
        image = points.copy()
        before = wall_y - points[:, 1]
        image[:, 1] = wall_y + before
        image[:, 0] += 0.15 + tilt * (1 + before)
        return image

    return move


def shadowed(wall_y: float, aside: float, down: float) -> Ghost:
    """Return where the shadow on the wall is: `aside` and `down` m per m before the wall."""

    def move(points: Points) -> Points:
        image = points.copy()
        before = wall_y - points[:, 1]
        image[:, 0] += aside * before
        image[:, 1] = wall_y
        image[:, 2] -= down * before
        return image

    return move
