"""Ask for more where much looks like a fall and is none, and for less where nothing else moves (Bayes).

Things fall from a house once in weeks. Where a hundred birds an hour dive before it, the same score means a bird more
often than a bottle; where nothing has moved for minutes, what comes down fast is a thing. So how sure the judge must be
goes by the street, in odds:

- In a quiet street, where hardly anything moves in a picture and at most three tracks were judged in two minutes, a
  seventh of the threshold's odds is enough; but not for what shows the sign of a bird, which passes there as well, nor
  for what comes down slowly: there the wind lifts bags, a gondola is let down, and somebody goes by.
- Anywhere else more is asked, the more tracks looked like falls of late and were not believed. Scores are no true
  probabilities, so that is softened.

Falls that were told do not count against the next: who throws one thing may throw ten.
"""

import math
from collections import deque

MEMORY_S = 120.0
SAME_S = 3.0  # what was judged so shortly before may be a piece of the same thing
SOFT = 0.6  # power of the odds
USUAL = 1.5  # tracks that look like falls, weighed by their scores, that any street has in two minutes
LEAST, KEPT = 0.05, 256
SUREST = 0.985
STIRS, STIR_S = 8.0, 3.0  # a street in which as many things move in a picture, over so long, is not quiet
FEW = 3  # tracks judged in two minutes, likewise
CALM = 0.15  # times the odds of the threshold, in a quiet street


class Caution:
    """Remembers what moved, what was judged and what was not believed. All times are of the stream."""

    def __init__(self) -> None:
        self._past: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._judged: deque[float] = deque(maxlen=FEW + 1)
        self._stirs = 0.0
        self._pictures, self._now = 0, 0.0

    def pictured(self, moving: int, now: float) -> None:
        """Take a picture in which so many things move."""
        self._pictures += 1
        lapse, self._now = max(now - self._now, 0.0), now
        self._stirs += (moving - self._stirs) * max(1 / self._pictures, min(lapse / STIR_S, 1.0))

    def judged(self, now: float) -> None:
        """Take one more track that was judged, whatever came of it."""
        self._judged.append(now)

    def rejected(self, score: float, now: float) -> None:
        """Take one more track that looked like a fall to some degree and was told as none."""
        if score >= LEAST:
            self._past.append((now, score))

    def needed(self, threshold: float, now: float, *, plain: bool = True) -> float:
        """Return the score that is enough now; `threshold` is that of the judge.

        What is not `plain` shows the sign of a bird, or comes down slowly. A threshold that no score reaches, or any,
        is left as it is.
        """
        if not 0 < threshold < 1:
            return threshold
        seen = sum(score for at, score in self._past if SAME_S <= now - at <= MEMORY_S)
        odds = threshold / (1 - threshold) * math.pow(1 + seen / USUAL, SOFT)
        lately = sum(now - at <= MEMORY_S for at in self._judged)
        if plain and self._stirs < STIRS and lately <= FEW:
            odds *= CALM
        return min(max(SUREST, threshold), odds / (1 + odds))
