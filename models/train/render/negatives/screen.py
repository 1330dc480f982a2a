"""What the recorder and the sensor put into the picture: clocks, captions, hot pixels, broken macroblocks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models.train.render.negatives.dice import Dice
from models.train.render.negatives.places import Points
from models.train.render.parts import Agent, Disturbance, Patch, Plane, View, Weather

BLOCK = 16  # pixels of a macroblock
FONTS = (cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX)


@dataclass(slots=True)
class Caption:
    """Text that the recorder writes: a clock that counts, or a line that scrolls by `drift` px per second."""

    cause: str
    view: View
    x: float
    y: float
    size: float
    font: int
    text: str
    first_s: float
    drift: tuple[float, float]
    frames: bool
    ends_s: float
    glows: bool = True
    overlay: bool = True

    def written(self, time_s: float) -> str:
        """Return what it says at a time."""
        if self.text:
            return self.text
        now = self.first_s + time_s
        hours, minutes, rest = int(now // 3600) % 24, int(now // 60) % 60, now % 60
        tail = f".{int(rest % 1 * 1000):03d}" if self.frames else ""
        return f"2024-05-{1 + int(now // 86400):02d} {hours:02d}:{minutes:02d}:{int(rest):02d}{tail}"

    def patches(self, opens_s: float, closes_s: float) -> Iterable[Patch]:
        """Yield the text, white with a dark rim."""
        words = self.written(opens_s)
        (wide, tall), under = cv2.getTextSize(words, self.font, self.size, 2)
        rim = np.zeros((tall + under + 6, wide + 6), np.uint8)
        ink = np.zeros_like(rim)
        cv2.putText(rim, words, (3, tall + 3), self.font, self.size, 255, 4, cv2.LINE_AA)
        cv2.putText(ink, words, (3, tall + 3), self.font, self.size, 255, 1, cv2.LINE_AA)
        x = (self.x + self.drift[0] * opens_s + wide) % (self.view.width + 2 * wide) - wide
        y = (self.y + self.drift[1] * opens_s) % (self.view.height + tall)
        scale = np.float32(1 / 255)
        yield Patch(int(x), int(y), np.maximum(rim, ink) * scale, ink * scale)

    def over(self, time_s: float) -> bool:
        """Return whether the stream has ended."""
        return time_s > self.ends_s


def osd(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return a running clock, and a caption that scrolls across or, at times, down."""
    size, font = view.height / 1080 * dice.between((0.9, 1.8), (0.7, 2.4)), dice.one(FONTS)
    corner = (dice.one((0.02, 0.6)) * view.width, dice.one((0.02, 0.92)) * view.height)
    now = dice.between((0.0, 86400.0))
    found: list[Agent] = [
        Caption("osd", view, *corner, size, font, "", now, (0.0, 0.0), dice.chance(0.3), seconds),
    ]
    drift = (
        (dice.between((-300.0, -60.0)), 0.0)
        if dice.chance(0.5)
        else (0.0, dice.between((40.0, 300.0), (80.0, 500.0)))
    )
    place = dice.between((0.1, 0.8)) * view.width, dice.between((0.1, 0.9)) * view.height
    words = dice.one(("CAMERA 01", "BUILDING 7 WEST", "CH12 1080P 25FPS", "REC", "+"))
    found.append(Caption("osd", view, *place, size, font, words, 0.0, drift, False, seconds))
    return found


@dataclass(slots=True)
class HotPixels:
    """Single pixels that flicker; each is lit in a random share of the frames."""

    cause: str
    places: Points
    lights: Points
    seed: int
    ends_s: float
    glows: bool = True
    overlay: bool = True

    def patches(self, opens_s: float, closes_s: float) -> Iterable[Patch]:
        """Yield the pixels lit in this frame."""
        rng = np.random.default_rng([self.seed, round(opens_s * 1000)])
        for i in np.flatnonzero(rng.random(len(self.places)) < 0.4):
            cover = np.ones((1, 1), np.float32)
            yield Patch(
                int(self.places[i, 0]), int(self.places[i, 1]), cover, cover * np.float32(self.lights[i])
            )

    def over(self, time_s: float) -> bool:
        """Return whether the stream has ended."""
        return time_s > self.ends_s


@dataclass(slots=True)
class Garbage:
    """Broken macroblocks between two times: rows of blocks with the wrong content, which may creep downward."""

    cause: str
    view: View
    x: int
    y: int
    blocks: Points  # (rows, columns) of light, each a quarter of a macroblock
    creep_px_s: float
    starts_s: float
    ends_s: float
    glows: bool = True
    overlay: bool = True

    def patches(self, opens_s: float, closes_s: float) -> Iterable[Patch]:
        """Yield the broken row of blocks."""
        if closes_s < self.starts_s or opens_s > self.ends_s:
            return
        smooth = np.kron(self.blocks, np.ones((BLOCK // 2, BLOCK // 2)))
        light: Plane = smooth.astype(np.float32)
        down = self.y + int(self.creep_px_s * (opens_s - self.starts_s) / BLOCK) * BLOCK
        if down < self.view.height:
            yield Patch(self.x, down, np.ones_like(light), light)

    def over(self, time_s: float) -> bool:
        """Return whether the picture is whole again."""
        return time_s > self.ends_s


@dataclass(slots=True)
class Jump:
    """A picture that stood still for a moment and then jumps to where it should be."""

    cause: str
    at_s: float
    lasts_s: float
    shift: tuple[float, float]

    def weather(self, time_s: float) -> Weather:
        """Return the shift while the picture is late."""
        late = self.at_s <= time_s < self.at_s + self.lasts_s
        return Weather(shift_x=self.shift[0], shift_y=self.shift[1]) if late else Weather()


def dust_noise(dice: Dice, view: View, seconds: float) -> Sequence[Agent | Disturbance]:
    """Return hot pixels, bursts of broken macroblocks, and jumps of a late picture."""
    count = dice.count((10, 25), (15, 40))
    places = dice.rng.uniform((0, 0), (view.width, view.height), (count, 2))
    lights = dice.rng.uniform(0.3, 1.2, count)
    found: list[Agent | Disturbance] = [
        HotPixels("dust_noise", places, lights, int(dice.rng.integers(1 << 30)), seconds)
    ]
    for begins in dice.moments(seconds, every_s=1.2, lasts_s=0.3):
        for _ in range(dice.count((1, 3), (1, 5))):
            found.append(_garbage(dice, view, begins))
    begins = dice.moments(seconds, every_s=seconds, lasts_s=0.5)[0]
    shift = (dice.rng.normal(0, 2.0), dice.rng.normal(0, 3.0))
    found.append(Jump("dust_noise", begins, dice.between((0.04, 0.3)), shift))
    return found


def _garbage(dice: Dice, view: View, begins: float) -> Garbage:
    """Return one row of broken blocks for a few frames."""
    wide, tall = dice.count((1, 14)), dice.count((1, 3))
    x = dice.count((0, view.width // BLOCK)) * BLOCK
    y = dice.count((0, view.height // BLOCK)) * BLOCK
    rough = dice.rng.uniform(0.1, 0.9) + dice.rng.normal(0.0, 0.15, (tall * 2, wide * 2))
    creep = dice.between((200.0, 2500.0)) if dice.chance(0.4) else 0.0
    lasts = dice.between((0.04, 0.25)) if creep == 0 else dice.between((0.2, 0.6))
    return Garbage("dust_noise", view, x, y, np.clip(rough, 0.0, 1.2), creep, begins, begins + lasts)
