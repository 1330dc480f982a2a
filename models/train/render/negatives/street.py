"""Cars, e-bikes and people: along the lower edge, coming closer, leaning out of windows, going down stairs.

A camera that looks up sees no ground; where it does not, the road is one that climbs or a deck, so these start
from points of the picture and not from height zero.
"""

from collections.abc import Sequence

import numpy as np

from models.train.render.negatives.actors import Figure, Mote, Shape, rigid
from models.train.render.negatives.dice import Dice
from models.train.render.negatives.drawing import Part
from models.train.render.negatives.places import Path, clock, somewhere, straight, unproject
from models.train.render.negatives.shapes import limb, oval
from models.train.render.parts import Agent, View

FLOOR_M = 2.9


def vehicles(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return cars and e-bikes that pass below or come closer: nearing, they go down the picture ever faster."""
    found: list[Agent] = []
    for begins in dice.moments(seconds, every_s=1.6, lasts_s=2.0):
        path = (_nearing if dice.chance(0.6) else _passing)(dice, view, begins)
        shape = _car(dice) if dice.chance(0.6) else _bike(dice)
        found.append(Figure("vehicle", view, path, shape, exposures=4))
        if dice.chance(0.4):
            found.extend(_lamps(dice, view, path))
    return found


def _passing(dice: Dice, view: View, begins: float) -> Path:
    """Return a drive across the lower part of the picture."""
    y, lasts, down = (
        dice.between((0.5, 0.9)) * view.distance_m,
        dice.between((1.5, 4.0), (1.0, 3.0)),
        dice.between((0.8, 0.97)),
    )
    sides = (-0.15, 1.15) if dice.chance(0.5) else (1.15, -0.15)
    start, end = (unproject(view, side * view.width, down * view.height, y) for side in sides)
    return straight(start, end, begins, begins + lasts)


def _nearing(dice: Dice, view: View, begins: float) -> Path:
    """Return a drive towards the camera, from far in the picture to its lower edge."""
    lasts, across = dice.between((1.5, 4.0), (1.2, 3.0)), dice.between((0.2, 0.8))
    far, near = dice.between((35.0, 70.0), (30.0, 90.0)), dice.between((7.0, 12.0))
    start = unproject(view, across * view.width, dice.between((0.35, 0.75)) * view.height, far)
    end = unproject(view, (across + dice.rng.normal(0, 0.25)) * view.width, 1.15 * view.height, near)
    return straight(start, end, begins, begins + lasts)


def _car(dice: Dice) -> Shape:
    """Return the outline of a car: body, glass, wheels."""
    light, wide = dice.one((0.04, 0.1, 0.3, 0.6, 0.8)), dice.between((1.7, 4.6), (1.9, 6.0))
    body = np.array([(-wide / 2, 0.2), (-wide / 2, 0.8), (wide / 2, 0.8), (wide / 2, 0.2)])
    roof = np.array([(-wide * 0.36, 0.8), (-wide * 0.25, 1.45), (wide * 0.22, 1.45), (wide * 0.38, 0.8)])
    parts = [
        Part(body, light), Part(roof, light * 0.9), Part(roof * 0.85 + (0.0, 0.15), 0.08),
        Part(oval(-wide * 0.3, 0.3, 0.6, 0.6), 0.02), Part(oval(wide * 0.3, 0.3, 0.6, 0.6), 0.02),
    ]  # fmt: skip
    return rigid(parts)


def _bike(dice: Dice) -> Shape:
    """Return the outline of somebody on an electric bike."""
    light, coat = dice.between((0.05, 0.7)), dice.between((0.05, 0.8))
    parts = [
        Part(oval(-0.6, 0.3, 0.55, 0.6), 0.03), Part(oval(0.6, 0.3, 0.55, 0.6), 0.03),
        Part(np.array([(-0.6, 0.3), (-0.4, 0.8), (0.3, 0.7), (0.6, 1.0), (0.6, 0.4)]), light),
        Part(np.array([(-0.35, 0.7), (-0.2, 1.4), (0.15, 1.4), (0.1, 0.7)]), coat),
        Part(oval(0.0, 1.58, 0.24, 0.28), 0.2),
    ]  # fmt: skip
    return rigid(parts)


def _lamps(dice: Dice, view: View, path: Path) -> list[Agent]:
    """Return the head lamps of a vehicle."""
    light = dice.between((0.9, 1.5))
    return [
        Mote(
            "vehicle",
            view,
            Path(path.times, path.points + np.array([side, -0.3, 0.65])),
            light,
            radius_m=0.11,
            glows=True,
        )
        for side in (-0.7, 0.7)
    ]


def people(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return walkers below, somebody who leans out of a window, and somebody who goes down the stairs."""
    found: list[Agent] = []
    for begins in dice.moments(seconds, every_s=1.4, lasts_s=2.0):
        found.append(dice.one((_walks, _leans, _leans, _descends))(dice, view, begins))
    return found


def _walks(dice: Dice, view: View, begins: float) -> Figure:
    """Return a walker at the lower edge, across or towards the camera."""
    y, down = dice.between((8.0, 20.0)), dice.between((0.82, 1.0))
    start = unproject(view, dice.between((0.0, 1.0)) * view.width, down * view.height, y)
    lasts, pace = dice.between((3.0, 6.0)), dice.between((0.8, 2.0), (1.2, 4.0))
    heading = dice.between((0.0, 6.28))
    end = start + pace * lasts * np.array([np.cos(heading), -0.6 * abs(np.sin(heading)), 0.0])
    return Figure(
        "person", view, straight(start, end, begins, begins + lasts), _walker(dice, pace), exposures=3
    )


def _walker(dice: Dice, pace: float) -> Shape:
    """Return the outline of a walker whose legs and arms swing."""
    coat, legs, skin = (dice.between((0.04, 0.8)) for _ in range(3))
    rate, tall = 2 * np.pi * pace * 0.65, dice.between((1.1, 1.85))

    def shape(t: float) -> list[Part]:
        swing = 0.35 * np.sin(rate * t)
        hip, neck = np.array([0.0, 0.5]), np.array([0.0, 0.8])
        parts = [Part(limb(hip, np.array([side * swing, 0.0]), 0.11), legs) for side in (-1, 1)]
        parts += [
            Part(limb(neck, np.array([side * swing * 0.8, 0.45]), 0.07), coat * 0.9) for side in (-1, 1)
        ]
        parts += [Part(limb(hip, neck * (1.0, 1.04), 0.22), coat), Part(oval(0.0, 0.92, 0.12, 0.16), skin)]
        return [Part(part.outline * tall, part.light) for part in parts]

    return shape


def _leans(dice: Dice, view: View, begins: float) -> Figure:
    """Return somebody at a window: out, arms that wave, reach down, put something down, and in again."""
    place, lasts = somewhere(dice, view) - (0.0, 0.3, 0.0), dice.between((2.0, 4.5))
    coat, skin, rate = (
        dice.between((0.04, 0.8)),
        dice.between((0.15, 0.5)),
        dice.between((4.0, 11.0), (6.0, 16.0)),
    )
    reach, side = dice.between((0.4, 0.75)), dice.sign()

    def shape(t: float) -> list[Part]:
        out = min(1.0, 2.0 * (t - begins), 2.0 * (begins + lasts - t))
        arm = -0.3 + 1.2 * np.sin(rate * t) * np.sin(0.31 * rate * t)
        low = 0.35 * (out - 1)
        shoulder = np.array([side * 0.18, 0.25 + low])
        hand = shoulder + reach * np.array([side * np.cos(arm), np.sin(arm)])
        trunk = np.array([(-0.24, -0.1), (-0.2, 0.32 + low), (0.2, 0.32 + low), (0.24, -0.1)])
        return [
            Part(trunk, coat), Part(oval(0.0, 0.45 + low, 0.2, 0.26), skin),
            Part(limb(shoulder, hand, 0.09), coat), Part(oval(float(hand[0]), float(hand[1]), 0.1, 0.1), skin),
        ]  # fmt: skip

    return Figure("person", view, straight(place, place, begins, begins + lasts), shape, exposures=4)


def _descends(dice: Dice, view: View, begins: float) -> Figure:
    """Return somebody who runs down the stairs, seen floor by floor through the stairwell's windows."""
    times = clock(begins, dice.between((4.0, 7.0)), 30.0)
    pace, start = dice.between((0.6, 1.6), (0.9, 2.4)), somewhere(dice, view, rows=(0.05, 0.4))
    since = times - begins
    steps = 0.08 * np.sin(2 * np.pi * 2.2 * since)
    across = 0.9 * np.sin(np.pi * pace * since / FLOOR_M)
    offset = np.stack([across, np.zeros(len(times)), -pace * since + steps], axis=1)
    path, share = Path(times, start + offset), dice.between((0.45, 0.75))

    def in_a_window(t: float) -> float:
        return 1.0 if (float(path.at(np.array([t]))[0, 2]) / FLOOR_M) % 1.0 < share else 0.0

    walker = _walker(dice, 2.0)
    return Figure(
        "person", view, path, walker, opacity=dice.between((0.5, 1.0)), exposures=4, coming=in_a_window
    )
