"""False alarms a day: all of them, and those of a camera that has watched its street for a while."""

import pytest

from models.train import report
from models.train.trials import Stretch


def stretch(*ours: float, seconds: float = 600.0) -> Stretch:
    return Stretch(number=0, causes=("bird",), seconds=seconds, ours=ours)


def test_a_settled_camera_is_counted_by_what_it_says_and_how_long_it_watches_from_then_on() -> None:
    """Alarms less than 3 s apart are one; of those on both sides of the border the later one counts as settled."""
    stretches = [stretch(5.0, 119.9, 121.0, 300.0, 301.0), stretch()]
    assert report.alarms_per_day(stretches)[:3] == pytest.approx((3, 1 / 3, 3 * 72))
    settled = report.alarms_per_day(stretches, since_s=report.SETTLED_S)
    assert settled[:3] == pytest.approx((2, 960 / 3600, 2 * 90))
    figures = report.figures([], stretches)
    assert (figures["false_alarms_per_day"], figures["false_alarms_per_day_settled"]) == (216.0, 180.0)


def test_a_stretch_that_ends_before_a_camera_has_settled_says_nothing_of_it() -> None:
    stretches = [stretch(5.0, seconds=60.0)]
    assert report.alarms_per_day(stretches, since_s=report.SETTLED_S)[:2] == (0, 0.0)
    tables = report.tables([], stretches)
    (all_of_them, settled) = (line for line in tables.splitlines() if "per camera-day" in line)
    assert "1 in 0.0 h" in all_of_them
    assert settled == "| false alarms per camera-day, from its third minute on | – | – |"
