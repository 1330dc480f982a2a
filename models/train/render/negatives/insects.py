"""Insects and spiders: soft, fast shapes close to the lens, small erratic ones further off, threads that sway.

Those close to the lens are given in pixels: their real size says little once they are out of focus.
"""

from collections.abc import Sequence

import numpy as np

from models.train.render.negatives.actors import Mote, Strand
from models.train.render.negatives.dice import Dice
from models.train.render.negatives.places import Path, Points, clock, somewhere, travel, wander
from models.train.render.parts import Agent, View


def insects_near(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return moths and flies in front of the lens: bright under an infra-red lamp, dark against the sky."""
    found: list[Agent] = []
    for begins in dice.moments(seconds, every_s=0.5, lasts_s=0.8):
        times = clock(begins, dice.between((0.4, 2.0), (0.6, 2.5)), rate_hz=120)
        manner = dice.one((_zigzag, _spiral, _plummets, _plummets, _zigzag))
        places = manner(dice, times) + _entry(dice, view)
        size = dice.between((2.0, 25.0), (3.0, 40.0)) * (2.0 if dice.chance(0.15) else 1.0)
        growth = np.exp(dice.between((-0.7, 0.7)) * (times - begins))
        radii = np.clip(size * growth * (1 + wander(dice, times, sigma=0.15, memory_s=0.1)[:, 0]), 1.2, 70.0)
        lit = dice.chance(0.6)
        light = dice.between((0.5, 1.3)) if lit else dice.between((0.02, 0.15))
        found.append(
            Mote(
                "insect.near",
                view,
                Path(times, np.column_stack([places, radii])),
                light,
                opacity=dice.between((0.3, 0.95), (0.2, 0.8)),
                beat_hz=dice.between((30.0, 200.0), (60.0, 400.0)) if dice.chance(0.6) else 0.0,
                glows=lit,
            )
        )
    return found


def _entry(dice: Dice, view: View) -> Points:
    """Return a picture point it passes."""
    return np.array([dice.between((0.1, 0.9)) * view.width, dice.between((0.05, 0.6)) * view.height])


def _zigzag(dice: Dice, times: Points) -> Points:
    """Return straight dashes with sharp turns, in px."""
    pace = dice.between((200.0, 1800.0), (400.0, 3000.0))
    turns = dice.between((3.0, 12.0), (5.0, 20.0))
    angle, sharp = np.zeros(len(times)), 2.5 if dice.held_out else 1.4
    heading = dice.between((0.0, 6.28))
    for i, jump in enumerate(dice.rng.random(len(times)) < turns * np.gradient(times)):
        heading += dice.rng.normal(0.0, sharp) if jump else dice.rng.normal(0.0, 0.05)
        angle[i] = heading
    return travel(
        times, pace * np.stack([np.cos(angle), np.sin(angle)], axis=1), through=np.zeros(2), share=0.3
    ).points


def _spiral(dice: Dice, times: Points) -> Points:
    """Return loops that drift, as moths fly around a lamp, in px."""
    turn = 2 * np.pi * dice.between((1.0, 4.0), (0.6, 3.0)) * (times - times[0]) * dice.sign()
    wide = dice.between((20.0, 200.0)) * np.exp(dice.between((-1.0, 1.0)) * (times - times[0]))
    drift = (times - times[0])[:, None] * dice.rng.normal(0.0, 250.0, 2)
    loops = np.stack([wide * np.cos(turn), wide * np.sin(turn) * dice.between((0.4, 1.0))], axis=1)
    return np.asarray(loops + drift)


def _plummets(dice: Dice, times: Points) -> Points:
    """Return a dash straight down that speeds up: the shape of a fall, at the pace of an insect, in px."""
    since = times - times[0]
    down = dice.between((50.0, 500.0)) * since + dice.between((200.0, 2500.0), (100.0, 4000.0)) * since**2 / 2
    aside = wander(dice, times, sigma=dice.between((2.0, 30.0)), memory_s=0.25)[:, 0]
    return np.stack([aside + dice.rng.normal(0.0, 80.0) * since, down], axis=1)


def insects_far(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return small flying insects one to six metres off, erratic, one or two pixels across."""
    found: list[Agent] = []
    for begins in dice.moments(seconds, every_s=0.5, lasts_s=1.0):
        times = clock(begins, dice.between((1.0, 3.5)))
        pace = dice.between((0.4, 2.5), (0.6, 3.5))
        memory = dice.between((0.1, 0.6), (0.05, 0.3))
        velocity = wander(dice, times, sigma=pace, memory_s=memory, columns=3) * (1.0, 0.5, 1.0)
        velocity[:, 2] -= dice.between((-0.3, 0.9)) * (times - begins)
        place = somewhere(dice, view, rows=(0.05, 0.75), y=dice.between((1.0, 6.0), (0.8, 9.0)))
        lit = dice.chance(0.4)
        light = dice.between((0.6, 1.2)) if lit else dice.between((0.03, 0.2))
        path = travel(times, velocity, through=place, share=0.3)
        found.append(Mote("insect.far", view, path, light, radius_m=dice.between((0.0015, 0.005)), glows=lit))
    return found


def spiders(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return a spider on its thread in front of the lens, lowering itself by jerks, and waving strands of web."""
    found: list[Agent] = []
    for begins in dice.moments(seconds, every_s=4.0, lasts_s=2.0):
        found.extend(_on_a_thread(dice, view, begins, max(2.0, seconds - begins)))
    for _ in range(dice.count((1, 2), (1, 3))):
        found.append(_web(dice, view, seconds))
    return found


def _on_a_thread(dice: Dice, view: View, begins: float, lasts: float) -> list[Agent]:
    """Return the spider and its thread: a pendulum whose length grows, at times by a real drop."""
    times = clock(begins, lasts)
    pace = np.zeros(len(times))
    since, speed, letting, pull = 0.0, 0.0, False, 0.0
    for i in range(1, len(times)):
        step = times[i] - times[i - 1]
        if dice.rng.random() < step / (0.25 if letting else 0.9):
            letting, pull = not letting, dice.between((60.0, 900.0), (150.0, 1500.0))
        speed = speed + pull * step if letting else speed * 0.6
        pace[i] = speed
        since += speed * step
    fallen = np.cumsum(pace * np.gradient(times)) + dice.between((0.02, 0.35)) * view.height
    top, swing = dice.between((0.15, 0.85)) * view.width, dice.between((4.0, 40.0), (10.0, 70.0))
    rate = 2 * np.pi * dice.between((0.4, 1.2))
    across = top + swing * np.sin(rate * times) + wander(dice, times, sigma=3.0, memory_s=0.5)[:, 0]
    size, light = dice.between((4.0, 22.0), (6.0, 32.0)), dice.one((0.05, 0.1, 0.9, 1.2))
    path = Path(times, np.column_stack([across, fallen, np.full(len(times), size)]))
    body = Mote("spider", view, path, light, opacity=dice.between((0.6, 1.0)), glows=light > 0.5)

    def thread(time_s: float) -> Points:
        place = path.at(np.array([time_s]))[0]
        part = np.linspace(0.0, 1.0, 25)[:, None]
        return np.asarray(np.array([top, -10.0]) * (1 - part) + place[:2] * part)

    line = Strand("spider", view, thread, 1.5, light, dice.between((0.1, 0.4)), begins, begins + lasts)
    return [body, line]


def _web(dice: Dice, view: View, seconds: float) -> Strand:
    """Return a strand of web from one edge to another that waves in the wind."""
    ends = np.array(
        [
            [dice.between((0.0, 1.0)) * view.width, -10.0],
            [view.width + 10.0 if dice.chance(0.5) else -10.0, dice.between((0.2, 1.0)) * view.height],
        ]
    )
    part = np.linspace(0.0, 1.0, 21)
    base = ends[0] * (1 - part[:, None]) + ends[1] * part[:, None]
    depth, rate = dice.between((4.0, 25.0), (8.0, 40.0)), 2 * np.pi * dice.between((0.6, 3.0), (1.5, 5.0))
    phase = dice.between((0.0, 6.28))

    def line(time_s: float) -> Points:
        wave = np.sin(np.pi * part) * np.sin(rate * time_s + phase)
        wave += 0.4 * np.sin(2 * np.pi * part) * np.sin(2.3 * rate * time_s)
        return np.asarray(base + np.stack([wave * depth, wave * depth * 0.6], axis=1))

    light = dice.one((0.8, 1.1, 0.1))
    return Strand(
        "spider", view, line, dice.between((1.0, 4.0)), light, dice.between((0.15, 0.6)), 0.0, seconds
    )
