"""Falling things: blur as long as the way in one exposure, and no more light than there is."""

from dataclasses import replace

import numpy as np
import pytest

from models.train.render.bodies import body
from models.train.render.flight import Release, fly
from models.train.render.parts import Patch, View
from models.train.render.things import Thing, mirrored, shadowed

VIEW = View(1920, 1080, focal_px=1500.0, pitch_deg=40.0, distance_m=20.0)
EXPOSURE_S = 1 / 50


def thing(size_m: float = 0.2, light: float = 0.5) -> Thing:
    release = Release((0.0, 19.5, 22.0), (0, 0, 0), 40.0, 20.0)
    flight = fly(np.random.default_rng(1), release)
    ball = body(np.random.default_rng(2), "blob", size_m, spin=0.0, light=light, plain=True)
    return Thing(VIEW, flight, ball, starts_s=1.0)


def patch_at(which: Thing, time_s: float, exposure_s: float = EXPOSURE_S) -> Patch:
    (patch,) = which.patches(time_s, time_s + exposure_s)
    return patch


def test_it_is_not_there_before_it_falls_nor_after() -> None:
    ball = thing()
    assert not list(ball.patches(0.5, 0.52))
    assert not ball.over(1.5)
    assert ball.over(1.0 + ball.flight.lasts_s + 0.1)


def test_it_is_where_the_lens_sees_it() -> None:
    ball = thing()
    patch = patch_at(ball, 1.8)
    at, _ = VIEW.project(ball.flight.at(np.array([0.81])))
    rows, columns = np.indices(patch.cover.shape)
    middle = ((columns + 0.5) * patch.cover).sum(), ((rows + 0.5) * patch.cover).sum()
    found = np.array(middle) / patch.cover.sum() + (patch.x, patch.y)
    assert found == pytest.approx(at[0], abs=1.5)


def test_its_streak_is_as_long_as_its_way_while_the_shutter_is_open() -> None:
    ball = thing(size_m=0.05)
    patch = patch_at(ball, 2.2)
    ends, _ = VIEW.project(ball.flight.at(np.array([1.2, 1.2 + EXPOSURE_S])))
    rows = np.nonzero(patch.cover.max(axis=1) > 0.02)[0]
    size = ball.width_px(2.2)
    assert np.ptp(rows) + 1 == pytest.approx(ends[1, 1] - ends[0, 1] + size, abs=3)


def test_a_long_exposure_thins_it_but_keeps_its_whole_cover() -> None:
    """The sum of the cover is the area of the thing, however far it goes."""
    ball = thing(size_m=0.05)
    short, long = (patch_at(ball, 2.2, exposure).cover for exposure in (1e-4, 0.03))
    assert long.sum() == pytest.approx(short.sum(), rel=0.15)
    assert long.max() < 0.6 * short.max()


def test_it_never_covers_more_than_all_nor_brings_more_light_than_it_has() -> None:
    patch = patch_at(thing(size_m=0.5, light=0.4), 1.6)
    assert patch.cover.max() <= 1.0 + 1e-5
    assert (patch.light <= patch.cover * 0.5 + 1e-4).all()


def test_the_image_in_glass_falls_beside_it_and_shows_on_glass_only() -> None:
    glass = np.zeros((1080, 1920), np.float32)
    glass[:540] = 1
    twin = replace(thing(), ghost=mirrored(20.0, 0.3), glass=glass, strength=0.3)
    original, image = patch_at(thing(), 1.5), patch_at(twin, 1.5)
    assert 0 < image.cover.max() <= 0.31
    assert image.x > original.x
    low = patch_at(twin, 2.35)
    assert low.y > 540
    assert low.cover.max() == 0


def test_a_shadow_brings_no_light() -> None:
    shadow = replace(thing(), ghost=shadowed(20.0, 0.5, 1.0), strength=0.5, shade=True)
    patch = patch_at(shadow, 1.5)
    assert patch.cover.max() > 0.3
    assert patch.light.max() == 0


def test_a_rolling_shutter_shows_the_lower_rows_later() -> None:
    plain, rolling = patch_at(thing(), 2.0), patch_at(replace(thing(), row_s=2e-5), 2.0)
    assert rolling.y > plain.y
