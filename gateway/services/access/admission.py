"""Admission: takes what people present to readers, decides from memory, has the door opened, says what came of it.

A decision waits for nobody: the list is in memory, a grant is a call that returns at once, and what is written down
goes to the stream as any event does. What is slow (reading the list, storing it, pulling it) runs beside it, and
whatever fails there, the list in force stays in force.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from drivers.api import Presented
from gateway.core.access import (
    Credential,
    Decision,
    DoorFacts,
    Moment,
    Reason,
    Terms,
    decide,
)
from gateway.core.cards import CardError, Flaw, from_reader, is_pin, masked
from gateway.core.events import AccessBody, Body, Clock, NoteBody
from gateway.runtime.stream import Stamp
from gateway.services.access.book import Book
from gateway.services.access.readers import PIN_WITHIN_S, Pending, ReaderState

log = logging.getLogger(__name__)

Feedback: TypeAlias = Literal["granted", "denied", "pin"]
Grant: TypeAlias = Callable[[str, float, str], None]
"""Opens a door for so many seconds, for whom; returns at once, the strike is moved beside it."""

GUESSES: frozenset[Reason] = frozenset(
    {Reason.PIN_WRONG, Reason.NOT_THIS_DOOR, Reason.BLOCKED, Reason.EXPIRED, Reason.NOT_YET_VALID}
)
"""What makes a PIN a guess; one that is right at another time of day is none."""


class Admission:
    """Decides at every reader.

    `feedback` tells a reader what to show: granted, denied, or that the PIN is awaited. `now` is the stream's clock,
    `locked_down` says whether a door lets nobody in.
    """

    def __init__(
        self,
        doors: Iterable[DoorFacts],
        terms: Terms,
        book: Book,
        *,
        submit: Callable[[Body], object],
        grant: Grant,
        feedback: Callable[[str, Feedback], None],
        now: Callable[[], Stamp],
        locked_down: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._terms, self._book = terms, book
        self._submit, self._grant, self._feedback = submit, grant, feedback
        self._now, self._locked_down = now, locked_down
        self._readers: dict[str, ReaderState] = {}
        for door in doors:
            for reader in door.readers:
                self._readers.setdefault(reader, ReaderState(reader, door))
        self._wake = asyncio.Event()

    def presented(self, report: Presented) -> None:
        """Take what was held to a reader, or typed at it. Never raises for anything that can be presented."""
        reader = self._readers.setdefault(report.device, ReaderState(report.device, None))
        stamp = self._now()
        held = reader.repeats(report, stamp.monotonic)
        if report.form == "card":
            self._conclude(reader, self._card(reader, report, stamp), stamp, tell=not held)
            return
        for pin in reader.keypad.press(report.data, stamp.monotonic):
            self._conclude(reader, self._pin(reader, pin, stamp), stamp)

    def tick(self) -> None:
        """Refuse the cards whose PIN never came, and tell of refusals that were only counted."""
        stamp = self._now()
        for reader in self._readers.values():
            if (decision := reader.overdue(stamp.monotonic)) is not None:
                self._conclude(reader, decision, stamp)
            self._tell_untold(reader, stamp.monotonic)

    async def run(self) -> None:
        """Tick when there is something to tell though nobody presents anything, until cancelled."""
        while True:
            self._wake.clear()
            due = [at for reader in self._readers.values() if (at := reader.next_due()) is not None]
            pause_s = max(min(due) - self._now().monotonic, 0.0) if due else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            self.tick()

    def _card(self, reader: ReaderState, report: Presented, stamp: Stamp) -> Decision:
        try:
            card = from_reader(report.bits, report.data)
        except CardError as error:
            return Decision(Reason.BAD_PARITY if error.flaw is Flaw.PARITY else Reason.NO_CARD)
        if reader.door is None:
            return Decision(Reason.NO_DOOR, tail=card.tail)
        if not self._book.ready:
            return Decision(Reason.NOT_READY, tail=card.tail)
        digest = self._book.secret.card(card)
        decision = self._decide(reader.door, Credential(card=digest), stamp)
        before, reader.pending = reader.pending, None
        if before is not None and before.card != digest:
            self._tell(reader, before.decision, stamp.monotonic)
        if decision.awaits_pin:
            reader.pending = Pending(digest, decision, stamp.monotonic + PIN_WITHIN_S)
            self._wake.set()
        return decision if decision.tail else Decision(decision.reason, decision.holder, card.tail)

    def _pin(self, reader: ReaderState, pin: str, stamp: Stamp) -> Decision:
        now = stamp.monotonic
        if reader.door is None:
            return Decision(Reason.NO_DOOR)
        if reader.guessing.locked(now):
            return Decision(Reason.TOO_MANY_PINS)
        if not self._book.ready:
            return Decision(Reason.NOT_READY)
        card = reader.card_waiting(now)
        digest = self._book.secret.pin(pin) if is_pin(pin) else b""
        decision = self._decide(reader.door, Credential(card, digest), stamp)
        if decision.granted:
            reader.pending = None
            reader.guessing.right(now, (card, digest))
        elif decision.reason in GUESSES and (wait_s := reader.guessing.wrong(now)) is not None:
            told = (
                f"{reader.door.name}: too many wrong PINs at {reader.name}, it takes none for {wait_s:.0f} s"
            )
            log.warning("%s", told)
            self._submit(NoteBody("door.pin_guessing", told))
        return decision

    def _decide(self, door: DoorFacts, credential: Credential, stamp: Stamp) -> Decision:
        moment = Moment(stamp.wall, stamp.clock is Clock.SYNCED, self._locked_down(door.name))
        return decide(self._book.listed, door, credential, self._terms, moment)

    def _conclude(self, reader: ReaderState, decision: Decision, stamp: Stamp, *, tell: bool = True) -> None:
        """Act first, then tell: nobody stands at a door while something is written down."""
        door = reader.door
        if reader.pending is not None and decision.awaits_pin:
            self._feedback(reader.name, "pin")
            return
        if decision.granted and door is not None:
            self._grant(door.name, door.unlock_s, decision.holder or masked(decision.tail))
        self._feedback(reader.name, "granted" if decision.granted else "denied")
        if tell:
            self._tell(reader, decision, stamp.monotonic)

    def _tell_untold(self, reader: ReaderState, now: float) -> None:
        if untold := reader.untold(now):
            told = f"{reader.name}: {untold} more refusals in a minute than are written down one by one"
            self._submit(NoteBody("access.flood", told))

    def _tell(self, reader: ReaderState, decision: Decision, now: float) -> None:
        self._tell_untold(reader, now)
        if not reader.worth_telling(decision, now):
            self._wake.set()
            return
        self._submit(
            AccessBody(
                door="" if reader.door is None else reader.door.name,
                reader=reader.name,
                granted=decision.granted,
                reason=decision.reason.value,
                card=masked(decision.tail),
                holder=decision.holder,
            )
        )
