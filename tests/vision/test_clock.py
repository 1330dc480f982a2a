"""The stream's time only grows, whatever the stream says."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.vision.clock import StreamClock
from gateway.vision.ring import Ring
from gateway.vision.source_facts import Encoded


def ticks(clock: StreamClock, *stream_s: float | None) -> list[float]:
    return [clock.tick(time_s) for time_s in stream_s]


def test_times_begin_at_zero_and_keep_their_distances() -> None:
    clock = StreamClock(25)
    assert ticks(clock, 7.0, 7.04, 7.2, 9.0) == pytest.approx([0, 0.04, 0.2, 2.0])
    assert clock.faults == 0


def test_a_clock_that_follows_on_begins_where_the_last_one_ended() -> None:
    assert ticks(StreamClock(25, start_s=60.0), 0.0, 0.04) == pytest.approx([60.0, 60.04])


@pytest.mark.parametrize(
    ("first_s", "shown_s"), [(9.5, 2.5), (7.0, 0.0), (6.9, 0.0), (90_000.0, 0.0), (None, 0.0)]
)
def test_a_first_picture_that_comes_late_in_its_file_is_as_late_unless_that_is_nonsense(
    first_s: float | None, shown_s: float
) -> None:
    clock = StreamClock(25, began_s=7.0)
    assert clock.estimate(first_s) == pytest.approx(shown_s)
    assert clock.tick(first_s) == pytest.approx(shown_s)
    assert clock.tick(None if first_s is None else first_s + 0.04) == pytest.approx(shown_s + 0.04)


def test_missing_times_go_on_at_the_nominal_rate() -> None:
    clock = StreamClock(10)
    assert ticks(clock, 0.0, None, None, 0.3) == pytest.approx([0, 0.1, 0.2, 0.3])
    assert clock.faults == 2


def test_no_times_at_all_are_the_nominal_rate() -> None:
    assert ticks(StreamClock(10), None, None, None) == pytest.approx([0, 0.1, 0.2])


def test_a_time_that_comes_twice_moves_nothing_that_follows() -> None:
    clock = StreamClock(25)
    assert ticks(clock, 0.0, 0.04, 0.04, 0.08) == pytest.approx([0, 0.04, 0.05, 0.08])
    assert clock.faults == 1


def test_after_a_jump_back_or_far_ahead_the_new_times_follow_on_the_old() -> None:
    clock = StreamClock(25)
    assert ticks(clock, 100.0, 100.04, 0.0, 0.04, 95000.0, 95000.04) == pytest.approx(
        [0, 0.04, 0.08, 0.12, 0.16, 0.2]
    )
    assert clock.faults == 2


def test_a_packet_s_time_is_that_of_its_picture_later() -> None:
    clock = StreamClock(25)
    assert clock.estimate(5.0) == 0.0
    assert ticks(clock, 5.0, 5.04) == pytest.approx([0, 0.04])
    assert clock.estimate(5.2) == pytest.approx(0.2)
    assert clock.estimate(None) == pytest.approx(0.08)


@pytest.mark.parametrize("leap_s", [86400.0, -86400.0])
def test_a_packet_at_which_the_stream_s_clock_leaps_keeps_its_place_in_what_is_kept_for_clips(
    leap_s: float,
) -> None:
    """As when a camera gets to know the time after it has started."""
    clock, ring = StreamClock(25), Ring()
    for number in range(1500):
        stream_s = 1000.0 + number / 25 + (leap_s if number >= 750 else 0.0)
        ring.add(Encoded(b"picture", clock.estimate(stream_s), 0.0, 0.04, number % 25 == 0))
        clock.tick(stream_s)
        if number == 750:
            assert ring.span == pytest.approx((10.0, 30.0))
    assert ring.span == pytest.approx((39.0, 59.96))


def test_a_first_packet_without_a_time_is_one_step_before_the_second() -> None:
    clock = StreamClock(25)
    assert (clock.estimate(None), clock.estimate(3.04)) == pytest.approx((0.0, 0.04))
    assert ticks(clock, None, 3.04, 3.08) == pytest.approx([0, 0.04, 0.08])
    assert clock.faults == 0


@given(st.lists(st.none() | st.floats(-1e6, 1e6)))
def test_times_always_grow(stream_s: list[float | None]) -> None:
    times = ticks(StreamClock(25), *stream_s)
    assert all(a < b for a, b in itertools.pairwise(times))
