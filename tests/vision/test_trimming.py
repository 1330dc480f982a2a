"""A track ends where its thing was last seen, not where something else trembled afterwards."""

from gateway.vision.shake import Shift
from gateway.vision.tracks import Hit
from gateway.vision.trimming import trimmed


def hit(index: int, y: float, *, x: float = 100.0, size: float = 10.0, contrast: float = 40.0) -> Hit:
    half = size / 2
    return Hit(index, index / 25, x, y, (x - half, y - half, x + half, y + half), contrast, Shift())


WAY = [hit(index, 3.0 * index + 0.8 * index**2) for index in range(14)]


def test_a_whole_track_stays_whole() -> None:
    assert trimmed(WAY) == WAY


def test_specks_behind_a_thing_that_is_gone_are_cut() -> None:
    specks = [hit(14 + i, 200.0 + 9 * i, size=2, contrast=6) for i in range(4)]
    assert trimmed([*WAY, *specks]) == WAY


def test_the_place_where_it_came_to_rest_is_cut() -> None:
    resting = [hit(14 + i, WAY[-1].y + 0.1 * i) for i in range(6)]
    assert trimmed([*WAY, *resting]) == WAY


def test_a_slow_beginning_is_its_own() -> None:
    """What is let go hardly moves at first."""
    slow = [hit(index, 0.8 * index**2) for index in range(14)]
    assert trimmed(slow) == slow


def test_a_thing_that_turns_its_narrow_side_on_the_way_is_not_cut_there() -> None:
    narrow = [*WAY[:6], hit(6, WAY[6].y, size=2, contrast=6), *WAY[7:]]
    assert trimmed(narrow) == narrow


def test_a_track_of_specks_only_is_left_alone() -> None:
    few = WAY[:5]
    assert trimmed(few) == few
