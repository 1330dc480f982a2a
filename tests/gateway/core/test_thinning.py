"""Only changes are kept: equal values, small drifts and repeats are not, silence is broken now and then."""

from drivers.api import Quality, Value
from gateway.core.events import Clock, Event, NoteBody, ReadingBody
from gateway.core.thinning import REPEAT_S, Thinner


def reading(value: Value | None, at: float = 0.0, quality: Quality = Quality.GOOD) -> Event:
    body = ReadingBody("cover-1", "roll", value, quality, at)
    return Event(1, 1, 1000.0 + at, at, Clock.SYNCED, body)


def test_the_first_reading_is_kept_and_its_repeats_are_not() -> None:
    thinner = Thinner({})
    assert [thinner.keeps(reading(1, at)) for at in (0, 1, 2)] == [True, False, False]
    assert thinner.dropped == 2


def test_a_change_within_the_deadband_is_a_repeat_but_drift_is_not_lost() -> None:
    thinner = Thinner({("cover-1", "roll"): 0.5})
    values = [10.0, 10.4, 10.5, 10.6, 10.9, 11.2]
    assert [thinner.keeps(reading(value)) for value in values] == [True, False, False, True, False, True]


def test_a_change_of_quality_is_kept_whatever_the_value() -> None:
    thinner = Thinner({("cover-1", "roll"): 100.0})
    assert thinner.keeps(reading(1.0))
    assert thinner.keeps(reading(1.0, quality=Quality.STALE))
    assert not thinner.keeps(reading(1.0, quality=Quality.STALE))


def test_a_value_that_becomes_unknown_is_kept() -> None:
    thinner = Thinner({("cover-1", "roll"): 100.0})
    assert [thinner.keeps(reading(value)) for value in (1.0, None, None, 2.0)] == [True, True, False, True]


def test_an_unchanged_value_is_told_again_after_a_while() -> None:
    thinner = Thinner({})
    assert thinner.keeps(reading(1, 0.0))
    assert not thinner.keeps(reading(1, REPEAT_S - 1))
    assert thinner.keeps(reading(1, REPEAT_S))


def test_points_do_not_thin_each_other_and_other_events_pass() -> None:
    thinner = Thinner({})
    other = Event(1, 2, 0.0, 0.0, Clock.SYNCED, ReadingBody("cover-2", "roll", 1, Quality.GOOD, 0.0))
    note = Event(1, 3, 0.0, 0.0, Clock.SYNCED, NoteBody("started", ""))
    assert [thinner.keeps(event) for event in (reading(1), other, note, note)] == [True] * 4
