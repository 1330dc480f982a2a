"""Drops are known by the next drop; things that people let go are not taken for drops."""

from dataclasses import replace

from gateway.vision.dripping import MEMORY_S, TIMES, Dripping
from gateway.vision.sight import Spot

HEIGHT = 1080


def way(
    x: float, *, top: float = 300.0, width: float = 3.0, lean: float = 0.0, frames: int = 20
) -> list[Spot]:
    """A track of a thing that falls from (x, top), in px."""
    return [Spot(i, i / 25, x + lean * i, top + 0.8 * i * i, width, 9.0) for i in range(frames)]


def told(ways: list[list[Spot]], every_s: float = 2.0) -> list[bool]:
    """What is said of things that go these ways, one each so many seconds."""
    dripping, said = Dripping(), []
    for number, each in enumerate(ways):
        later = [replace(spot, time_s=spot.time_s + number * every_s) for spot in each]
        said.append(dripping.again(later, HEIGHT, later[-1].time_s + 0.2))
    return said


def test_drops_from_one_point_are_known_from_the_third_on() -> None:
    ways = [way(400 + 0.7 * (number % 3), top=300 + number) for number in range(6)]
    assert told(ways) == [False] * TIMES + [True] * (6 - TIMES)


def test_a_drop_that_is_seen_only_lower_down_is_known_by_its_way() -> None:
    ways = [way(400), way(400), way(400)[4:]]
    assert told(ways) == [False, False, True]


def test_things_that_are_wider_than_a_drop_are_told_however_often() -> None:
    assert not any(told([way(400, width=20.0) for _ in range(6)]))


def test_things_from_other_windows_or_thrown_another_way_are_told() -> None:
    assert not any(told([way(400), way(430), way(400, top=500), way(400, lean=2.0), way(400, top=150)]))


def test_a_drop_of_long_ago_is_forgotten() -> None:
    assert not any(told([way(400) for _ in range(4)], every_s=MEMORY_S / TIMES + 1))


def test_pieces_of_one_fall_that_are_judged_one_after_the_other_are_no_drops() -> None:
    assert not any(told([way(400, frames=20 + 4 * number) for number in range(5)], every_s=0.0))
