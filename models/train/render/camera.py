"""One camera before one scene: light in, grey levels out, as a surveillance camera would make them.

The scene stands still, so nearly all of a picture is known beforehand: toned and sharpened once. What moves is
composited in linear light on its own small rectangle, and only the difference it makes is toned, sharpened, moved
with the shaking picture, and added. Noise is one prepared field, laid anew for every frame and scaled by level.
The denoiser mixes in the last picture, except where something plainly moves, which leaves ghosts of what does
not stand off enough; where nothing moves it is the same for all pixels, so only the rectangles need the long way.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision.sight import Luma
from models.train.render.lens import Look
from models.train.render.optics import (
    TILE_SPARE,
    blurred,
    cut,
    denoised,
    lay_over,
    moved,
    noise_tile,
    sharpened,
    sigma_map,
    vignette,
)
from models.train.render.parts import Patch, Plane, View, Weather
from models.train.render.scene import Scene

PER_LEVEL = 16  # steps of a grey level in the table of gains
MARGIN = 4  # px that blur and sharpening reach
GHOSTS = 6  # frames for which a rectangle is denoised with care after something was in it
CROWD = 48  # rectangles beyond which the whole picture is denoised with care
SEEN = 0.12


@dataclass(frozen=True, slots=True)
class Shot:
    """A patch on its way into the picture. `glows`: it brings its own light; `overlay`: the recorder writes it."""

    patch: Patch
    glows: bool = False
    overlay: bool = False
    watched: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a watched patch shows: box (x, y, w, h) in px of the picture, and its contrast in grey levels."""

    box: tuple[float, float, float, float]
    contrast: float


@dataclass(frozen=True, slots=True)
class _Rectangle:
    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    @property
    def empty(self) -> bool:
        return self.x1 <= self.x0 or self.y1 <= self.y0


class Camera:
    """Makes pictures of a scene. `shoot` is called once per frame, in order."""

    def __init__(self, rng: np.random.Generator, view: View, scene: Scene, look: Look) -> None:
        self.look, self.scene, self._rng = look, scene, rng
        self._shape = (view.height, view.width)
        fall_off = vignette(view, look.vignette)
        self._bright = fall_off * scene.incident
        linear = cv2.GaussianBlur(scene.light, (0, 0), look.psf_px) * fall_off
        self._linear = np.ascontiguousarray(linear, np.float32)
        self._work = self._linear.copy()
        level = look.tone.level(self._linear)
        self._base = sharpened(level, look)
        self._codes: NDArray[np.uint16] | None = None
        self._sigma = sigma_map(look, level)
        self._tile = noise_tile(rng, look, self._shape)
        self._scratch = np.empty(self._shape, np.float32)
        self._kept: Plane | None = None
        self._recent: deque[list[_Rectangle]] = deque(maxlen=GHOSTS)

    def shoot(self, shots: Iterable[Shot], weather: Weather) -> tuple[Luma, list[Seen | None]]:
        """Return the next picture, and where the watched shots show in it (None: they do not)."""
        listed = list(shots)
        base = self._moved(weather)
        cv2.multiply(self._noise(), self._sigma, dst=self._scratch)
        cv2.add(self._scratch, base, dst=self._scratch)
        touched, seen = self._composite([shot for shot in listed if not shot.overlay], weather)
        rectangles = [self._add(rectangle, weather) for rectangle in touched]
        self._denoise([each for each in rectangles if not each.empty])
        assert self._kept is not None
        picture = cv2.convertScaleAbs(self._kept).reshape(self._shape).astype(np.uint8, copy=False)
        for shot in listed:
            if shot.overlay:
                lay_over(picture, shot.patch, self.look)
        return picture, seen

    def _composite(self, shots: list[Shot], weather: Weather) -> tuple[list[_Rectangle], list[Seen | None]]:
        """Lay the patches one over the other into the linear picture; return where, and where the watched show."""
        touched: list[_Rectangle] = []
        seen: list[Seen | None] = []
        for shot in shots:
            patch = blurred(shot.patch, self.look.psf_px)
            rectangle = self._clip(
                patch.x, patch.y, patch.x + patch.cover.shape[1], patch.y + patch.cover.shape[0]
            )
            if rectangle.empty:
                seen += [None] if shot.watched else []
                continue
            cover, light = cut(patch, rectangle.slices)
            free = self.scene.free[rectangle.slices]
            cover = cover * free
            light = light * free if shot.glows else light * free * self._bright[rectangle.slices]
            behind = self._work[rectangle.slices]
            mixed = behind * (1 - cover) + light
            if shot.watched:
                seen.append(self._look_at(cover, behind, mixed, rectangle, weather))
            behind[...] = mixed
            touched.append(rectangle)
        return touched, seen

    def _look_at(
        self, cover: Plane, behind: Plane, mixed: Plane, rectangle: _Rectangle, weather: Weather
    ) -> Seen | None:
        off = np.abs(self.look.tone.level(mixed) - self.look.tone.level(behind))
        at = (rectangle.x0 + weather.shift_x, rectangle.y0 + weather.shift_y)
        return seen_of(cover, off, at, self._shape)

    def _add(self, rectangle: _Rectangle, weather: Weather) -> _Rectangle:
        """Add what the linear picture changed by in a rectangle, moved as the picture is; restore it behind."""
        wide = self._clip(
            rectangle.x0 - MARGIN, rectangle.y0 - MARGIN, rectangle.x1 + MARGIN, rectangle.y1 + MARGIN
        )
        now, still = self._work[wide.slices], self._linear[wide.slices]
        gain = np.float32(weather.gain)
        delta = self.look.tone.level(now if gain == 1 else now * gain) - self.look.tone.level(still * gain)
        self._work[rectangle.slices] = self._linear[rectangle.slices]
        delta = sharpened(delta, self.look)
        whole_x, whole_y = int(np.floor(weather.shift_x)), int(np.floor(weather.shift_y))
        rest_x, rest_y = weather.shift_x - whole_x, weather.shift_y - whole_y
        if rest_x or rest_y:
            matrix = np.array([[1, 0, rest_x], [0, 1, rest_y]], np.float32)
            delta = np.asarray(cv2.warpAffine(delta, matrix, (delta.shape[1], delta.shape[0])), np.float32)
        place = self._clip(wide.x0 + whole_x, wide.y0 + whole_y, wide.x1 + whole_x, wide.y1 + whole_y)
        if not place.empty:
            left, top = place.x0 - wide.x0 - whole_x, place.y0 - wide.y0 - whole_y
            self._scratch[place.slices] += delta[
                top : top + place.y1 - place.y0, left : left + place.x1 - place.x0
            ]
        return place

    def _denoise(self, rectangles: list[_Rectangle]) -> None:
        if self._kept is None or not self.look.keep:
            self._kept = self._scratch.copy() if self._kept is None else self._scratch
            return
        self._recent.append(rectangles)
        careful = [] if self.look.plain else [each for frame in self._recent for each in frame]
        if len(careful) > CROWD:
            careful = [_Rectangle(0, 0, self._shape[1], self._shape[0])]
        before = [self._kept[each.slices].copy() for each in careful]
        cv2.accumulateWeighted(self._scratch, self._kept, 1 - self.look.keep)
        for each, last in zip(careful, before, strict=True):
            self._kept[each.slices] = denoised(last, self._scratch[each.slices], self.look)

    def _moved(self, weather: Weather) -> Plane:
        """Return the still picture under this weather."""
        base = self._base
        if weather.gain != 1.0:
            if self._codes is None:
                self._codes = (np.clip(base, 0, 255) * PER_LEVEL).astype(np.uint16)
            table = self.look.tone.gained(weather.gain, 255 * PER_LEVEL + 1, PER_LEVEL)
            base = np.take(table, self._codes, mode="clip")
        return moved(base, weather)

    def _noise(self) -> Plane:
        top, left = self._rng.integers(0, TILE_SPARE, 2)
        height, width = self._shape
        part = self._tile[top : top + height, left : left + width]
        return part[:: -1 if self._rng.random() < 0.5 else 1]

    def _clip(self, x0: int, y0: int, x1: int, y1: int) -> _Rectangle:
        height, width = self._shape
        return _Rectangle(max(x0, 0), max(y0, 0), min(x1, width), min(y1, height))


def seen_of(cover: Plane, off: Plane, at: tuple[float, float], shape: tuple[int, int]) -> Seen | None:
    """Return where a patch shows, and how: its cover, by how much each pixel changes, and its corner (x, y).

    `shape` is that of the picture; None where it covers too little of any pixel's exposure.
    """
    rows, columns = np.nonzero(cover > SEEN)
    if not len(rows):
        return None
    height, width = shape
    left = min(max(at[0] + columns.min(), 0.0), width - 1.0)
    top = min(max(at[1] + rows.min(), 0.0), height - 1.0)
    right = min(at[0] + columns.max() + 1, float(width))
    bottom = min(at[1] + rows.max() + 1, float(height))
    contrast = float(off[cover >= 0.5 * cover.max()].mean())
    return Seen((float(left), float(top), float(right - left), float(bottom - top)), contrast)
