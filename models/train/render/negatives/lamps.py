"""Light that moves or changes on the facade: windows, signs, headlights, shadows, reflections in glass."""

from collections.abc import Sequence

import cv2
import numpy as np

from models.train.render.negatives.actors import Course, Figure, Lamp, Motion, Sprite, rigid
from models.train.render.negatives.dice import Dice
from models.train.render.negatives.drawing import Part
from models.train.render.negatives.places import Path, Points, clock, scale_at, somewhere, travel, wander
from models.train.render.negatives.shapes import oval
from models.train.render.parts import Agent, Patch, Plane, View

FLOOR_M = 2.9


def pane(view: View, place: Points, wide_m: float, tall_m: float, *, light: float, cover: float) -> Patch:
    """Return a rectangle on the facade, cut by a cross bar, as a patch."""
    scale = scale_at(view, place)
    wide, tall = (int(np.clip(side * scale, 2, 300)) for side in (wide_m, tall_m))
    x, y = view.project(place[None, :])[0][0]
    shown = np.full((tall, wide), cover, np.float32)
    if wide > 12:
        shown[:, wide // 2 - 1 : wide // 2 + 1] *= 0.2
    return Patch(int(x - wide / 2), int(y - tall / 2), shown, shown * np.float32(light))


def lights(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return windows switched on and off, a television's flicker, blinking signs, and lights that run downward."""
    found: list[Agent] = []
    for _ in range(dice.count((3, 6), (4, 8))):
        place = somewhere(dice, view)
        patch = pane(
            view,
            place,
            dice.between((0.5, 1.8)),
            dice.between((0.6, 1.6)),
            light=dice.between((0.3, 1.3)),
            cover=0.8,
        )
        course = dice.one((_switched, _television, _blinking))(dice, seconds)
        found.append(Lamp("lights", patch, course, 0.0, seconds))
    found.extend(_running(dice, view, seconds) if dice.chance(0.7) else _stairwell(dice, view, seconds))
    return found


def _switched(dice: Dice, seconds: float) -> Course:
    """Return on and off at random times; a tube flickers first."""
    turns = np.sort(dice.rng.uniform(0, seconds, dice.count((1, 4))))
    tube = dice.chance(0.4)

    def course(t: float) -> float:
        passed = int(np.searchsorted(turns, t))
        since = t - turns[passed - 1] if passed else 9.0
        shaky = tube and passed % 2 == 1 and since < 0.6 and int(since * 17) % 3 == 0
        return 1.0 if passed % 2 == 1 and not shaky else 0.0

    return course


def _television(dice: Dice, seconds: float) -> Course:
    """Return steps of brightness as scenes change, a few per second."""
    cuts = np.cumsum(dice.rng.exponential(1 / dice.between((1.5, 5.0), (3.0, 9.0)), int(seconds * 10) + 2))
    levels = dice.rng.uniform(0.05, 0.8, len(cuts) + 1)
    return lambda t: float(levels[np.searchsorted(cuts, t)])


def _blinking(dice: Dice, seconds: float) -> Course:
    """Return a steady blink."""
    rate, share = dice.between((0.5, 4.0), (1.0, 8.0)), dice.between((0.2, 0.7))
    return lambda t: 1.0 if (t * rate) % 1.0 < share else 0.0


def _running(dice: Dice, view: View, seconds: float) -> list[Agent]:
    """Return chains of lights along the facade in which a bright spot runs down, steadily or faster and faster."""
    top = somewhere(dice, view, rows=(0.05, 0.4))
    length, light = dice.between((1.5, 8.0), (3.0, 14.0)), dice.between((0.8, 1.6))
    chains: list[Agent] = []
    square = [Part(np.array([(-0.04, 0.0), (0.04, 0.0), (0.04, 0.3), (-0.04, 0.3)]), light)]
    for k in range(dice.count((1, 3))):
        lasts, rests = dice.between((0.6, 2.0), (0.4, 1.4)), dice.between((0.2, 1.5))
        part = ((clock(0.0, seconds) + dice.between((0.0, 1.0))) % (lasts + rests)) / lasts
        drop = np.round(np.clip(part, 0, 1) ** dice.one((1.0, 1.6, 2.0)) * length / 0.12) * 0.12
        offset = np.stack([np.full(len(part), 1.3 * k), np.full(len(part), -0.2), -drop], axis=1)
        path = Path(clock(0.0, seconds), top + offset)
        lit = _above(path, top[2] - length + 0.15)
        chains.append(Figure("lights", view, path, rigid(square), exposures=3, coming=lit, glows=True))
    return chains


def _above(path: Path, height_m: float) -> Course:
    """Return 1 while a path is above that height."""
    return lambda t: float(path.at(np.array([t]))[0, 2] > height_m)


def _stairwell(dice: Dice, view: View, seconds: float) -> list[Agent]:
    """Return stair lights that come on floor after floor downward, as steps set off their switches."""
    top = somewhere(dice, view, rows=(0.1, 0.3))
    pace, begins = dice.between((0.25, 1.2), (0.15, 0.8)), dice.between((0.0, 0.3 * seconds))
    found: list[Agent] = []
    for k in range(6):
        patch = pane(view, top - (0.0, 0.0, k * FLOOR_M), 0.6, 0.9, light=dice.between((0.7, 1.0)), cover=0.8)
        found.append(Lamp("lights", patch, _lit_from(begins + k * pace), 0.0, seconds))
    return found


def _lit_from(on_s: float) -> Course:
    """Return a light that goes out by itself after a while."""
    return lambda t: float(on_s <= t < on_s + 2.5)


def _blot(dice: Dice, *, cover: float, light: float, edge: float) -> Plane:
    """Return a soft uneven blot, coarse: it is meant to be laid over the picture much enlarged."""
    rough = cv2.resize(dice.rng.random((6, 6)).astype(np.float32), (40, 40), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[-1:1:40j, -1:1:40j]
    shown = np.clip((1 - np.hypot(x, y)) / edge, 0, 1) * np.clip(0.5 + rough, 0, 1)
    return np.stack([shown * cover, shown * light], axis=2).astype(np.float32)


def _laid(path: Path, wide_px: float, tall_px: float) -> Motion:
    """Return the motion that lays a 40 x 40 texture around a path's picture points."""

    def motion(time_s: float) -> Points:
        x, y = path.at(np.array([time_s]))[0]
        return np.array([[wide_px / 40, 0.0, x - wide_px / 2], [0.0, tall_px / 40, y - tall_px / 2]])

    return motion


def _sweep(dice: Dice, view: View, begins: float, lasts: float, *, power: float) -> Path:
    """Return picture points across or down the picture, speeding up with the given power of time."""
    times = clock(begins, lasts)
    part = ((times - begins) / lasts) ** power
    down = dice.chance(0.6)
    start = np.array([dice.between((0.1, 0.9)), -0.1 if down else dice.between((0.1, 0.8))])
    end = (
        np.array([start[0] + dice.rng.normal(0, 0.15), 1.1])
        if down
        else np.array([1.1, start[1] + dice.rng.normal(0, 0.2)])
    )
    points = start + part[:, None] * (end - start)
    return Path(times, points * (view.width, view.height))


def headlights(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return pools of light that sweep down or across the facade as cars turn below."""
    found: list[Agent] = []
    for begins in dice.moments(seconds, every_s=1.2, lasts_s=1.5):
        path = _sweep(
            dice, view, begins, dice.between((0.8, 3.0), (0.5, 2.0)), power=dice.between((1.0, 2.2))
        )
        texture = _blot(dice, cover=0.0, light=dice.between((0.05, 0.5)), edge=dice.between((0.1, 0.6)))
        wide, tall = (dice.between((0.05, 0.22), (0.03, 0.25)) * view.height for _ in range(2))
        found.append(
            Sprite(
                "headlights",
                view,
                texture,
                _laid(path, wide, tall),
                path.starts_s,
                path.ends_s,
                glows=True,
            )
        )
    return found


def shadows(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return shadows on the facade: of branches that sway, of birds that pass, of people and clouds."""
    found: list[Agent] = []
    for begins in dice.moments(seconds, every_s=1.5, lasts_s=1.5):
        small = dice.chance(0.6)
        lasts = dice.between((0.7, 2.0), (0.5, 1.5)) if small else dice.between((2.0, 5.0))
        path = _sweep(dice, view, begins, lasts, power=dice.between((1.0, 2.0), (1.0, 2.5)))
        wide = view.height * (
            dice.between((0.01, 0.04), (0.008, 0.05)) if small else dice.between((0.1, 0.28))
        )
        texture = _blot(dice, cover=dice.between((0.15, 0.6)), light=0.0, edge=dice.between((0.1, 0.8)))
        tall = wide * dice.between((0.5, 1.5))
        found.append(Sprite("shadow", view, texture, _laid(path, wide, tall), path.starts_s, path.ends_s))
    found.append(_swaying_shadow(dice, view, seconds))
    return found


def _swaying_shadow(dice: Dice, view: View, seconds: float) -> Sprite:
    """Return the shadow of a branch that moves to and fro."""
    times = clock(0.0, seconds, 30.0)
    rate, wide = 2 * np.pi * dice.between((0.3, 1.2), (0.5, 1.8)), dice.between((5.0, 40.0), (10.0, 60.0))
    spot = np.array([dice.between((0.1, 0.9)) * view.width, dice.between((0.2, 0.9)) * view.height])
    sway = np.stack([np.sin(rate * times), 0.4 * np.sin(1.7 * rate * times)], axis=1) * wide
    path = Path(times, spot + sway + wander(dice, times, sigma=4.0, memory_s=1.0, columns=2))
    size = dice.between((0.1, 0.25)) * view.height
    texture = _blot(dice, cover=dice.between((0.2, 0.6)), light=0.0, edge=0.3)
    return Sprite("shadow", view, texture, _laid(path, size, size), 0.0, seconds)


def reflections(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return things mirrored in a facade's glass, seen pane by pane only, and glints of windows that move."""
    found: list[Agent] = []
    grid = dice.between((1.5, 3.0)), dice.between((0.45, 0.75))
    for begins in dice.moments(seconds, every_s=1.5, lasts_s=1.5):
        times = clock(begins, dice.between((1.2, 3.0)))
        velocity = np.zeros((len(times), 3))
        velocity[:, 0] = dice.between((-6.0, 6.0))
        velocity[:, 2] = dice.between((-6.0, 3.0)) - dice.between((0.0, 6.0), (0.0, 9.0)) * (times - begins)
        path = travel(times, velocity, through=somewhere(dice, view, rows=(0.1, 0.6)), share=0.3)
        size = dice.between((0.12, 0.8), (0.2, 1.4))
        blob = [Part(oval(0.0, 0.0, size, 0.6 * size), dice.one((0.05, 0.15, 0.9, 1.2)))]
        shown, glass = dice.between((0.2, 0.7)), _in_a_pane(path, grid)
        found.append(Figure("reflection", view, path, rigid(blob), opacity=shown, coming=glass, exposures=6))
        found.append(_glint(dice, view, begins))
    return found


def _glint(dice: Dice, view: View, begins: float) -> Lamp:
    """Return the sun in a window that somebody moves."""
    place = somewhere(dice, view)
    patch = pane(view, place, dice.between((0.4, 1.2)), dice.between((0.5, 1.4)), light=1.5, cover=0.8)
    flash, wide = begins + dice.between((0.1, 0.6)), dice.between((0.05, 0.4))

    def course(t: float) -> float:
        return float(np.exp(-(((t - flash) / wide) ** 2)))

    return Lamp("reflection", patch, course, begins, begins + 3)


def _in_a_pane(path: Path, grid: tuple[float, float]) -> Course:
    """Return 1 while a path is within the glass of windows `grid` metres apart, of which a share is glass."""
    step, share = grid

    def course(t: float) -> float:
        x, _, z = path.at(np.array([t]))[0]
        return 1.0 if (x / step) % 1.0 < share + 0.1 and (z / FLOOR_M) % 1.0 < share else 0.0

    return course
