"""Leaves that come down from trees, and foliage that waves at an edge of the picture."""

from collections.abc import Sequence

import cv2
import numpy as np

from models.train.render.negatives.actors import Figure, Shape, Sprite
from models.train.render.negatives.dice import Dice
from models.train.render.negatives.drawing import Part
from models.train.render.negatives.places import Path, Points, clock, somewhere, travel, wander
from models.train.render.parts import Agent, Plane, View


def leaves(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return leaves that fall at half a metre to one and a half per second, fluttering or tumbling."""
    found: list[Agent] = []
    for begins in dice.moments(seconds, every_s=0.6, lasts_s=2.0):
        times = clock(begins, dice.between((2.0, 5.0)))
        size = dice.between((0.02, 0.06), (0.03, 0.09))
        manner = _changes if dice.held_out and dice.chance(0.5) else dice.one((_flutter, _flutter, _tumble))
        spin, velocity = manner(dice, times)
        wind = wander(dice, times, sigma=0.4, memory_s=1.5, columns=3) * (1.0, 0.6, 0.15)
        wind[:, 0] += dice.between((-1.0, 1.0), (-2.0, 2.0))
        near = dice.between((0.2, 0.95)) * view.distance_m
        path = travel(
            times, velocity + wind, through=somewhere(dice, view, rows=(0.05, 0.6), y=near), share=0.2
        )
        light = dice.between((0.05, 0.5))
        found.append(Figure("leaf", view, path, _blade(dice, times, spin, size, light), exposures=6))
    return found


def _flutter(dice: Dice, times: Points) -> tuple[Points, Points]:
    """Return the tilt and velocity of a leaf that swings from side to side, fastest down in mid-swing."""
    rate, wide = 2 * np.pi * dice.between((0.8, 2.0), (0.5, 1.4)), dice.between((0.2, 0.8), (0.4, 1.2))
    phase = rate * (times - times[0]) + dice.between((0.0, 6.28))
    pace = dice.between((0.5, 1.5), (0.7, 1.9))
    across = rate * wide * 0.3 * np.cos(phase)
    down = -pace * (1 + 0.7 * np.cos(2 * phase)) * np.minimum(1.0, 0.2 + 2 * (times - times[0]))
    return 0.9 * np.sin(phase), np.stack([across, 0.3 * across, down], axis=1)


def _tumble(dice: Dice, times: Points) -> tuple[Points, Points]:
    """Return the tilt and velocity of a leaf that turns over and over and drifts to one side."""
    rate, side = 2 * np.pi * dice.between((1.5, 5.0), (2.0, 7.0)), dice.sign()
    turn = side * rate * (times - times[0])
    pace = dice.between((0.8, 1.7), (1.0, 2.2))
    down = -pace * (1 + 0.2 * np.sin(2 * turn)) * np.minimum(1.0, 0.1 + 2 * (times - times[0]))
    across = np.full(len(times), side * dice.between((0.2, 1.0)))
    return turn, np.stack([across, np.zeros(len(times)), down], axis=1)


def _changes(dice: Dice, times: Points) -> tuple[Points, Points]:
    """Return the tilt and velocity of a leaf that flutters for a while, then turns over. Held-out leaves do so."""
    share = 1 / (1 + np.exp(-8 * (times - times[0] - dice.between((0.5, 2.0)))))
    flutter, tumble = _flutter(dice, times), _tumble(dice, times)
    tilt = flutter[0] * (1 - share) + tumble[0] * share
    return tilt, flutter[1] * (1 - share[:, None]) + tumble[1] * share[:, None]


def _blade(dice: Dice, times: Points, spin: Points, size: float, light: float) -> Shape:
    """Return the outline over time: a pointed oval seen more or less from its edge."""
    around = np.linspace(0, 2 * np.pi, 11)[:-1]
    blade = np.stack([np.cos(around), 0.55 * np.sin(around) * (1 - 0.3 * np.cos(around))], axis=1) * size
    lean = dice.between((0.0, 6.28))

    def shape(time_s: float) -> list[Part]:
        tilt = float(np.interp(time_s, times, spin))
        flat = blade * (1.0, max(0.15, abs(np.cos(tilt))))
        turn = np.array(
            [[np.cos(lean + tilt), -np.sin(lean + tilt)], [np.sin(lean + tilt), np.cos(lean + tilt)]]
        )
        return [Part(flat @ turn.T, light * (1.0 + 0.6 * np.sin(tilt) ** 2))]

    return shape


def foliage(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return a tree at one edge of the picture: overlapping masses of leaves that sway in gusts."""
    edge = dice.one(("left", "right", "below", "across"))
    gusts = Path(
        clock(0.0, seconds, 10.0), 0.5 + abs(wander(dice, clock(0.0, seconds, 10.0), sigma=0.7, memory_s=1.2))
    )
    size = int(np.clip(view.height * dice.between((0.06, 0.11), (0.07, 0.13)), 24, 140))
    return [
        _branch(dice, view, seconds, edge=edge, gusts=gusts, size=size)
        for _ in range(dice.count((7, 10), (8, 12)))
    ]


def _branch(dice: Dice, view: View, seconds: float, *, edge: str, gusts: Path, size: int) -> Sprite:
    """Return one mass of leaves that hangs or stands at a joint and sways around it."""
    along, into = dice.between((0.05, 0.95)), abs(dice.rng.normal(0.0, 0.09))
    spots = {
        "left": (into, along),
        "right": (1 - into, along),
        "below": (along, 1 - into),
        "across": (along, 0.1 + 0.5 * along + dice.rng.normal(0.0, 0.05)),
    }
    joint = np.array(spots[edge]) * (view.width, view.height)
    lean, rate = dice.between((0.0, 6.28)), 2 * np.pi * dice.between((0.4, 1.8), (0.7, 2.6))
    turn_max, shift_max = dice.between((0.02, 0.10), (0.03, 0.14)), dice.between((2.0, 14.0), (4.0, 22.0))
    phase, second = dice.between((0.0, 6.28)), dice.between((1.7, 3.1))

    def motion(time_s: float) -> Points:
        gust = float(gusts.at(np.array([time_s]))[0, 0])
        wave = gust * (np.sin(rate * time_s + phase) + 0.4 * np.sin(second * rate * time_s + 2 * phase))
        angle = lean + turn_max * wave
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        place = joint + shift_max * wave * np.array([1.0, 0.35]) - turn @ np.array([size / 2, size * 0.2])
        return np.column_stack([turn, place])

    return Sprite("foliage", view, _mass(dice, size), motion, 0.0, seconds, exposures=1)


def _mass(dice: Dice, size: int) -> Plane:
    """Return the look of many leaves over each other, light and dark, with gaps."""
    texture = np.zeros((size, size, 2), np.uint8)
    bright = dice.between((0.5, 1.3), (0.4, 1.6))
    for _ in range(dice.count((60, 140))):
        place = dice.rng.normal(size / 2, size / 6, 2)
        axes = (int(size * dice.between((0.05, 0.10))) + 1, int(size * dice.between((0.02, 0.045))) + 1)
        shade = float(np.clip(bright * dice.between((8.0, 90.0)), 4, 150))
        centre = (int(place[0]), int(place[1]))
        cv2.ellipse(
            texture, centre, axes, dice.between((0.0, 360.0)), 0, 360, (255.0, shade), -1, cv2.LINE_AA
        )
    return texture.astype(np.float32) / np.float32(255.0)
