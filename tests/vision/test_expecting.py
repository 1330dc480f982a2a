"""Where a track goes on: like a fall, calmly though its thing turns, and never back into its own afterglow."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from gateway.vision.expecting import ahead, moved_on
from gateway.vision.shake import Shift
from gateway.vision.tracks import Hit, Track

Way = Callable[[float], tuple[float, float]]


def track(places: Sequence[tuple[float, float]], *, size: float = 4.0) -> Track:
    """A track with a hit in each frame of a film of 25 a second; it knows where it goes on."""
    half = size / 2
    hits = [
        Hit(i, i / 25, x, y, (x - half, y - half, x + half, y + half), 40.0, Shift())
        for i, (x, y) in enumerate(places)
    ]
    made = Track(hits)
    made.ahead = ahead(made, len(hits) / 25)
    return made


@pytest.mark.parametrize("frames", [4, 5, 8, 14])
def test_a_fall_is_expected_where_it_falls(frames: int) -> None:
    """With four hits by a line, which lags behind by what gravity adds; from five on to the pixel."""
    x, y, reach = track([(100 + 2.0 * i, 20 + 3 * i + 0.6 * i**2) for i in range(frames)]).ahead
    assert x == pytest.approx(100 + 2.0 * frames, abs=0.1)
    assert y == pytest.approx(20 + 3 * frames + 0.6 * frames**2, abs=0.1 if frames >= 5 else reach)


def test_a_large_thing_that_turns_leads_nobody_astray() -> None:
    """Seen by its head or by its foot it is ten px off; a parabola aside through that would be forty px off soon."""
    dice = np.random.default_rng(3)
    off = []
    for _ in range(60):
        places = [
            (200 + dice.uniform(-10, 10), 20 + 14.0 * i + 0.5 * i**2 + dice.uniform(-10, 10))
            for i in range(10)
        ]
        x, _, _ = ahead(track(places, size=24.0), 12 / 25)
        off.append(abs(x - 200))
    assert sorted(off)[50] < 15


def test_what_is_thrown_towards_the_camera_is_expected_ever_further_aside() -> None:
    x, _, _ = track([(400 - 4.0 * i - 0.3 * i**2, 50 + 4 * i + 0.4 * i**2) for i in range(12)]).ahead
    assert x == pytest.approx(400 - 4.0 * 12 - 0.3 * 12**2, abs=0.5)


def test_what_falls_does_not_turn_upwards_because_it_was_last_seen_a_little_too_high() -> None:
    places = [(100.0, 50 + 10.0 * i) for i in range(8)]
    places[-1] = (100.0, places[-1][1] - 6)
    _, y, _ = ahead(track(places), 10 / 25)
    assert y > places[-1][1] + 10


def test_a_thing_does_not_stay_where_it_was_but_a_large_one_may_seem_to() -> None:
    places = [(100.0, 20 + 12.0 * i) for i in range(8)]
    last, on = places[-1], (100.0, 20 + 12.0 * 8)
    small, large = track(places), track(places, size=40.0)
    asked = np.array([last, on], np.float32)
    assert moved_on([small, large], asked).tolist() == [[False, True], [True, True]]
    assert moved_on([small], np.zeros((0, 2), np.float32)).shape == (1, 0)
