"""Geometry: the camera's picture against what geometry says in closed form."""

import numpy as np
import pytest

from models.train.render.facade import house
from models.train.render.parts import View
from models.train.render.settings import Settings
from models.train.render.styles import STYLES
from models.train.render.views import choose, height_at, part, row_of, seen_m

SETTINGS = Settings(seed=1)
VIEW = View(1920, 1080, focal_px=1500.0, pitch_deg=40.0, distance_m=20.0)


def test_a_point_straight_ahead_of_the_lens_is_in_the_middle_of_the_picture() -> None:
    ahead = VIEW.height_m + VIEW.distance_m * np.tan(np.radians(VIEW.pitch_deg))
    points, depths = VIEW.project(np.array([[0.0, VIEW.distance_m, ahead]]))
    assert points[0] == pytest.approx((960, 540))
    assert depths[0] == pytest.approx(VIEW.distance_m / np.cos(np.radians(VIEW.pitch_deg)))


def test_a_drop_is_seen_as_projective_free_fall() -> None:
    """A camera that looks up sees y = (a + b u) / (1 - c u) of a drop by u metres, whatever the height."""
    drops = np.array([0.0, 1.0, 3.0, 7.0])
    points, _ = VIEW.project(np.stack([0 * drops, 0 * drops + VIEW.distance_m, 25 - drops], axis=1))
    y = points[:, 1]
    design = np.stack([np.ones(4), drops, drops * y], axis=1)
    solved, *_ = np.linalg.lstsq(design[:3], y[:3], rcond=None)
    assert solved @ design[3] == pytest.approx(y[3], abs=1e-6)


def test_rows_and_heights_are_each_others_inverse() -> None:
    for z in (3.0, 12.0, 31.0):
        assert height_at(VIEW, row_of(VIEW, z)) == pytest.approx(z)


@pytest.mark.parametrize("seed", range(5))
def test_a_part_shows_what_the_whole_picture_shows_there(seed: int) -> None:
    rng = np.random.default_rng(seed)
    front = house(rng, STYLES["train"][0], floors=12, left=-15.0, right=15.0)
    view = choose(rng, SETTINGS, front)
    piece = part(rng, view, front)
    points = np.array([[0.0, view.distance_m, 8.0], [3.0, view.distance_m, 14.0]])
    whole, _ = view.project(points)
    mine, _ = piece.project(points)
    offset = whole - mine
    assert offset[0] == pytest.approx(offset[1])
    assert (offset[0] >= 0).all()
    assert (offset[0] + (piece.width, piece.height) <= (view.width, view.height)).all()


def test_the_camera_always_sees_several_floors_of_the_house() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        front = house(rng, STYLES["train"][1], floors=int(rng.integers(6, 19)), left=-20.0, right=20.0)
        low, high = seen_m(choose(rng, SETTINGS, front), front)
        assert high - low >= 8
