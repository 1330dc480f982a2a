"""The floor is found by following the path back to where it was at rest."""

import numpy as np
import pytest

from gateway.vision.floors import Storeys, inside, origin
from gateway.vision.sight import Outlook, Spot

STOREY_M, SCALE, PERSPECTIVE, FOOT = 2.9, 50.0, 0.012, 900.0


def row(height_m: float) -> float:
    """Where a height is seen by a camera that looks up: the higher, the smaller."""
    return FOOT - SCALE * height_m / (1 + PERSPECTIVE * height_m)


MARKS = tuple((row(floor * STOREY_M), float(floor)) for floor in (1, 4, 8))


def fall(release_m: float, *, first_seen_s: float = 0.0, speed: float = 0.0) -> list[Spot]:
    times = first_seen_s + np.arange(20) / 25
    heights = release_m - speed * times - 9.81 * times**2 / 2
    return [
        Spot(i, float(t), 300.0, row(float(h)) - 2, 4, 4)
        for i, (t, h) in enumerate(zip(times, heights, strict=True))
    ]


def test_three_marks_give_the_scale_of_a_camera_that_looks_up() -> None:
    storeys = Storeys(MARKS)
    for floor in (2, 3, 6, 9):
        assert storeys.at(np.array([row(floor * STOREY_M)]))[0] == pytest.approx(floor, abs=0.02)


def test_two_marks_give_an_even_scale() -> None:
    assert Storeys(((800.0, 1.0), (600.0, 3.0))).at(np.array([500.0]))[0] == pytest.approx(4.0)


@pytest.mark.parametrize("floor", [3, 5, 8])
@pytest.mark.parametrize("unseen_s", [0.0, 0.2])
def test_the_floor_is_right_also_when_the_first_moment_was_not_seen(floor: int, unseen_s: float) -> None:
    found = origin(fall(floor * STOREY_M + 1.4, first_seen_s=unseen_s), Outlook(floors=MARKS))
    assert found is not None
    assert found.floor == floor
    assert found.low <= floor <= found.high


def test_without_a_scale_no_floor_is_made_up() -> None:
    assert origin(fall(10.0), Outlook()) is None
    assert origin(fall(10.0), Outlook(floors=MARKS[:1])) is None


def test_a_point_is_in_or_out_of_a_polygon_and_no_polygon_holds_all() -> None:
    square = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
    assert inside((5, 5), square)
    assert not inside((15, 5), square)
    assert inside((15, 5), ())


@pytest.mark.parametrize(
    ("point", "near"), [((12, 5), True), ((14, 5), False), ((12, 12), True), ((13, 13), False)]
)
def test_what_is_thrown_off_the_facade_is_first_seen_a_little_beside_it(
    point: tuple[float, float], near: bool
) -> None:
    square = ((0, 0), (10, 0), (10, 10), (0, 10))
    assert inside(point, square, 3.0) == near
