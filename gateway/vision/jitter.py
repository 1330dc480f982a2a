"""Takes the jitter out of a camera's time stamps: its sensor keeps time, what stamps its pictures often does not.

A camera may stamp a picture when it is encoded or sent, some milliseconds early or late, and a thing that falls at a
thousand pixels a second then seems to jump. An alpha-beta filter follows the stamps: each is a whole number of periods
after the last, and by what it is off only a little moves phase and period, so it knows them better with every stamp.

Whose periods truly vary (telephones in the dark) is left as it is. The two differ in what comes next: a late stamp is
made up for by the next one, a long period never is, so what a stamp is off by is then much like what the last one was.
"""

import math
from collections import deque
from statistics import median

FIRST, LATEST = 12, 51  # lapses of which the median is about the period: at least, at most
PERIOD_OFF = 0.15  # of that median: a period that is further off is wrong
SURE, SUREST = 8, 40  # stamps that a median is worth; stamps after which it learns no more slowly
EARLY = 0.4  # of a period: what is earlier is no jitter; to be late is more usual
WRONG = 3  # such stamps in a row after which all begins anew
GAP = 8  # periods: ... and a break that is as long
REGULAR_S = 5e-4  # what stamps are off by, on average, below which nothing is to be mended
PACE = 0.03  # how fast it is learnt what stamps are off by
SPREAD = 0.25  # of a period: from which they vary too, or nothing is to be told
ALIKE = 0.4  # correlation of that from one to the next from which periods vary in truth


class JitterFilter:
    """Turns times in seconds that only grow into such times without jitter.

    `period_s` is the usual time from one picture to the next of late, 0 while too few are known.
    """

    def __init__(self) -> None:
        self.period_s = 0.0
        self._lapses: deque[float] = deque(maxlen=LATEST)
        self._stamp = self._given = -math.inf
        self._time = self._period = 0.0
        self._known = self._early = 0
        self._off = self._squares = self._products = 0.0

    def even(self, stamp_s: float) -> float:
        """Return the time of the next picture, which is stamped `stamp_s`."""
        if self._stamp > -math.inf:
            self._lapses.append(stamp_s - self._stamp)
        self._stamp = stamp_s
        if len(self._lapses) < FIRST:
            self._given = stamp_s
            return stamp_s
        self.period_s = median(self._lapses)
        self._follow(stamp_s)
        time_s = self._time if self._trembles else stamp_s
        self._given = max(time_s, self._given + self.period_s / 4)
        return self._given

    @property
    def _trembles(self) -> bool:
        """Say whether it is the stamps that are off, and not the periods that vary."""
        regular, irregular = REGULAR_S**2, (SPREAD * self._period) ** 2
        return regular < self._squares <= irregular and self._products <= ALIKE * self._squares

    def _follow(self, stamp_s: float) -> None:
        if abs(self._period - self.period_s) > PERIOD_OFF * self.period_s:
            self._period = self.period_s
            self._begin(stamp_s)
            return
        periods = max(1, math.floor((stamp_s - self._time) / self._period + EARLY))
        expected = self._time + periods * self._period
        off = stamp_s - expected
        self._early = self._early + 1 if off < -EARLY * self._period else 0
        if self._early == WRONG or periods > GAP:
            self._begin(stamp_s)
            return
        self._time = expected
        if not self._early:
            known = self._known = min(self._known + 1, SUREST)
            self._time += off * 2 * (2 * known - 1) / (known * (known + 1))
            self._period += off / periods * 6 / (known * (known + 1))
        self._squares += PACE * (off * off - self._squares)
        self._products += PACE * (off * self._off - self._products)
        self._off = off

    def _begin(self, stamp_s: float) -> None:
        self._time, self._known, self._early, self._off = stamp_s, SURE, 0, 0.0
