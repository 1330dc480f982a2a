"""A camera watched for ever: when its stream breaks it is opened again, ever more patiently, and time goes on.

Plain and synchronous, for a thread of its own; clock and sleep are given. Numbers and times of the pictures run on
over every break: a break of a minute is a minute in the times. A camera that refuses the password is asked seldom,
for many lock themselves after a few wrong ones.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from gateway.vision.frames import Source
from gateway.vision.sight import Frame
from gateway.vision.source_errors import SourceError

FIRST_WAIT_S, LONGEST_WAIT_S, LOCKED_WAIT_S = 0.5, 30.0, 300.0
STEADY_S = 10.0  # a stream that ran this long was a good one: the next break begins with a short wait again


@dataclass(frozen=True, slots=True)
class Connected:
    """Pictures come (again), after `away_s` without any."""

    source: Source
    away_s: float


@dataclass(frozen=True, slots=True)
class Lost:
    """No pictures come; the next try is in `retry_in_s`. `tries` in a row failed, or broke soon."""

    error: SourceError
    tries: int
    retry_in_s: float


LiveState: TypeAlias = Connected | Lost


def live_frames(
    open_: Callable[[], Source],
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    on_state: Callable[[LiveState], None],
) -> Generator[Frame, None, None]:
    """Yield pictures for ever; `on_state` is told of every loss, and of the first picture after it.

    `open_` is called for each try; it may hang a recorder on the source before it returns it. Close the iterator
    to end it.
    """
    life = _Life(clock())
    while True:
        error = yield from _one_stream(open_, life, clock, on_state)
        life.tries += 1
        wait_s = _wait_s(error, life.tries)
        on_state(Lost(error, life.tries, wait_s))
        sleep(wait_s)


@dataclass(slots=True)
class _Life:
    """What goes on over breaks: when the last picture came, its time and number, and failed tries since."""

    seen_at: float
    time_s: float = 0.0
    index: int = -1
    tries: int = 0


def _one_stream(
    open_: Callable[[], Source],
    life: _Life,
    clock: Callable[[], float],
    on_state: Callable[[LiveState], None],
) -> Generator[Frame, None, SourceError]:
    """Yield one connection's pictures; return why there are no more."""
    try:
        source = open_()
    except SourceError as error:
        return error
    began = None
    try:
        for frame in _go_on(source, life, clock()):
            now = clock()
            if began is None:
                began = now
                on_state(Connected(source, now - life.seen_at))
            if now - began >= STEADY_S:
                life.tries = 0
            life.seen_at, life.time_s, life.index = now, frame.time_s, frame.index
            yield frame
    except SourceError as error:
        return error
    finally:
        source.close()
    return SourceError("ended", source.where, "the stream ended")


def _go_on(source: Source, life: _Life, now: float) -> Iterator[Frame]:
    """Return a new source's pictures, numbered and timed to follow on what was seen before."""
    if life.index >= 0:
        source.start_at(life.index + 1, life.time_s + max(now - life.seen_at, 1.0 / source.rate))
    return source.frames()


def _wait_s(error: SourceError, tries: int) -> float:
    if error.reason == "password":
        return LOCKED_WAIT_S
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(tries - 1, 16))
