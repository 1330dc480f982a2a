"""The trend sees what grows through noise and peaks, and says of what does not grow how little it surely is."""

import random

import pytest

from tests.faults.soak.trend import HOUR_S, trend


def looks(per_hour: float, *, noise: float = 1.0, count: int = 60) -> list[tuple[float, float]]:
    """Return looks each five minutes at something that grows and wavers."""
    chance = random.Random(count)
    times = [300.0 * number for number in range(count)]
    return [(at, 100.0 + at / HOUR_S * per_hour + chance.gauss(0, noise)) for at in times]


@pytest.mark.parametrize("per_hour", [-3.0, 0.0, 1.0, 40.0])
def test_the_slope_lies_in_its_interval(per_hour: float) -> None:
    found = trend(looks(per_hour))
    assert found is not None
    assert found.least <= per_hour <= found.most
    assert found.most - found.least < 1.0


def test_more_looks_say_it_more_surely() -> None:
    few, many = trend(looks(1.0, count=12)), trend(looks(1.0, count=120))
    assert few is not None
    assert many is not None
    assert many.most - many.least < (few.most - few.least) / 5
    assert many.grows(0.9)
    assert not few.grows(0.9)


def test_peaks_while_something_is_broken_are_no_growth() -> None:
    wavering = [
        (at, value + (500.0 if number % 4 == 0 else 0.0)) for number, (at, value) in enumerate(looks(0.0))
    ]
    found = trend(wavering)
    assert found is not None
    assert not found.grows(1.0)
    assert found.most < 2.0


def test_whole_numbers_that_seldom_change_are_flat() -> None:
    found = trend([(60.0 * number, 14 + (number % 10 == 0)) for number in range(100)])
    assert found is not None
    assert (found.per_hour, found.least, found.most) == (0.0, 0.0, 0.0)


def test_one_more_every_hour_is_seen_in_whole_numbers_too() -> None:
    found = trend([(300.0 * number, 14 + number // 12) for number in range(120)])
    assert found is not None
    assert found.grows(0.9)
    assert found.per_hour == pytest.approx(1.0, abs=0.1)


def test_a_thousand_looks_are_thinned_evenly() -> None:
    found = trend(looks(2.0, count=1000))
    assert found is not None
    assert found.least <= 2.0 <= found.most


def test_too_few_looks_tell_nothing() -> None:
    assert trend(looks(5.0, count=8)) is None
    assert trend([]) is None
