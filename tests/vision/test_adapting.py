"""Cameras of any size, rate and clock are watched as the watcher knows pictures, and told of in their own."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.vision import adapting
from gateway.vision.adapting import AdaptedWatcher
from gateway.vision.sight import Fall, Frame, Luma, NearMiss, Outlook, Polygon
from gateway.vision.sizing import watched_size
from gateway.vision.tubelet import Tubelet
from gateway.vision.watcher import Watcher
from tests.vision.street import FPS, falling, film

TIMES = 5  # as large as the street of the tests: 3200 x 2400, watched at half of it
WAY = falling(330.3, 60.0, at_s=1.4)


class Judge:
    """Takes everything for a fall, or nothing, and keeps what it was shown."""

    def __init__(self, likely: float = 0.99) -> None:
        self.likely, self.shown = likely, list[Tubelet]()

    def classify(self, tubelets: Sequence[Tubelet]) -> NDArray[np.float32]:
        self.shown += tubelets
        return np.tile(np.array([self.likely, 0, 0, 0, 0], np.float32), (len(tubelets), 1))


def large(frames: Iterable[Frame]) -> Iterator[Frame]:
    for frame in frames:
        luma = cv2.resize(frame.luma, None, fx=TIMES, fy=TIMES, interpolation=cv2.INTER_NEAREST)
        yield replace(frame, luma=np.asarray(luma, np.uint8))


def trembling(frames: Iterable[Frame], spread_s: float) -> Iterator[Frame]:
    dice = np.random.default_rng(4)
    for frame in frames:
        yield replace(frame, time_s=frame.time_s + float(np.clip(dice.normal(0, spread_s), -0.018, 0.018)))


def told(
    frames: Iterable[Frame],
    judge: Judge | None = None,
    *,
    outlook: Outlook = Outlook(),  # noqa: B008  (frozen)
) -> list[Fall]:
    watcher = AdaptedWatcher(judge or Judge(), threshold=0.5, outlook=outlook)
    return [fall for frame in frames for fall in watcher.feed(frame)] + watcher.finish()


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[Frame]:
    """Every picture that a watcher was shown."""
    seen = list[Frame]()

    class Noted(Watcher):
        def feed(self, frame: Frame) -> list[Fall]:
            seen.append(replace(frame, luma=frame.luma.copy()))
            return super().feed(frame)

    monkeypatch.setattr(adapting, "Watcher", Noted)
    return seen


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 480), (640, 480)),
        ((1920, 1080), (1920, 1080)),
        ((2560, 1440), (2560, 1440)),
        ((2688, 1520), (1792, 1013)),
        ((2592, 1944), (1728, 1296)),
        ((3840, 2160), (1920, 1080)),
        ((2160, 3840), (1080, 1920)),
        ((7680, 4320), (1920, 1080)),
    ],
)
def test_what_is_larger_than_1440_lines_is_watched_smaller(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert watched_size(*size) == expected


def test_a_usual_camera_is_watched_as_it_is(watched: list[Frame]) -> None:
    frames = list(film(WAY))
    falls = told(frames)
    plain = Watcher(Judge(), threshold=0.5)
    assert falls == [fall for frame in frames for fall in plain.feed(frame)] + plain.finish()
    assert len(falls) == 1
    assert [(each.index, each.time_s) for each in watched] == [(each.index, each.time_s) for each in frames]


def test_a_fall_in_large_pictures_is_told_in_their_pixels(watched: list[Frame]) -> None:
    (small,) = told(film(WAY))
    watched.clear()
    (fall,) = told(large(film(WAY)))
    assert {each.luma.shape for each in watched} == {(1200, 1600)}
    offs = []
    for spot in fall.track:
        if (true := WAY(spot.time_s + 0.004)) is not None:
            offs.append(np.hypot(*np.subtract(spot.centre, np.multiply(true, TIMES))))
    assert len(offs) > 10
    assert np.median(offs) < 1.5 * TIMES
    assert fall.t_start == pytest.approx(small.t_start, abs=0.1)
    assert np.median([spot.w for spot in fall.track]) > 2.5 * np.median([spot.w for spot in small.track])


def test_floors_and_what_is_to_be_ignored_are_meant_in_the_camera_s_pixels() -> None:
    floors = ((20.0, 6), (100.0, 5), (180.0, 4), (260.0, 3))
    times = tuple((TIMES * y, floor) for y, floor in floors)
    (small,) = told(film(WAY), outlook=Outlook(floors=floors))
    (fall,) = told(large(film(WAY)), outlook=Outlook(floors=times))
    assert small.origin is not None
    assert fall.origin is not None
    assert fall.origin.floor == small.origin.floor

    def column(left: float, right: float) -> Polygon:
        return ((left, 0.0), (right, 0.0), (right, 2400.0), (left, 2400.0))

    assert not told(large(film(WAY)), outlook=Outlook(ignore=(column(1500.0, 1800.0),)))
    assert told(large(film(WAY)), outlook=Outlook(ignore=(column(300.0, 360.0),)))
    assert not told(large(film(WAY)), outlook=Outlook(watch=column(0.0, 700.0)))


def test_a_facade_and_floors_marked_in_a_larger_picture_lose_no_fall_and_name_no_floor() -> None:
    """The camera was set to its smaller stream: nothing of what was marked lies in the picture."""
    facade = ((900.0, 700.0), (2400.0, 700.0), (2400.0, 1300.0), (900.0, 1300.0))
    (fall,) = told(film(WAY), outlook=Outlook(facade, (), ((1200.0, 1), (800.0, 4))))
    assert fall.origin is None


def test_what_was_marked_in_a_picture_of_another_size_is_where_it_was_in_that_one() -> None:
    floors = ((20.0, 6), (100.0, 5), (180.0, 4), (260.0, 3))
    times = tuple((TIMES * y, floor) for y, floor in floors)
    height, width = next(film(WAY)).luma.shape
    size = width * TIMES, height * TIMES
    (same,) = told(film(WAY), outlook=Outlook(floors=floors))
    (fall,) = told(film(WAY), outlook=Outlook(floors=times, marked_in=size))
    assert same.origin is not None
    assert fall.origin == same.origin

    def column(left: float, right: float) -> Polygon:
        return tuple(
            (x * TIMES, y * TIMES) for x, y in ((left, 0), (right, 0), (right, height), (left, height))
        )

    assert not told(film(WAY), outlook=Outlook(ignore=(column(310, 350),), marked_in=size))
    assert told(film(WAY), outlook=Outlook(ignore=(column(100, 200),), marked_in=size))
    assert not told(film(WAY), outlook=Outlook(watch=column(100, 200), marked_in=size))


def test_a_near_miss_is_told_in_the_camera_s_pixels() -> None:
    heard = list[NearMiss]()
    watcher = AdaptedWatcher(Judge(0.1), threshold=0.5, explain=heard.append)
    for frame in large(film(WAY)):
        assert watcher.feed(frame) == []
    assert watcher.finish() == []
    miss = max(heard, key=lambda each: len(each.track))
    assert miss.reason == "unlike"
    assert np.median([spot.centre[0] for spot in miss.track]) == pytest.approx(330.3 * TIMES, abs=TIMES)


@pytest.mark.parametrize(("fps", "every"), [(12, 1), (25, 1), (30, 1), (50, 2), (60, 2), (100, 3)])
def test_of_fast_cameras_some_pictures_are_passed_over(watched: list[Frame], fps: int, every: int) -> None:
    told(film(lambda _: None, fps=fps, seconds=1.0, noise=0.0))
    assert [each.index for each in watched] == list(range(0, fps, every))


def test_a_fall_of_a_fast_camera_has_a_spot_in_each_of_its_pictures() -> None:
    (fall,) = told(film(WAY, fps=50))
    (slow,) = told(film(WAY, fps=25))
    assert [spot.frame for spot in fall.track] == list(range(fall.track[0].frame, fall.track[-1].frame + 1))
    assert fall.track[0].frame == pytest.approx(2 * slow.track[0].frame, abs=3)


def test_pictures_whose_stamps_tremble_are_all_watched(watched: list[Frame]) -> None:
    told(trembling(film(lambda _: None, fps=30, seconds=8.0, noise=0.0), 0.008))
    missing = set(range(240)) - {each.index for each in watched}
    assert all(index < 13 for index in missing)  # while the rate is not known yet


def test_a_fall_is_as_even_as_it_was_where_stamps_tremble() -> None:
    def misfit(judge: Judge) -> float:
        return max(judge.shown, key=lambda each: len(each.track)).facts["misfit_px"]

    late = falling(330.3, 60.0, at_s=3.4)
    steady, evened, raw = Judge(), Judge(), Judge()
    assert len(told(film(late, seconds=5.0), steady)) == 1
    assert len(told(trembling(film(late, seconds=5.0), 0.006), evened)) == 1
    plain = Watcher(raw, threshold=0.5)
    for frame in trembling(film(late, seconds=5.0), 0.006):
        plain.feed(frame)
    plain.finish()
    assert misfit(evened) < misfit(raw) / 2
    assert misfit(evened) < misfit(steady) + 0.5


def test_another_size_of_pictures_begins_anew_and_loses_no_fall() -> None:
    first = list(film(WAY, seconds=3.0))
    cut = next(each.index for each in first if each.time_s > 2.3)
    rest = [
        replace(frame, index=frame.index + cut, time_s=frame.time_s + cut / FPS)
        for frame in large(film(WAY, seconds=3.0))
    ]
    falls = told([*first[:cut], *rest])
    assert [fall.t_start > cut / FPS for fall in falls] == [False, True]
    assert [fall.number for fall in falls] == [1, 2]


def test_nothing_is_told_of_no_pictures() -> None:
    assert AdaptedWatcher(Judge(), threshold=0.5).finish() == []


def test_a_picture_is_not_kept() -> None:
    """The decoder's buffer is its own again once a picture was watched."""
    watcher = AdaptedWatcher(Judge(), threshold=0.5)
    falls = []
    for frame in large(film(WAY)):
        lent: Luma = frame.luma
        falls += watcher.feed(frame)
        lent[:] = 0
    assert len(falls + watcher.finish()) == 1
