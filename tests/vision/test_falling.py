"""Free fall is told from steady motion through any camera that looks up."""

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.vision import falling

TIMES = np.arange(25) / 25


def seen(drops: NDArray[np.float64], *, scale: float, perspective: float) -> NDArray[np.float64]:
    return np.asarray((200 + scale * drops) / (1 - perspective * drops))


@pytest.mark.parametrize("perspective", [0.0, 0.01, 0.03])
@pytest.mark.parametrize("start", [0.0, 4.0])
def test_free_fall_through_a_tilted_camera_leaves_next_to_nothing(perspective: float, start: float) -> None:
    drops = start * TIMES + 9.81 * TIMES**2 / 2
    fit = falling.fit(TIMES, seen(drops, scale=60, perspective=perspective))
    assert fit.misfit_px < 0.3
    assert fit.bend > 1.0


def test_the_scale_is_that_of_the_camera() -> None:
    fit = falling.fit(TIMES, seen(9.81 * TIMES**2 / 2, scale=60, perspective=0.01))
    assert fit.scale_px == pytest.approx(60, rel=0.15)


def test_the_scale_where_it_begins_is_told_wherever_rows_are_counted_from() -> None:
    """A part of a picture is as far off as it is in the whole, though its first row is another."""
    downs = seen(9.81 * TIMES**2 / 2, scale=60, perspective=0.03)
    whole, part = falling.fit(TIMES, downs), falling.fit(TIMES, downs - 180)
    assert whole.first_px == pytest.approx(60 + 0.03 * 200, rel=0.1)
    assert part.first_px == pytest.approx(whole.first_px, rel=0.05)
    assert part.scale_px < 0.95 * whole.scale_px or part.scale_px > 1.05 * whole.scale_px


def test_a_fall_with_drag_is_fitted_too() -> None:
    end = 8.0
    drops = end**2 / 9.81 * np.log(np.cosh(9.81 * TIMES / end))
    fit = falling.fit(TIMES, seen(drops, scale=60, perspective=0.01))
    assert fit.misfit_px < 0.6


def test_steady_motion_gains_nothing_by_being_called_a_fall() -> None:
    fit = falling.fit(TIMES, 100 + 300 * TIMES)
    assert fit.bend < 0.2


def test_one_wild_sighting_does_not_spoil_the_fit() -> None:
    downs = seen(9.81 * TIMES**2 / 2, scale=60, perspective=0.01)
    downs[10] += 40
    assert falling.fit(TIMES, downs).misfit_px < 3.0


def test_what_is_thrown_towards_the_camera_is_fitted_though_the_scale_shrinks_to_nothing() -> None:
    """It sets off level in the picture and comes down because it comes near: b is below 0, and yet nothing rises."""
    fit = falling.fit(TIMES, seen(9.81 * TIMES**2 / 2, scale=-5, perspective=0.1))
    assert fit.misfit_px < 0.3
    assert fit.bend > 1.0


def test_what_flies_up_is_no_fall() -> None:
    fit = falling.fit(TIMES, 400 - 250 * TIMES)
    assert fit.scale_px > 0 or fit.misfit_px > 20
