"""Footprints: what a small or fast thing covers, and that nothing is drawn where nothing shows."""

import numpy as np
import pytest

from models.train.render.negatives.drawing import BRIGHTEST, Part, dashes, outlines, streak, warped
from models.train.render.negatives.places import Points
from models.train.render.negatives.shapes import box
from models.train.render.parts import Patch, View

VIEW = View(640, 480, 800.0, 35.0, 20.0)


def drawn(patch: Patch | None) -> Patch:
    """Return the patch, which must be there."""
    assert patch is not None
    return patch


def still(x: float, y: float, count: int = 4) -> Points:
    return np.tile(np.array([[x, y]]), (count, 1))


@pytest.mark.parametrize("radius", [0.2, 0.5, 1.5, 4.0])
def test_a_small_disc_covers_its_own_area(radius: float) -> None:
    patch = drawn(streak(VIEW, still(100.3, 80.6), np.full(4, radius), light=0.5))
    assert patch.cover.sum() == pytest.approx(np.pi * radius**2, rel=0.2)
    assert patch.light.sum() == pytest.approx(0.5 * patch.cover.sum(), rel=1e-3)


def test_motion_spreads_the_same_cover_over_a_longer_streak() -> None:
    places = np.stack([np.full(8, 200.0), np.linspace(100, 160, 8)], axis=1)
    moved = drawn(streak(VIEW, places, np.full(8, 2.0), light=0.5))
    stood = drawn(streak(VIEW, still(200.0, 130.0, 8), np.full(8, 2.0), light=0.5))
    assert moved.cover.sum() == pytest.approx(stood.cover.sum(), rel=0.05)
    assert moved.cover.shape[0] > stood.cover.shape[0] + 50
    assert moved.cover.max() < 0.3 * stood.cover.max()


def test_a_fast_streak_has_no_gaps() -> None:
    places = np.stack([np.full(8, 200.0), np.linspace(50, 400, 8)], axis=1)
    column = drawn(streak(VIEW, places, np.full(8, 1.5), light=0.5)).cover.sum(axis=1)[10:-10]
    assert column.min() > 0.7 * column.max()


def test_a_large_soft_disc_lies_where_a_small_one_would() -> None:
    patch = drawn(streak(VIEW, still(300.0, 200.0), np.full(4, 40.0), light=1.0))
    rows, columns = np.indices(patch.cover.shape)
    weight = patch.cover.sum()
    assert patch.x + (columns * patch.cover).sum() / weight == pytest.approx(300.0, abs=0.6)
    assert patch.y + (rows * patch.cover).sum() / weight == pytest.approx(200.0, abs=0.6)


@pytest.mark.parametrize("place", [(-200.0, 100.0), (100.0, 900.0), (float("nan"), 10.0)])
def test_nothing_is_drawn_out_of_the_picture(place: tuple[float, float]) -> None:
    assert streak(VIEW, still(*place), np.full(4, 2.0), light=0.5) is None
    scales = np.full(4, 10.0)
    assert outlines(VIEW, [[Part(box(1, 1), 0.5)]], still(*place), scales) is None
    ends = np.array([place])
    assert not list(dashes(VIEW, ends, ends + 3, widths=np.ones(1), opacities=np.ones(1), light=0.5))


def test_an_outline_covers_its_area_with_its_light() -> None:
    patch = drawn(outlines(VIEW, [[Part(box(2.0, 1.0), 0.6)]], still(200.25, 150.75), np.full(4, 20.0)))
    assert patch.cover.sum() == pytest.approx(40 * 20, rel=0.1)
    assert patch.light.max() == pytest.approx(0.6, abs=BRIGHTEST / 200)


def test_a_later_part_hides_an_earlier_one() -> None:
    parts = [Part(box(2.0, 2.0), 0.2), Part(box(4.0, 4.0), 0.9)]
    patch = drawn(outlines(VIEW, [parts], still(200.0, 150.0), np.full(4, 20.0)))
    assert patch.light[patch.cover > 0.99].min() > 0.85


def test_a_thin_line_is_fainter_than_a_thick_one() -> None:
    start, end = np.array([[50.0, 50.0], [80.0, 50.0]]), np.array([[50.0, 90.0], [80.0, 90.0]])
    thin, thick = dashes(VIEW, start, end, widths=np.array([0.25, 1.0]), opacities=np.ones(2), light=1.0)
    assert thin.cover.sum() == pytest.approx(0.25 * thick.cover.sum(), rel=0.05)


def test_a_texture_is_laid_where_its_motion_says() -> None:
    texture = np.ones((10, 10, 2), np.float32)
    patch = drawn(warped(VIEW, texture, [np.array([[2.0, 0, 100.0], [0, 2.0, 50.0]])], gain=0.5))
    assert patch.cover.max() == pytest.approx(0.5)
    assert patch.cover.sum() == pytest.approx(0.5 * 400, rel=0.15)
    assert 95 <= patch.x <= 101
    assert 45 <= patch.y <= 51
