"""Notices that the clock was set: it then goes on otherwise than the one that only counts."""

from collections.abc import Callable
from typing import Final

STEP_S: Final = 10.0  # what NTP corrects little by little is none


class Steps:
    """Compares wall seconds (`now`) with monotonic ones (`clock`) from question to question."""

    def __init__(self, now: Callable[[], float], clock: Callable[[], float]) -> None:
        self._now, self._clock = now, clock
        self._ahead = now() - clock()

    def taken(self) -> float:
        """Return by how many seconds the clock was set since the last question: back is less than 0, 0.0 not at all."""
        before, self._ahead = self._ahead, self._now() - self._clock()
        step = self._ahead - before
        return step if abs(step) >= STEP_S else 0.0
