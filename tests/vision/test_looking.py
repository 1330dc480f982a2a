"""What is measured of a thing is the thing: not what trembles around it, and in its own place."""

import numpy as np
import pytest

from gateway.vision.laying import Picture
from gateway.vision.looking import cut, look
from gateway.vision.shake import Shift
from gateway.vision.sight import Ground, Luma

WALL = np.full((120, 160), 100, np.uint8)
GROUND = Ground(WALL, np.full_like(WALL, 8))


def picture(luma: Luma) -> Picture:
    return Picture(7, 0.28, luma, Shift(), WALL)


def test_a_thing_is_measured_where_it_is() -> None:
    luma = WALL.copy()
    luma[50:56, 70:75] = 30
    seen = look(picture(luma), GROUND, 71, 54, reach=6, size=6)
    assert seen is not None
    assert (seen.box, seen.x, seen.y, seen.contrast) == ((70, 50, 75, 56), 72.0, 52.5, -70.0)


def test_a_thing_that_has_grown_into_what_trembles_around_it_is_measured_alone() -> None:
    luma = WALL.copy()
    luma[40:70, 55:95] = 108  # as faint as noise, and all around
    luma[50:56, 70:75] = 30
    seen = look(picture(luma), GROUND, 72, 53, reach=6, size=6)
    assert seen is not None
    assert seen.box == (70, 50, 75, 56)


@pytest.mark.parametrize("left", [50, 51])
@pytest.mark.parametrize("wide", [44, 45])
def test_a_large_thing_is_measured_to_the_pixel_though_every_second_one_is_looked_at(
    left: int, wide: int
) -> None:
    luma = WALL.copy()
    luma[30:70, left : left + wide] = 30
    seen = look(picture(luma), GROUND, 74, 52, reach=12, size=40)
    assert seen is not None
    assert np.abs(np.subtract(seen.box, (left, 30, left + wide, 70))).max() <= 1
    assert abs(seen.x - (left + (wide - 1) / 2)) <= 0.5
    assert abs(seen.y - 49.5) <= 0.5
    assert seen.contrast == -70.0


def test_what_is_too_far_off_is_not_taken() -> None:
    luma = WALL.copy()
    luma[50:56, 70:75] = 30
    assert look(picture(luma), GROUND, 50, 53, reach=6, size=6) is None


def test_a_picture_cut_at_the_rim_repeats_what_lies_there() -> None:
    luma = WALL.copy()
    luma[0:4, 0:4] = 30
    (now, off), shrunk = cut(picture(luma), WALL, 2, 2, size=4)
    assert (now.shape, shrunk) == ((32, 32), 1)
    assert set(now[:18, :18].ravel()) == {30}  # what lies beyond is the corner again
    assert set(now[18:, 18:].ravel()) == {100}
    assert off[0, 0] == 128 - 35
    assert off[31, 31] == 128
