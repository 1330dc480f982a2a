"""Counters: whatever becomes of one, no press is lost and none invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import kinds
from gateway.core.conditions import Finding
from gateway.core.counting import FEW, UNSEEN_S, Counter, presses
from gateway.core.events import Certainty, Severity
from gateway.core.rules import Moved, Rule

KINDS = kinds.built_in()
WALL = 1_800_000_000.0
LOOK, FOUND, RESTED = Finding.LOOK, Finding.FOUND, Finding.RESTED


def counter(*, modulus: int = 65536, known: float | None = None, ended: float = 0.0) -> Counter:
    rule = Rule(KINDS["care.sos"], ("p",), Moved(modulus), Severity.CRITICAL, Certainty.OBSERVED)
    return Counter(rule, "p", known=known, ended=ended)


def told(made: Counter, *counts: int, since: float = 0.0, every: float = 1.0) -> list[int]:
    """Return how many presses each finding stood for."""
    found = []
    for number, count in enumerate(counts):
        at = since + number * every
        if made.read(count, at, WALL + at) is FOUND:
            found.append(made.presses)
    return found


def test_the_first_reading_ever_is_taken_as_it_stands() -> None:
    made = counter()
    assert made.read(17, 1.0, WALL) is RESTED
    assert made.baseline == 17
    assert told(made, 17, 17, since=2.0) == []


def test_a_press_is_looked_at_twice_and_told_with_the_time_of_the_first_look() -> None:
    made = counter(known=17)
    made.read(17, 0.0, WALL)
    assert made.read(18, 1.0, WALL + 1) is LOOK
    assert made.read(18, 1.05, WALL + 1.05) is FOUND
    assert (made.presses, made.since, made.since_wall, made.value) == (1, 1.0, WALL + 1, 18)
    assert made.unseen_since is None
    assert not made.active


def test_one_bad_frame_is_no_press() -> None:
    made = counter(known=17)
    assert told(made, 17, 40_000, 17, 17, 3, 17, 17) == []


@pytest.mark.parametrize("bad", [0, 16, 40_000, 65_535])
def test_a_bad_frame_before_a_press_does_not_change_how_many_there_were(bad: int) -> None:
    made = counter(known=17)
    assert told(made, 17, bad, 18, 18, 18) == [1]


def test_two_readings_of_one_reply_confirm_no_press() -> None:
    made = counter(known=17)
    assert made.read(18, 1.0, WALL) is LOOK
    assert made.read(18, 1.0, WALL) is LOOK
    assert made.read(18, 2.0, WALL) is FOUND


def test_presses_between_the_two_looks_are_told_with_the_others() -> None:
    assert told(counter(known=17), 17, 18, 21, 21) == [4]


@pytest.mark.parametrize(
    ("before", "now", "modulus", "pressed"),
    [
        (5, 5, 65536, 0),
        (5, 8, 65536, 3),
        (65_535, 0, 65536, 1),  # past its end
        (65_530, 4, 65536, 10),
        (4_294_967_295, 2, 1 << 32, 3),
        (255, 0, 256, 1),
        (500, 0, 65536, 0),  # began anew, nobody pressed
        (500, 2, 65536, 2),  # began anew, pressed twice since
        (500, FEW, 65536, FEW),
        (30_000, FEW + 1, 65536, None),  # another device
        (0, 3, 65536, 3),
    ],
)
def test_what_a_counter_has_done_between_two_looks(
    before: int, now: int, modulus: int, pressed: int | None
) -> None:
    assert presses(before, now, modulus) == pressed


def test_a_device_that_began_anew_raises_nothing_and_its_next_press_is_told() -> None:
    made = counter(known=500)
    assert told(made, 500, 0, 0, 0, 1, 1) == [1]


def test_a_device_that_was_pressed_right_after_it_began_anew_is_told() -> None:
    assert told(counter(known=500), 500, 1, 1) == [1]


def test_another_device_in_its_place_is_taken_as_it_stands() -> None:
    made = counter(known=30_000)
    assert told(made, 30_000, 400, 400, 400, 401, 401) == [1]


def test_a_press_while_the_gateway_was_down_is_told_and_says_since_when_nobody_looked() -> None:
    made = counter(known=17, ended=WALL - 3600)
    assert told(made, 19, 19) == [2]
    assert made.unseen_since == WALL - 3600


def test_a_press_while_the_gateway_was_down_is_told_though_nobody_knows_since_when() -> None:
    made = counter(known=17)
    assert told(made, 18, 18) == [1]
    assert made.unseen_since == 0.0


def test_a_press_while_the_device_was_away_says_when_it_was_last_seen() -> None:
    made = counter(known=17)
    made.read(17, 5.0, WALL + 5)
    assert told(made, 18, 18, since=6 + UNSEEN_S) == [1]
    assert made.unseen_since == WALL + 5


def test_a_press_after_a_look_is_seen_even_right_after_the_start() -> None:
    made = counter(known=17, ended=WALL - 3600)
    assert told(made, 17, 18, 18) == [1]
    assert made.unseen_since is None


@given(
    st.sampled_from((4096, 65536, 1 << 32)),
    st.integers(0, (1 << 32) - 1),
    st.lists(st.tuples(st.sampled_from(("press", "look", "anew")), st.integers(1, 20)), max_size=20),
)
def test_every_press_is_counted_once_whatever_the_device_does(
    modulus: int, start: int, story: list[tuple[str, int]]
) -> None:
    """Presses, looks and new beginnings in any order; only what cannot be told apart is left out (see counting.py)."""
    count, at = start % modulus, 0.0
    made = counter(modulus=modulus)
    made.read(count, at, WALL)
    pressed = found = unlooked = 0
    for what, times in story:
        at += 1.0
        if what == "press":
            count = (count + times) % modulus
            unlooked += times
        elif what == "anew" and count < modulus * 7 // 8:
            at += 1.0
            found += sum(told(made, count, count, since=at, every=0.1))
            pressed, unlooked = pressed + unlooked, 0
            count = 0
        else:
            found += sum(told(made, count, count, since=at, every=0.1))
            pressed, unlooked = pressed + unlooked, 0
        at += 1.0
        if what == "anew":
            found += sum(told(made, count, count, since=at, every=0.1))
    found += sum(told(made, count, count, since=at + 1, every=0.1))
    assert found == pressed + unlooked
