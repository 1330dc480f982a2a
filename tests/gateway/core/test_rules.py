"""What one value says under each test, quiet and while it stands: at its limits, between them, beyond."""

import pytest

from drivers.api import Value
from gateway.core.rules import Above, Below, Deviates, Equals, Level, Moved, Test, difference

NORMAL, TRUE, URGENT = Level.NORMAL, Level.TRUE, Level.URGENT
TILT = Deviates(10.0, 8.0, urgent=90.0, wraps=True)


@pytest.mark.parametrize(
    ("test", "value", "quiet", "standing"),
    [
        (Equals((True,)), 1, TRUE, TRUE),
        (Equals((2, 3)), 3, TRUE, TRUE),
        (Equals((2, 3)), 1, NORMAL, NORMAL),
        (Above(57.0, 50.0), 50.0, NORMAL, NORMAL),
        (Above(57.0, 50.0), 50.1, NORMAL, TRUE),
        (Above(57.0, 50.0), 57.0, NORMAL, TRUE),
        (Above(57.0, 50.0), 57.1, TRUE, TRUE),
        (Below(3.0, 3.5), 3.5, NORMAL, NORMAL),
        (Below(3.0, 3.5), 3.4, NORMAL, TRUE),
        (Below(3.0, 3.5), 3.0, NORMAL, TRUE),
        (Below(3.0, 3.5), 2.9, TRUE, TRUE),
    ],
)
def test_a_value_between_limit_and_clear_begins_nothing_and_ends_nothing(
    test: Test, value: Value, quiet: Level, standing: Level
) -> None:
    assert test.level(value, active=False, baseline=None) is quiet
    assert test.level(value, active=True, baseline=None) is standing


@pytest.mark.parametrize(
    ("value", "quiet", "standing"),
    [
        (178.0, NORMAL, NORMAL),
        (-174.0, NORMAL, NORMAL),
        (-173.0, NORMAL, TRUE),
        (-172.0, NORMAL, TRUE),
        (169.0, NORMAL, TRUE),
        (-171.0, TRUE, TRUE),
        (167.0, TRUE, TRUE),
        (-92.0, TRUE, TRUE),
        (-91.0, URGENT, URGENT),
        (0.0, URGENT, URGENT),
    ],
)
def test_an_angle_is_as_far_from_rest_as_the_short_way_round(
    value: float, quiet: Level, standing: Level
) -> None:
    assert TILT.level(value, active=False, baseline=178.0) is quiet
    assert TILT.level(value, active=True, baseline=178.0) is standing


def test_nothing_is_away_from_a_rest_nobody_knows() -> None:
    for test in (TILT, Deviates(0.5, 0.4)):
        for value in (0.0, 45.0, 179.0):
            assert test.level(value, active=False, baseline=None) is NORMAL
            assert test.level(value, active=True, baseline=None) is NORMAL


@pytest.mark.parametrize(
    ("value", "baseline", "wraps", "apart"),
    [(-179.0, 179.0, True, 2.0), (179.0, -179.0, True, -2.0), (-179.0, 179.0, False, -358.0), (4.0, 1.0, True, 3.0)],
)  # fmt: skip
def test_only_angles_go_round(value: float, baseline: float, wraps: bool, apart: float) -> None:
    assert difference(value, baseline, wraps=wraps) == pytest.approx(apart)


def test_a_counter_that_stands_says_nothing_and_any_step_is_one() -> None:
    test = Moved(256)
    assert [test.level(value, active=False, baseline=7) for value in (7, 8, 0)] == [NORMAL, TRUE, TRUE]
