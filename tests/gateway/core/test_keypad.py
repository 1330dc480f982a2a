"""Keys become a PIN, and who guesses has to wait."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.keypad import GUESSES, LEAK_S, LONGEST_WAIT_S, Guessing, Keypad


def test_digits_come_one_by_one_or_together() -> None:
    keypad = Keypad()
    assert [keypad.press(key.encode(), 1.0) for key in "482#"] == [[], [], [], ["482"]]
    assert keypad.press(b"4829#1234#", 2.0) == ["4829", "1234"]


def test_a_star_takes_it_back() -> None:
    assert Keypad().press(b"99*4829#", 0.0) == ["4829"]


def test_ten_seconds_without_a_key_forget_it() -> None:
    keypad = Keypad()
    keypad.press(b"48", 100.0)
    keypad.press(b"2", 110.0)
    assert keypad.press(b"9#", 120.0) == ["4829"]
    keypad.press(b"482", 130.0)
    assert keypad.press(b"9#", 140.1) == ["9"]


def test_the_end_of_nothing_is_nothing() -> None:
    assert Keypad().press(b"##*#", 0.0) == []


def test_more_than_eight_digits_are_kept_as_nine() -> None:
    assert Keypad().press(b"1" * 50 + b"#", 0.0) == ["1" * 9]


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_whatever_is_typed_is_bounded(reports: list[bytes]) -> None:
    keypad = Keypad()
    for report in reports:
        assert all(1 <= len(pin) <= 9 for pin in keypad.press(report, 0.0))


def lock(guessing: Guessing, now: float) -> float:
    """Guess until the reader is locked; return for how long."""
    for _ in range(GUESSES):
        if (wait_s := guessing.wrong(now)) is not None:
            return wait_s
    raise AssertionError("it never locks")


def test_the_fifth_wrong_pin_locks_for_half_a_minute() -> None:
    guessing = Guessing()
    assert [guessing.wrong(0.0) for _ in range(GUESSES)] == [None, None, None, None, 30.0]
    assert guessing.locked(29.9)
    assert not guessing.locked(30.0)


def test_the_wait_grows_and_ends_to_grow() -> None:
    guessing, now, waits = Guessing(), 0.0, []
    for _ in range(8):
        waits.append(lock(guessing, now))
        now += waits[-1]
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


def test_after_a_wait_there_are_four_guesses_again() -> None:
    guessing = Guessing()
    lock(guessing, 0.0)
    assert [guessing.wrong(30.0) for _ in range(GUESSES)] == [None, None, None, None, 60.0]


def test_six_quiet_hours_make_it_short_again() -> None:
    guessing = Guessing()
    lock(guessing, 1000.0)
    assert lock(guessing, 1000.0 + 6 * 3600.0) == 60.0
    assert lock(guessing, 1000.0 + 12 * 3600.0 + 1.0) == 30.0


def test_a_guess_is_forgotten_after_ten_minutes_and_not_before() -> None:
    for waited_s, told in ((599.0, 30.0), (600.0, None)):
        guessing = Guessing()
        for _ in range(GUESSES - 1):
            guessing.wrong(0.0)
        assert guessing.wrong(waited_s) == told


def test_who_waits_between_guesses_gets_no_more_of_them_than_the_bucket_leaks() -> None:
    """Four at once and then one in LEAK_S goes on for ever; anything faster locks."""
    guessing, now, locked = Guessing(), 0.0, 0
    for _ in range(60):
        locked += guessing.wrong(now) is not None
        now += LEAK_S / 2
    assert locked >= 5


def test_a_right_pin_takes_one_out() -> None:
    guessing = Guessing()
    for resident in range(20):
        assert guessing.wrong(0.0) is None
        guessing.right(0.0, resident)


def test_a_right_pin_takes_out_one_and_no_more_and_the_same_one_again_after_ten_minutes() -> None:
    guessing = Guessing()
    guessing.right(0.0, "own")  # there is nothing to take out yet
    for _ in range(GUESSES - 1):
        guessing.wrong(0.0)
    guessing.right(0.0, "own")
    guessing.right(0.0, "own")
    assert guessing.wrong(0.0) is None
    assert guessing.wrong(600.0) is None
    guessing.right(600.0, "own")
    assert guessing.wrong(600.0) is None
    assert guessing.wrong(600.0) == 30.0


def test_right_pins_buy_no_guesses_ahead() -> None:
    guessing = Guessing()
    guessing.wrong(0.0)
    for resident in range(20):
        guessing.right(300.0, resident)
    assert [guessing.wrong(300.0) for _ in range(GUESSES)] == [None, None, None, None, 30.0]


def test_the_same_right_pin_takes_out_no_more_than_leaks() -> None:
    guessing = Guessing()
    guesses = 0
    for second in range(0, 3600, 8):
        guesses += not guessing.locked(second)
        guessing.wrong(second)
        guessing.right(second, "own")
    assert guesses < 40


def test_who_mistypes_now_and_then_all_day_waits_never() -> None:
    guessing = Guessing()
    for hour in range(24):
        assert guessing.wrong(hour * 3600.0) is None
        guessing.right(hour * 3600.0 + 5.0, "own")


@given(st.lists(st.floats(-1e9, 1e9), max_size=50))
def test_a_wait_is_never_longer_than_the_longest(times: list[float]) -> None:
    guessing = Guessing()
    for now in times:
        wait_s = guessing.wrong(now)
        assert wait_s is None or 30.0 <= wait_s <= LONGEST_WAIT_S
