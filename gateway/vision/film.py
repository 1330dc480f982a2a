"""A whole video through the watcher: what it saw, as it decides it, and how far it is. The daemon's own watcher.

`watch` is a generator: whoever shows the events takes them one by one, and may stop when he likes. Near misses
come in the order they were rejected in, so that a line tells them as soon as they are known.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from gateway.vision.sight import Fall, Frame, NearMiss
from gateway.vision.source_errors import SourceError

STEP_S = 0.1  # of our time between two looks at how far it is: a bar needs no more


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is: frames watched, the time of the last in the stream, and how long it took so far."""

    frames: int
    stream_s: float
    took_s: float

    @property
    def speed(self) -> float:
        """Return how many times faster than the stream's own time it goes; 0 where there was no time to speak of."""
        return self.stream_s / self.took_s if self.took_s > 0 else 0.0


class Watching(Protocol):
    """What turns frames into falls: `gateway.vision.watcher.Watcher`."""

    def feed(self, frame: Frame) -> list[Fall]:
        """Take a frame and return the falls whose verdict stands with it."""
        ...

    def finish(self) -> list[Fall]:
        """Return what is still undecided at the end of the stream."""
        ...


Seen: TypeAlias = Fall | NearMiss | Step


class Film:
    """Frames and a watcher. `explain` is what the watcher is to be given, for near misses to be told."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._misses: list[NearMiss] = []

    def explain(self, miss: NearMiss) -> None:
        """Take a near miss; it is told with the next frame's events."""
        self._misses.append(miss)

    def watch(self, frames: Iterable[Frame], watcher: Watching) -> Iterator[Seen]:
        """Yield falls and near misses as soon as they stand, now and then a step, and one at the very end.

        A SourceError of the frames passes through, after what the watcher made of those before.
        """
        began = told = self._clock()
        count, first_s, last_s = 0, 0.0, 0.0
        broken: SourceError | None = None
        source = iter(frames)
        while True:
            try:
                frame = next(source, None)
            except SourceError as error:  # raised again below, once all is told
                frame, broken = None, error
            if frame is None:
                break
            first_s = frame.time_s if count == 0 else first_s
            count, last_s = count + 1, frame.time_s
            yield from self._events(watcher.feed(frame))
            now = self._clock()
            if now - told >= STEP_S:
                told = now
                yield Step(count, last_s - first_s, now - began)
        yield from self._events(watcher.finish())
        yield Step(count, last_s - first_s, self._clock() - began)
        if broken is not None:
            raise broken

    def _events(self, falls: list[Fall]) -> list[Fall | NearMiss]:
        misses, self._misses = self._misses, []
        return [*misses, *falls]
