"""A film through the watcher: events as they stand, how far it is, and what happens when the film breaks off."""

from collections.abc import Iterator
from itertools import count

import numpy as np
import pytest

from gateway.vision.film import Film, Step
from gateway.vision.sight import Fall, Frame, NearMiss
from gateway.vision.source_errors import SourceError
from tests.vision import clips

NOTHING = np.zeros((8, 8), np.uint8)
FALL = clips.fall(clips.steady(3.0))
MISS = NearMiss(0.1, 0.5, "unlike", 0.3, ())


class Recorder:
    """A watcher that says what it is told to say at given frames."""

    def __init__(self, film: Film, falls: dict[int, Fall], misses: dict[int, NearMiss]) -> None:
        self._film, self._falls, self._misses = film, falls, misses
        self.fed = 0

    def feed(self, frame: Frame) -> list[Fall]:
        self.fed += 1
        if frame.index in self._misses:
            self._film.explain(self._misses[frame.index])
        return [self._falls[frame.index]] if frame.index in self._falls else []

    def finish(self) -> list[Fall]:
        return [self._falls[-1]] if -1 in self._falls else []


def frames(number: int, start_s: float = 0.0) -> Iterator[Frame]:
    return (Frame(index, start_s + index / 25, NOTHING) for index in range(number))


def hasty() -> float:
    return 0.0


def test_a_fall_is_told_with_the_frame_at_which_it_stands() -> None:
    film = Film(hasty)
    watcher = Recorder(film, {3: FALL}, {})
    events = film.watch(frames(10), watcher)
    assert next(events) is FALL
    assert watcher.fed == 4


def test_what_is_undecided_at_the_end_is_told_before_the_last_step() -> None:
    film = Film(hasty)
    events = list(film.watch(frames(10), Recorder(film, {-1: FALL}, {})))
    assert events == [FALL, Step(10, 9 / 25, 0.0)]


def test_near_misses_come_before_the_falls_of_the_same_frame() -> None:
    film = Film(hasty)
    events = list(film.watch(frames(5), Recorder(film, {2: FALL}, {2: MISS})))
    assert events[:2] == [MISS, FALL]


def test_it_says_now_and_then_how_far_it_is() -> None:
    ticks = count(step=0.06)
    film = Film(lambda: next(ticks))
    steps = [event for event in film.watch(frames(10), Recorder(film, {}, {})) if isinstance(event, Step)]
    assert [step.frames for step in steps] == [2, 4, 6, 8, 10, 10]


def test_time_counts_from_the_first_frame_of_the_stream() -> None:
    film = Film(hasty)
    (last,) = film.watch(frames(26, start_s=5000.0), Recorder(film, {}, {}))
    assert isinstance(last, Step)
    assert last.stream_s == pytest.approx(1.0)


def test_a_film_without_frames_is_over_at_once() -> None:
    film = Film(hasty)
    assert list(film.watch(frames(0), Recorder(film, {}, {}))) == [Step(0, 0.0, 0.0)]


def test_the_speed_is_told_against_the_time_of_the_stream() -> None:
    assert Step(100, 4.0, 0.5).speed == 8.0
    assert Step(0, 0.0, 0.0).speed == 0.0


def test_a_film_that_breaks_off_still_tells_what_was_seen_and_then_why() -> None:
    def broken() -> Iterator[Frame]:
        yield from frames(3)
        raise SourceError("broken", "film.mp4", "the rest is missing")

    film = Film(hasty)
    events = film.watch(broken(), Recorder(film, {-1: FALL}, {}))
    assert next(events) is FALL
    assert isinstance(next(events), Step)
    with pytest.raises(SourceError, match="the rest is missing"):
        next(events)
