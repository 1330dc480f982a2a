"""What moves as it should: by gravity, by drag, by an engine, or by none of these."""

from collections.abc import Callable

import numpy as np
import pytest

from models.train.render.negatives import CAUSES
from models.train.render.negatives.actors import Figure
from models.train.render.negatives.birds import GRAVITY, TRAINED, Flight, Kind, _dives, _drops
from models.train.render.negatives.cloth import _blind, _unrolled
from models.train.render.negatives.dice import Dice
from models.train.render.negatives.drips import fallen
from models.train.render.negatives.games import SHUTTLE_MPS, flight
from models.train.render.negatives.machines import ride
from models.train.render.negatives.places import Path, Points, clock, scale_at, unproject
from models.train.render.negatives.showers import Shower, rain_far, snow
from models.train.render.parts import View

Manner = Callable[[Dice, View, Kind, float], Flight]

VIEW = View(1280, 720, 1000.0, 35.0, 20.0)
SEEDS = range(8)


def dice(seed: int, held_out: bool = False) -> Dice:
    return Dice(np.random.default_rng(seed), held_out)


def figures(cause: str, seed: int) -> list[Figure]:
    """Return what a maker makes of outlines."""
    made = CAUSES[cause](np.random.default_rng(seed), VIEW, 6.0)
    return [agent for agent in made if isinstance(agent, Figure)]


def showers(seed: int) -> list[Shower]:
    """Return a rain and a snow."""
    made = (*rain_far(dice(seed), VIEW, 6.0), *snow(dice(seed), VIEW, 6.0))
    return [agent for agent in made if isinstance(agent, Shower)]


def sink(path: Path) -> Points:
    """Return the downward speed in m/s between the entries of a world path."""
    return np.asarray(-np.diff(path.points[:, 2]) / np.diff(path.times))


@pytest.mark.parametrize("manner", [_dives, _drops])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_diving_bird_accelerates_downward_and_pulls_out(manner: Manner, seed: int) -> None:
    flown = manner(dice(seed), VIEW, TRAINED[2], 0.0)
    speeds = sink(flown.path)
    peak = int(np.argmax(speeds))
    assert speeds[peak] > 1.5
    assert speeds[peak] > 1.5 * max(speeds[0], 0.3)
    assert speeds[-1] < 0.7 * speeds[peak]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_bird_falls_faster_than_gravity_lets_it(seed: int) -> None:
    flown = _drops(dice(seed), VIEW, TRAINED[2], 0.0)
    energy = flown.path.points[:, 2] * GRAVITY
    speed = np.linalg.norm(np.diff(flown.path.points, axis=0), axis=1) / np.diff(flown.path.times)
    assert (speed**2 / 2 + energy[1:] <= energy[0] + 1.0 + 0.05 * abs(energy[0] - energy[1:])).all()


def test_water_falls_freely_at_first_and_steadily_in_the_end() -> None:
    times = np.array([0.0, 0.1, 5.0, 6.0])
    ways = fallen(times, 8.5)
    assert ways[1] == pytest.approx(GRAVITY * 0.1**2 / 2, rel=0.01)
    assert ways[3] - ways[2] == pytest.approx(8.5, rel=0.01)


def test_rain_and_snow_fall_at_constant_speed() -> None:
    for shower in showers(1):
        heights = shower.places(np.array([1.0, 1.01, 1.02]))[:, :, 2]
        first, second = heights[0] - heights[1], heights[1] - heights[2]
        assert first == pytest.approx(second, rel=1e-6)
        assert first / 0.01 == pytest.approx(shower.speed_mps, rel=1e-6)


def test_drops_stay_drops_when_they_begin_again() -> None:
    """A particle leaves below and comes back above: never does it jump within the picture."""
    shower = showers(2)[0]
    heights = np.stack([shower.places(np.array([t]))[0, :, 2] for t in np.linspace(0, 6, 200)])
    assert (heights <= shower.top_m + 1e-9).all()
    assert (heights >= shower.top_m - shower.drop_m - 0.5).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_leaves_come_down_slowly(seed: int) -> None:
    for leaf in figures("leaf", seed):
        drop = leaf.path.points[0, 2] - leaf.path.points[-1, 2]
        pace = drop / (leaf.path.ends_s - leaf.path.starts_s)
        assert 0.2 < pace < 2.2


def test_a_lift_gains_speed_rides_and_stops() -> None:
    times = clock(0.0, 30.0)
    gone = ride(times, speed_mps=2.0, pull_mps2=1.0, way_m=20.0)
    speed = np.diff(gone) / np.diff(times)
    assert gone[-1] == pytest.approx(20.0)
    assert speed.max() == pytest.approx(2.0, rel=0.01)
    assert np.gradient(speed, times[1:]).max() < 1.1
    assert speed[-1] == pytest.approx(0.0, abs=1e-6)


def test_a_short_lift_ride_never_reaches_full_speed() -> None:
    times = clock(0.0, 10.0)
    gone = ride(times, speed_mps=5.0, pull_mps2=1.0, way_m=4.0)
    assert gone[-1] == pytest.approx(4.0)
    assert (np.diff(gone) / np.diff(times)).max() < 2.1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_thrown_ball_rises_before_it_falls(seed: int) -> None:
    for ball in figures("thrown_up", seed):
        heights = ball.path.points[:, 2]
        top = int(np.argmax(heights))
        assert top > 0
        assert heights[top] > heights[0] + 0.3


def test_a_shuttlecock_comes_down_at_its_terminal_speed() -> None:
    times = clock(0.0, 4.0)
    places = flight(np.zeros(3), np.array([5.0, 0.0, 20.0]), times, terminal_mps=SHUTTLE_MPS)
    assert -np.diff(places[:, 2])[-1] * 60 == pytest.approx(SHUTTLE_MPS, rel=0.05)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_unrolled_towel_drops_freely_but_stays_fastened(seed: int) -> None:
    towel = _unrolled(dice(seed), VIEW, 0.0)
    parts = [towel.shape(float(t))[0].outline for t in np.arange(0, 2.5, 0.02)]
    lows = np.array([outline[:, 1].min() for outline in parts])
    speeds = -np.diff(lows) / 0.02
    assert speeds.max() > 1.5
    assert all(outline[:, 1].max() == pytest.approx(0.0) for outline in parts)
    assert abs(speeds[-1]) < 0.3


def test_a_blind_goes_down_and_up_again() -> None:
    lows = [_blind(dice(3), 0.5)(t)[0].outline[:, 1].min() for t in (0.4, 2.9, 9.0)]
    assert lows[1] < lows[0] - 0.5
    assert lows[2] > lows[1] + 0.5


def test_a_nearing_car_goes_down_the_picture_faster_and_faster() -> None:
    found = [
        car
        for seed in range(12)
        for car in figures("vehicle", seed)
        if car.path.points[-1, 1] < car.path.points[0, 1] - 10
    ]
    assert found
    for car in found:
        times = np.linspace(car.path.starts_s, car.path.ends_s, 5)
        down = VIEW.project(car.path.at(times))[0][:, 1]
        assert np.diff(down, n=2)[-1] > 0


def test_a_picture_point_is_found_again_in_the_world() -> None:
    point = unproject(VIEW, 300.0, 200.0, 18.0)
    pixel, depth = VIEW.project(point[None, :])
    assert pixel[0] == pytest.approx([300.0, 200.0])
    assert point[1] == pytest.approx(18.0)
    assert scale_at(VIEW, point) == pytest.approx(VIEW.focal_px / depth[0])
