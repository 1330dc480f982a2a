"""Conditions: what one rule makes of the readings of one point. Told the time, asks nobody.

A condition becomes true after `reads` good readings that agree, and normal again the same way, so that no single
bad frame raises or clears anything. Two readings with the same `at` came in one reply and count once. Readings
that are not good never come here: a device that is silent is unknown, never normal.

What a reading may bring:

    LOOK          something begins or ends: read again at once. The second look confirms a fire in the time of
                  one more poll, and the fire's time is that of the first.
    LATER         look again at `look_at`: when the reads must lie apart, or the state must last. A timer only
                  asks for a reading; it never raises or clears by itself, for the device may be gone by then.
    FOUND, GONE   the condition is true now; it is normal again.
    WORSE         it is past the rule's urgent limit. "At once" means on two reads with no time between them:
                  `apart_s` is waived, the second read is not.
    AGAIN         it is still true, and the rule wants that told again after such a time.
    RESTED        the first three readings agree: this is how it lies at rest (see gateway/core/baselines.py).

A door is *forced* when it opens with no excuse: neither exit button, strike nor granted command in the seconds
before or until the opening is confirmed. The order in which one cycle polls contact and button does not matter
that way. A door found open when the gateway starts has not been seen to open, and is held, not forced.

A fall does not begin in an empty room (`begins_unless`). But a radar that loses sight of who lies on the floor
says that nobody is there, and its fall may go with it. So what has begun is not ended while such a point is true:
who got up is seen to move before the room is empty; who is seen no more has not got up.

What must last is not shown to last by a device that is silent: the time of its silence is not counted. Where a minute
or more is wanted, a silence longer than that begins it anew. What need last only seconds is there to keep a moment out,
and is never begun anew: gas at a device that answers one poll in ten is told. Fires and calls for help ask for none.
"""

import enum
import math
from typing import Final

from drivers.api import Value
from gateway.core.baselines import Commissioning
from gateway.core.rules import Deviates, Level, Rule

LASTING_S: Final = 60.0  # what must last so long is begun anew after a silence as long


class Finding(enum.Enum):
    """What a reading brings."""

    LOOK = "look"
    LATER = "later"
    FOUND = "found"
    WORSE = "worse"
    AGAIN = "again"
    GONE = "gone"
    RESTED = "rested"


class _Streak:
    """Good readings in a row that say the same."""

    __slots__ = ("at", "reads", "since", "since_wall")

    def __init__(self) -> None:
        self.reads = 0
        self.at = self.since = self.since_wall = -math.inf

    def count(self, at: float, wall: float, apart_s: float) -> bool:
        """Count a reading; return whether it counted: not of the same reply, not too soon after the last."""
        if self.reads == 0:
            self.since, self.since_wall = at, wall
        elif at <= self.at or at - self.at < apart_s:
            return False
        self.reads += 1
        self.at = at
        return True


class Condition:
    """One rule on one point of one device.

    A restored one is `active` until readings prove it normal. `since` and `since_wall` are monotonic and wall
    seconds of the first reading that found it; `value` is the one that confirmed it.
    """

    __slots__ = (
        "_armed", "_commissioning", "_excused_at", "_falling", "_held_by", "_lost_at",
        "_quick", "_rising", "_suppressed_by",
        "_told_at",
        "_urgent",
        "active", "baseline", "look_at", "point", "rule", "since", "since_wall", "urgent", "value",
    )  # fmt: skip

    def __init__(
        self,
        rule: Rule,
        point: str,
        *,
        baseline: float | None = None,
        active: bool = False,
        urgent: bool = False,
    ) -> None:
        self.rule, self.point = rule, point
        self.active, self.urgent, self.baseline = active, urgent, baseline
        self.value: Value | None = None
        self.since = self.since_wall = -math.inf
        self.look_at: float | None = None
        self._quick = rule.kind.fire or rule.kind.quick
        self._armed = not rule.excused_by  # a door must be seen closed before it can be forced
        self._excused_at = -math.inf
        self._told_at: float | None = None
        self._lost_at: float | None = None  # since when its point is not known
        self._suppressed_by: set[str] = set()
        self._held_by: set[str] | None = None  # None: nothing is known of them yet
        self._rising, self._urgent, self._falling = _Streak(), _Streak(), _Streak()
        self._commissioning = Commissioning() if isinstance(rule.test, Deviates) else None

    @property
    def deviation(self) -> float | None:
        """Return how far the confirming value was from rest; None for rules that do not ask."""
        if not isinstance(self.rule.test, Deviates) or self.value is None or self.baseline is None:
            return None
        return self.rule.test.away(self.value, self.baseline)

    def suppress(self, point: str, on: bool) -> None:
        """Take note of a point that keeps the rule quiet while true: a detector in test."""
        if on:
            self._suppressed_by.add(point)
            self._rising.reads = self._urgent.reads = self._falling.reads = 0
            self.look_at = None
        else:
            self._suppressed_by.discard(point)

    def doubt(self, point: str) -> None:
        """Take note that a point which keeps the rule quiet is not known: it keeps no fire quiet, nor a call for help.

        Who is still in test says so at the second look, before anything is told.
        """
        if self._quick:
            self._suppressed_by.discard(point)

    def hold(self, point: str, on: bool) -> None:
        """Take note of a point that keeps the rule as it is while true: nobody is to be seen.

        What it says first it has said all along: the room was empty before anything began.
        """
        if on and self._held_by is None and not self.active:
            self._rising.reads = self._urgent.reads = 0
        held = set() if self._held_by is None else self._held_by
        self._held_by = held | {point} if on else held - {point}

    def excuse(self, at: float) -> None:
        """Take note that the door may lawfully open now."""
        self._excused_at = max(self._excused_at, at)

    def lose(self, at: float) -> None:
        """Take note that the point is not known from here on."""
        if self._lost_at is None and not self._quick:
            self._lost_at = at

    def read(self, value: Value, at: float, wall: float) -> Finding | None:
        """Take one good reading; return what it brings. `at` monotonic, `wall` seconds since 1970."""
        if self._suppressed_by or value != value:  # noqa: PLR0124 - not a number says nothing
            return None
        if self._lost_at is not None:
            self._bridge(at - self._lost_at)
        if self._commissioning is not None and self.baseline is None:
            return self._commission(value, at)
        level = self.rule.test.level(value, active=self.active, baseline=self.baseline)
        if self._held_by:
            if not self.active and not self._rising.reads:
                return None
            level = max(level, Level.TRUE)
        if level is Level.NORMAL:
            return self._normal(at, wall)
        return self._worsen(level, value, at, wall) if self.active else self._rise(level, value, at, wall)

    def _bridge(self, silent_s: float) -> None:
        """Take the time in which nothing was known out of what must last."""
        self._lost_at = None
        for streak, lasts_s in ((self._rising, self.rule.hold_s), (self._falling, self.rule.clear_hold_s)):
            if streak.reads and lasts_s:
                streak.since += max(silent_s, 0.0)
                if silent_s > lasts_s >= LASTING_S:
                    streak.reads = 0

    def _commission(self, value: Value, at: float) -> Finding | None:
        assert self._commissioning is not None
        assert isinstance(self.rule.test, Deviates)
        self.baseline = self._commissioning.offer(value, at, wraps=self.rule.test.wraps)
        return None if self.baseline is None else Finding.RESTED

    def _normal(self, at: float, wall: float) -> Finding | None:
        if self.active:
            return self._fall(at, wall)
        if self._rising.reads and self.rule.begins_unless:
            self._falling.count(at, wall, 0.0)
            if self._falling.reads < self.rule.clear_reads:
                return self._again(None)  # is anybody there to have got up?
        if self._rising.reads or not self._armed:
            self._calm(at, wall)
        return None

    def _fall(self, at: float, wall: float) -> Finding | None:
        rule, falling = self.rule, self._falling
        self._urgent.reads = 0
        falling.count(at, wall, 0.0)
        if falling.reads < rule.clear_reads:
            return None
        if at - falling.since < rule.clear_hold_s:
            return self._again(falling.since + rule.clear_hold_s)
        self.active = self.urgent = False
        self._forget()
        return Finding.GONE

    def _calm(self, at: float, wall: float) -> None:
        """Forget what was beginning; a door that was opened lawfully is closed for good after `clear_reads`."""
        self._rising.reads = self._urgent.reads = 0
        self.look_at = None
        if not self._armed:
            self._falling.count(at, wall, 0.0)
            self._armed = self._falling.reads >= self.rule.clear_reads

    def _rise(self, level: Level, value: Value, at: float, wall: float) -> Finding | None:
        rule, rising = self.rule, self._rising
        self._falling.reads = 0
        if not self._armed:
            return None
        counted = rising.count(at, wall, rule.apart_s)
        enough = rising.reads >= rule.reads
        urgent = self._count_urgent(level, at, wall)
        if urgent or (enough and at - rising.since >= rule.hold_s):
            return self._confirm(value, urgent=urgent)
        if level is Level.URGENT or (self._quick and not rule.apart_s and not enough):
            return self._again(None)
        if counted and enough:
            return self._again(rising.since + rule.hold_s)
        return self._again(rising.at + rule.apart_s) if counted and rule.apart_s else None

    def _confirm(self, value: Value, *, urgent: bool) -> Finding | None:
        if self.rule.excused_by and self._excused_at >= self._rising.since - self.rule.excuse_s:
            self._armed = False
            self._forget()
            return None
        self.active, self.urgent, self.value = True, urgent, value
        self.since, self.since_wall = self._rising.since, self._rising.since_wall
        self._told_at = self._rising.at
        self._forget()
        return Finding.FOUND

    def _worsen(self, level: Level, value: Value, at: float, wall: float) -> Finding | None:
        self._falling.reads = 0
        self.look_at = None
        if self.urgent or not self._count_urgent(level, at, wall):
            if level is Level.URGENT and not self.urgent:
                return Finding.LOOK
            return self._tell_again(value, at)
        self.urgent, self.value = True, value
        return Finding.WORSE

    def _tell_again(self, value: Value, at: float) -> Finding | None:
        """Return whether it has lasted so long that it is to be told again; a restart begins that time anew."""
        if self._told_at is None:
            self._told_at = at
        if not self.rule.again_s or at - self._told_at < self.rule.again_s:
            return None
        self._told_at, self.value = at, value
        return Finding.AGAIN

    def _count_urgent(self, level: Level, at: float, wall: float) -> bool:
        """Count reads past the urgent limit; return whether they are enough."""
        if level is not Level.URGENT:
            self._urgent.reads = 0
            return False
        self._urgent.count(at, wall, 0.0)
        return self._urgent.reads >= self.rule.reads

    def _again(self, look_at: float | None) -> Finding:
        """Ask for another reading, at once or at a time."""
        self.look_at = look_at
        return Finding.LOOK if look_at is None else Finding.LATER

    def _forget(self) -> None:
        self._rising.reads = self._urgent.reads = self._falling.reads = 0
        self.look_at = None
