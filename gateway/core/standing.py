"""What of the journal a restart needs, and which of its rows must therefore outlive any retention. Pure.

Alerts that are not over, baselines, memories of derived points, standing orders to doors and interlocks, when a device
was first seen and last tested, which units hung there, what of the calendar was done: of each the last event.
Commands: those nobody knows the outcome of, and what came of the last two thousand others, so that an order given twice
under one id gets its old outcome. Retention may take those outcomes: a repeated order is kept out by its nonce in any
case.

So that no alert is told twice by the last resort, what it told of an alert stands as long as the alert does.

An outcome ends a command only if it is of the same origin: what a stranger calls an order says nothing about it.
That one failed is not the last word: an interlock's is tried on, and a later "done" takes the place of its outcome.

A fold goes on from what an earlier one kept as from the whole journal: `Restored(kept)` and then what came after it.
"""

from collections.abc import Iterable
from typing import Final

from gateway.core.alerts import State
from gateway.core.events import (
    AlertBody,
    BaselineBody,
    Body,
    CommandBody,
    Event,
    InterlockBody,
    MemoryBody,
    OrderedBody,
    OutcomeBody,
    RoundBody,
)
from gateway.core.last_resort import told_before
from gateway.core.upkeep_bodies import CheckedBody, ProvedBody, SeenBody, UnitBody, upkeep_key

ANSWERED: Final = 2_000

Key = tuple[str, ...]


class Restored:
    """The fold of a whole journal to what a restart needs; `kept` is what an earlier fold came to."""

    def __init__(self, kept: Iterable[Event] = ()) -> None:
        self._last: dict[Key, Event] = {}
        self._answered: dict[Key, tuple[Event, Event]] = {}  # command and outcome, oldest first
        self._told: dict[str, list[Event]] = {}  # by alert
        for event in _told_last(kept):
            self.follow(event)

    def follow(self, event: Event) -> None:
        """Take in the next event."""
        if (told := told_before(event.body)) is not None and ("alert", told[0]) in self._last:
            self._told.setdefault(told[0], []).append(event)
        key = key_of(event.body)
        if key is None:
            return
        if isinstance(event.body, AlertBody) and is_over(event.body):
            self._told.pop(event.body.alert, None)
        before = self._last.pop(key, None)
        if isinstance(event.body, OutcomeBody):
            if before is None and event.body.result == "done" and key in self._answered:
                before = self._answered[key][0]
            if before is not None:
                self._answer(key, before, event)
        elif not is_over(event.body):
            self._last[key] = event

    def events(self) -> list[Event]:
        """Return what was kept, in order."""
        answered = (event for pair in self._answered.values() for event in pair)
        kept = [*self._last.values(), *answered, *(event for told in self._told.values() for event in told)]
        return sorted(kept, key=lambda event: (event.epoch, event.seq))

    def _answer(self, command: Key, given: Event, outcome: Event) -> None:
        self._answered.pop(command, None)
        self._answered[command] = given, outcome
        if len(self._answered) > ANSWERED:
            del self._answered[next(iter(self._answered))]


class Standing:
    """Follows the stream and remembers the position of each row a restart will need."""

    def __init__(self, restored: Iterable[Event]) -> None:
        self._positions: dict[Key, tuple[int, int]] = {}
        self._answered: dict[
            Key, tuple[tuple[int, int], tuple[int, int]]
        ] = {}  # command, outcome; oldest first
        self._told: dict[str, list[tuple[int, int]]] = {}
        for event in _told_last(restored):
            self.follow(event)

    def follow(self, event: Event) -> None:
        """Take in one event."""
        if (told := told_before(event.body)) is not None and ("alert", told[0]) in self._positions:
            self._told.setdefault(told[0], []).append((event.epoch, event.seq))
        key = key_of(event.body)
        if key is not None and is_over(event.body):
            before = self._positions.pop(key, None)
            self._told.pop(key[1], None)
            if isinstance(event.body, OutcomeBody):
                if before is None and event.body.result == "done" and key in self._answered:
                    before = self._answered[key][0]
                if before is not None:
                    self._answer(key, before, (event.epoch, event.seq))
        elif key is not None:
            self._positions[key] = (event.epoch, event.seq)

    def positions(self) -> list[tuple[int, int]]:
        """Return (epoch, seq) of each row to keep."""
        return [*self._positions.values(), *(each for told in self._told.values() for each in told)]

    def answered(self) -> list[tuple[int, int]]:
        """Return (epoch, seq) of the other rows a restart looks at, if they are there still."""
        return [each for pair in self._answered.values() for each in pair]

    def _answer(self, command: Key, given: tuple[int, int], outcome: tuple[int, int]) -> None:
        self._answered.pop(command, None)
        self._answered[command] = given, outcome
        if len(self._answered) > ANSWERED:
            del self._answered[next(iter(self._answered))]


def _told_last(kept: Iterable[Event]) -> list[Event]:
    """Return events with what was told of alerts behind these: of an alert that stands the last event is left."""
    return sorted(kept, key=lambda event: told_before(event.body) is not None)


def key_of(body: Body) -> Key | None:
    """Return what a body has the last word on; None for what a restart does without."""
    match body:
        case AlertBody(alert=alert):
            return "alert", alert
        case BaselineBody(device=device, point=point):
            return "baseline", device, point
        case MemoryBody(asset=asset, point=point):
            return "memory", asset, point
        case SeenBody() | ProvedBody() | UnitBody() | CheckedBody():
            return upkeep_key(body)
        case RoundBody():
            return "test round", ""
        case OrderedBody(door=door):
            return "ordered", door
        case InterlockBody(interlock=interlock):
            return "interlock", interlock
        case CommandBody(id=command, origin=origin) | OutcomeBody(id=command, origin=origin):
            return "command", command, origin
        case _:
            return None


def may_stand(body: Body) -> bool:
    """Return whether a restart may need a row of it: which it does need is told only by those after it."""
    return key_of(body) is not None or told_before(body) is not None


def is_over(body: Body) -> bool:
    """Return whether nothing of it needs to be kept from here on."""
    if isinstance(body, MemoryBody):
        return body.value is None
    if isinstance(body, RoundBody):
        return not body.begun
    return isinstance(body, OutcomeBody) or (isinstance(body, AlertBody) and body.state == State.OVER)


def unanswered(restored: Iterable[Event]) -> list[CommandBody]:
    """Return the commands that were written down and whose outcome nobody knows."""
    left: dict[Key | None, CommandBody] = {}
    for event in restored:
        if isinstance(event.body, CommandBody):
            left[key_of(event.body)] = event.body
        elif isinstance(event.body, OutcomeBody):
            left.pop(key_of(event.body), None)
    return list(left.values())
