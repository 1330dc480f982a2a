"""Training and test draw from different distributions, not merely from different seeds."""

import numpy as np
import pytest

from models.train.render.negatives import CAUSES
from models.train.render.negatives.birds import TESTED, TRAINED
from models.train.render.negatives.camera import lightning
from models.train.render.negatives.dice import Dice
from models.train.render.parts import View

VIEW = View(1280, 720, 1000.0, 35.0, 20.0)


def fingerprint(cause: str, *, held_out: bool) -> list[float]:
    """Return the light of a few moments: differs when anything of the make differs."""
    agents = CAUSES[cause](np.random.default_rng(3), VIEW, 4.0, held_out=held_out)
    lit = [
        float(p.light.sum())
        for a in agents
        if hasattr(a, "patches")
        for t in (0.8, 2.0)
        for p in a.patches(t, t + 0.01)
    ]
    upset = [a.weather(t) for a in agents if hasattr(a, "weather") for t in (0.8, 2.0, 3.0)]
    return lit + [value for w in upset for value in (w.gain, w.shift_x, w.shift_y)]


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_the_same_seed_makes_other_things_when_held_out(cause: str) -> None:
    assert fingerprint(cause, held_out=False) != fingerprint(cause, held_out=True)


def test_no_kind_of_bird_is_in_both_splits() -> None:
    assert not set(TRAINED) & set(TESTED)


def test_dice_use_the_tested_span_only_when_held_out() -> None:
    trained, tested = Dice(np.random.default_rng(1)), Dice(np.random.default_rng(1), held_out=True)
    assert all(0 <= trained.between((0, 1), (5, 6)) <= 1 for _ in range(50))
    assert all(5 <= tested.between((0, 1), (5, 6)) <= 6 for _ in range(50))
    assert all(0 <= tested.between((0, 1)) <= 1 for _ in range(50))
    assert {tested.count((1, 2), (8, 9)) for _ in range(50)} == {8, 9}


def test_held_out_lightning_is_stronger_on_average() -> None:
    gains = []
    for held_out in (False, True):
        found = [lightning(Dice(np.random.default_rng(k), held_out), VIEW, 6.0)[0] for k in range(10)]
        times = np.arange(0, 6, 0.01)
        gains.append(np.mean([max(one.weather(float(t)).gain for t in times) for one in found]))
    assert gains[1] > gains[0]


def test_moments_never_lie_too_late_to_show_something() -> None:
    for seed in range(30):
        begins = Dice(np.random.default_rng(seed)).moments(6.0, every_s=2.0, lasts_s=1.5)
        assert len(begins) == 3
        assert max(begins) <= 4.5
