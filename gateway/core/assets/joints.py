"""Formulas over several readings at once: any, all, so many of; count; difference, least, most. No memory, no clock.

What is true of a group is decided by those of its members that decide it: one good "true" makes `any` true, whatever
is unknown of the others, so that a dead neighbour hides no alarm; `false` needs everybody. Where the good ones do not
decide, nobody knows, and the last value is shown as stale or bad.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.api import Quality, Value
from gateway.core.assets.seen import Seen, worst
from gateway.core.rules import Level, Test

Sources = Sequence[Seen | None]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """True while `many` of the sources pass the test; `any` is 1 of them, `all` is every one."""

    many: int
    test: Test

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return what the group says; not good where it depends on somebody nobody knows anything of."""
        del wall
        good = [each for each in sources if each is not None and each.good]
        true = [each for each in good if self.passes(each)]
        false = [each for each in good if not self.passes(each)]
        needed = max(len(sources) - self.many + 1, 1)  # so many against it decide it
        if len(true) >= self.many:
            return _decided(True, true, self.many)
        if len(false) >= needed:
            return _decided(False, false, needed)
        return _undecided(None, sources)

    def deciders(self, sources: Sources) -> list[int]:
        """Return which sources to read again to be surer: those that say it is true, else all."""
        true = [i for i, each in enumerate(sources) if each is not None and self.passes(each)]
        return true or list(range(len(sources)))

    def passes(self, seen: Seen) -> bool:
        """Return whether one source says yes, however good its word is."""
        return (
            seen.value is not None and self.test.level(seen.value, active=False, baseline=None) > Level.NORMAL
        )


@dataclass(frozen=True, slots=True)
class Count:
    """How many of the sources pass the test; while one is unknown, how many at least, and not good."""

    test: Test

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return the count."""
        del wall
        good = [each for each in sources if each is not None and each.good]
        levels = (self.test.level(e.value, active=False, baseline=None) for e in good if e.value is not None)
        return _joined(sum(level > Level.NORMAL for level in levels), sources)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first of two less the second."""

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return the difference; it stands on both."""
        del wall
        first, second = sources
        if first is None or second is None or first.value is None or second.value is None:
            return _undecided(None, sources)
        return _joined(first.value - second.value, sources)


@dataclass(frozen=True, slots=True)
class Extreme:
    """The least or the most of a group; while one is unknown, of the others, and not good."""

    most: bool

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return the extreme."""
        del wall
        values = [each.value for each in sources if each is not None and each.good and each.value is not None]
        if not values:
            return _undecided(None, sources)
        return _joined(max(values) if self.most else min(values), sources)


def _decided(value: bool, by: list[Seen], many: int) -> Seen:
    """Return what `many` of these decide; the youngest of them do."""
    chosen = sorted(by, key=lambda each: -each.oldest)[:many]
    return Seen(value, Quality.GOOD, max(e.at for e in chosen), min(e.oldest for e in chosen))


def _undecided(value: Value | None, sources: Sources) -> Seen | None:
    """Return what nobody knows; None before anybody was heard of."""
    heard = [each for each in sources if each is not None]
    if not heard:
        return None
    quality = worst(sources)
    quality = Quality.STALE if quality is Quality.GOOD else quality
    return Seen(value, quality, max(e.at for e in heard), min(e.oldest for e in heard))


def _joined(value: Value, sources: Sources) -> Seen | None:
    """Return a value that stands on all the sources."""
    heard = [each for each in sources if each is not None]
    if not heard:
        return None
    return Seen(value, worst(sources), max(e.at for e in heard), min(e.oldest for e in heard))
