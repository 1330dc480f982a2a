"""Times of the week: what people write, when it holds, and when that changes next."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.schedule import ScheduleError, parse

HOUR = 3600.0


def at(text: str, offset_h: float = 8.0) -> float:
    """Return the seconds since 1970 of a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() - offset_h * HOUR


def test_a_morning_span_holds_in_the_morning_of_its_days_only() -> None:
    schedule = parse(["mon-fri 07:00-09:00"])
    assert schedule.holds(at("2026-11-25T07:00"))  # a Wednesday
    assert schedule.holds(at("2026-11-25T08:59"))
    assert not schedule.holds(at("2026-11-25T09:00"))
    assert not schedule.holds(at("2026-11-25T06:59"))
    assert not schedule.holds(at("2026-11-28T08:00"))  # a Saturday


def test_a_span_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    schedule = parse(["sun 22:00-06:00"])
    assert schedule.holds(at("2026-11-29T23:00"))
    assert schedule.holds(at("2026-11-30T05:59"))  # Monday morning
    assert not schedule.holds(at("2026-11-29T05:00"))
    assert not schedule.holds(at("2026-11-30T22:30"))


def test_days_may_be_a_list_and_may_run_over_the_end_of_the_week() -> None:
    schedule = parse(["fri-mon,wed 10:00-11:00"])
    held = [day for day in range(23, 30) if schedule.holds(at(f"2026-11-{day}T10:30"))]
    assert held == [23, 25, 27, 28, 29]


def test_on_a_closed_day_nothing_begins() -> None:
    schedule = parse(["daily 22:00-06:00"], ["2026-10-01..2026-10-03"])
    assert not schedule.holds(at("2026-10-02T23:00"))
    assert schedule.holds(at("2026-10-01T05:00"))  # began the day before
    assert schedule.holds(at("2026-10-04T22:00"))


@pytest.mark.parametrize("closed", ["2026-10-01..2026-10-03", "2026-10-03"])
def test_the_last_day_of_a_holiday_is_closed_and_so_is_a_day_by_itself(closed: str) -> None:
    schedule = parse(["daily 07:00-09:00"], [closed])
    assert not schedule.holds(at("2026-10-03T08:00"))
    assert schedule.holds(at("2026-10-04T08:00"))
    assert schedule.holds(at("2026-10-01T08:00")) is (closed == "2026-10-03")


def test_always_and_another_zone() -> None:
    assert parse(["always"]).holds(at("2026-11-25T00:00"))
    schedule = parse(["daily 00:00-24:00"], offset_h=0.0)
    assert all(schedule.holds(at(f"2026-11-25T{hour:02d}:30")) for hour in range(24))
    assert parse(["mon 00:00-01:00"], offset_h=-5.0).holds(at("2026-11-30T00:30", -5.0))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7-9",
        "mon-fry 07:00-09:00",
        "monday 07:00-09:00",
        "mon 07:00-07:00",
        "mon 25:00-26:00",
        "mon 07:61-09:00",
        "xyz 07:00-08:00",
    ],
)
def test_what_is_no_time_of_the_week_is_told_as_it_was_found(text: str) -> None:
    with pytest.raises(ScheduleError) as error:
        parse([text])
    assert error.value.found == text


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01", "2026-10-07..2026-10-01"])
def test_what_is_no_day_is_told_as_it_was_found(text: str) -> None:
    with pytest.raises(ScheduleError, match="day"):
        parse(["always"], [text])


SPANS = st.lists(
    st.tuples(
        st.sampled_from(["mon", "tue-thu", "sat,sun", "daily"]), st.integers(0, 1439), st.integers(0, 1439)
    ).filter(lambda span: span[1] != span[2]),
    min_size=1,
    max_size=3,
)


def test_the_next_change_is_foretold_to_the_second_from_any_moment() -> None:
    schedule = parse(["mon-fri 07:00-09:30"])
    told = [
        schedule.changes_after(at(f"2026-11-25T{moment}"))
        for moment in ("06:59:30.500000", "07:00:00", "09:29:59.999000", "09:30", "23:59:59")
    ]
    assert told == [
        at(f"2026-11-{moment}") for moment in ("25T07:00", "25T09:30", "25T09:30", "26T00:00", "26T00:00")
    ]


@given(SPANS, st.integers(0, 20_000_000))
def test_nothing_changes_before_it_was_foretold(spans: list[tuple[str, int, int]], minute: int) -> None:
    told = [f"{d} {b // 60:02d}:{b % 60:02d}-{e // 60:02d}:{e % 60:02d}" for d, b, e in spans]
    schedule, wall = parse(told), minute * 60.0
    until = schedule.changes_after(wall)
    assert wall < until <= wall + timedelta(days=1).total_seconds()
    assert len({schedule.holds(wall + 60 * step) for step in range(int((until - wall) // 60))}) <= 1
