"""Chance with two sets of ranges: those of training, and the shifted ones of the held-out test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np

Span: TypeAlias = tuple[float, float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dice:
    """A generator that knows which of two distributions a test or a training stream draws from."""

    rng: np.random.Generator
    held_out: bool = False

    def between(self, trained: Span, tested: Span | None = None) -> float:
        """Return a uniform number of the span in force; without `tested` both splits share the span."""
        low, high = tested if self.held_out and tested else trained
        return float(self.rng.uniform(low, high))

    def count(self, trained: tuple[int, int], tested: tuple[int, int] | None = None) -> int:
        """Return a whole number of the span in force, both ends included."""
        low, high = tested if self.held_out and tested else trained
        return int(self.rng.integers(low, high + 1))

    def one(self, choices: Sequence[T]) -> T:
        """Return one of the choices, all equally likely."""
        return choices[int(self.rng.integers(len(choices)))]

    def chance(self, trained: float, tested: float | None = None) -> bool:
        """Return True with the probability in force."""
        share = tested if self.held_out and tested is not None else trained
        return bool(self.rng.random() < share)

    def sign(self) -> float:
        """Return -1.0 or 1.0."""
        return 1.0 if self.rng.random() < 0.5 else -1.0

    def moments(self, seconds: float, *, every_s: float, lasts_s: float = 0.0) -> list[float]:
        """Return times at which something begins, about one in `every_s`, never none.

        `lasts_s` is how long it takes to show something: no first moment lies later than leaves that time.
        """
        room = max(0.0, seconds - min(lasts_s, 0.6 * seconds))
        count = max(1, round(seconds / every_s))
        return sorted(float(t) for t in self.rng.uniform(0.0, room, count))
