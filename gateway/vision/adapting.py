"""The watcher behind any camera: it is shown pictures as it knows them, and tells in those of the camera.

It was taught with 12 to 30 pictures a second of 720 to 1440 lines. Of a camera that sends 50 or 60 every second one is
watched, pictures of 4K are watched at half their size: that finds as many falls or more, for a quarter of the work. The
jitter of time stamps is taken out.

What was marked in a picture of another size (the camera was set to a smaller stream) is where it was in that one. A
facade, or floors, of which nothing lies in the picture, and no size was told, were marked in a larger one too: they are
as good as not marked. Else every fall would be outside, or be told of a floor that is not.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from gateway.vision.jitter import JitterFilter
from gateway.vision.sight import Fall, Frame, NearMiss, Outlook, Polygon
from gateway.vision.sizing import scaled, shrunk, watched_size
from gateway.vision.watcher import Judge, Watcher

CLOSEST_S = 0.022  # from one picture to the next: where they come closer, some are passed over


class AdaptedWatcher:
    """Watches one camera's frames, of any size and rate, as `Watcher` does; the other arguments are its."""

    def __init__(
        self,
        judge: Judge | None,
        *,
        threshold: float,
        outlook: Outlook = Outlook(),  # noqa: B008  (frozen)
        explain: Callable[[NearMiss], None] | None = None,
        patience_s: float = 0.0,
        at_once: bool = False,
    ) -> None:
        self._judge, self._threshold, self._outlook, self._explain = judge, threshold, outlook, explain
        self._patience_s, self._at_once = patience_s, at_once
        self._before = 0  # falls of watchers for pictures of another size
        self._jitter = JitterFilter()
        self._last_s = float("-inf")
        self._shape: tuple[int, ...] = ()
        self._watcher: Watcher | None = None

    def feed(self, frame: Frame) -> list[Fall]:
        """Take the next frame; return the falls whose verdict stands with it."""
        time_s = self._jitter.even(frame.time_s)
        if time_s - self._last_s < CLOSEST_S and self._jitter.period_s < CLOSEST_S:
            return []
        self._last_s = time_s
        falls = self.finish() if frame.luma.shape != self._shape else []
        if self._watcher is None:
            self._watcher = self._begin(frame.luma.shape)
        luma = shrunk(frame.luma, self._small)
        return falls + self._whole(self._watcher.feed(replace(frame, time_s=time_s, luma=luma)))

    def finish(self) -> list[Fall]:
        """End the stream: judge what is still in flight."""
        watcher, self._watcher = self._watcher, None
        if watcher is None:
            return []
        falls = self._whole(watcher.finish())
        self._before += watcher.statistics.falls
        return falls

    def pause(self) -> list[Fall]:
        """Judge what is in flight, as no picture comes for now; what is known of the street stays."""
        return self._whole(self._watcher.finish()) if self._watcher is not None else []

    def _begin(self, shape: tuple[int, ...]) -> Watcher:
        self._shape = shape
        height, width = shape
        wide, tall = watched_size(width, height)
        self._small = np.empty((tall, wide), np.uint8)
        self._across, self._down = width / wide, height / tall
        return Watcher(
            self._judge,
            threshold=self._threshold,
            outlook=self._watched(self._outlook),
            explain=self._explain and self._miss,
            patience_s=self._patience_s,
            at_once=self._at_once,
        )

    def _watched(self, outlook: Outlook) -> Outlook:
        """Return an outlook in px of the pictures that are watched."""
        tall, wide = self._small.shape
        width, height = outlook.marked_in or self._shape[::-1]
        across, down = width / wide, height / tall

        def there(polygon: Polygon) -> Polygon:
            return tuple((x / across, y / down) for x, y in polygon)

        floors = tuple((y / down, floor) for y, floor in outlook.floors)
        watch = there(outlook.watch)
        if not _lies_in(watch, self._small.shape):
            watch = ()
        if not any(0 <= y < tall for y, _ in floors):
            floors = ()
        return Outlook(watch, tuple(map(there, outlook.ignore)), floors)

    def _whole(self, falls: Sequence[Fall]) -> list[Fall]:
        return [
            replace(
                fall, track=scaled(fall.track, self._across, self._down), number=self._before + fall.number
            )
            for fall in falls
        ]

    def _miss(self, miss: NearMiss) -> None:
        assert self._explain is not None
        self._explain(replace(miss, track=scaled(miss.track, self._across, self._down)))


def _lies_in(polygon: Polygon, shape: tuple[int, ...]) -> bool:
    """Say whether the box around a polygon has a part of the picture in it."""
    if not polygon:
        return False
    left, top = (min(corner[axis] for corner in polygon) for axis in (0, 1))
    right, bottom = (max(corner[axis] for corner in polygon) for axis in (0, 1))
    return left < shape[1] and top < shape[0] and right > 0 and bottom > 0
