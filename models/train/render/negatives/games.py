"""Balls and shuttlecocks: thrown up from below and caught again, bounced, played to and fro.

Half of their way is free fall. What tells them apart is that they rise first.
"""

from collections.abc import Sequence

import numpy as np

from models.train.render.negatives.actors import Figure, rigid
from models.train.render.negatives.dice import Dice
from models.train.render.negatives.drawing import Part
from models.train.render.negatives.places import Path, Points, clock, scale_at, unproject
from models.train.render.negatives.shapes import oval
from models.train.render.parts import Agent, View

GRAVITY = 9.81
SHUTTLE_MPS = 6.7  # terminal speed of a shuttlecock


def thrown_up(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return single throws, a ball that bounces, and rallies of badminton at the lower edge."""
    found: list[Agent] = []
    for begins in dice.moments(seconds, every_s=1.3, lasts_s=2.0):
        y = dice.between((0.35, 0.9)) * view.distance_m
        low = unproject(
            view, dice.between((0.15, 0.85)) * view.width, dice.between((0.75, 1.05)) * view.height, y
        )
        reach = 0.95 * view.height / scale_at(view, low)
        rises = reach * dice.between((0.3, 0.9), (0.2, 1.0))
        path = dice.one((_throw, _throw, _rally, _bounces))(
            dice, low, begins, float(np.clip(rises, 0.6, 12.0))
        )
        radius, light = dice.between((0.03, 0.12), (0.025, 0.15)), dice.one((0.1, 0.4, 0.7, 0.9))
        shine = Part(oval(0.0, radius * 0.4, radius, radius * 0.6), light * 1.3)
        ball = [Part(oval(0.0, 0.0, 2 * radius, 2 * radius), light), shine]
        found.append(Figure("thrown_up", view, path, rigid(ball)))
    return found


def flight(start: Points, velocity: Points, times: Points, *, terminal_mps: float) -> Points:
    """Return (n, 3) places of a thing thrown at `velocity` under gravity and quadratic drag."""
    places, place, pace = np.empty((len(times), 3)), start.copy(), velocity.copy()
    for i, step in enumerate(np.diff(times, append=times[-1])):
        places[i] = place
        drag = GRAVITY * pace * float(np.linalg.norm(pace)) / terminal_mps**2
        place = place + pace * step
        pace = pace - (drag + np.array([0.0, 0.0, GRAVITY])) * step
    return places


def _throw(dice: Dice, low: Points, begins: float, rises: float) -> Path:
    """Return one throw that is caught where it left."""
    up = np.sqrt(2 * GRAVITY * rises)
    times = clock(begins, 2 * up / GRAVITY + 0.3)
    velocity = np.array([dice.rng.normal(0, 0.5), dice.rng.normal(0, 0.3), up])
    places = flight(low, velocity, times, terminal_mps=dice.between((15.0, 30.0)))
    caught = np.maximum.accumulate((times - begins > up / GRAVITY) & (places[:, 2] < low[2]))
    places[caught] = low + (places[caught] - low) * (1.0, 1.0, 0.0)
    return Path(times, places)


def _rally(dice: Dice, low: Points, begins: float, rises: float) -> Path:
    """Return a shuttlecock hit to and fro: up steeply, down slowly at its terminal speed."""
    times, places = clock(begins, dice.between((2.5, 4.0))), []
    start, side, i = low.copy(), dice.sign(), 0
    while i < len(times):
        velocity = np.array([side * dice.between((3.0, 8.0)), 0.0, np.sqrt(2.6 * GRAVITY * rises)])
        shot = flight(start, velocity, times[i:], terminal_mps=SHUTTLE_MPS)
        landed = np.flatnonzero((shot[:, 2] < low[2]) & (np.arange(len(shot)) > 5))
        last = int(landed[0]) if len(landed) else len(shot)
        places.append(shot[:last])
        start, side, i = shot[min(last, len(shot) - 1)].copy(), -side, i + max(last, 1)
        start[2] = low[2]
    return Path(times, np.concatenate(places)[: len(times)])


def _bounces(dice: Dice, low: Points, begins: float, rises: float) -> Path:
    """Return a ball that is thrown down and bounces lower and lower."""
    times, spring = clock(begins, dice.between((2.0, 4.0))), dice.between((0.6, 0.85))
    place, speed, heights = 0.0, np.sqrt(2 * GRAVITY * rises), np.empty(len(times))
    for i, step in enumerate(np.diff(times, append=times[-1])):
        heights[i] = place
        speed -= GRAVITY * step
        place += speed * step
        if place < 0:
            place, speed = 0.0, abs(speed) * spring
    aside = (times - begins) * dice.rng.normal(0.0, 0.7)
    return Path(times, low + np.stack([aside, np.zeros(len(times)), heights], axis=1))
