"""Falls: free fall at first, terminal speed in the end, walls and ledges between."""

import numpy as np
import pytest

from models.train.render.flight import GRAVITY_MPS2, Flutter, Release, Wind, fly

WALL = 20.0
HIGH = (0.0, WALL - 0.5, 60.0)


def test_a_brick_falls_freely_at_first() -> None:
    flight = fly(np.random.default_rng(1), Release(HIGH, (0, 0, 0), 50.0, WALL))
    at = flight.at(np.array([0.5, 1.0]))
    assert 60 - at[:, 2] == pytest.approx(GRAVITY_MPS2 * np.array([0.5, 1.0]) ** 2 / 2, rel=0.03)


@pytest.mark.parametrize("terminal", [2.0, 6.0, 15.0])
def test_drag_leads_to_the_terminal_speed(terminal: float) -> None:
    flight = fly(np.random.default_rng(1), Release(HIGH, (0, 0, 0), terminal, WALL))
    end = flight.lasts_s
    last = flight.at(np.array([end - 0.4, end - 0.2]))
    assert (last[0, 2] - last[1, 2]) / 0.2 == pytest.approx(terminal, rel=0.03)


def test_the_fall_of_a_bottle_is_that_of_the_closed_form() -> None:
    """With drag by the square of the speed: drop = vt^2 / g * ln cosh(g t / vt)."""
    flight = fly(np.random.default_rng(1), Release(HIGH, (0, 0, 0), 20.0, WALL))
    t = np.array([0.5, 1.5, 2.5])
    drop = 20.0**2 / GRAVITY_MPS2 * np.log(np.cosh(GRAVITY_MPS2 * t / 20.0))
    assert 60 - flight.at(t)[:, 2] == pytest.approx(drop, rel=0.02)


def test_a_flight_ends_on_the_ground() -> None:
    flight = fly(np.random.default_rng(1), Release(HIGH, (0, -3, 1), 30.0, WALL))
    assert flight.points[-1, 2] <= 0 < flight.points[-2, 2]


def test_nothing_flies_through_the_wall() -> None:
    flight = fly(np.random.default_rng(2), Release(HIGH, (0, 4.0, 0), 5.0, WALL, Wind(0.0, 3.0, 1.0)))
    assert flight.points[:, 1].max() < WALL


def test_wind_carries_paper_and_hardly_a_brick() -> None:
    wind = Wind(x=4.0)
    aside = [
        fly(np.random.default_rng(1), Release((0, 19, 20), (0, 0, 0), terminal, WALL, wind)).points[-1, 0]
        for terminal in (2.0, 45.0)
    ]
    assert aside[0] > 20
    assert aside[1] < 1.0


@pytest.mark.parametrize("manner", ["swing", "spin"])
def test_what_flutters_goes_to_and_fro_and_still_comes_down(manner: str) -> None:
    flutter = Flutter(manner, rate_hz=1.0, glide=0.5, phase=0.0, heading=0.0)
    flight = fly(np.random.default_rng(4), Release((0, 10, 15), (0, 0, 0), 2.0, WALL, flutter=flutter))
    assert flight.points[-1, 2] <= 0
    speeds = np.diff(flight.points[:, 0])
    assert (np.diff(np.sign(speeds)) != 0).any()


def test_a_ledge_sends_a_thing_up_again_once() -> None:
    flight = fly(np.random.default_rng(1), Release((0, 19.5, 20), (0, 0, 0), 40.0, WALL, ledge_z=10.0))
    rising = np.diff(flight.points[:, 2]) > 0
    assert np.diff(rising.astype(int)).clip(0).sum() == 1


def test_the_same_dice_make_the_same_flight() -> None:
    release = Release(HIGH, (1, -1, 0), 3.0, WALL, Wind(1.0, 0.0, 1.0))
    first, second = (fly(np.random.default_rng(7), release).points for _ in range(2))
    assert np.array_equal(first, second)
