"""Formulas that time alone changes: the night, somebody who is away, a watch that sees nothing. Asked once a minute.

A Moment says how late it is, as far as anybody knows. A clock that was right once stays right for days when nobody sets
it any more, so a network that is gone ends no night; one that was never right since the start tells no night at all.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from drivers.api import Quality
from gateway.core.assets.seen import Seen, is_true

DAY_S: Final = 86_400.0
HOUR_S: Final = 3600.0

Sources = Sequence[Seen | None]


@dataclass(frozen=True, slots=True)
class Moment:
    """A monotonic time, and what the clock said then; `hour` is the hour of the day on the spot, None: nobody knows."""

    at: float
    wall: float
    hour: float | None = None


class Daytime:
    """Knows how late it is, from a clock that may be trusted now or was before."""

    def __init__(self, offset_h: float) -> None:
        self._offset_h = offset_h
        self._ahead: float | None = None  # wall less monotonic when the clock could be trusted last

    def moment(self, at: float, wall: float, *, trusted: bool) -> Moment:
        """Return the moment at which the clocks say this."""
        if trusted:
            self._ahead = wall - at
        if self._ahead is None:
            return Moment(at, wall)
        local = datetime.fromtimestamp(at + self._ahead, UTC) + timedelta(hours=self._offset_h)
        return Moment(at, at + self._ahead, local.hour + local.minute / 60 + local.second / HOUR_S)


@dataclass(frozen=True, slots=True)
class During:
    """Whether it is between two hours of the day, over midnight if the second is the lesser; from 0 to 24: always."""

    begins: float
    ends: float

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return nothing: it stands on no reading."""
        del sources, wall
        return None

    def ask(self, sources: Sources, now: Moment) -> Seen | None:
        """Return whether it is; stale while nobody knows how late it is."""
        del sources
        begins, ends, hour = self.begins % 24, self.ends % 24, now.hour
        if begins == ends:
            return Seen(True, Quality.GOOD, now.at, math.inf)
        if hour is None:
            return Seen(None, Quality.STALE, now.at, math.inf)
        within = begins <= hour < ends if begins < ends else hour >= begins or hour < ends
        return Seen(within, Quality.GOOD, now.at, math.inf)


class Away:
    """Whether somebody is at home (0), away (1), or was away for the longest time and nobody was seen since (2).

    Of [moved] or [moved, leaves]. Away is who is said to be so by an order, or when `leaves` becomes true: a button, a
    bolt that is locked from outside. Whoever moves then is at home, but for the first minutes, in which they go.
    `memory` is the seconds that are left, in quarters of an hour; 0: over. A part of one is left out: no number of
    restarts prolongs an absence, each may cost it a quarter of an hour.
    """

    KEPT_S: Final = 900.0
    LEAST_S: Final = 1.0
    HOME, AWAY, OVER = 0, 1, 2

    def __init__(self, days: float, grace_s: float) -> None:
        self._longest_s, self._grace_s = days * DAY_S, grace_s
        self._left_s: float | None = None  # of the time away; 0: it is over; None: at home
        self._goes_until = -math.inf
        self._at: float | None = None
        self._leaves: bool | None = None
        self.memory: float | None = None

    def remember(self, memory: float | None, wall: float) -> None:
        """Take up an absence."""
        del wall
        self.memory = self._left_s = memory

    def resume(self, down_s: float) -> None:
        """Take that the gateway was away for so long."""
        if self._left_s:
            self._left_s = max(self._left_s - down_s, self.LEAST_S)

    def leave(self, seconds: float | None, at: float) -> None:
        """Take a person's word that somebody is away for so long, or is at home."""
        self._left_s = None if seconds is None else min(seconds, self._longest_s)
        self._goes_until, self._at = at + self._grace_s, at

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return where somebody is."""
        del wall
        moved, *leaves = sources
        at = max((each.at for each in sources if each is not None), default=-math.inf)
        for each in leaves:
            if each is not None and each.good:
                before, self._leaves = self._leaves, bool(each.value)
                if self._leaves and before is False:
                    self.leave(self._longest_s, each.at)
        if is_true(moved) and (not self._left_s or at > self._goes_until):
            self._left_s = None
        return self._seen(at)

    def ask(self, sources: Sources, now: Moment) -> Seen | None:
        """Return where somebody is, as the time goes on."""
        del sources
        if self._left_s and self._at is not None:
            self._left_s = max(self._left_s - max(now.at - self._at, 0.0), 0.0)
        self._at = now.at
        return self._seen(now.at)

    def _seen(self, at: float) -> Seen:
        left_s = self._left_s
        self.memory = left_s and max(left_s // self.KEPT_S * self.KEPT_S, self.LEAST_S)
        where = self.HOME if left_s is None else self.AWAY if left_s else self.OVER
        return Seen(where, Quality.GOOD, at, math.inf)


class Blind:
    """Whether something could not be seen for so long that a person must know: what watches there watches nobody."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._seen_at = self._asked_at = -math.inf

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return nothing: a silence brings no reading."""
        del sources, wall
        return None

    def ask(self, sources: Sources, now: Moment) -> Seen | None:
        """Return whether it is; None soon after a start, while nothing was seen that would say so."""
        read = [each.oldest for each in sources if each is not None and each.good]
        if self._asked_at == -math.inf:
            self._asked_at = now.at
        self._seen_at = max([self._seen_at, *(min(at, now.at) for at in read)])
        blind = now.at - max(self._seen_at, self._asked_at) >= self._after_s
        if not blind and self._seen_at == -math.inf:
            return None
        return Seen(blind, Quality.GOOD, now.at, now.at)
