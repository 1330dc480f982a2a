"""Flapping: a condition that comes and goes is held and counted, not sent a hundred times.

Four changes within ten minutes make it flap. From then on the alert stays up through every clear, its count grows,
and at most one update a minute tells of it, until the changes of the last ten minutes are fewer than four.
"""

from collections import deque

CHANGES = 4
WINDOW_S = 600.0
TELL_EVERY_S = 60.0


class Flapping:
    """The latest changes of one condition."""

    __slots__ = ("_changes",)

    def __init__(self) -> None:
        self._changes: deque[float] = deque(maxlen=CHANGES)

    def change(self, now: float) -> None:
        """Take note that the condition came or went."""
        self._changes.append(now)

    def forget(self) -> None:
        """Start anew: a person has dealt with it."""
        self._changes.clear()

    @property
    def until(self) -> float:
        """Return when it stops flapping if nothing changes any more; minus infinity if it does not flap."""
        return self._changes[0] + WINDOW_S if len(self._changes) == CHANGES else float("-inf")
