"""Formulas that watch over people, second by second: nothing invented from silence, nothing missed by a pause."""

from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drivers.api import Quality, Value
from gateway.core.assets.looking import STEP_S
from gateway.core.assets.moments import Away, Blind, Daytime, During, Moment
from gateway.core.assets.seen import Seen
from gateway.core.assets.watches import Changed, Left, Quiet

GAP_S = 3600.0
HOURS = 60.0
NIGHT, DAY = True, False


def seen(value: Value | None, at: float, quality: Quality = Quality.GOOD) -> Seen:
    return Seen(value, quality, at, at)


def always(value: Value | None) -> Seen:
    """Return what time alone says: it is never old. None: nobody knows."""
    quality = Quality.STALE if value is None else Quality.GOOD
    return Seen(value, quality, 0.0, float("inf"))


def quiet(past_min: float = 360.0) -> Quiet:
    return Quiet(past_min, GAP_S)


def minutes(
    cell: Quiet, begin: float, end: float, *, moved: bool = False, away: bool = False
) -> Value | None:
    """Let a quiet cell look once a minute; return what it says in the end."""
    told = None
    for at in range(int(begin), int(end) + 1, 60):
        told = cell.take([seen(moved, at), always(away)], 0.0)
    return None if told is None or not told.good else told.value


def test_minutes_without_movement_are_counted_and_a_movement_ends_them() -> None:
    cell = quiet()
    assert minutes(cell, 0, 7200) == 120.0
    assert minutes(cell, 7260, 7260, moved=True) == 0.0
    assert minutes(cell, 7320, 7380) == pytest.approx(2.0)


def test_while_somebody_is_away_no_minute_counts_and_none_from_before_either() -> None:
    cell = quiet()
    minutes(cell, 0, 7200)
    assert minutes(cell, 7260, 90_000, away=True) == 0.0
    assert minutes(cell, 90_060, 90_600) == 10.0


def test_the_hours_of_the_night_do_not_count_nor_those_of_which_nobody_knows() -> None:
    cell = quiet()
    told = None
    for night in (NIGHT, None, DAY):
        for at in range(0, 3601, 60):
            moment = at + 3600 * (NIGHT, None, DAY).index(night)
            told = cell.take([seen(False, moment), always(False), always(night)], 0.0)
    assert told is not None
    assert told.value == 60.0


def test_a_silent_sensor_stops_the_count_and_is_no_quiet_person() -> None:
    cell = quiet()
    minutes(cell, 0, 3600)
    told = cell.take([seen(None, 3630, Quality.STALE), always(False)], 0.0)
    assert told is not None
    assert not told.good
    assert minutes(cell, 5400, 5400) == 60.0
    assert minutes(cell, 5460, 6000) == 70.0


def test_after_an_hour_of_silence_the_count_begins_anew_but_not_once_it_was_told() -> None:
    cell = quiet()
    minutes(cell, 0, 18_000)
    assert minutes(cell, 18_000 + GAP_S + 1, 18_000 + GAP_S + 1) == 0.0
    told = quiet()
    minutes(told, 0, 22_000)
    later = minutes(told, 22_000 + 10 * GAP_S, 22_000 + 10 * GAP_S)
    assert isinstance(later, float)
    assert later > 360.0


def test_readings_that_come_seldom_are_no_pause_and_those_far_apart_are_not_seen_between() -> None:
    often, seldom = quiet(), quiet()
    for at in range(0, 7200, 590):
        told = often.take([seen(False, at), always(False)], 0.0)
    assert told is not None
    assert told.value == pytest.approx(118.0)
    for at in range(0, 7200, int(STEP_S) + 10):
        told = seldom.take([seen(False, at), always(False)], 0.0)
    assert told is not None
    assert told.value == 0.0


def test_a_short_restart_goes_on_counting_and_a_long_one_begins_anew() -> None:
    first = quiet()
    minutes(first, 0, 7200)
    assert first.memory == 7200.0
    for down_s, wanted in ((120.0, 130.0), (GAP_S + 1, 10.0)):
        cell = quiet()
        cell.remember(first.memory, 0.0)
        assert minutes(cell, 0, 300) is None  # nobody knows yet how long it was
        cell.resume(down_s)
        assert minutes(cell, 360, 600) == wanted


def test_who_moves_after_a_restart_has_moved_whatever_was_before_it() -> None:
    cell = quiet()
    cell.remember(7200.0, 0.0)
    assert minutes(cell, 0, 0, moved=True) == 0.0
    cell.resume(60.0)
    assert minutes(cell, 60, 120) == 2.0


def test_what_was_told_before_a_restart_is_told_after_it_at_once_however_long_it_took() -> None:
    first = quiet()
    minutes(first, 0, 22_000)
    cell = quiet()
    cell.remember(first.memory, 0.0)
    told = minutes(cell, 0, 0)
    assert isinstance(told, float)
    assert told > 360.0
    cell.resume(10 * GAP_S)
    told = minutes(cell, 60, 60)
    assert isinstance(told, float)
    assert told > 360.0


class Bed:
    """A bed watch and its time, read every five seconds."""

    def __init__(self, memory: float | None = None) -> None:
        self.cell = Left(20.0, 30.0, GAP_S)
        self.at = 0.0
        if memory is not None:
            self.cell.remember(memory, 0.0)

    def lie(self, value: Value, seconds: float, night: bool | None = NIGHT) -> Value | None:
        """Let the bed say this for so long; return what is told then."""
        for _ in range(max(int(seconds / 5), 1)):
            self.at += 5.0
            told = self.cell.take([seen(value, self.at), always(night)], 0.0)
        return None if told is None or not told.good else told.value


def test_who_leaves_the_bed_at_night_is_counted_until_back_in_it_for_half_a_minute() -> None:
    bed = Bed()
    assert bed.lie(1, 3600) == 0.0
    assert bed.lie(0, 605) == 10.0
    assert bed.lie(1, 20) == 10.0  # a hand on the mat
    assert bed.lie(0, 300) == pytest.approx(14.9, abs=0.2)
    assert bed.lie(1, 60) == 0.0


def test_who_leaves_by_day_or_was_not_in_bed_at_all_is_not_counted() -> None:
    assert Bed().lie(0, 7200) == 0.0
    bed = Bed()
    bed.lie(1, 3600, DAY)
    assert bed.lie(0, 7200, DAY) == 0.0
    assert bed.lie(0, 7200, NIGHT) == 0.0  # up since before the night began


def test_the_morning_ends_what_is_not_told_and_not_what_is() -> None:
    bed = Bed()
    bed.lie(1, 600)
    bed.lie(0, 600)
    assert bed.lie(0, 60, DAY) == 0.0
    told = Bed()
    told.lie(1, 600)
    told.lie(0, 1300)
    later = told.lie(0, 7200, DAY)
    assert isinstance(later, float)
    assert later > 20.0
    assert told.lie(1, 60, DAY) == 0.0


def test_neither_in_bed_nor_out_of_it_leaves_things_as_they_were() -> None:
    bed = Bed()
    bed.lie(1, 600)
    assert bed.lie(2, 3600) == 0.0
    bed.lie(0, 60)
    assert bed.lie(2, 1300) == pytest.approx(22.7, abs=0.2)


def test_who_leaves_before_the_clock_is_known_is_judged_once_it_is() -> None:
    for night, wanted in ((NIGHT, pytest.approx(24.9, abs=0.2)), (DAY, 0.0)):
        bed = Bed()
        bed.lie(1, 600, None)
        assert bed.lie(0, 1500, None) == 0.0
        assert bed.lie(0, 5, night) == wanted


def test_a_bed_that_falls_silent_is_nobody_who_left_it_and_nobody_who_came_back() -> None:
    bed = Bed()
    bed.lie(1, 600)
    bed.lie(0, 600)
    bed.cell.take([seen(None, bed.at + 5, Quality.STALE), always(NIGHT)], 0.0)
    bed.at += 900.0
    assert bed.lie(0, 5) == pytest.approx(9.9, abs=0.2)
    assert bed.lie(0, 300) == pytest.approx(14.9, abs=0.2)


@pytest.mark.parametrize(("down_s", "wanted"), [(60.0, True), (GAP_S + 1, False)])
def test_a_restart_loses_neither_who_is_in_bed_nor_who_left_it(down_s: float, wanted: bool) -> None:
    bed = Bed()
    bed.lie(1, 600)
    assert bed.cell.memory == 0.0
    after = Bed(bed.cell.memory)
    assert after.lie(0, 60) is None
    after.cell.resume(down_s)
    assert (after.lie(0, 1300) or 0.0) > 20.0 or not wanted
    assert wanted or after.lie(0, 1300) == 0.0
    bed.lie(0, 600)
    after = Bed(bed.cell.memory)
    after.cell.resume(down_s)
    told = after.lie(0, 605)
    assert told == (pytest.approx(19.0, abs=1.1) if wanted else 0.0)


def told_nothing(cell: Left | Quiet, begin: float, seconds: float) -> None:
    """Let time pass in which a sensor says nothing, looked at once a minute as all assets are."""
    for at in range(int(begin), int(begin + seconds), 60):
        cell.ask([], Moment(float(at), 0.0))


@pytest.mark.parametrize(("before_s", "down_s", "after_s"), [
    (9000.0, 60.0, 0.0), (2000.0, 60.0, 2000.0), (0.0, 2000.0, 2000.0), (0.0, 60.0, 9000.0), (700.0, 60.0, 0.0),
])  # fmt: skip
def test_nobody_is_told_to_have_left_a_bed_that_was_not_seen_for_long_around_a_restart(
    before_s: float, down_s: float, after_s: float
) -> None:
    """Who lay there hours ago may have got up unseen, long before the night."""
    bed = Bed()
    bed.lie(1, 600)
    assert bed.cell.memory == 0.0
    told_nothing(bed.cell, bed.at + 5, before_s)
    after = Bed(bed.cell.memory)
    after.cell.resume(down_s)
    told_nothing(after.cell, 0.0, after_s)
    after.at = after_s
    assert after.lie(0, 2 * 1200) == 0.0


def test_two_restarts_without_a_word_of_the_bed_between_them_are_one_long_pause() -> None:
    bed = Bed()
    bed.lie(1, 600)
    between = Bed(bed.cell.memory)
    between.cell.ask([], Moment(0.0, 0.0))
    between.cell.resume(2400.0)
    after = Bed(between.cell.memory)
    after.cell.resume(2400.0)
    assert after.lie(0, 2 * 1200) == 0.0


def test_a_short_silence_around_a_short_restart_loses_nobody_who_left_their_bed() -> None:
    bed = Bed()
    bed.lie(1, 600)
    told_nothing(bed.cell, bed.at + 5, 540.0)
    after = Bed(bed.cell.memory)
    told_nothing(after.cell, 0.0, 900.0)
    after.cell.resume(900.0)
    after.at = 900.0
    assert (after.lie(0, 1300) or 0.0) > 20.0


def test_a_clock_that_is_set_late_loses_nobody_who_left_their_bed() -> None:
    """What was seen while it was not set is no part of the pause."""
    bed = Bed()
    bed.lie(1, 600)
    bed.lie(0, 300)
    after = Bed(bed.cell.memory)
    assert after.lie(0, 590) is None
    after.cell.resume(GAP_S - STEP_S - 60.0)
    assert (after.lie(0, 1200) or 0.0) > 20.0


def test_a_pause_too_long_for_a_watch_ends_what_was_before_also_while_the_clock_is_not_set() -> None:
    cell = Left(20.0, 30.0, 120.0)
    cell.remember(600.0, 0.0)
    assert cell.take([seen(0, 0.0), always(NIGHT)], 0.0) is None
    cell.take([seen(0, 300.0), always(NIGHT)], 0.0)
    cell.resume(0.0)
    told = cell.take([seen(0, 305.0), always(NIGHT)], 0.0)
    assert told is not None
    assert told.value == 0.0


def test_hours_of_quiet_before_a_long_silence_are_not_gone_on_with_after_a_restart() -> None:
    cell = quiet()
    minutes(cell, 0, 18_000)
    told_nothing(cell, 18_060, 9000.0)
    after = quiet()
    after.remember(cell.memory, 0.0)
    after.resume(60.0)
    assert minutes(after, 0, 3600) == 60.0
    told = quiet()
    minutes(told, 0, 22_000)
    told_nothing(told, 22_060, 9000.0)
    after = quiet()
    after.remember(told.memory, 0.0)
    later = minutes(after, 0, 0)
    assert isinstance(later, float)
    assert later > 360.0  # what was told stays


def test_a_night_is_over_midnight_and_unknown_while_the_clock_was_never_right() -> None:
    night = During(22.0, 6.5)
    told = {hour: night.ask([], Moment(0.0, 0.0, hour)) for hour in (21.99, 22.0, 0.0, 6.49, 6.5, 12.0)}
    assert [each.value for each in told.values() if each] == [False, True, True, True, False, False]
    unknown = night.ask([], Moment(0.0, 0.0))
    assert unknown is not None
    assert unknown.quality is Quality.STALE
    always_watched = During(0.0, 24.0)
    told = {hour: always_watched.ask([], Moment(0.0, 0.0, hour)) for hour in (0.0, 12.0, 23.99)}
    assert [each.value for each in told.values() if each] == [True, True, True]
    by_day = During(8.5, 20.0)
    told = {hour: by_day.ask([], Moment(0.0, 0.0, hour)) for hour in (8.49, 8.5, 19.99, 20.0, 0.0)}
    assert [each.value for each in told.values() if each] == [False, True, True, False, False]


def test_a_clock_that_was_right_once_tells_the_hour_also_when_nobody_sets_it_any_more() -> None:
    daytime = Daytime(8.0)
    assert daytime.moment(100.0, 3.0, trusted=False).hour is None
    assert daytime.moment(200.0, 1_800_000_000.0, trusted=True).hour == 16.0
    later = daytime.moment(200.0 + 7200, 42.0, trusted=False)
    assert (later.hour, later.wall) == (18.0, 1_800_007_200.0)
    assert daytime.moment(200.0 + 9036, 42.0, trusted=False).hour == pytest.approx(18.51)


def where(cell: Away, at: float) -> Value | None:
    told = cell.ask([], Moment(at, at, 12.0))
    assert told is not None
    return told.value


def test_who_is_away_is_back_by_moving_but_not_by_going_out() -> None:
    cell = Away(14.0, 900.0)
    assert where(cell, 0.0) == Away.HOME
    cell.leave(86_400.0, 60.0)
    cell.take([seen(True, 500)], 0.0)
    assert where(cell, 600.0) == Away.AWAY
    cell.take([seen(False, 5000)], 0.0)
    assert where(cell, 5000.0) == Away.AWAY
    cell.take([seen(True, 6000)], 0.0)
    assert where(cell, 6000.0) == Away.HOME


def test_who_comes_home_is_at_home_with_the_first_movement_and_not_a_minute_later() -> None:
    """What watches over them goes on at once: nobody need ask."""
    cell = Away(14.0, 900.0)
    cell.leave(7 * 86_400.0, 0.0)
    told = [cell.take([seen(True, at)], 0.0) for at in (900.0, 901.0)]
    assert [each.value for each in told if each] == [Away.AWAY, Away.HOME]


def test_away_ends_after_its_time_and_says_so_until_somebody_moves() -> None:
    cell = Away(2.0, 900.0)
    cell.leave(30 * 86_400.0, 0.0)  # no longer than the most
    assert where(cell, 2 * 86_400.0 - 60) == Away.AWAY
    assert where(cell, 2 * 86_400.0 + 60) == Away.OVER
    assert cell.memory == 0.0
    cell.take([seen(True, 3 * 86_400.0)], 0.0)
    assert where(cell, 3 * 86_400.0) == Away.HOME
    assert cell.memory is None


def test_a_button_begins_it_when_it_is_pressed_and_not_because_it_hangs() -> None:
    cell = Away(14.0, 900.0)
    for at in (0.0, 5.0):
        cell.take([seen(False, at), seen(True, at)], 0.0)
    assert where(cell, 10.0) == Away.HOME  # so it was found
    cell.take([seen(False, 20), seen(False, 20)], 0.0)
    cell.take([seen(False, 30), seen(True, 30)], 0.0)
    assert where(cell, 40.0) == Away.AWAY
    cell.take([seen(True, 2000), seen(True, 2000)], 0.0)
    cell.take([seen(False, 2005), seen(True, 2005)], 0.0)
    assert where(cell, 2010.0) == Away.HOME


def test_an_absence_outlives_restarts_as_a_length_so_no_clock_can_prolong_it() -> None:
    cell = Away(2.0, 900.0)
    cell.leave(2 * 86_400.0, 0.0)
    where(cell, 86_400.0)
    assert cell.memory == 86_400.0
    after = Away(2.0, 900.0)
    after.remember(cell.memory, 0.0)
    after.resume(3600.0)
    assert where(after, 0.0) == Away.AWAY
    assert where(after, 86_400.0 - 3600 - 60) == Away.AWAY
    assert where(after, 86_400.0 - 3600 + 60) == Away.OVER


def test_no_number_of_restarts_prolongs_an_absence_nor_shortens_it_by_more_than_a_quarter_of_an_hour_each() -> (
    None
):
    memory: float | None = 86_400.0
    gone_s, restarts = 0.0, 0
    while memory:
        cell = Away(2.0, 900.0)
        cell.remember(memory, 0.0)
        cell.resume(60.0)
        for at in range(0, 1801, 60):
            where(cell, float(at))
        memory, gone_s, restarts = cell.memory, gone_s + 1860.0, restarts + 1
    assert 86_400.0 - restarts * Away.KEPT_S <= gone_s <= 86_400.0 + 1860.0


def test_an_absence_in_its_last_minutes_is_not_over_by_a_restart() -> None:
    cell = Away(2.0, 900.0)
    cell.leave(86_400.0, 0.0)
    where(cell, 86_400.0 - 300.0)
    assert cell.memory
    after = Away(2.0, 900.0)
    after.remember(cell.memory, 0.0)
    assert where(after, 0.0) == Away.AWAY
    assert where(after, 60.0) == Away.OVER


def test_a_watch_is_blind_when_nothing_good_was_heard_and_not_because_it_has_just_begun() -> None:
    cell = Blind(3600.0)
    assert cell.ask([None], Moment(0.0, 0.0)) is None
    assert [_told(cell, None, at) for at in (1800.0, 3599.0, 3600.0)] == [None, None, True]
    assert [_told(cell, 3600.0, at) for at in (3660.0, 7199.0, 7200.0)] == [False, False, True]


def _told(cell: Blind, read_at: float | None, at: float) -> Value | None:
    told = cell.ask([None if read_at is None else seen(False, read_at)], Moment(at, at))
    return None if told is None else told.value


def test_what_changed_has_moved_and_a_counter_that_begins_anew_has_not() -> None:
    cell = Changed(2)

    def moved(door: Value, count: Value, at: float) -> Value | None:
        told = cell.take([seen(door, at), seen(count, at)], 0.0)
        assert told is not None
        return told.value

    told = [moved(*each) for each in ((False, 5, 0), (False, 5, 1), (True, 5, 2), (True, 5, 3), (True, 6, 4),
                                      (True, 0, 5), (True, 1, 6), (False, 1, 7))]  # fmt: skip
    assert told == [False, False, True, False, True, False, True, True]


_steps = st.lists(
    st.tuples(
        st.sampled_from(["quiet", "moves", "stale", "away", "restart"]),
        st.integers(1, 60),  # how many looks it lasts
        st.sampled_from([30, 60, 300, 900, 4000]),  # apart
    ),
    max_size=30,
)


@given(_steps)
@example([("quiet", 1, 30), ("quiet", 32, 60), ("restart", 1, 900), ("restart", 1, 30), ("quiet", 25, 300)])
@settings(max_examples=150, deadline=None)
def test_quiet_is_told_when_so_much_quiet_was_seen_and_never_otherwise(
    steps: Iterable[tuple[str, int, int]],
) -> None:
    """An oracle counts what was seen to be quiet since the last movement; restarts may cost a quarter of an hour.

    A life that heard nothing after a long time off leaves nothing to the next.
    """
    cell, at, limit_s = quiet(120.0), 0.0, 7200.0
    least_s = most_s = 0.0  # of quiet that was seen
    unseen_s, blind = 0.0, True
    heard, down_s = True, 0.0
    for what, looks, apart in steps:
        if what == "restart":
            memory, cell = cell.memory, quiet(120.0)
            cell.remember(memory, 0.0)
            cell.resume(float(apart))
            was_past = memory is not None and memory > limit_s
            goes_on = apart <= GAP_S and (heard or down_s <= STEP_S)
            least_s = max(least_s - Quiet.KEPT_S, 0.0) if goes_on else (least_s if was_past else 0.0)
            most_s = most_s if apart <= GAP_S or was_past else 0.0
            at, unseen_s, blind = at + apart, 0.0, True
            heard, down_s = False, float(apart)
            continue
        for _ in range(looks):
            at, unseen_s = at + apart, unseen_s + apart
            good = what != "stale"
            heard |= good
            told = cell.take(
                [seen(what == "moves", at, Quality.GOOD if good else Quality.STALE), always(what == "away")],
                0.0,
            )
            if what in {"moves", "away"}:
                least_s = most_s = 0.0
                blind = what == "stale"
            elif good:
                counted = 0.0 if blind or apart > STEP_S else float(apart)
                least_s, most_s, blind = least_s + counted, most_s + apart, False
                if unseen_s > GAP_S:  # it may have begun anew
                    least_s = 0.0
            else:
                blind = True
            unseen_s = 0.0 if good else unseen_s
            if told is not None and told.good and isinstance(told.value, float):
                is_told = told.value > 120.0
                assert not is_told or most_s >= limit_s - 60, "invented"
                assert is_told or least_s <= limit_s + 60, "missed"
