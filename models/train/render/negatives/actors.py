"""The few kinds of agent that every negative is made of: a mote, a figure, a sprite, a strand and a lamp.

Agents carry two facts beside the contract. `glows`: it shines by itself, so that night does not dim it.
`overlay`: it is written into the picture by the recorder, so that neither lens nor shake touches it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.train.render.negatives.drawing import Part, dashes, outlines, streak, warped
from models.train.render.negatives.places import Path, Points
from models.train.render.parts import Patch, Plane, View

Shape = Callable[[float], Sequence[Part]]  # outlines in metres around the thing's place: right, up
Motion = Callable[[float], NDArray[np.float64]]  # the 2x3 matrix from texture to picture
Course = Callable[[float], float]

EXPOSURES = 8


def instants(opens_s: float, closes_s: float, count: int = EXPOSURES) -> Points:
    """Return `count` times in the middle of equal parts of the exposure."""
    return np.asarray(opens_s + (np.arange(count) + 0.5) * ((closes_s - opens_s) / count), dtype=np.float64)


def rigid(parts: Sequence[Part]) -> Shape:
    """Return a shape that never changes."""
    return lambda _: parts


@dataclass(slots=True)
class Mote:
    """A small round thing. With `radius_m` its path is in the world; without, the path is (x, y, radius) in px.

    `beat_hz` makes its brightness beat, as wings do in front of an infra-red lamp.
    """

    cause: str
    view: View
    path: Path
    light: float
    radius_m: float = 0.0
    opacity: float = 1.0
    beat_hz: float = 0.0
    glows: bool = False
    overlay: bool = False

    def patches(self, opens_s: float, closes_s: float) -> Iterable[Patch]:
        """Yield its streak."""
        if closes_s < self.path.starts_s or opens_s > self.path.ends_s:
            return
        times = instants(opens_s, closes_s)
        places = self.path.at(times)
        centres, radii = places[:, :2], places[:, -1]
        if self.radius_m:
            centres, depths = self.view.project(places)
            if depths.min() < 0.1:
                return
            radii = self.view.focal_px * self.radius_m / depths
        weights = 0.6 + 0.6 * np.sin(times * (2 * np.pi * self.beat_hz)) if self.beat_hz else None
        patch = streak(self.view, centres, radii, light=self.light, opacity=self.opacity, weights=weights)
        if patch is not None:
            yield patch

    def over(self, time_s: float) -> bool:
        """Return whether its path has ended."""
        return time_s > self.path.ends_s


@dataclass(slots=True)
class Figure:
    """A thing of outlines, upright towards the camera, that moves through the world and changes its shape.

    `coming` says how much of it shows at a time, where that is not all of it.
    """

    cause: str
    view: View
    path: Path
    shape: Shape
    opacity: float = 1.0
    exposures: int = EXPOSURES
    coming: Course | None = None
    glows: bool = False
    overlay: bool = False

    def patches(self, opens_s: float, closes_s: float) -> Iterable[Patch]:
        """Yield its outlines over the exposure."""
        if closes_s < self.path.starts_s or opens_s > self.path.ends_s:
            return
        shown = self.opacity * (self.coming(opens_s) if self.coming else 1.0)
        if shown <= 0.01:
            return
        times = instants(opens_s, closes_s, self.exposures)
        centres, depths = self.view.project(self.path.at(times))
        if depths.min() < 0.1:
            return
        travelled = float(abs(centres[-1] - centres[0]).max())
        step = max(1, round(self.exposures / (2 + travelled)))  # what hardly moves needs few exposures
        scales = self.view.focal_px / depths
        shapes = [self.shape(float(t)) for t in instants(opens_s, closes_s, min(2, self.exposures))]
        patch = outlines(self.view, shapes, centres[::step], scales[::step], opacity=shown)
        if patch is not None:
            yield patch

    def over(self, time_s: float) -> bool:
        """Return whether its path has ended."""
        return time_s > self.path.ends_s


@dataclass(slots=True)
class Sprite:
    """A texture (h, w, 2) of cover and light, laid into the picture by a motion, shown by a course 0..1."""

    cause: str
    view: View
    texture: Plane
    motion: Motion
    starts_s: float
    ends_s: float
    course: Course | None = None
    exposures: int = 2
    glows: bool = False
    overlay: bool = False

    def patches(self, opens_s: float, closes_s: float) -> Iterable[Patch]:
        """Yield the texture where it is."""
        if closes_s < self.starts_s or opens_s > self.ends_s:
            return
        gain = self.course((opens_s + closes_s) / 2) if self.course else 1.0
        if gain <= 0.005:
            return
        motions = [self.motion(float(t)) for t in instants(opens_s, closes_s, self.exposures)]
        patch = warped(self.view, self.texture, motions, gain=min(gain, 1.0))
        if patch is not None:
            yield patch

    def over(self, time_s: float) -> bool:
        """Return whether its time has passed."""
        return time_s > self.ends_s


@dataclass(slots=True)
class Strand:
    """A thread or rope: `line` gives its (n, 2) points in the picture at a time.

    It is drawn in pieces, so that patches stay small.
    """

    cause: str
    view: View
    line: Callable[[float], Points]
    width_px: float
    light: float
    opacity: float
    starts_s: float
    ends_s: float
    glows: bool = False
    overlay: bool = False

    def patches(self, opens_s: float, closes_s: float) -> Iterable[Patch]:
        """Yield the pieces of the line."""
        if closes_s < self.starts_s or opens_s > self.ends_s:
            return
        points = self.line((opens_s + closes_s) / 2)
        pieces = np.ones(len(points) - 1)
        along = np.diff(points, axis=0)
        along *= self.width_px / 2 / np.maximum(np.hypot(along[:, 0], along[:, 1]), 1.0)[:, None]
        yield from dashes(
            self.view,
            points[:-1] + along / 2,
            points[1:] - along,  # so that two pieces do not cover a joint twice
            widths=pieces * self.width_px,
            opacities=pieces * self.opacity,
            light=self.light,
        )

    def over(self, time_s: float) -> bool:
        """Return whether its time has passed."""
        return time_s > self.ends_s


@dataclass(slots=True)
class Lamp:
    """A patch that stays where it is and whose strength 0..1 changes: windows, signs, glints."""

    cause: str
    patch: Patch
    course: Course
    starts_s: float
    ends_s: float
    glows: bool = True
    overlay: bool = False

    def patches(self, opens_s: float, closes_s: float) -> Iterable[Patch]:
        """Yield the patch at its strength of now."""
        gain = np.float32(np.mean([self.course(float(t)) for t in instants(opens_s, closes_s, 4)]))
        if gain > 0.004 and self.starts_s <= closes_s and opens_s <= self.ends_s:
            yield Patch(self.patch.x, self.patch.y, self.patch.cover * gain, self.patch.light * gain)

    def over(self, time_s: float) -> bool:
        """Return whether its time has passed."""
        return time_s > self.ends_s
