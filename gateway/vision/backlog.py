"""Frames between the decoder's thread and the watcher: a few, the newest; what the watcher cannot keep up with goes.

A frame that has to wait behind another waits as a copy of its brightness. The decoder makes a buffer, with colour, for
every picture that is still looked at and keeps it for the next, so one burst of eight would stay in memory for years.
"""

import threading
from collections import deque
from dataclasses import dataclass, replace

from gateway.vision.sight import Frame

FRAMES = 8
REMEMBERED = 600  # arrivals: more than a track is long


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame and the monotonic second at which it was decoded."""

    frame: Frame
    at: float


class Backlog:
    """A short queue between two threads; a full one loses its oldest frame and counts it."""

    def __init__(self, frames: int = FRAMES) -> None:
        self.dropped = 0
        self._waiting: deque[Arrival] = deque()
        self._most = frames
        self._arrivals: deque[tuple[int, float]] = deque(maxlen=REMEMBERED)
        self._changed = threading.Condition()

    def put(self, arrival: Arrival) -> None:
        """Add the newest frame. One thread does; another may take frames meanwhile."""
        if self._waiting:
            frame = arrival.frame
            arrival = replace(arrival, frame=replace(frame, luma=frame.luma.copy()))
        with self._changed:
            if len(self._waiting) >= self._most:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(arrival)
            self._arrivals.append((arrival.frame.index, arrival.at))
            self._changed.notify()

    def get(self, timeout_s: float) -> Arrival | None:
        """Return the oldest frame that waits, or None when none came in time."""
        with self._changed:
            if not self._waiting:
                self._changed.wait(timeout_s)
            return self._waiting.popleft() if self._waiting else None

    def arrived(self, index: int) -> float | None:
        """Return when a frame was decoded, if that is not too long ago."""
        with self._changed:
            return next((at for number, at in reversed(self._arrivals) if number == index), None)
