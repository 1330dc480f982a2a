"""Orders by their id: those under way and those that have an outcome. So that none is carried out twice. Pure.

A repeated id gets the old outcome, whatever became of the order; also after a restart, because commands and outcomes
come back from the journal. The same id with another content is refused: two orders, of which one would be lost.
An order that was refused before it was on record is not known: it may be given again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from gateway.core.events import CommandBody, Event, OutcomeBody
from gateway.core.gate import Order
from gateway.core.signed import Reason, RefusedError

MOST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Reply:
    """Where somebody waits for an outcome: a topic, and what they want to see with it."""

    topic: str
    correlation: bytes | None = None


@dataclass(slots=True)
class Entry:
    """One order. `numbers` are its arguments; after a restart those filled in from defaults are among them."""

    origin: str
    target: str
    action: str
    numbers: dict[str, float]
    outcome: Event | None = None
    replies: list[Reply] = field(default_factory=list)

    def is_same(self, order: Order) -> bool:
        """Return whether an order says what this one said."""
        said = (order.origin, order.target, order.action) == (self.origin, self.target, self.action)
        return said and all(self.numbers.get(name) == value for name, value in order.numbers.items())


class Known:
    """The orders of the last time. `restored` is what the journal had: commands and what came of them."""

    def __init__(self, restored: Iterable[Event]) -> None:
        self._entries: dict[str, Entry] = {}
        for event in restored:
            if isinstance(event.body, CommandBody):
                body = event.body
                self._entries[body.id] = Entry(body.origin, body.device, body.action, dict(body.arguments))
            elif isinstance(event.body, OutcomeBody):
                self.end(event)

    def find(self, order: Order) -> Entry | None:
        """Return the order that had this id before, if there was one; RefusedError if that was another order."""
        entry = self._entries.get(order.id)
        if entry is not None and not entry.is_same(order):
            raise RefusedError(Reason.REPEATED, "an earlier order has this id, and said something else")
        return entry

    def begin(self, order: Order, reply: Reply | None) -> None:
        """An order is under way."""
        replies = [] if reply is None else [reply]
        self._entries[order.id] = Entry(
            order.origin, order.target, order.action, order.numbers, replies=replies
        )
        while len(self._entries) > MOST:
            del self._entries[next(iter(self._entries))]

    def forget(self, order: Order) -> None:
        """An order came to nothing before it was written down."""
        self._entries.pop(order.id, None)

    def end(self, event: Event) -> list[Reply]:
        """Take in an outcome; return who waits for it. One of another origin is not that of this order."""
        body = event.body
        if not isinstance(body, OutcomeBody):
            return []
        entry = self._entries.get(body.id)
        if entry is None or entry.origin != body.origin:
            return []
        entry.outcome, waiting, entry.replies = event, entry.replies, []
        return waiting
