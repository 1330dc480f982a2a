"""Counters: a press of fifty milliseconds between two polls is lost on an input, and never on a counter.

A counter that stands elsewhere than when it was last told of has moved, however long nobody looked: while the
device was away, while the gateway was down. What can become of it, and what it means:

    forward            as many presses
    past its end       the same: near its end before, near zero now
    back to a few      the device began anew (power, reset) and was pressed as often as it says since then
    back to zero       the device began anew; nobody pressed
    back to many       another device, or one set by hand: no press that anybody could tell of, taken as it stands
    the first ever     taken as it stands: of what was before it nobody knows

One thing cannot be seen: a device that loses power and is then pressed exactly as often as it showed before, all
before it is read again. And one that begins anew so near to its end that it may have passed it is taken for pressed:
somebody looks in for nothing. Like any other condition it wants `reads` that agree, so one bad frame raises nothing.
A press is past when it is read, so a counter is never active; its alert stands until somebody answers it.
"""

import math
from typing import Final

from drivers.api import Value
from gateway.core.conditions import Condition, Finding
from gateway.core.rules import Moved, Rule

UNSEEN_S: Final = 30.0
"""A counter not read for so long moved at a time nobody can tell."""
NEAR_END: Final = 1_000
"""So near to its end a counter may have passed it."""
FEW: Final = 100
"""So many presses after a device began anew are believed."""


class Counter(Condition):
    """A rule on a counter. `known` is where it stood when it was last told of, `ended` when the last run ended.

    `presses` is how many a finding stands for; `unseen_since` the time of day at which nobody was looking any more,
    0 if that is not known, None if somebody looked all the time. `baseline` is where it stands.
    """

    __slots__ = ("_first", "_looked_at", "_looked_wall", "_modulus", "presses", "unseen_since")

    def __init__(self, rule: Rule, point: str, *, known: float | None = None, ended: float = 0.0) -> None:
        super().__init__(rule, point, baseline=known)
        assert isinstance(rule.test, Moved)
        self._modulus = rule.test.modulus
        self._first = 0  # what the first reading that differed said
        self._looked_at, self._looked_wall = -math.inf, ended
        self.presses = 0
        self.unseen_since: float | None = None

    def read(self, value: Value, at: float, wall: float) -> Finding | None:
        """Take one good reading; return what it brings."""
        if self._suppressed_by or value != value:  # noqa: PLR0124 - not a number says nothing
            return None
        count = int(value)
        if self.baseline is None:
            return self._rest(count, at, wall)
        if count == int(self.baseline):
            self._rising.reads = 0
            self._looked_at, self._looked_wall = at, wall
            return None
        return self._move(count, int(self.baseline), at, wall)

    def _move(self, count: int, before: int, at: float, wall: float) -> Finding | None:
        if self._rising.reads and presses(self._first, count, self._modulus) is None:
            self._rising.reads = 0  # the reading before was none
        if not self._rising.reads:
            self._first = count
        if not self._rising.count(at, wall, self.rule.apart_s) or self._rising.reads < self.rule.reads:
            return self._again(None) if self._quick else None
        told = presses(before, count, self._modulus)
        if not told:
            return self._rest(count, at, wall)
        self.presses, self.value = told, count
        self.since, self.since_wall = self._rising.since, self._rising.since_wall
        self.unseen_since = None if self.since - self._looked_at <= UNSEEN_S else self._looked_wall
        self._rest(count, at, wall)
        return Finding.FOUND

    def _rest(self, count: int, at: float, wall: float) -> Finding:
        """Take the counter as it stands."""
        self.baseline = float(count)
        self._looked_at, self._looked_wall = at, wall
        self._forget()
        return Finding.RESTED


def presses(before: int, now: int, modulus: int) -> int | None:
    """Return how often a counter was moved from one stand to another; None if no number of presses explains it."""
    if now >= before:
        return now - before
    near = min(NEAR_END, modulus // 8)
    if before >= modulus - near and now < near:
        return now + modulus - before
    return now if now <= FEW else None
