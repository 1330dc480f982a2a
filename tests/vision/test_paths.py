"""Between two sights a thing is where its way led, and where a picture came twice it stood still."""

import pytest

from gateway.vision.paths import filled, standing
from gateway.vision.sight import Spot


def falling(frames: list[int], *, across: float = 2.0) -> tuple[Spot, ...]:
    return tuple(Spot(i, i / 25, 100 + across * i, 50 + 0.6 * i * i, 6, 8) for i in frames)


def test_a_gap_is_filled_on_the_curve_of_the_way() -> None:
    whole = falling(list(range(40)))
    seen = [spot for spot in whole if not 20 <= spot.frame < 31]
    for told, true in zip(filled(seen), whole, strict=True):
        assert told.frame == true.frame
        assert (told.x, told.y) == pytest.approx((true.x, true.y), abs=0.01)


def test_a_gap_is_filled_evenly_where_too_little_is_seen_beside_it() -> None:
    seen = falling([0, 1, 5, 6])
    (x, y) = (seen[1].x + seen[2].x) / 2, (seen[1].y + seen[2].y) / 2
    assert (filled(seen)[3].x, filled(seen)[3].y) == pytest.approx((x, y))


def test_a_filled_gap_lags_no_more_than_what_falls_from_rest() -> None:
    """Sights that jump, as of two things, bend no way out of its bounds."""
    seen = [
        *falling(list(range(5))),
        *(Spot(i, i / 25, 300, 100 - 20 * (i - 10) ** 2, 6, 8) for i in range(10, 15)),
    ]
    before, after = seen[4].y, seen[5].y
    for spot in filled(seen)[5:10]:
        even = before + (after - before) * (spot.frame - 4) / 6
        assert abs(spot.y - even) <= abs(after - before) / 4 + 1e-6


def test_where_a_picture_came_twice_the_thing_stood_still() -> None:
    track = falling([3, 4, 5, 6, 7])
    told = standing(track, {3, 5, 6})
    assert [spot.frame for spot in told] == [3, 4, 5, 6, 7]
    assert [spot.time_s for spot in told] == [spot.time_s for spot in track]
    assert [spot.y for spot in told] == [track[0].y, track[1].y, track[1].y, track[1].y, track[4].y]
