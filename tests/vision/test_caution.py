"""A street full of birds must be surer of a fall than a quiet one."""

import pytest

from gateway.vision.caution import MEMORY_S, SAME_S, SUREST, Caution


def busy(count: int, score: float = 0.5) -> Caution:
    caution = Caution()
    for number in range(count):
        caution.rejected(score, 10.0 + number)
    return caution


def test_a_quiet_street_asks_nothing_more() -> None:
    assert Caution().needed(0.6, 100.0) == pytest.approx(0.6)


def test_the_more_was_not_believed_the_more_is_asked() -> None:
    asked = [busy(count).needed(0.6, 70.0) for count in (0, 2, 10, 50)]
    assert asked == sorted(asked)
    assert asked[1] < 0.75
    assert asked[-1] > 0.85


def test_it_is_forgotten_after_a_while() -> None:
    assert busy(40).needed(0.6, 60.0 + MEMORY_S) == pytest.approx(0.6)


def test_pieces_of_the_same_thing_do_not_count_against_it() -> None:
    caution = Caution()
    for number in range(5):
        caution.rejected(0.5, 10.0 + number / 10)
    assert caution.needed(0.6, 10.0 + SAME_S - 0.1) == pytest.approx(0.6)


def test_what_looks_like_no_fall_at_all_does_not_count() -> None:
    assert busy(100, score=0.01).needed(0.6, 60.0) == pytest.approx(0.6)


def test_a_sure_thing_is_believed_in_the_busiest_street() -> None:
    assert busy(250, score=0.9).needed(0.97, 120.0) <= SUREST
