"""Each formula alone: what it makes of good readings, of silence, of one odd reading, of a pause."""

import pytest

from drivers.api import Quality
from gateway.core.assets.joints import AtLeast, Count, Difference, Extreme
from gateway.core.assets.seen import Seen, raw
from gateway.core.assets.states import Is, Lasts, Ordered, Scaled, When
from gateway.core.assets.windows import Falls, Median, Rate
from gateway.core.rules import Above, Equals

ON = Equals((True,))
WALL = 1_800_000_000.0


def good(value: float, at: float = 0.0) -> Seen:
    return raw(value, Quality.GOOD, at)


def stale(value: float | None = None, at: float = 0.0) -> Seen:
    return raw(value, Quality.STALE, at)


def fed(cell: object, *readings: tuple[float, float]) -> list[Seen | None]:
    """Feed (at, value) and return what came of each."""
    return [cell.take([good(value, at)], WALL + at) for at, value in readings]  # type: ignore[attr-defined]


def test_one_good_yes_makes_any_true_whatever_nobody_knows_of_the_others() -> None:
    told = AtLeast(1, ON).take([stale(), good(True, 5), None], WALL)
    assert told == Seen(True, Quality.GOOD, 5, 5)


def test_any_is_false_only_when_everybody_says_so() -> None:
    assert AtLeast(1, ON).take([good(False), stale(False)], WALL) == Seen(None, Quality.STALE, 0, 0)
    told = AtLeast(1, ON).take([good(False, 3), good(False, 9)], WALL)
    assert told == Seen(False, Quality.GOOD, 9, 3)


def test_all_is_false_as_soon_as_one_says_no_and_true_only_when_all_say_yes() -> None:
    assert AtLeast(3, ON).take([good(True), good(False, 4), stale()], WALL) == Seen(False, Quality.GOOD, 4, 4)
    told = AtLeast(2, ON).take([good(True), stale(True)], WALL)
    assert told is not None
    assert told.quality is Quality.STALE


def test_more_than_there_are_is_never_reached() -> None:
    told = AtLeast(3, ON).take([good(True)], WALL)
    assert told is None or told.value is not True
    assert AtLeast(3, ON).take([good(False)], WALL) == Seen(False, Quality.GOOD, 0, 0)


def test_a_group_can_ask_who_is_past_a_limit() -> None:
    assert AtLeast(1, Above(57, 50)).take([good(30), good(60, 2)], WALL) == Seen(True, Quality.GOOD, 2, 2)


def test_a_count_with_somebody_unknown_is_what_it_is_at_least_and_not_good() -> None:
    assert Count(ON).take([good(True), good(False), good(True)], WALL) == Seen(2, Quality.GOOD, 0, 0)
    assert Count(ON).take([good(True), stale(True)], WALL) == Seen(1, Quality.STALE, 0, 0)
    assert Count(ON).take([good(True), raw(None, Quality.BAD, 0)], WALL) == Seen(1, Quality.BAD, 0, 0)


def test_a_difference_stands_on_both() -> None:
    assert Difference().take([good(3.0, 1), good(1.0, 2)], WALL) == Seen(2.0, Quality.GOOD, 2, 1)
    assert Difference().take([good(3.0), stale(1.0)], WALL) == Seen(2.0, Quality.STALE, 0, 0)
    assert Difference().take([None, None], WALL) is None


def test_the_most_of_a_group_is_that_of_those_that_are_known_and_not_good_while_one_is_not() -> None:
    assert Extreme(most=True).take([good(3), good(7)], WALL) == Seen(7, Quality.GOOD, 0, 0)
    assert Extreme(most=False).take([good(3), stale(1)], WALL) == Seen(3, Quality.STALE, 0, 0)


@pytest.mark.parametrize(
    ("distance", "fill"), [(1200, 0.0), (700, 50.0), (200, 100.0), (150, 100.0), (1300, 0.0), (2000, None)]
)
def test_a_distance_becomes_a_share_and_one_far_outside_means_nothing(
    distance: float, fill: float | None
) -> None:
    told = Scaled(1200, 200).take([good(distance)], WALL)
    assert told is not None
    assert (told.value, told.good) == (fill, fill is not None)


def test_a_rate_says_nothing_before_half_its_time_and_then_what_it_is() -> None:
    told = fed(Rate(per_s=60, over_s=60), *((at, at / 10) for at in range(0, 61, 5)))
    assert all(each is None or not each.good for each in told[:6])
    assert told[-1] == Seen(6.0, Quality.GOOD, 60, 60)


def test_one_nonsense_reading_does_not_move_a_rate() -> None:
    for odd in range(13):
        readings = [(at * 5.0, 9e6 if at == odd else 20.0) for at in range(13)]
        told = fed(Rate(per_s=60, over_s=60), *readings)
        assert all(each is None or not each.good or each.value == 0.0 for each in told), odd


def test_a_pause_is_bridged_by_a_rate_not_filled_in() -> None:
    cell = Rate(per_s=60, over_s=600)
    fed(cell, *((at, at / 60) for at in range(0, 300, 25)))
    silent = cell.take([stale(5.0, 310)], WALL)
    assert silent is not None
    assert silent.quality is Quality.STALE
    told = fed(cell, *((at, at / 60) for at in range(500, 600, 25)))
    assert told[-1] is not None
    assert told[-1].value == pytest.approx(1.0)


@pytest.mark.parametrize("every_s", [15.2, 60.0, 61.3])
def test_a_rise_is_seen_too_where_a_temperature_is_read_once_a_minute(every_s: float) -> None:
    readings = [(n * every_s, 20.0 + n * every_s / 10) for n in range(12)]
    told = fed(Rate(per_s=60, over_s=60), *readings)
    assert [each and each.good for each in told[:4]] == [False] * 4
    assert {each and each.value for each in told[4:]} == {6.0}
    odd = [(at, 999.0 if n == 6 else 20.0) for n, (at, _) in enumerate(readings)]
    assert {each and each.value for each in fed(Rate(per_s=60, over_s=60), *odd)} == {None, 0.0}


def test_a_long_pause_begins_a_rate_anew() -> None:
    cell = Rate(per_s=60, over_s=60)
    fed(cell, *((at, 20.0) for at in range(0, 61, 5)))
    told = fed(cell, *((at, 50.0) for at in range(300, 320, 5)))
    assert not any(each and each.good for each in told)


def test_what_comes_once_is_not_seen_by_a_median() -> None:
    told = fed(Median(3), (0, 10), (1, 10), (2, 99), (3, 10), (4, 10))
    assert [each.value for each in told if each] == [10, 10, 10]


def test_a_fall_that_stays_is_counted_once_and_one_that_does_not_is_none() -> None:
    cell = Falls(by=40, within_s=3600)
    assert fed(cell, (0, 90), (200, 10), (400, 90))[-1] == Seen(0, Quality.GOOD, 400, 400)
    told = fed(cell, (600, 90), (800, 5), (1000, 5), (1200, 5), (1400, 8))
    assert told[-1] == Seen(1, Quality.GOOD, 1400, 1400)
    assert cell.memory == 1.0


def test_on_and_off_take_their_time_and_a_pause_begins_it_anew() -> None:
    cell = Is(Above(90, 70), on_s=60, off_s=10)
    assert [each and each.value for each in fed(cell, (0, 10), (10, 95), (40, 95), (60, 95))] == [False] * 4
    cell.take([stale(95, 65)], WALL)
    assert [each and each.value for each in fed(cell, (70, 95), (120, 95), (130, 95))] == [False, False, True]
    assert [each and each.value for each in fed(cell, (140, 80), (200, 60), (211, 60))] == [True, True, False]


def test_what_was_never_known_is_not_off() -> None:
    cell = Is(Above(90, 70), on_s=60, off_s=0)
    assert fed(cell, (0, 95)) == [None]
    assert cell.take([stale(95, 1)], WALL) is None


def test_how_long_it_lasts_is_taken_up_after_a_restart_and_forgotten_when_it_is_over() -> None:
    cell = Lasts()
    fed(cell, (0, True), (120, True))
    assert cell.memory == WALL
    after = Lasts()
    after.remember(cell.memory, WALL + 600)
    assert fed(after, (5, True))[0] == Seen(10.0, Quality.GOOD, 5, 5)
    assert fed(after, (6, False))[0] == Seen(0.0, Quality.GOOD, 6, 6)
    assert after.memory is None


def test_a_clock_that_went_back_is_not_believed() -> None:
    cell = Lasts()
    cell.remember(WALL + 1e6, WALL)
    assert fed(cell, (5, True))[0] == Seen(0.0, Quality.GOOD, 5, 5)


@pytest.mark.parametrize("set_by", [18_000.0, -18_000.0])
def test_how_long_it_lasts_is_no_other_after_a_restart_because_the_clock_was_put_right_meanwhile(
    set_by: float,
) -> None:
    """A box without a clock of its own begins with the time of day at which the power went."""
    cell = Lasts()
    fed(cell, (0, True), (120, True))
    cell.take([good(True, 180)], WALL + 180 + set_by)
    after = Lasts()
    after.remember(cell.memory, WALL + 240 + set_by)
    assert fed(after, (5, True))[0] == Seen(4.0, Quality.GOOD, 5, 5)


@pytest.mark.parametrize("wrong", [WALL + 1e6, WALL - 31 * 86_400.0])
def test_what_was_written_down_by_a_wrong_clock_is_written_anew(wrong: float) -> None:
    cell = Lasts()
    cell.remember(wrong, WALL)
    fed(cell, (0, True), (120, True))
    assert cell.memory == WALL


def test_what_has_lasted_since_an_earlier_life_keeps_its_beginning() -> None:
    """How long the first reading took to come was not waited for in vain."""
    cell = Lasts()
    cell.remember(WALL - 600, WALL)
    fed(cell, (300, True), (600, True))
    assert cell.memory == WALL - 600


def test_when_a_count_rose_is_remembered_and_the_first_reading_is_no_rise() -> None:
    cell = When()
    assert fed(cell, (0, 3)) == [None]
    assert fed(cell, (60, 4)) == [Seen(WALL + 60, Quality.GOOD, 60, 60)]


def test_an_order_ends_at_its_time() -> None:
    cell = Ordered()
    cell.memory = WALL + 60
    assert [cell.take([good(0, at)], WALL + at) for at in (0, 59)] == [
        Seen(True, Quality.GOOD, 0, float("inf")),
        Seen(True, Quality.GOOD, 59, float("inf")),
    ]
    ended = cell.take([good(0, 60)], WALL + 60)
    assert ended is not None
    assert ended.value is False
    assert cell.memory is None
