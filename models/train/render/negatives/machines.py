"""Things that machines and ropes move along a facade: glass lifts, window cleaners' platforms, drones, kites."""

from collections.abc import Sequence

import numpy as np

from models.train.render.negatives.actors import Figure, Shape, Strand, rigid
from models.train.render.negatives.dice import Dice
from models.train.render.negatives.drawing import Part
from models.train.render.negatives.places import Path, Points, clock, somewhere, travel, wander
from models.train.render.negatives.shapes import box, oval
from models.train.render.parts import Agent, View


def ride(times: Points, *, speed_mps: float, pull_mps2: float, way_m: float) -> Points:
    """Return how far a lift has gone: it gains speed steadily, rides, and slows down the same way."""
    since = times - times[0]
    gaining = min(speed_mps / pull_mps2, np.sqrt(way_m / pull_mps2))
    top = pull_mps2 * gaining
    riding = way_m / top - gaining
    first = pull_mps2 * np.minimum(since, gaining) ** 2 / 2
    middle = top * np.clip(since - gaining, 0, riding)
    left = np.clip(since - gaining - riding, 0, gaining)
    return np.asarray(first + middle + top * left - pull_mps2 * left**2 / 2)


def elevators(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return glass lifts going down and up the facade, each with a counterweight that goes the other way."""
    found: list[Agent] = []
    for _ in range(dice.count((1, 2))):
        times = clock(dice.between((0.0, 0.3 * seconds)), max(seconds, 3.0), 30.0)
        pull, speed = dice.between((0.7, 1.3), (0.5, 1.8)), dice.between((1.0, 3.0), (1.5, 5.0))
        going = ride(times, speed_mps=speed, pull_mps2=pull, way_m=dice.between((6.0, 30.0)))
        down = 1.0 if dice.chance(0.7) else -1.0
        place = somewhere(dice, view, rows=(0.1, 0.45) if down > 0 else (0.5, 0.85)) - (0.0, 1.0, 0.0)
        light, lit = dice.between((0.05, 0.9)), dice.chance(0.4)
        wide, tall = dice.between((0.5, 1.8)), dice.between((0.6, 2.5))
        upward = np.stack([np.zeros(len(times)), np.zeros(len(times)), -down * going], axis=1)
        cabin = [Part(box(wide, tall), light), Part(box(wide * 0.35, tall * 0.7), 0.9 if lit else 0.1)]
        weight = [Part(box(0.25, 0.9), 0.1)]
        found.append(
            Figure("elevator", view, Path(times, place + upward), rigid(cabin), exposures=4, glows=lit)
        )
        found.append(
            Figure(
                "elevator",
                view,
                Path(times, place + np.array([wide, 0.1, -down * 8.0]) - upward),
                rigid(weight),
                exposures=3,
            )
        )
    return found


def gondolas(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return a window cleaners' platform that creeps down on ropes, a bucket let down by jerks, a rope's loose end."""
    place = somewhere(dice, view, rows=(0.15, 0.6)) - (0.0, 0.8, 0.0)
    times = clock(0.0, seconds, 30.0)
    way = -dice.between((0.1, 0.4), (0.2, 0.7)) if dice.chance(0.7) else 0.2
    sway = 0.15 * np.sin(2 * np.pi * 0.35 * times)
    path = Path(times, place + np.stack([sway, np.zeros(len(times)), way * times], axis=1))
    wide, light = dice.between((2.0, 5.0)), dice.between((0.1, 0.7))
    found: list[Agent] = [Figure("gondola", view, path, _crew(dice, wide, light), exposures=3)]
    found.extend(_rope(dice, view, path, side * wide / 2, seconds) for side in (-1, 1))
    found.append(_bucket(dice, view, place, seconds))
    found.append(_loose_end(dice, view, seconds))
    return found


def _crew(dice: Dice, wide: float, light: float) -> Shape:
    """Return the platform and a worker whose arm wipes."""
    rate, coat = dice.between((4.0, 9.0)), dice.between((0.1, 0.8))

    def shape(t: float) -> list[Part]:
        wipe = 0.5 * np.sin(rate * t)
        arm = np.array([(0.1, 0.9), (0.45, 1.2 + wipe), (0.5, 1.15 + wipe), (0.1, 0.8)])
        worker = [
            Part(box(0.45, 0.7) + np.array([0.0, 0.75]), coat),
            Part(oval(0, 1.25, 0.22, 0.26), 0.3),
            Part(arm, coat),
        ]
        return [*worker, Part(box(wide, 0.9), light), Part(box(wide, 0.1), light * 0.4)]

    return shape


def _rope(dice: Dice, view: View, path: Path, aside: float, seconds: float) -> Strand:
    """Return a rope from above the picture to the platform."""

    def line(t: float) -> Points:
        end = path.at(np.array([t]))[0] + (aside, 0.0, 0.5)
        rise = np.linspace(30.0, 0.0, 9)[:, None] * np.array([0.0, 0.0, 1.0])
        pixels = view.project(end + rise)[0]
        return np.asarray(np.clip(pixels + np.array([2 * np.sin(3 * t), 0.0]), -4000, 8000))

    return Strand("gondola", view, line, 1.5, dice.between((0.05, 0.7)), 0.7, 0.0, seconds)


def _bucket(dice: Dice, view: View, place: Points, seconds: float) -> Figure:
    """Return a bucket on a rope, let down by hand: it drops, is caught, drops again."""
    times = clock(0.0, seconds)
    speed, dropping, fallen = 0.0, False, 0.0
    depths = np.empty(len(times))
    for i in range(len(times)):
        if dice.rng.random() < (1 / 30 if dropping else 1 / 50):
            dropping = not dropping
        speed = min(speed + dice.between((2.0, 8.0)) / 60, 6.0) if dropping else speed * 0.75
        fallen += speed / 60
        depths[i] = fallen
    swing = 0.2 * np.sin(2 * np.pi * 0.5 * times)
    offset = np.stack([swing + 1.0, np.zeros(len(times)), -depths], axis=1)
    size, light = dice.between((0.12, 0.35), (0.15, 0.5)), dice.between((0.05, 0.9))
    pail = [Part(box(size, size * 1.2), light)]
    return Figure("gondola", view, Path(times, place + offset), rigid(pail), exposures=6)


def _loose_end(dice: Dice, view: View, seconds: float) -> Strand:
    """Return a rope's end that swings and whips in the wind."""
    top = somewhere(dice, view, rows=(0.0, 0.3)) - (0.0, 0.7, 0.0)
    length, rate, wide = (
        dice.between((4.0, 15.0)),
        2 * np.pi * dice.between((0.15, 0.4)),
        dice.between((0.3, 1.2), (0.6, 2.0)),
    )
    part = np.linspace(0.0, 1.0, 17)

    def line(t: float) -> Points:
        aside = wide * part**2 * np.sin(rate * t - 2.5 * part) + 0.1 * part * np.sin(9 * t - 9 * part)
        points = top + np.stack([aside, np.zeros(17), -length * part], axis=1)
        return np.clip(view.project(points)[0], -4000, 8000)

    return Strand(
        "gondola", view, line, dice.between((0.8, 2.5)), dice.between((0.05, 0.8)), 0.8, 0.0, seconds
    )


def fliers(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return drones that sink and rise, kites that loop and dive, balloons that climb."""
    found: list[Agent] = []
    for begins in dice.moments(seconds, every_s=2.0, lasts_s=2.0):
        times = clock(begins - 1.2, dice.between((3.0, 6.0)))
        velocity, shape = dice.one((_drone, _drone, _kite, _balloon))(dice, times)
        near = dice.between((0.4, 0.9)) * view.distance_m
        path = travel(times, velocity, through=somewhere(dice, view, y=near), share=0.4)
        found.append(Figure("kite_drone", view, path, shape, exposures=6))
    return found


def _drone(dice: Dice, times: Points) -> tuple[Points, Shape]:
    """Return the velocity and outline of a drone: legs of steady speed with soft corners, mostly down."""
    legs = dice.rng.normal((0.0, 0.0, -1.0), (2.0, 0.8, 2.5), (4, 3))
    pick = np.clip(((times - times[0]) / 1.3), 0, 3)
    velocity = np.stack([np.interp(pick, np.arange(4), legs[:, k]) for k in range(3)], axis=1)
    size, light = dice.between((0.12, 0.3), (0.2, 0.45)), dice.one((0.05, 0.3, 0.7))
    parts = [Part(box(size * 2, size * 0.15), light), Part(oval(0.0, 0.0, size * 0.8, size * 0.5), light)]
    parts += [Part(oval(side * size, size * 0.12, size * 0.8, size * 0.12), light * 0.8) for side in (-1, 1)]
    return velocity, rigid(parts)


def _kite(dice: Dice, times: Points) -> tuple[Points, Shape]:
    """Return the velocity and outline of a kite: lying eights, fast where they go down."""
    rate, wide = 2 * np.pi * dice.between((0.2, 0.6), (0.3, 0.9)), dice.between((1.5, 4.0))
    phase = rate * (times - times[0]) + dice.between((0.0, 6.28))
    down = wide * rate * (np.cos(2 * phase) - 0.4 * np.maximum(0, np.sin(phase)))
    velocity = np.stack([wide * rate * np.cos(phase), np.zeros(len(times)), down], axis=1)
    size, light = dice.between((0.25, 0.6)), dice.between((0.1, 0.8))
    tail = np.linspace(0, 1, 6)

    def shape(t: float) -> list[Part]:
        sail = np.array([(0, 1.0), (0.7, 0.1), (0, -1.0), (-0.7, 0.1)]) * size
        curl = np.stack([0.3 * size * np.sin(9 * t - 6 * tail), -size - 2 * size * tail], axis=1)
        return [
            Part(np.concatenate([curl, curl[::-1] + np.array([0.06, 0.0])]), light * 0.7),
            Part(sail, light),
        ]

    return velocity, shape


def _balloon(dice: Dice, times: Points) -> tuple[Points, Shape]:
    """Return the velocity and outline of a balloon that climbs and wavers."""
    velocity = wander(dice, times, sigma=0.4, memory_s=0.8, columns=3) * (1.0, 0.3, 0.3)
    velocity += (dice.between((-1.0, 1.0)), 0.0, dice.between((0.8, 2.5), (1.5, 3.5)))
    size, light = dice.between((0.1, 0.2)), dice.between((0.1, 0.8))
    parts = [
        Part(oval(0.0, 0.0, size * 2, size * 2.4), light),
        Part(oval(-size * 0.3, size * 0.4, size * 0.5, size * 0.5), 1.0),
    ]
    return velocity, rigid(parts)
