"""The stream's own time made fit for use: it begins at zero, never stands still and never runs backward.

A file's begins where players have it begin: what is shown first may come later, behind sound or pictures that lack the
key frame before them.

The time of a picture is what its stream says, not when it arrived: networks bunch pictures up. Where a stream says
nothing, or nonsense, the nominal rate stands in, and the fault is counted. Small lapses (a time twice, two swapped)
are bridged without moving what follows; after a real jump the new times are taken to follow on the old.
"""

LAPSE_S = 1.0  # backward by less than this is a lapse, by more a jump


class StreamClock:
    """Turns a stream's times in seconds into times that only grow; the first is `start_s`.

    `began_s` is the stream's own time at which its file begins: the first is as much later, unless that is nonsense.
    """

    def __init__(
        self, rate: float, *, start_s: float = 0.0, began_s: float | None = None, longest_gap_s: float = 10.0
    ) -> None:
        self.faults = 0
        self.step_s = 1.0 / rate
        self._longest_gap_s = longest_gap_s
        self._last_s: float | None = None
        self._offset_s: float | None = None
        self._start_s, self._began_s = start_s, began_s
        self._untimed = 0  # packets before the first that had a time: RTSP's first has none

    @property
    def last_s(self) -> float | None:
        """Return the time of the last picture; None before the first."""
        return self._last_s

    def tick(self, stream_s: float | None) -> float:
        """Return the time of the next picture in order of presentation, whose stream says `stream_s`."""
        if self._last_s is None:
            self._last_s = self._first(stream_s)
            self._set_offset(stream_s, self._last_s)
            return self._last_s
        self._last_s = self._next(stream_s, self._last_s)
        return self._last_s

    def estimate(self, stream_s: float | None) -> float:
        """Return what time a packet has, whose picture is not out yet; the clock does not move by it.

        One at which the stream's own time jumps is the next, as its picture will be.
        """
        if stream_s is None:
            if self._offset_s is None:
                self._untimed += 1
                return self._start_s + (self._untimed - 1) * self.step_s
            return (self._start_s if self._last_s is None else self._last_s) + self.step_s
        if self._offset_s is None:
            self._set_offset(stream_s, self._first(stream_s) + self._untimed * self.step_s)
        time_s, last_s = stream_s + (self._offset_s or 0.0), self._last_s
        if last_s is None or last_s - LAPSE_S < time_s <= last_s + self._longest_gap_s:
            return time_s
        return last_s + self.step_s

    def _first(self, stream_s: float | None) -> float:
        late_s = 0.0 if stream_s is None or self._began_s is None else stream_s - self._began_s
        return self._start_s + (late_s if 0.0 < late_s <= self._longest_gap_s else 0.0)

    def _next(self, stream_s: float | None, last_s: float) -> float:
        if stream_s is None:
            self.faults += 1
            return last_s + self.step_s
        if self._offset_s is None:
            self._set_offset(stream_s, last_s + self.step_s)
        time_s = stream_s + (self._offset_s or 0.0)
        if last_s < time_s <= last_s + self._longest_gap_s:
            return time_s
        self.faults += 1
        if last_s - LAPSE_S < time_s <= last_s:
            return last_s + self.step_s / 4
        self._set_offset(stream_s, last_s + self.step_s)
        return last_s + self.step_s

    def _set_offset(self, stream_s: float | None, time_s: float) -> None:
        self._offset_s = None if stream_s is None else time_s - stream_s
