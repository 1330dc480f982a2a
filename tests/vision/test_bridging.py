"""One piece of a way leads to another where the mean of their paces bridges the gap."""

import pytest

from gateway.vision import bridging
from gateway.vision.bridging import OFF, OFF_PX, Place


def fall(first: int, last: int, *, pull: float = 400.0, aside: float = 60.0) -> list[Place]:
    """Places of what is pulled down by so many px per square second and drifts aside, 25 a second."""
    return [(i / 25, 100 + aside * i / 25, 50 + pull * (i / 25) ** 2 / 2) for i in range(first, last + 1)]


def off(one: list[Place], other: list[Place], size: float = 0.0) -> float:
    return bridging.off(bridging.last(one), bridging.first(other), size)


def test_a_fall_that_vanishes_and_goes_on_is_bridged_however_it_speeds_up() -> None:
    assert off(fall(0, 20), fall(32, 40)) < 0.2
    assert off(fall(0, 20, pull=0.0), fall(32, 40, pull=0.0)) == pytest.approx(0.0)


def test_how_far_off_is_a_share_of_what_the_gap_and_the_size_allow() -> None:
    one, other = fall(0, 20, pull=0.0), fall(30, 40, pull=0.0)
    beside = [(time_s, x, y + 20.0) for time_s, x, y in other]
    assert off(one, beside) == pytest.approx(20.0 / (OFF_PX + OFF * 60.0 * 10 / 25))
    assert off(one, beside, size=30.0) == pytest.approx(20.0 / (OFF_PX + OFF * 60.0 * 10 / 25 + 15.0))


def test_what_goes_another_way_is_not_led_to() -> None:
    assert off(fall(0, 20), [(time_s, x + 90.0, y) for time_s, x, y in fall(30, 40)]) > 1
    assert off(fall(0, 20), fall(25, 40, aside=-900.0)) > 1


def test_a_single_place_has_no_pace() -> None:
    (end,) = {bridging.last(fall(7, 7)), bridging.first(fall(7, 7))}
    assert (end.time_s, end.pace_x, end.pace_y) == (7 / 25, 0.0, 0.0)
