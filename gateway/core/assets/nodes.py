"""One derived point as it runs: when it is worth reckoning anew, what of it is news, what of that is worth telling.

News is another quality or another state at once; the same again, or a number, only when everything in it is younger
than all that was in the last one: two readings of an asset are two observations. What no rule looks at is told when it
changes by its deadband, and once a minute; what a rule looks at always, because rules count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from drivers.api import Value
from gateway.core.assets.drafts import Key
from gateway.core.assets.formulas import Cell
from gateway.core.assets.joints import AtLeast
from gateway.core.assets.moments import Moment
from gateway.core.assets.plans import NodePlan
from gateway.core.assets.seen import Seen

REPEAT_S: Final = 60.0
SMALL: Final = 8  # sources of a group that is reckoned each time


@runtime_checkable
class Remembering(Protocol):
    """A cell with something a restart needs."""

    memory: float | None

    def remember(self, memory: float | None, wall: float) -> None:
        """Take up what was written down before."""


@runtime_checkable
class Resuming(Protocol):
    """A cell that remembers a length of time, and must know for how long nobody looked."""

    def resume(self, down_s: float) -> None:
        """Take that the gateway was away for so long."""


@runtime_checkable
class Asked(Protocol):
    """A cell that time alone changes."""

    def ask(self, sources: Sequence[Seen | None], now: Moment) -> Seen | None:
        """Return what the point is at a moment; None where there is nothing to say."""


@dataclass(slots=True, eq=False)
class Node:
    """One derived point. `place` is where it stands in the order, `outer` whether it is told to anybody at all.

    `remembering` is the cell where it is one: to ask it each time what it is would cost as much as to reckon it.
    `told` is what those that stand on it know, `shown` what the stream does, `kept` the memory that was written down;
    `fresh` are the sources that were read since `told`.
    """

    plan: NodePlan
    place: int
    cell: Cell
    unit: str | None
    outer: bool
    judged: bool
    deadband: float = 0.0
    told: Seen | None = None
    shown: Seen | None = None
    kept: float | None = None
    fresh: set[Key] = field(default_factory=set)
    remembering: Remembering | None = field(init=False)

    def __post_init__(self) -> None:
        self.remembering = self.cell if isinstance(self.cell, Remembering) else None

    def is_due(self, key: Key, seen: Seen, *, moved: bool) -> bool:
        """Return whether a source that was read, `moved` if it says something else now, can make news of it.

        That saves a large group from being reckoned for each of its members that says what it said before.
        """
        count = len(self.plan.sources)
        if moved or count <= SMALL or self.told is None:
            return True
        self.fresh.add(key)
        if len(self.fresh) >= count:
            return True
        if not isinstance(self.cell, AtLeast):
            return False
        factor = self.plan.factors[self.plan.sources.index(key)]
        yes = self.cell.passes(seen.times(factor))
        return (self.cell.many if yes else count - self.cell.many + 1) <= SMALL  # few decide it, so one may

    def take(self, seen: Mapping[Key, Seen], wall: float) -> Seen | None:
        """Reckon anew; return what is news, which is told from then on."""
        new = self.cell.take(self.sources(seen), wall)
        if new is None or not self._is_news(new):
            return None
        self.told = new
        self.fresh.clear()
        return new

    def sources(self, seen: Mapping[Key, Seen]) -> list[Seen | None]:
        """Return its sources as they stand, in its units."""
        found = map(seen.get, self.plan.sources)
        return [
            each if each is None or factor == 1.0 else each.times(factor)
            for each, factor in zip(found, self.plan.factors, strict=True)
        ]

    def shows(self, new: Seen) -> bool:
        """Return whether news goes into the stream; it is taken for shown then."""
        last = self.shown
        if not self.outer:
            return False
        if not self.judged and last is not None and self._is_repeat(new, last):
            return False
        self.shown = new
        return True

    def _is_repeat(self, new: Seen, last: Seen) -> bool:
        if new.quality is not last.quality or new.at - last.at >= REPEAT_S:
            return False
        return is_same(new.value, last.value) or (
            new.value is not None
            and last.value is not None
            and not isinstance(new.value, bool)
            and abs(new.value - last.value) <= self.deadband
        )

    def _is_news(self, new: Seen) -> bool:
        last = self.told
        if last is None or last.quality is not new.quality:
            return True
        if not new.good:
            return not is_same(new.value, last.value)
        return (isinstance(new.value, bool) and new.value is not last.value) or new.oldest > last.at


def is_same(one: Value | None, other: Value | None) -> bool:
    """Return whether two values say the same."""
    return one == other
