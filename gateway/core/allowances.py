"""Allowances: how much of something may be had in a time. Token buckets, pure, told `now`."""


class Allowance:
    """Starts full with `most`, and gets `per_second` more while there is room."""

    def __init__(self, most: float, per_second: float) -> None:
        self._most, self._per_second = most, per_second
        self._left = most
        self._at: float | None = None

    def has(self, now: float) -> bool:
        """Return whether one could be had at this time."""
        if self._at is not None:
            self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        return self._left >= 1.0

    def take(self, now: float) -> bool:
        """Take one; False when there is none."""
        if not self.has(now):
            return False
        self._left -= 1.0
        return True
