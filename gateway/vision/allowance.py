"""So many a minute and no more: of falls, on both sides of the line between gateway and camera. Pure."""


class Allowance:
    """A bucket that starts full. `now` is monotonic seconds."""

    def __init__(self, per_minute: int) -> None:
        self._most, self._left, self._at = float(per_minute), float(per_minute), 0.0

    def take(self, now: float) -> bool:
        """Return whether one more is allowed, and count it."""
        self._left = min(self._most, self._left + max(0.0, now - self._at) * self._most / 60.0)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
