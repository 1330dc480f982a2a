"""A minute of the week: when it last was, in which week, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.schedule import DAYS, WEEK_S, ScheduleError, weekly

MONDAY = 1_795_399_200.0  # 2026-11-23 10:00 in China


@pytest.mark.parametrize(
    ("text", "wall", "latest"),
    [
        ("mon 10:00", MONDAY, MONDAY),
        ("mon 10:00", MONDAY - 1, MONDAY - WEEK_S),
        ("Mon 9:30", MONDAY, MONDAY - 1800),
        ("sun 23:59", MONDAY, MONDAY - 10 * 3600 - 60),
        ("tue 10:00", MONDAY, MONDAY - 6 * 86_400),
    ],
)
def test_it_is_known_when_it_last_was(text: str, wall: float, latest: float) -> None:
    assert weekly(text).latest(wall) == latest


def test_a_week_has_the_name_of_iso_8601_at_the_turn_of_the_year_too() -> None:
    assert weekly("mon 10:00").week(MONDAY) == "2026-W48"
    assert weekly("fri 10:00").week(1_798_768_800.0) == "2026-W53"  # Friday 2027-01-01 in China


@given(st.sampled_from(DAYS), st.integers(0, 1439), st.floats(0, 4e9))
def test_it_never_lies_ahead_nor_a_week_back(day: str, minute: int, wall: float) -> None:
    latest = weekly(f"{day} {minute // 60}:{minute % 60:02d}").latest(wall)
    assert wall - WEEK_S < latest <= wall


@pytest.mark.parametrize(
    "text", ["", "monday 10:00", "mon", "mon 25:00", "mon 10:61", "10:00", "mon 10:00-11:00", "mon ten"]
)
def test_what_is_none_is_told(text: str) -> None:
    with pytest.raises(ScheduleError):
        weekly(text)
