"""A camera with too few pictures to see a fall is slow; one with a short break, or that has just begun, is not."""

from collections.abc import Iterable
from itertools import pairwise

import pytest

from gateway.vision.pace import WHILE_S, Pace


def run(pace: Pace, fps: Iterable[float], *, at: float = 0.0) -> list[bool | None]:
    """Have a beat come each second with so many pictures more; return what was known after each."""
    frames, known = 0.0, []
    for second, each in enumerate(fps):
        frames += each
        pace.beat(int(frames), at + second)
        known.append(pace.slow)
    return known


@pytest.mark.parametrize(("fps", "slow"), [(2, True), (7.5, True), (8.5, False), (25, False)])
def test_it_is_known_after_two_minutes(fps: float, slow: bool) -> None:
    known = run(Pace(), [fps] * 300)
    assert set(known[: int(WHILE_S)]) == {None}
    assert set(known[int(WHILE_S) :]) == {slow}


def test_a_night_of_a_slow_shutter_is_one_trouble_and_its_end() -> None:
    known = run(Pace(), [25.0] * 600 + [6.25] * 3600 + [8.5] * 600 + [25.0] * 600)
    changes = [now for before, now in pairwise(known) if before != now]
    assert changes == [False, True, False]


def test_a_break_of_seconds_makes_no_slow_camera_of_one_with_ten_pictures_a_second() -> None:
    known = run(Pace(), ([10.0] * 100 + [0.0] * 14) * 10)
    assert True not in known


def test_what_went_before_a_break_does_not_count() -> None:
    pace = Pace()
    run(pace, [25.0] * 100)
    pace.broken()
    assert run(pace, [25.0] * 130, at=4000.0)[-1] is False
