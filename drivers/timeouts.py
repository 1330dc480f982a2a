"""How long to wait for one device: learned from what it does, never longer than its datasheet says.

The wait for the first byte of a reply is

    2 * p99 of the turnarounds seen + 16 ms (what a USB adapter may hold bytes back)

times a factor that doubles with each time-out in a row and halves again with good replies. A whole exchange
never gets less than 50 ms, so that a hiccup of a small computer is no fault of a device. Until eight replies
were seen the datasheet's time-out holds. A reply that came after its time-out counts as a sample too: it is
the proof that the wait was too short (the common masters throw it away, and with it the lesson).
"""

from array import array
from typing import Final

USB_ALLOWANCE_S: Final = 0.016
FLOOR_S: Final = 0.05
ENOUGH_SAMPLES: Final = 8
WINDOW: Final = 128
REFRESH_EVERY: Final = 16
MAX_FACTOR: Final = 16


class Window:
    """The last 128 samples of something, for its percentiles.

    Each device has two. As a list of floats they would take four times as much, and grow for as long as they fill.
    """

    __slots__ = ("_samples", "count")

    def __init__(self) -> None:
        self.count = 0
        self._samples = array("d", bytes(8 * WINDOW))

    def add(self, sample: float) -> None:
        """Take a sample; the oldest goes."""
        self._samples[self.count % WINDOW] = sample
        self.count += 1

    def percentile(self, share: float) -> float | None:
        """Return the sample that `share` of all are not above; None before the first."""
        if not self.count:
            return None
        ordered = sorted(self._samples[: self.count])
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class LearnedTimeout:
    """The wait for one device. `cap_s` is from its datasheet: last byte sent to first byte back."""

    __slots__ = ("_cap_s", "_factor", "_p99", "_turnarounds", "turnaround_limit_s")

    def __init__(self, cap_s: float) -> None:
        self._cap_s = cap_s
        self._turnarounds = Window()
        self._p99 = 0.0
        self._factor = 1
        self.turnaround_limit_s = cap_s

    @property
    def typical_s(self) -> float:
        """How long the device needs as far as it was seen, be that little."""
        return min(self._cap_s, 2 * self._p99 + USB_ALLOWANCE_S) if self._turnarounds.count else self._cap_s

    def exchange_s(self, wire_s: float) -> float:
        """Return how long an exchange may take whose request and reply need `wire_s` on the wire."""
        return max(FLOOR_S, wire_s + self.turnaround_limit_s)

    def answered(self, turnaround_s: float) -> None:
        """Take the turnaround of a good reply."""
        window = self._turnarounds
        window.add(turnaround_s)
        if turnaround_s > self._p99:
            self._refresh()
        elif window.count % REFRESH_EVERY == 0:
            self._factor = max(1, self._factor // 2)
            self._refresh()
        elif window.count == ENOUGH_SAMPLES:
            self._refresh()

    def timed_out(self) -> None:
        """Be more patient: nothing came in time."""
        self._factor = min(MAX_FACTOR, self._factor * 2)
        self._refresh()

    def came_late(self, turnaround_s: float) -> None:
        """Take the turnaround of a reply that came after its time-out."""
        self._turnarounds.add(turnaround_s)
        self._refresh()

    def _refresh(self) -> None:
        self._p99 = self._turnarounds.percentile(0.99) or 0.0
        if self._turnarounds.count >= ENOUGH_SAMPLES:
            learned = (2 * self._p99 + USB_ALLOWANCE_S) * self._factor
            self.turnaround_limit_s = min(self._cap_s, learned)
