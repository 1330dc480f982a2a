"""A street full of birds must be surer of a fall than a quiet one."""

import pytest

from gateway.vision.caution import (
    CALM,
    FEW,
    MEMORY_S,
    SAME_S,
    STIR_S,
    STIRS,
    SUREST,
    Caution,
)

FPS = 25


def odds(score: float) -> float:
    return score / (1 - score)


def lively(seconds: float = 10.0, moving: int = 9) -> Caution:
    """A street in which things move all the time, seen for so long."""
    caution = Caution()
    for number in range(round(seconds * FPS)):
        caution.pictured(moving, number / FPS)
    return caution


def busy(count: int, score: float = 0.5) -> Caution:
    caution = lively()
    for number in range(count):
        caution.rejected(score, 10.0 + number)
    return caution


def test_a_quiet_street_asks_less_and_any_other_what_the_judge_does() -> None:
    assert odds(Caution().needed(0.6, 100.0)) == pytest.approx(CALM * odds(0.6))
    assert odds(lively().needed(0.6, 100.0)) == pytest.approx(odds(0.6))


@pytest.mark.parametrize("threshold", [-1.0, 0.0, 1.0, 2.0])
def test_what_believes_all_or_nothing_does_so_in_any_street(threshold: float) -> None:
    assert Caution().needed(threshold, 100.0) == lively().needed(threshold, 100.0) == threshold


def test_what_shows_the_sign_of_a_bird_is_asked_as_much_in_a_quiet_street_as_in_any() -> None:
    assert Caution().needed(0.6, 100.0, plain=False) == pytest.approx(lively().needed(0.6, 100.0))


def test_a_street_is_quiet_again_when_nothing_has_moved_for_some_seconds() -> None:
    caution = lively(moving=round(2 * STIRS))
    asked = caution.needed(0.6, 10.0)
    for number in range(round(2 * STIR_S * FPS)):
        caution.pictured(0, 10.0 + number / FPS)
    assert asked == pytest.approx(0.6)
    assert caution.needed(0.6, 16.0) < 0.5


def test_how_lively_a_street_is_does_not_depend_on_how_often_it_is_seen() -> None:
    slow, fast = Caution(), Caution()
    for tenth in range(100):
        moving = 8 if tenth < 75 else 0
        slow.pictured(moving, tenth / 10)
        for part in range(3):
            fast.pictured(moving, tenth / 10 + part / 30)
        assert slow.needed(0.6, tenth / 10) == fast.needed(0.6, tenth / 10)
    assert slow.needed(0.6, 10.0) < 0.5 < lively(moving=8).needed(0.6, 10.0)


def test_more_than_a_track_or_so_in_two_minutes_is_not_quiet() -> None:
    caution = Caution()
    for _ in range(FEW):
        caution.judged(10.0)
    assert caution.needed(0.6, 20.0) < 0.6
    caution.judged(12.0)
    assert caution.needed(0.6, 20.0) == pytest.approx(0.6)
    assert caution.needed(0.6, 13.0 + MEMORY_S) < 0.6


def test_the_more_was_not_believed_the_more_is_asked() -> None:
    asked = [busy(count).needed(0.6, 70.0) for count in (0, 2, 10, 50)]
    assert asked == sorted(asked)
    assert asked[1] < 0.75
    assert asked[-1] > 0.85


def test_it_is_forgotten_after_a_while() -> None:
    assert busy(40).needed(0.6, 60.0 + MEMORY_S) == pytest.approx(busy(0).needed(0.6, 60.0))


def test_pieces_of_the_same_thing_do_not_count_against_it() -> None:
    caution = Caution()
    for number in range(5):
        caution.rejected(0.5, 10.0 + number / 10)
    assert caution.needed(0.6, 10.0 + SAME_S - 0.1) == pytest.approx(Caution().needed(0.6, 10.0))


def test_what_looks_like_no_fall_at_all_does_not_count() -> None:
    assert busy(100, score=0.01).needed(0.6, 60.0) == pytest.approx(busy(0).needed(0.6, 60.0))


def test_a_sure_thing_is_believed_in_the_busiest_street() -> None:
    assert busy(250, score=0.9).needed(0.97, 120.0) <= SUREST


def test_a_judge_that_asks_for_more_than_the_surest_is_asked_as_it_says() -> None:
    assert lively().needed(0.99, 10.0) == pytest.approx(0.99)
