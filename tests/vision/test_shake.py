"""The shift of a picture is measured to a tenth of a pixel, whatever moves in it."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.vision.laying import lay
from gateway.vision.shake import Anchor, Shift, middle
from gateway.vision.sight import Luma
from tests.vision.street import HEIGHT, WIDTH, wall


def moved(picture: NDArray[np.float32], x: float, y: float) -> Luma:
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float64)
    return (
        np.asarray(
            cv2.warpAffine(
                picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
        )
        .clip(0, 255)
        .astype(np.uint8)
    )


@pytest.fixture
def anchor() -> Anchor:
    held = Anchor()
    held.hold(wall().astype(np.uint8))
    return held


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (0.4, -0.3), (1.6, 0.9), (-2.4, 1.2)])
def test_a_shift_is_measured(anchor: Anchor, x: float, y: float) -> None:
    shift = anchor.measure(moved(wall(), x, y), Shift())
    assert shift.known
    assert shift.x == pytest.approx(x, abs=0.2)
    assert shift.y == pytest.approx(y, abs=0.2)


def test_a_large_thing_that_moves_does_not_drag_the_picture_along(anchor: Anchor) -> None:
    picture = moved(wall(), 0.5, 0.0)
    picture[100:300, 200:400] = 240
    assert anchor.measure(picture, Shift()).x == pytest.approx(0.5, abs=0.2)


def test_a_change_of_light_is_told_apart_from_a_shift(anchor: Anchor) -> None:
    shift = anchor.measure(np.clip(wall() * 0.8, 0, 255).astype(np.uint8), Shift())
    assert shift.x == pytest.approx(0, abs=0.2)
    assert shift.y == pytest.approx(0, abs=0.2)
    assert shift.lit(150) == pytest.approx(-30, abs=4)


def test_a_picture_without_structure_gives_no_shift() -> None:
    held = Anchor()
    held.hold(np.full((HEIGHT, WIDTH), 90, np.uint8))
    assert not held.measure(np.full((HEIGHT, WIDTH), 90, np.uint8), Shift()).known


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (3.0, -2.0), (0.5, 0.0), (0.4, -0.45), (-1.3, 2.6)])
def test_a_picture_is_laid_back_where_it_was(x: float, y: float) -> None:
    still = wall().astype(np.uint8)
    out, spare = np.empty_like(still), np.empty_like(still)
    lay(moved(wall(), x, y), x, y, out, spare)
    inner = (slice(8, -8), slice(8, -8))
    assert np.abs(out[inner].astype(int) - still[inner]).mean() < 2.0


@pytest.mark.parametrize("count", [1, 2, 3, 40, 1201])
def test_the_quick_median_is_numpys(count: int) -> None:
    values = np.random.default_rng(count).normal(0, 9, count).astype(np.float32)
    assert middle(values) == float(np.median(values))
