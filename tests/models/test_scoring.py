"""The metric protocol, against figures computed by hand."""

import math

import pytest

from gateway.vision.sight import Fall, Spot
from models.train import scoring
from models.train.scoring import Share, Tally


def path(first: int, last: int, *, x: float = 100.0, size: float = 10.0, speed: float = 5.0) -> list[Spot]:
    """Spots of something that goes straight down at 25 frames a second."""
    return [Spot(frame, frame / 25, x, speed * frame, size, size) for frame in range(first, last + 1)]


def alarm(track: list[Spot]) -> Fall:
    return Fall(track[0].time_s, track[-1].time_s, 0.9, tuple(track), track[-1].time_s + 0.2)


def test_boxes_that_share_a_third_have_that_iou() -> None:
    """Two 10 x 10 boxes 5 px apart share 50 of 150 px."""
    assert scoring.iou((0, 0, 10, 10), (5, 0, 10, 10)) == pytest.approx(1 / 3)


def test_boxes_that_only_touch_do_not_overlap() -> None:
    assert scoring.iou((0, 0, 10, 10), (10, 0, 10, 10)) == 0.0


def test_frames_are_counted_right_false_and_missed() -> None:
    """Truth 0..9, alarm 5..11: five right, two false after the end, five missed before it began."""
    assert scoring.tally([path(5, 11)], [path(0, 9)]) == Tally(right=5, false=2, missed=5)


def test_f_is_the_harmonic_mean() -> None:
    """P = 5/7, R = 5/10, F = 2 * (5/7) * (1/2) / (17/14) = 10/17."""
    assert Tally(5, 2, 5).f == pytest.approx(10 / 17)


def test_f_of_nothing_is_zero() -> None:
    assert Tally().f == 0.0


def test_one_true_box_serves_one_alarm_only() -> None:
    assert scoring.tally([path(0, 0), path(0, 0)], [path(0, 0)]) == Tally(right=1, false=1, missed=0)


def test_a_tiny_box_beside_the_truth_fails_by_overlap_and_passes_by_distance() -> None:
    truth, seen = path(0, 4, size=3), path(0, 4, x=102.5, size=3)
    assert scoring.tally([seen], [truth]) == Tally(0, 5, 5)
    assert scoring.tally([seen], [truth], by_distance=True) == Tally(5, 0, 0)


def test_a_spot_is_near_within_half_of_a_long_streak() -> None:
    streak = Spot(0, 0.0, 0, 0, 4, 40)
    assert scoring.near(Spot(0, 0.0, 0, 36, 4, 4), streak)  # centres 18 px apart, half the streak is 20
    assert not scoring.near(Spot(0, 0.0, 0, 41, 4, 4), streak)


def test_tro_is_common_frames_over_all_frames() -> None:
    """Alarm 4..9, truth 0..7: four frames in common, ten in all."""
    assert scoring.overlap_in_time((4, 9), (0, 7)) == pytest.approx(0.4)


@pytest.mark.parametrize("span", [None, (20, 30), (0, 3)])
def test_tro_is_zero_without_overlap(span: tuple[int, int] | None) -> None:
    assert scoring.overlap_in_time(span, (4, 9)) == 0.0


def test_the_benchmark_lets_an_alarm_last_until_the_video_ends() -> None:
    """First right box in frame 5, video ends with frame 49: TRO 5/50 against a truth of 0..9."""
    predicted = scoring.benchmark_span([path(5, 8)], path(0, 9), 49)
    assert predicted == (5, 49)
    assert scoring.overlap_in_time(predicted, (0, 9)) == pytest.approx(0.1)


def test_the_benchmark_has_no_alarm_without_a_right_box() -> None:
    assert scoring.benchmark_span([path(0, 9, x=400)], path(0, 9), 49) is None


def test_half_of_an_alarm_on_the_truth_is_enough() -> None:
    truth = path(0, 4)
    assert scoring.tells_of(alarm(path(0, 9)), truth)
    assert not scoring.tells_of(alarm(path(0, 10)), truth)


def test_an_alarm_that_starts_more_than_two_seconds_late_tells_of_something_else() -> None:
    truth = path(0, 120)
    assert scoring.tells_of(alarm(path(50, 80)), truth)
    assert not scoring.tells_of(alarm(path(51, 80)), truth)


def test_alarms_are_sorted_to_their_falls_and_the_rest_are_strays() -> None:
    one, two = path(0, 20), path(30, 50, x=300)
    alarms = [alarm(path(30, 45, x=300)), alarm(path(2, 9)), alarm(path(12, 20)), alarm(path(0, 20, x=700))]
    found = scoring.match(alarms, [[one], [two]])
    assert found.hits == ((1, 2), (0,))
    assert found.strays == (3,)


def test_the_mirror_image_of_a_fall_tells_of_that_fall() -> None:
    found = scoring.match([alarm(path(0, 20, x=600))], [[path(0, 20), path(0, 20, x=600)]])
    assert found.hits == ((0,),)


def test_alarms_less_than_three_seconds_after_one_another_are_one() -> None:
    assert scoring.merged([10.0, 12.9, 15.8, 18.8]) == 2
    assert scoring.merged([]) == 0


def test_the_rule_of_three_bounds_what_never_happened() -> None:
    """-ln 0.05 = 2.996; and of three events up to 7.754 were likely (tables of the Poisson distribution)."""
    assert scoring.poisson_upper(0) == pytest.approx(-math.log(0.05), abs=1e-6)
    assert scoring.poisson_upper(3) == pytest.approx(7.7537, abs=1e-3)


def test_none_in_three_days_is_less_than_one_a_day() -> None:
    rate, upper = scoring.per_day(0, 72 * 3600)
    assert rate == 0.0
    assert upper == pytest.approx(0.9986, abs=1e-3)


def test_many_false_alarms_still_have_a_bound() -> None:
    assert 1000 < scoring.poisson_upper(1000) < 1060


def test_wilson_interval_of_eight_of_ten() -> None:
    low, high = Share(8, 10).interval
    assert low == pytest.approx(0.4902, abs=1e-4)
    assert high == pytest.approx(0.9433, abs=1e-4)


def test_a_share_of_nothing_may_be_anything() -> None:
    assert Share(0, 0).interval == (0.0, 1.0)


def test_strata_count_each_event_once_a_kind() -> None:
    rows = [({"size": "small", "light": "day"}, True), ({"size": "small", "light": "night"}, False)]
    assert scoring.strata(rows) == {
        "size": {"small": Share(1, 2)},
        "light": {"day": Share(1, 1), "night": Share(0, 1)},
    }


def test_percentile_is_a_value_that_was_seen() -> None:
    values = [float(n) for n in range(1, 21)]
    assert scoring.percentile(values, 0.95) == 19.0
    assert math.isnan(scoring.percentile([], 0.95))
