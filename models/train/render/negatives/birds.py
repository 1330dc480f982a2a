"""Birds: they cross, glide, soar, dip, dive with folded wings, and let themselves drop from a ledge.

A bird is a speed, a climb angle and a heading over time; its place follows by integration. A dive gains
speed by gravity, so it accelerates downward like a thing that fell, until the bird opens its wings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.train.render.negatives.actors import Figure, Shape
from models.train.render.negatives.dice import Dice
from models.train.render.negatives.drawing import Part
from models.train.render.negatives.places import Path, Points, clock, somewhere, travel, wander
from models.train.render.parts import Agent, View

GRAVITY = 9.81


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of bird: wing span in m, wing beats per second, cruising speed in m/s, its light in the sun."""

    span_m: float
    beats_hz: float
    speed_mps: float
    light: float


TRAINED = (
    Kind(0.23, 14.0, 8.0, 0.12),  # sparrow
    Kind(0.42, 7.0, 12.0, 0.04),  # swift
    Kind(0.66, 6.5, 12.0, 0.20),  # pigeon
    Kind(0.62, 6.5, 11.0, 0.60),  # white pigeon
    Kind(0.90, 4.0, 10.0, 0.05),  # crow
    Kind(1.20, 3.0, 10.0, 0.70),  # gull
)
TESTED = (
    Kind(0.32, 9.0, 9.0, 0.08),  # bulbul
    Kind(0.28, 8.5, 11.0, 0.30),  # swallow
    Kind(0.50, 5.5, 9.0, 0.15),  # dove
    Kind(0.55, 5.0, 9.0, 0.40),  # magpie
    Kind(1.50, 2.4, 9.0, 0.18),  # kite
)


def birds(dice: Dice, view: View, seconds: float) -> Sequence[Agent]:
    """Return single birds of every manner of flying, and a flock at times."""
    manners = (_crosses, _glides, _soars, _dips, _dives, _dives, _drops, _drops, _lands)
    found: list[Agent] = []
    for begins in dice.moments(seconds, every_s=1.6, lasts_s=1.6):
        kind = dice.one(TESTED if dice.held_out else TRAINED)
        found.append(_bird(dice, view, kind, dice.one(manners)(dice, view, kind, begins)))
    if dice.chance(0.4):
        found.extend(_flock(dice, view, seconds))
    return found


@dataclass(frozen=True, slots=True)
class Flight:
    """A path with how far the wings are open (0 folded, 1 spread) and how hard they beat, per path time."""

    path: Path
    spread: Points
    effort: Points


def _bird(dice: Dice, view: View, kind: Kind, flight: Flight) -> Figure:
    """Return the bird in that flight."""
    light = kind.light * dice.between((0.7, 1.3), (0.5, 1.6))
    return Figure("bird", view, flight.path, _wings(dice, kind, flight, light))


def _wings(dice: Dice, kind: Kind, flight: Flight, light: float) -> Shape:
    """Return the outline over time: a slim body and two wings whose tips go up and down."""
    half, beat = kind.span_m / 2, kind.beats_hz * dice.between((0.85, 1.15))
    phase, lean = dice.between((0.0, 6.28)), dice.between((0.5, 1.0))
    around = np.linspace(0, 2 * np.pi, 9)[:-1]
    body = np.stack([np.cos(around) * half * 0.42, np.sin(around) * half * 0.15], axis=1)
    sharp = 2.0 if dice.held_out else 1.0  # a jerkier beat

    def shape(time_s: float) -> list[Part]:
        spread = float(np.interp(time_s, flight.path.times, flight.spread))
        effort = float(np.interp(time_s, flight.path.times, flight.effort))
        wave = np.sin(2 * np.pi * beat * time_s + phase)
        lift = np.sign(wave) * abs(wave) ** (1 / sharp) * effort * 1.1 + 0.15
        tip = half * (0.25 + 0.75 * spread)
        out, up = tip * np.cos(lift) * lean, tip * np.sin(lift)
        root = half * 0.3
        wings = [
            np.array(
                [
                    (0, root * 0.4),
                    (side * out * 0.55, up * 0.7 + root * 0.3),
                    (side * out, up),
                    (0, -root * 0.5),
                ]
            )
            for side in (-1, 1)
        ]
        return [Part(body, light), *(Part(wing, light * (1.15 if lift > 0 else 0.9)) for wing in wings)]

    return shape


def _path(
    dice: Dice, view: View, times: Points, *, speed: Points, climb: Points, heading: Points, share: float
) -> Path:
    """Return the path of speeds (n,), climb and heading angles (n,), through a point of the picture at `share`."""
    near = dice.between((0.45, 0.98), (0.35, 0.9)) * view.distance_m
    level = speed * np.cos(climb)
    velocity = np.stack([level * np.cos(heading), level * np.sin(heading), speed * np.sin(climb)], axis=1)
    return travel(times, velocity, through=somewhere(dice, view, rows=(0.12, 0.7), y=near), share=share)


def _heading(dice: Dice, times: Points) -> Points:
    """Return headings mostly along the facade, a little towards or away from it."""
    base = 0.0 if dice.chance(0.5) else np.pi
    return base + dice.between((-0.4, 0.4), (-0.7, 0.7)) + wander(dice, times, sigma=0.1, memory_s=1.0)[:, 0]


def _steady(dice: Dice, view: View, kind: Kind, times: Points, *, climb: Points, effort: Points) -> Flight:
    """Return a flight of steady speed."""
    speed = np.full(len(times), kind.speed_mps * dice.between((0.7, 1.2), (0.5, 1.0)))
    path = _path(dice, view, times, speed=speed, climb=climb, heading=_heading(dice, times), share=0.5)
    return Flight(path, np.ones(len(times)), effort)


def _crosses(dice: Dice, view: View, kind: Kind, begins: float) -> Flight:
    """Return flapping flight across; small birds bound: they beat, then fall with closed wings, again and again."""
    times = clock(begins - 1.2, dice.between((2.0, 4.0)))
    bounds = 0.35 * np.sin(2 * np.pi * dice.between((0.8, 1.8)) * times) if kind.span_m < 0.35 else 0.0
    climb = wander(dice, times, sigma=0.15, memory_s=0.8)[:, 0] + bounds
    return _steady(dice, view, kind, times, climb=climb, effort=np.ones(len(times)))


def _glides(dice: Dice, view: View, kind: Kind, begins: float) -> Flight:
    """Return a glide that sinks steadily."""
    times = clock(begins - 1.2, dice.between((2.0, 4.0)))
    climb = np.full(len(times), -dice.between((0.05, 0.6), (0.1, 0.8)))
    return _steady(dice, view, kind, times, climb=climb, effort=np.full(len(times), 0.05))


def _soars(dice: Dice, view: View, kind: Kind, begins: float) -> Flight:
    """Return circles on spread wings."""
    times = clock(begins - 1.4, dice.between((3.0, 6.0)))
    speed = np.full(len(times), kind.speed_mps * 0.7)
    heading = dice.between((0, 6.28)) + dice.sign() * dice.between((0.6, 1.6)) * (times - times[0])
    path = _path(dice, view, times, speed=speed, climb=np.full(len(times), -0.05), heading=heading, share=0.4)
    return Flight(path, np.ones(len(times)), np.full(len(times), 0.04))


def _dips(dice: Dice, view: View, kind: Kind, begins: float) -> Flight:
    """Return a swoop: down and up again on a bow, without folding the wings."""
    times = clock(begins - 0.6, dice.between((1.6, 3.0)))
    part = np.linspace(-1, 1, len(times))
    climb = dice.between((0.5, 1.2), (0.7, 1.35)) * np.tanh(3 * part)
    speed = np.full(len(times), kind.speed_mps) * (1.15 - 0.4 * np.abs(part))
    path = _path(dice, view, times, speed=speed, climb=climb, heading=_heading(dice, times), share=0.4)
    return Flight(path, np.ones(len(times)), np.where(part > 0.4, 1.0, 0.1))


def _plunge(
    dice: Dice, times: Points, *, first: float, steep: float, opens_at: float
) -> tuple[Points, Points]:
    """Return the speed and climb of a bird that noses over to `steep`, gains speed by gravity, then pulls out."""
    since = times - times[0]
    pull = dice.between((4.0, 8.0), (2.5, 6.0))
    over = 1 - np.exp(-since / dice.between((0.05, 0.2)))
    climb = -steep * over / (1 + np.exp(np.minimum(pull * (since - opens_at), 50.0)))
    drag = dice.between((0.002, 0.012), (0.006, 0.02))
    speed = np.empty(len(times))
    speed[0] = first
    for i in range(1, len(times)):
        pace = speed[i - 1]
        brake = drag * pace**2 * (1 if since[i] < opens_at else 6)
        gain = -GRAVITY * np.sin(climb[i - 1]) - brake
        speed[i] = max(1.0, pace + gain * (times[i] - times[i - 1]))
    return speed, climb


def _dives(dice: Dice, view: View, kind: Kind, begins: float) -> Flight:
    """Return a dive with folded wings out of level flight."""
    times = clock(begins, dice.between((2.2, 3.2)))
    opens_at = dice.between((0.6, 1.6), (0.8, 1.9))
    first, steep = kind.speed_mps * dice.between((0.2, 0.7)), dice.between((0.9, 1.5))
    speed, climb = _plunge(dice, times, first=first, steep=steep, opens_at=opens_at)
    path = _path(dice, view, times, speed=speed, climb=climb, heading=_heading(dice, times), share=0.15)
    folded = np.where(times - begins < opens_at, 0.15, 1.0)
    return Flight(path, folded, np.where(folded < 0.5, 0.05, 0.8))


def _drops(dice: Dice, view: View, kind: Kind, begins: float) -> Flight:
    """Return a pigeon that tips over the edge of a ledge, falls, then flies off."""
    times = clock(begins, dice.between((1.8, 2.8)))
    opens_at = dice.between((0.3, 1.2), (0.4, 1.4))
    speed, climb = _plunge(dice, times, first=1.0, steep=dice.between((1.3, 1.56)), opens_at=opens_at)
    path = _path(dice, view, times, speed=speed, climb=climb, heading=_heading(dice, times), share=0.0)
    spread = np.clip((times - begins) / opens_at, 0.2, 1.0)
    return Flight(path, spread, np.where(times - begins < opens_at * 0.8, 0.1, 1.0))


def _lands(dice: Dice, view: View, kind: Kind, begins: float) -> Flight:
    """Return an approach from above that slows down, flares and sits."""
    times = clock(begins - 1.5, dice.between((1.8, 3.0)))
    left = np.linspace(1, 0, len(times))
    speed = np.maximum(kind.speed_mps * left * 0.9, 0.02)
    climb = np.where(
        left > 0.3, -dice.between((0.3, 1.0), (0.5, 1.2)), 0.6 * np.minimum(1, (0.3 - left) / 0.15)
    )
    path = _path(dice, view, times, speed=speed, climb=climb, heading=_heading(dice, times), share=1.0)
    return Flight(path, np.clip(left * 4, 0.1, 1), np.where(left > 0.05, 1.0, 0.0))


def _flock(dice: Dice, view: View, seconds: float) -> list[Agent]:
    """Return several birds of one kind that cross together."""
    kind = dice.one(TESTED if dice.held_out else TRAINED)
    begins = dice.moments(seconds, every_s=seconds, lasts_s=2.5)[0]
    leader = _crosses(dice, view, kind, begins)
    flock: list[Agent] = []
    for _ in range(dice.count((4, 8), (6, 10))):
        drift = wander(dice, leader.path.times, sigma=0.25, memory_s=0.7, columns=3)
        place = dice.rng.normal(0.0, (1.6, 1.2, 0.9), 3)
        path = Path(leader.path.times, leader.path.points + drift + place)
        flock.append(_bird(dice, view, kind, Flight(path, leader.spread, leader.effort)))
    return flock
