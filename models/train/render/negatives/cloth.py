"""Cloth that hangs: laundry on poles, quilts shaken out of windows, curtains, blinds, and bags the wind takes up.

Hard ones are a towel that unrolls over the rail, a blind let go, and washing lowered on a pole: all go down
faster and faster, and all stay fastened.
"""

from collections.abc import Sequence

import numpy as np

from models.train.render.negatives.actors import Figure, Shape
from models.train.render.negatives.dice import Dice
from models.train.render.negatives.drawing import Part
from models.train.render.negatives.places import Path, Points, clock, somewhere, straight, travel, wander
from models.train.render.negatives.shapes import ROWS, Look, sheet
from models.train.render.parts import Agent, View


def _still(place: Points, begins: float, ends: float) -> Path:
    """Return a path that stays."""
    return straight(place, place, begins, ends)


def laundry(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return lines of washing, and somebody who shakes, unrolls, hangs out or takes in."""
    found: list[Agent] = []
    for _ in range(dice.count((1, 2), (2, 3))):
        found.extend(_line(dice, view, seconds))
    for begins in dice.moments(seconds, every_s=2.5, lasts_s=2.0):
        found.append(dice.one((_shaken, _unrolled, _unrolled, _moved, _moved))(dice, view, begins))
    return found


def _line(dice: Dice, view: View, seconds: float) -> list[Agent]:
    """Return pieces of washing side by side that swing in the same gusts."""
    place, rate = somewhere(dice, view), 2 * np.pi * dice.between((0.4, 1.2), (0.6, 1.7))
    strength, pieces = dice.between((0.03, 0.25), (0.08, 0.4)), dice.count((2, 5))
    line: list[Agent] = []
    for k in range(pieces):
        spot = place + np.array([(k - 1.5) * 1.0, -0.6, 0.0])
        shape = _swings(dice, rate * dice.between((0.9, 1.1)), strength, dice.between((0.0, 1.5)) + 0.6 * k)
        line.append(Figure("laundry", view, _still(spot, 0.0, seconds), shape, exposures=1))
    return line


def _swings(dice: Dice, rate: float, strength: float, phase: float) -> Shape:
    """Return a piece whose lower edge swings, later than its upper parts."""
    wide, tall = dice.between((0.3, 0.9)), dice.between((0.5, 1.3))
    look = Look(dice.between((0.05, 0.8)), dice.count((0, 2)), dice.between((0.05, 0.8)))

    def shape(t: float) -> list[Part]:
        gust = strength * (0.6 + 0.4 * np.sin(0.7 * t + phase))
        return sheet(gust * np.sin(rate * t + phase - 1.5 * ROWS) * ROWS, wide, tall, look)

    return shape


def _shaken(dice: Dice, view: View, begins: float) -> Figure:
    """Return a quilt held out of a window and beaten: waves run down it."""
    place, rate = somewhere(dice, view) - (0.0, 0.6, 0.0), 2 * np.pi * dice.between((1.2, 2.6), (1.8, 3.5))
    wide, tall, depth = dice.between((0.8, 1.8)), dice.between((0.8, 2.0)), dice.between((0.05, 0.3))
    look = Look(dice.between((0.2, 0.9)), dice.count((0, 3)), dice.between((0.05, 0.9)))
    lasts = dice.between((2.0, 4.0))

    def shape(t: float) -> list[Part]:
        lift = 1.0 + 0.45 * np.sin(rate * t) * np.sin(0.4 * rate * t)
        return sheet(depth * np.sin(rate * t - 4 * ROWS) * ROWS, wide, tall * max(0.3, lift), look)

    return Figure("laundry", view, _still(place, begins, begins + lasts), shape, exposures=4)


def _unrolled(dice: Dice, view: View, begins: float) -> Figure:
    """Return a towel or sheet whose end drops over the rail and springs back: free fall, but fastened."""
    place = somewhere(dice, view) - (0.0, 0.5, 0.0)
    wide, tall = dice.between((0.3, 1.2)), dice.between((0.8, 2.6), (1.2, 3.5))
    look = Look(dice.between((0.1, 0.9)), dice.count((0, 1)), dice.between((0.05, 0.9)))
    waits, pull = dice.between((0.1, 0.6)), dice.between((4.0, 9.8))

    def shape(t: float) -> list[Part]:
        since = max(0.0, t - begins - waits)
        reached = since - np.sqrt(2 * tall / pull)
        spring = 0.12 * np.exp(-3 * reached) * np.sin(14 * reached) if reached > 0 else 0.0
        length = min(tall, 0.12 + pull * since**2 / 2) - tall * spring
        return sheet(0.08 * np.sin(5 * t - 2 * ROWS) * ROWS, wide, max(0.1, length), look)

    return Figure(
        "laundry", view, _still(place, begins, begins + dice.between((2.5, 4.0))), shape, exposures=6
    )


def _moved(dice: Dice, view: View, begins: float) -> Figure:
    """Return a piece on a pole that is put out or taken in: lifted, swung, and lowered with a jerk."""
    times = clock(begins, dice.between((1.8, 3.5)))
    part = (times - begins) / (times[-1] - begins)
    way, lift = dice.sign() * dice.between((0.4, 1.6)), dice.between((0.2, 0.9))
    lowered = dice.between((0.3, 1.5), (0.6, 2.2)) * np.clip((part - 0.6) / 0.25, 0, 1) ** 2
    offset = np.stack(
        [way * part, -0.5 * np.ones(len(part)), lift * np.sin(np.pi * np.minimum(part * 1.5, 1)) - lowered], 1
    )
    path = Path(times, somewhere(dice, view) + offset)
    wide, tall, light = dice.between((0.2, 0.8)), dice.between((0.3, 1.2)), dice.between((0.05, 0.85))

    def shape(t: float) -> list[Part]:
        return sheet(0.15 * np.sin(7 * t - 2 * ROWS) * ROWS, wide, tall, Look(light))

    return Figure("laundry", view, path, shape, exposures=6)


def curtains(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return curtains that billow or are drawn in their windows, and roller blinds going down and up."""
    found: list[Agent] = []
    for _ in range(dice.count((2, 4), (3, 5))):
        begins = dice.between((0.0, 0.4 * seconds))
        shape = dice.one((_billows, _drawn, _blind, _blind))(dice, begins)
        found.append(Figure("curtain", view, _still(somewhere(dice, view), 0.0, seconds), shape, exposures=3))
    return found


def _billows(dice: Dice, begins: float) -> Shape:
    """Return a curtain that the wind blows out of its window."""
    rate, depth = 2 * np.pi * dice.between((0.3, 1.0), (0.5, 1.6)), dice.between((0.1, 0.5), (0.2, 0.8))
    wide, tall, light = dice.between((0.4, 1.2)), dice.between((1.2, 1.9)), dice.between((0.4, 0.9))

    def shape(t: float) -> list[Part]:
        puff = depth * (np.sin(rate * t) + 0.3 * np.sin(3.1 * rate * t + 1)) * np.sin(np.pi * ROWS * 0.8)
        return sheet(puff, wide, tall, Look(light, 3, light * 0.8))

    return shape


def _drawn(dice: Dice, begins: float) -> Shape:
    """Return a curtain that somebody draws to one side and back."""
    wide, tall, light = dice.between((0.8, 1.8)), dice.between((1.2, 1.9)), dice.between((0.1, 0.9))
    lasts, stays = dice.between((0.5, 1.5)), dice.between((0.5, 2.0))

    def shape(t: float) -> list[Part]:
        since = t - begins
        share = np.clip(since / lasts, 0, 1) - np.clip((since - lasts - stays) / lasts, 0, 1)
        share = 0.12 + 0.88 * float(share)
        return sheet(np.zeros(6) + wide * share / 2, wide * share, tall, Look(light, 4, light * 0.85))

    return shape


def _blind(dice: Dice, begins: float) -> Shape:
    """Return a blind or shutter that goes down, steadily or let go, and up again later."""
    wide, tall, light = (
        dice.between((0.7, 1.8)),
        dice.between((1.0, 2.2), (1.4, 3.0)),
        dice.between((0.1, 0.9)),
    )
    let_go, pace, pull = dice.chance(0.5), dice.between((0.4, 1.5)), dice.between((2.0, 9.0))

    def shape(t: float) -> list[Part]:
        since = max(0.0, t - begins)
        down = pull * since**2 / 2 if let_go else pace * since
        up = max(0.0, since - 2.5) * 0.9
        length = float(np.clip(min(down, tall) - up, 0.06, tall))
        bar = np.array(
            [
                (-wide / 2, -length),
                (wide / 2, -length),
                (wide / 2, -length + 0.05),
                (-wide / 2, -length + 0.05),
            ]
        )
        return [
            *sheet(np.zeros(6), wide, length, Look(light)),
            Part(bar, light * 0.4),
        ]

    return shape


def bags(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return plastic bags and paper that the wind carries up and aside, with dips in between."""
    found: list[Agent] = []
    for begins in dice.moments(seconds, every_s=1.6, lasts_s=2.0):
        times = clock(begins - 1.0, dice.between((2.5, 5.0)))
        gusts = wander(dice, times, sigma=1.0, memory_s=0.8, columns=3) * (
            1.6,
            0.5,
            dice.between((0.8, 1.6), (1.2, 2.2)),
        )
        gusts += (dice.between((-2.5, 2.5)), 0.0, dice.between((0.3, 2.0)))
        near = dice.between((0.4, 0.95)) * view.distance_m
        path = travel(times, gusts, through=somewhere(dice, view, y=near, rows=(0.2, 0.8)), share=0.4)
        found.append(Figure("plastic_up", view, path, _crumpled(dice), exposures=6))
    return found


def _crumpled(dice: Dice) -> Shape:
    """Return the outline of a bag that turns and changes its shape all the time."""
    around = np.linspace(0, 2 * np.pi, 10)[:-1]
    size, light, rate = (
        dice.between((0.08, 0.25), (0.1, 0.35)),
        dice.one((0.05, 0.4, 0.75, 0.9)),
        dice.between((3.0, 9.0)),
    )
    phases = dice.rng.uniform(0, 6.28, len(around))

    def shape(t: float) -> list[Part]:
        radius = size * (0.75 + 0.35 * np.sin(rate * t + phases))
        turn = around + 0.6 * rate * t
        rim = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
        return [Part(rim, light), Part(rim * 0.45 + size * 0.15, light * 0.7)]

    return shape
