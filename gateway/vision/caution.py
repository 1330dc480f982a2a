"""Ask for more where much looks like a fall and is none: how sure the judge must be, as a street goes.

Things fall from a house once in weeks. Where a hundred birds an hour dive before it, the same score means a bird more
often than a bottle, so what was judged and not believed of late raises the threshold: by as many steps of odds as
there are such tracks more than usual (Bayes; the steps are softened, for scores are no true probabilities). A quiet
facade is asked nothing more, and falls that were told do not count: who throws one thing may throw ten.
"""

import math
from collections import deque

MEMORY_S = 120.0
SAME_S = 3.0  # what was judged so shortly before may be a piece of the same thing
SOFT = 0.6  # power of the odds
USUAL = 1.5  # tracks that look like falls, weighed by their scores, that any street has in two minutes
LEAST, KEPT = 0.05, 256
SUREST = 0.985


class Caution:
    """Remembers what was not believed. All times are of the stream."""

    def __init__(self) -> None:
        self._past: deque[tuple[float, float]] = deque(maxlen=KEPT)

    def rejected(self, score: float, now: float) -> None:
        """Take one more track that looked like a fall to some degree and was told as none."""
        if score >= LEAST:
            self._past.append((now, score))

    def needed(self, threshold: float, now: float) -> float:
        """Return the score that is enough now; `threshold` is enough in a quiet street."""
        seen = sum(score for at, score in self._past if SAME_S <= now - at <= MEMORY_S)
        odds = threshold / (1 - threshold) * math.pow(1 + seen / USUAL, SOFT)
        return max(threshold, min(SUREST, odds / (1 + odds)))
