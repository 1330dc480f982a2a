"""Everything that moves in a camera's view and is no falling object, by cause.

A maker gives a lively stretch of one cause, far denser than life and with the hard cases to the fore: what goes
down, gains speed on the way, and looks small and compact. Training and test draw from different ranges and
partly from different models of motion.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeAlias

import numpy as np

from models.train.render.negatives.birds import birds
from models.train.render.negatives.camera import exposure, ir_switch, lightning, shake
from models.train.render.negatives.cloth import bags, curtains, laundry
from models.train.render.negatives.dice import Dice
from models.train.render.negatives.drips import drips, smoke
from models.train.render.negatives.games import thrown_up
from models.train.render.negatives.insects import insects_far, insects_near, spiders
from models.train.render.negatives.lamps import headlights, lights, reflections, shadows
from models.train.render.negatives.machines import elevators, fliers, gondolas
from models.train.render.negatives.plants import foliage, leaves
from models.train.render.negatives.screen import dust_noise, osd
from models.train.render.negatives.showers import rain_far, rain_near, snow
from models.train.render.negatives.street import people, vehicles
from models.train.render.parts import Agent, Disturbance, View

Act: TypeAlias = Callable[[Dice, View, float], Sequence[Agent | Disturbance]]


class Maker(Protocol):
    """Makes a lively `seconds` of one cause; `held_out` draws from the shifted ranges of the test split."""

    def __call__(
        self, rng: np.random.Generator, view: View, seconds: float, *, held_out: bool = False
    ) -> Sequence[Agent | Disturbance]:
        """Return its agents and disturbances."""
        ...


def _make(
    act: Act, rng: np.random.Generator, view: View, seconds: float, *, held_out: bool = False
) -> Sequence[Agent | Disturbance]:
    """Return what `act` makes of dice over the generator."""
    return act(Dice(rng, held_out), view, seconds)


_ACTS: dict[str, Act] = {
    "bird": birds,
    "insect.near": insects_near,
    "insect.far": insects_far,
    "spider": spiders,
    "rain.far": rain_far,
    "rain.near": rain_near,
    "snow": snow,
    "leaf": leaves,
    "foliage": foliage,
    "laundry": laundry,
    "curtain": curtains,
    "plastic_up": bags,
    "lights": lights,
    "headlights": headlights,
    "shadow": shadows,
    "reflection": reflections,
    "vehicle": vehicles,
    "person": people,
    "elevator": elevators,
    "gondola": gondolas,
    "kite_drone": fliers,
    "drip": drips,
    "smoke_steam": smoke,
    "thrown_up": thrown_up,
    "osd": osd,
    "dust_noise": dust_noise,
    "shake": shake,
    "exposure": exposure,
    "ir_switch": ir_switch,
    "lightning": lightning,
}

CAUSES: dict[str, Maker] = {cause: partial(_make, act) for cause, act in _ACTS.items()}
