"""What happens to the whole camera: a mast that sways, a knock, changing exposure, the infra-red switch, lightning."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.train.render.negatives.dice import Dice
from models.train.render.negatives.places import Path, Points, clock, wander
from models.train.render.parts import Disturbance, View, Weather

RATE_HZ = 120.0


@dataclass(slots=True)
class Upset:
    """A table over time of gain, shift x, shift y (px) and roll (mrad)."""

    cause: str
    table: Path

    def weather(self, time_s: float) -> Weather:
        """Return the table's entry of that time."""
        gain, across, down, roll = (float(value) for value in self.table.at(np.array([time_s]))[0])
        return Weather(gain, across, down, roll)


def _upset(
    cause: str,
    times: Points,
    *,
    gain: Points | None = None,
    shift: Points | None = None,
    roll: Points | None = None,
) -> Upset:
    """Return a disturbance of the columns given, and nothing else."""
    columns = np.zeros((len(times), 4))
    columns[:, 0] = 1.0 if gain is None else np.clip(gain, 0.0, 8.0)
    if shift is not None:
        columns[:, 1:3] = shift
    if roll is not None:
        columns[:, 3] = roll
    return Upset(cause, Path(times, columns))


def _mix(makers: Sequence[Callable[[Dice, Points], Upset]], dice: Dice, seconds: float) -> list[Disturbance]:
    """Return one disturbance, of one of the manners."""
    return [dice.one(makers)(dice, clock(0.0, seconds, RATE_HZ))]


def shake(dice: Dice, view: View, seconds: float) -> Sequence[Disturbance]:
    """Return a mast that sways, together with lorries that pass or somebody who knocks against it."""
    return [*_mix((_mast,), dice, seconds), *_mix((_lorry, _knock), dice, seconds)]


def _mast(dice: Dice, times: Points) -> Upset:
    """Return slow swaying in gusts of wind."""
    rate, wide = 2 * np.pi * dice.between((0.5, 2.5), (0.8, 4.0)), dice.between((0.3, 3.0), (0.5, 4.5))
    gusts = 0.4 + abs(wander(dice, times, sigma=0.6, memory_s=1.5)[:, 0])
    phase = dice.rng.uniform(0, 6.28, 4)
    across = np.sin(rate * times + phase[0]) + 0.3 * np.sin(2.7 * rate * times + phase[1])
    down = 0.6 * np.sin(0.9 * rate * times + phase[2]) + 0.3 * np.sin(3.3 * rate * times + phase[3])
    shift = np.stack([across, down], axis=1) * (wide * gusts)[:, None]
    return _upset("shake", times, shift=shift, roll=0.4 * across * gusts)


def _lorry(dice: Dice, times: Points) -> Upset:
    """Return bursts of fast trembling."""
    level = np.zeros(len(times))
    for begins in dice.moments(float(times[-1]), every_s=2.5):
        level += np.exp(-(((times - begins - 0.7) / dice.between((0.3, 1.0))) ** 2))
    rate = 2 * np.pi * dice.between((6.0, 12.0), (8.0, 18.0))
    wave = np.stack([0.5 * np.sin(rate * times), np.sin(1.1 * rate * times + 1.0)], axis=1)
    return _upset("shake", times, shift=wave * level[:, None] * dice.between((0.4, 2.5)))


def _knock(dice: Dice, times: Points) -> Upset:
    """Return a knock: the camera rings, and stays a little aside afterwards."""
    shift, roll = np.zeros((len(times), 2)), np.zeros(len(times))
    for begins in dice.moments(float(times[-1]), every_s=4.0, lasts_s=1.0):
        since = times - begins
        rate, damping = 2 * np.pi * dice.between((3.0, 9.0)), dice.between((2.0, 6.0))
        ring = np.where(since > 0, np.exp(-damping * np.maximum(since, 0)) * np.sin(rate * since), 0.0)
        stays = np.where(since > 0, 1 - np.exp(-12 * np.maximum(since, 0)), 0.0)
        way = dice.rng.normal(0.0, 1.0, 2)
        shift += ring[:, None] * way * dice.between((2.0, 10.0), (4.0, 16.0)) + stays[
            :, None
        ] * way * dice.between((0.0, 4.0))
        roll += ring * dice.rng.normal(0.0, 2.0)
    return _upset("shake", times, shift=shift, roll=roll)


def exposure(dice: Dice, view: View, seconds: float) -> Sequence[Disturbance]:
    """Return clouds that pass, or an automatic exposure that hunts after a step of light."""
    return _mix((_clouds, _hunting, _hunting), dice, seconds)


def _clouds(dice: Dice, times: Points) -> Upset:
    """Return light that comes and goes within seconds."""
    slow = wander(dice, times, sigma=0.35, memory_s=dice.between((0.8, 3.0), (0.5, 2.0)))[:, 0]
    return _upset("exposure", times, gain=np.exp(np.convolve(slow, np.ones(31) / 31, "same")))


def _hunting(dice: Dice, times: Points) -> Upset:
    """Return steps of light that the exposure follows, overshoots and settles upon."""
    gain = np.zeros(len(times))
    for begins in dice.moments(float(times[-1]), every_s=2.5, lasts_s=1.0):
        since = np.maximum(times - begins, 0.0)
        rate, damping = 2 * np.pi * dice.between((0.5, 2.0), (1.0, 3.0)), dice.between((1.0, 3.0))
        gain += dice.between((-0.9, 0.9), (-1.2, 1.2)) * np.where(
            times > begins, np.exp(-damping * since) * np.cos(rate * since), 0
        )
    return _upset("exposure", times, gain=np.exp(gain))


def ir_switch(dice: Dice, view: View, seconds: float) -> Sequence[Disturbance]:
    """Return the change between day and night: dark as the filter moves, a flash, then settling."""
    times = clock(0.0, seconds, RATE_HZ)
    gain = np.ones(len(times))
    for begins in dice.moments(seconds, every_s=max(3.0, seconds / 2), lasts_s=1.5):
        since = times - begins
        dark, flash = dice.between((0.08, 0.4)), dice.between((1.0, 3.0), (1.5, 4.5))
        settles = 1 + flash * np.exp(-np.maximum(since - dark, 0) / dice.between((0.1, 0.6)))
        gain = np.where(since < 0, gain, np.where(since < dark, 0.03, settles))
    return [_upset("ir_switch", times, gain=gain)]


def lightning(dice: Dice, view: View, seconds: float) -> Sequence[Disturbance]:
    """Return flashes of several strokes each."""
    times = clock(0.0, seconds, RATE_HZ)
    gain = np.ones(len(times))
    for begins in dice.moments(seconds, every_s=1.5, lasts_s=0.5):
        for stroke in begins + np.cumsum(dice.rng.exponential(0.07, dice.count((1, 4), (2, 7)))):
            since = times - stroke
            fade = np.exp(-np.maximum(since, 0) / dice.between((0.02, 0.08)))
            gain += np.where(since >= 0, dice.between((0.4, 4.0), (0.8, 6.0)) * fade, 0.0)
    return [_upset("lightning", times, gain=gain)]
