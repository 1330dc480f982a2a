"""What every watch over people stands on: which time was seen, and a length of it that outlives a restart.

A restart is a pause like any other. What outlives it is a length, not a time of day, so that a clock that is wrong at
the start does no harm; how long the gateway was away is known once the clock is trusted (`resume`), and until then the
watch says nothing. How long a sensor was silent before a stop is written down nowhere: after `STEP_S` without a word
nothing is kept for another life, and so long the pause around each restart is taken to have been longer.
"""

from collections.abc import Sequence
from typing import Final

from drivers.api import Quality
from gateway.core.assets.moments import Moment
from gateway.core.assets.seen import Seen

STEP_S: Final = 600.0  # readings further apart are a pause: what was between them was not seen
MINUTE_S: Final = 60.0

Sources = Sequence[Seen | None]


class Looked:
    """Up to when everything was seen, and how much of the time since the last look that is."""

    __slots__ = ("_blind", "_gap_s", "until")

    def __init__(self, gap_s: float) -> None:
        self._gap_s, self._blind = gap_s, True
        self.until: float | None = None

    def lost(self) -> None:
        """Take that somebody cannot be seen from here on."""
        self._blind = True

    def on(self, until: float) -> float | None:
        """Look again; return the seconds that were seen since the last look, None after a long pause."""
        passed = 0.0 if self.until is None else until - self.until
        if passed < 0:
            return 0.0
        blind, self.until, self._blind = self._blind, until, False
        if passed > self._gap_s:
            return None
        return 0.0 if blind or passed > STEP_S else passed


class Watch:
    """What watches have in common: a length that was seen, with a limit, and what of it outlives a restart.

    `memory` is that length in seconds. Of an earlier life `_before_s` waits until it is known how long nobody looked:
    from the stop to the first good reading. Then it is gone on with (`_go_on`), or forgotten.
    """

    def __init__(self, past_min: float, gap_s: float) -> None:
        self._past_min, self._gap_s = past_min, gap_s
        self._unheard_s = min(STEP_S, gap_s / 2)  # taken to have been so at a stop
        self._looked = Looked(gap_s)
        self._before_s: float | None = None
        self._down_s: float | None = None
        self._born: float | None = None
        self._waited_s: float | None = None  # from the start to the first good reading
        self._last = Seen(None, Quality.STALE, 0.0, 0.0)
        self.memory: float | None = None

    def remember(self, memory: float | None, wall: float) -> None:
        """Take up what was when the gateway stopped; what is past its limit is so at once."""
        del wall
        self.memory = memory
        if memory is not None and memory / MINUTE_S > self._past_min:
            self._go_on(memory)
        else:
            self._before_s = memory

    def resume(self, down_s: float) -> None:
        """Take that the gateway was away for so long."""
        self._down_s = down_s
        if self._looked.until is None and down_s > self._unheard_s:
            self._keep_nothing()
        self._settle()

    def ask(self, sources: Sources, now: Moment) -> Seen | None:
        """Return nothing; what was not heard of for a while is kept for no other life."""
        del sources
        self._born = now.at if self._born is None else self._born
        heard_at = self._born if self._looked.until is None else self._looked.until
        if now.at - heard_at > self._unheard_s:
            self._keep_nothing()
        return None

    def _look(self, until: float) -> float | None:
        """Look again, as `Looked.on` has it; the first time it is known how long nobody did before."""
        seen_s = self._looked.on(until)
        if self._waited_s is None:
            self._waited_s = 0.0 if self._born is None else max(until - self._born, 0.0)
            self._settle()
        elif seen_s is None:
            self._before_s = None
        return seen_s

    def _settle(self) -> None:
        """Go on with what was before, or forget it, once it is known how long nobody looked."""
        if self._before_s is None or self._down_s is None or self._waited_s is None:
            return
        before_s, self._before_s = self._before_s, None
        if self._unheard_s + self._down_s + self._waited_s <= self._gap_s:
            self._go_on(before_s)

    def _keep_nothing(self) -> None:
        if not self._is_past:
            self.memory = None

    def _go_on(self, seconds: float) -> None:
        raise NotImplementedError

    @property
    def _is_past(self) -> bool:
        raise NotImplementedError
