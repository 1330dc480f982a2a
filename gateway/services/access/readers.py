"""What stands between a reader and a decision: keys become a PIN, a card waits for its PIN, repeats are one.

Told the time, asks nobody. Card numbers and PINs go in here and only their hashes go further.
"""

from dataclasses import dataclass, field
from typing import Final

from drivers.api import Presented
from gateway.core.access import Decision, DoorFacts
from gateway.core.keypad import Guessing, Keypad

PIN_WITHIN_S: Final = 15.0
REPEAT_S: Final = 2.0
REFUSALS_A_MINUTE: Final = 60  # of one reader that are written down one by one


@dataclass(frozen=True, slots=True)
class Pending:
    """A card that may open once its PIN is there."""

    card: bytes = field(repr=False)
    decision: Decision
    until: float


class ReaderState:
    """One reader. `door` is None where it belongs to none."""

    def __init__(self, name: str, door: DoorFacts | None) -> None:
        self.name, self.door = name, door
        self.keypad, self.guessing = Keypad(), Guessing()
        self.pending: Pending | None = None
        self._last: int | None = None  # of the last card, what tells it from the next
        self._last_at = self._minute_ends = float("-inf")
        self._refusals = self._untold = 0

    def card_waiting(self, now: float) -> bytes | None:
        """Return the hash of the card that waits for a PIN."""
        return self.pending.card if self.pending is not None and now < self.pending.until else None

    def overdue(self, now: float) -> Decision | None:
        """Return the decision on a card whose PIN never came, once."""
        if self.pending is None or now < self.pending.until:
            return None
        decision, self.pending = self.pending.decision, None
        return decision

    def repeats(self, report: Presented, now: float) -> bool:
        """Return whether this is the card that is still held there: readers tell it several times a second."""
        told = hash((report.bits, report.data)) if report.form == "card" else None
        again = told is not None and told == self._last and now - self._last_at < REPEAT_S
        self._last, self._last_at = told, now
        return again

    def worth_telling(self, decision: Decision, now: float) -> bool:
        """Return whether to write it down one by one; grants always.

        Somebody with a machine can present a hundred cards a second.
        """
        if now >= self._minute_ends:
            self._minute_ends, self._refusals = now + 60.0, 0
        if decision.granted:
            return True
        self._refusals += 1
        if self._refusals <= REFUSALS_A_MINUTE:
            return True
        self._untold += 1
        return False

    def untold(self, now: float) -> int:
        """Return how many of a minute that is over were not written down, once."""
        if now < self._minute_ends:
            return 0
        untold, self._untold = self._untold, 0
        return untold

    def next_due(self) -> float | None:
        """Return when there is something to tell though nobody presents anything."""
        waiting = None if self.pending is None else self.pending.until
        if not self._untold:
            return waiting
        return self._minute_ends if waiting is None else min(waiting, self._minute_ends)
