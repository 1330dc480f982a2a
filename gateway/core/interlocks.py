"""Interlocks: what a confirmed fire does by itself. Which alerts engage one, how far it reaches; no clock, no I/O.

An interlock stays engaged after the alert is over, across restarts, until a person releases it; and it cannot be
released while an alert that would engage it is still in alarm.

Two interlocks may order the same thing, one siren for two buildings: it stays as one wants it until both have ended.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.core.alerts import State, is_active
from gateway.core.events import AlertBody, CommandBody, Event, OutcomeBody, Place
from gateway.core.places import cut, within
from gateway.core.texts import NOWHERE

LEVELS: Final = ("compound", "building", "unit")
FIRE_KINDS: Final = frozenset({"fire.smoke", "fire.heat", "fire.panel", "fire.manual", "fire.confirmed"})
ENGAGED_KIND: Final = "interlock.engaged"
DRILL_KIND: Final = "interlock.drill"
WHYS: Final = ("interlock", "drill", "test")  # why it gives an order, whose origin is `why:name`
CHANNEL: Final = "channel"  # the argument that says which output of a board is meant
_NORMAL: Final = frozenset({State.OVER, State.CLEARED_UNACKED, State.SHELVED_CLEARED})


@dataclass(frozen=True, slots=True)
class InterlockOrder:
    """One thing a device is told when an interlock engages or is released."""

    device: str
    action: str
    arguments: Mapping[str, float] = field(default_factory=dict)

    def moves_with(self, other: "InterlockOrder") -> bool:
        """Return whether both move the same thing; where their channels do not tell, their device does."""
        mine, theirs = self.arguments.get(CHANNEL), other.arguments.get(CHANNEL)
        return self.device == other.device and (mine == theirs or mine is None or theirs is None)


@dataclass(frozen=True, slots=True)
class InterlockPlan:
    """An interlock as configured; see `InterlockTable`."""

    name: str
    kinds: frozenset[str] = FIRE_KINDS
    level: str = "building"
    place: Place = NOWHERE
    frees: bool = True
    orders: tuple[InterlockOrder, ...] = ()
    after: tuple[InterlockOrder, ...] = ()
    sound: tuple[InterlockOrder, ...] = ()
    hush: tuple[InterlockOrder, ...] = ()
    dry_run: bool = False

    def reach(self, alert: AlertBody) -> Place | None:
        """Return where it must hold, and may not be released, because of an alert; None where that is normal again.

        An alert that is normal and latched forbids the release still: a person has to reset the detector.
        """
        stands = State(alert.state) not in _NORMAL
        concerns = stands and alert.kind in self.kinds and within(alert.place, self.place)
        return cut(alert.place, self.level) if concerns else None

    def engages(self, alert: AlertBody) -> bool:
        """Return whether an alert within its reach engages it: what is latched alone does not."""
        return is_active(alert.state)

    def holds(self, order: InterlockOrder, *, silenced: bool) -> bool:
        """Return whether, engaged, it wants something to stay as it is that an order of another moves.

        A dry run wants nothing. What sounds is wanted only until a person silences it.
        """
        standing = self.orders if silenced else (*self.orders, *self.sound)
        return not self.dry_run and any(each.moves_with(order) for each in standing)

    def owed(self, before: Iterable[Event]) -> tuple[tuple[InterlockOrder, ...], tuple[InterlockOrder, ...]]:
        """Return what of `after` and `hush` an earlier life left undone, from what a restart finds in the journal.

        Only what it began itself and is not known to be done: an ordinary restart moves nothing, and what a person
        has set since the end was done stays as it is.
        """
        given = list(_given(self.name, before))
        after = tuple(order for order in self.after if _is_undone(order, self.orders, given))
        return after, tuple(order for order in self.hush if _is_undone(order, self.sound, given))


def _given(name: str, before: Iterable[Event]) -> Iterator[tuple[InterlockOrder, bool]]:
    """Yield the orders an interlock gave, oldest first, and whether each was done."""
    bodies = [event.body for event in before]
    done = {
        (body.id, body.origin) for body in bodies if isinstance(body, OutcomeBody) and body.result == "done"
    }
    origins = {f"{why}:{name}" for why in WHYS}
    for body in bodies:
        if isinstance(body, CommandBody) and body.origin in origins:
            yield InterlockOrder(body.device, body.action, body.arguments), (body.id, body.origin) in done


def _is_undone(
    order: InterlockOrder, begun: tuple[InterlockOrder, ...], given: Iterable[tuple[InterlockOrder, bool]]
) -> bool:
    """Return whether an order to go back to rest is not the last, and done, of those that moved the same thing."""
    undone = False
    for each, done in given:
        if each == order:
            undone = not done
        elif each in begun and each.moves_with(order):
            undone = True
    return undone
