"""Which urgent rows are on their way to a sink and how far everything is confirmed: pure bookkeeping, told `now`.

How it works: rows are sent in the order of the journal. One that was sent and is not confirmed is *held*; the
cursor stands before the first held row, so it passes nothing that is unconfirmed, and every confirmed row
behind it needs no memory at all. A row is confirmed by the broker's acknowledgement or, where `receipt` says
so, by the desk's receipt.

Order: rows go out for the first time in order, and rows cut off by a lost connection go out again in order
before anything newer. A row that was refused, or whose receipt does not come, holds up nobody: it is sent
again later, oldest first, and the receiver puts it in its place by its id. It is taken for missing when a row
first sent well after it has been confirmed, because broker and desk keep the order. Otherwise a few rows are
tried at growing intervals, from 2 s on, so that a desk that is away costs little, and each success earns one
try more, so that a desk that is slow is never buried in repetitions. A row that was refused is missing for certain,
and may be in memory only: each acknowledgement of what was sent after it has one such row sent at once.

A row may be sent *ahead* of those before it (a fire that breaks out while a long backlog goes up). Refused or without
its receipt it is sent again as others are, and waits for no backlog. When its turn comes it takes its place among the
others, confirmed or held, and is not sent again.

Memory is bounded: past `held_most` rows are still sent, but no longer held; once there is room again the
outbox goes back and sends those again.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.runtime.journal.rows import Position

HELD_MOST: Final = 10_000
WAIT_FIRST_S: Final = 2.0
WAIT_LAST_S: Final = 300.0
AHEAD_MOST: Final = 1_000
PROBES: Final = 10  # rows tried at a time while nothing is confirmed

_AT_ONCE: Final = float("-inf")


@dataclass(slots=True)
class Held:
    """A row that was sent and is not confirmed. `before` is the row ahead of it, `due` when to send it again."""

    before: Position
    at: float
    tries: int
    flying: bool
    receipt: bool
    due: float = 0.0
    refused: bool = False


class Outbox:
    """The urgent lane between journal and broker."""

    def __init__(
        self, cursor: Position, *, held_most: int = HELD_MOST, wait_last_s: float = WAIT_LAST_S
    ) -> None:
        self.read_to = cursor  # the last row sent or passed over
        self.resent = 0
        self._held: dict[Position, Held] = {}  # in the order of the journal
        self._again: list[tuple[float, Position]] = []  # a heap; entries that no longer hold are skipped
        self._refused: list[tuple[float, Position]] = []  # a heap by the time of the try, as the one above
        self._taken = _AT_ONCE  # when the latest row acknowledged since a refused one was tried had been sent
        self._held_most, self._wait_last_s = held_most, wait_last_s
        self._ahead: dict[Position, Held] = {}  # sent ahead of their turn
        self._ahead_confirmed: set[Position] = set()
        self._blind_from: Position | None = None
        self._furthest: Position | None = None  # of all that is confirmed, and what of it by receipts
        self._furthest_receipt: Position | None = None
        self._proof = _AT_ONCE  # when the latest row that was sent only once and is confirmed had been sent
        self._earned = 0
        self._probes = 0
        self._probe_at = _AT_ONCE
        self._probe_wait_s = WAIT_FIRST_S

    @property
    def cursor(self) -> Position:
        """Return the last row up to which everything is confirmed."""
        for held in self._held.values():
            return held.before
        return self._blind_from or self.read_to

    @property
    def waiting(self) -> int:
        """Return how many rows were sent and are not confirmed."""
        return len(self._held)

    @property
    def refuses(self) -> bool:
        """Return whether some row was refused and waits for its next try."""
        return self._first_refused() is not None

    @property
    def passed_over(self) -> bool:
        """Return whether all that waits was refused or lost alone: rows behind it are confirmed, upstream hears us."""
        if self._blind_from is not None:
            return False
        for position, held in reversed(self._held.items()):
            furthest = self._furthest_receipt if held.receipt else self._furthest
            if furthest is None or position > furthest:
                return False
        return True

    def is_confirmed(self, position: Position) -> bool:
        """Return whether a row is known to be confirmed; what a lost connection has sent again is not, for a while."""
        if position in self._ahead_confirmed:
            return True
        if position > self.read_to or position in self._held:
            return False
        return self._blind_from is None or position <= self._blind_from

    def pass_over(self, position: Position) -> None:
        """Take note of a row that is not for upstream."""
        self.read_to = position

    @property
    def room_ahead(self) -> bool:
        """Return whether it is worth looking for more rows to send ahead."""
        return len(self._ahead) + len(self._ahead_confirmed) < AHEAD_MOST

    def send_ahead(self, position: Position, now: float, *, receipt: bool) -> bool:
        """Take note that a row is sent ahead of its turn; say no if it had its turn, was sent, or memory is full."""
        known = position <= self.read_to or position in self._ahead or position in self._ahead_confirmed
        if known or len(self._ahead) >= 2 * AHEAD_MOST:
            return False
        before = position[0], position[1] - 1  # until its turn tells which row that is
        self._ahead[position] = Held(before, now, 1, flying=True, receipt=receipt)
        return True

    def had_ahead(self, position: Position) -> bool:
        """Return whether a row whose turn has come was sent ahead; then it has its place now and is not sent."""
        if position in self._ahead_confirmed:
            self._ahead_confirmed.discard(position)
            self.read_to = position
            return True
        held = self._ahead.pop(position, None)
        if held is None:
            return False
        if self._blind_from is None:
            held.before = self.read_to
            self._held[position] = held
            if not held.flying:
                self._later(position, held)
        self.read_to = position
        return True

    def sent(self, position: Position, now: float, *, receipt: bool) -> None:
        """Take note that a row was published, for the first time or again."""
        held = self._known(position)
        if held is not None:
            self._taken = _AT_ONCE if held.refused else self._taken
            held.at, held.tries, held.flying, held.refused = now, held.tries + 1, True, False
            self.resent += 1
            return
        before, self.read_to = self.read_to, position
        if len(self._held) < self._held_most and self._blind_from is None:
            self._held[position] = Held(before, now, 1, flying=True, receipt=receipt)
        elif self._blind_from is None:
            self._blind_from = before

    def acknowledged(self, position: Position, now: float) -> bool:
        """Take in the broker's acknowledgement; say whether the row is confirmed by it."""
        held = self._known(position)
        if held is None:
            return False
        held.flying, self._taken = False, max(self._taken, held.at)
        if held.receipt:
            self._later(position, held)
            return False
        self._confirm(position, now)
        return True

    def refused(self, position: Position) -> None:
        """Take in the broker's refusal: the row is not delivered and will be sent again."""
        if (held := self._known(position)) is not None:
            held.flying, held.refused = False, True
            self._later(position, held)
            heapq.heappush(self._refused, (held.at, position))
            self._first_refused()  # keeps the heap small

    def receipted(self, epoch: int, stored: Sequence[tuple[int, int]], now: float) -> int:
        """Take in a receipt; return how many rows it confirms. Rows it names that are unknown mean nothing."""
        ranges, place, found = sorted(stored), 0, []
        for position, held in (
            sorted((self._held | self._ahead).items()) if self._ahead else self._held.items()
        ):
            if position[0] != epoch or not held.receipt:
                continue
            while place < len(ranges) and ranges[place][1] < position[1]:
                place += 1
            if place < len(ranges) and ranges[place][0] <= position[1]:
                found.append(position)
        for position in found:
            self._confirm(position, now)
        return len(found)

    def due(self, now: float) -> tuple[Position, Position] | None:
        """Return a row to send again now and the row ahead of it, or None. The caller sends it."""
        refused = self._first_refused()
        if refused is not None and refused[1].at < self._taken:
            return refused[0], refused[1].before
        while self._again:
            due, position = self._again[0]
            held = self._known(position)
            if held is None or held.flying or held.due != due:
                heapq.heappop(self._again)
            elif due <= self._proof or (due <= now and self._may_try(now)):
                return position, held.before  # the entry stays until the row is sent
            else:
                return None
        return None

    def waits(self, position: Position) -> bool:
        """Return whether a row still has to be sent again: it may have been confirmed while it was read."""
        held = self._known(position)
        return held is not None and not held.flying

    def put_off(self, position: Position, now: float) -> None:
        """Have a row that cannot be read now wait for its next turn, as if it had been tried: others do not wait."""
        if (held := self._known(position)) is not None and not held.flying:
            held.at = now
            self._later(position, held)
            if held.refused:
                heapq.heappush(self._refused, (now, position))

    def gone(self, position: Position) -> None:
        """Forget a row that the journal no longer has."""
        self._held.pop(position, None)
        self._ahead.pop(position, None)

    def link_lost(self) -> None:
        """The connection is over: what was on its way for the first time is read and sent again, in order."""
        self._ahead = {position: held for position, held in self._ahead.items() if not held.flying}
        for position, held in list(self._held.items()):
            if held.flying and held.tries == 1:
                self._go_back(held.before)
                break
            if held.flying:
                held.flying, held.due = False, _AT_ONCE
                heapq.heappush(self._again, (held.due, position))

    def room_again(self) -> bool:
        """Go back to the first row that was sent without being held, if there is room now; say whether it did."""
        if self._blind_from is None or len(self._held) > self._held_most // 2:
            return False
        self._go_back(self._blind_from)
        return True

    def _go_back(self, to: Position) -> None:
        self.read_to, self._blind_from = to, None
        self._furthest = self._furthest_receipt = None
        for position in [position for position in self._held if position > to]:
            del self._held[position]

    def _confirm(self, position: Position, now: float) -> None:
        ahead = self._ahead.pop(position, None)
        held = ahead or self._held.pop(position)
        # a receipt that was quicker than the broker's acknowledgement: it was taken all the same
        if held.flying:
            self._taken = max(self._taken, held.at)
        if ahead is not None:
            self._ahead_confirmed.add(position)
            return
        self._furthest = max(position, self._furthest or position)
        if held.receipt:
            self._furthest_receipt = max(position, self._furthest_receipt or position)
        if held.tries == 1:
            self._proof = max(self._proof, held.at)
        else:
            self._earned += 1
        self._probe_wait_s = WAIT_FIRST_S
        self._probe_at = min(self._probe_at, now + WAIT_FIRST_S)

    def _later(self, position: Position, held: Held) -> None:
        held.due = held.at + min(WAIT_FIRST_S * 2.0 ** min(held.tries - 1, 10), self._wait_last_s)
        heapq.heappush(self._again, (held.due, position))

    def _known(self, position: Position) -> Held | None:
        """Return a row that was sent and is not confirmed, ahead of its turn or not."""
        return self._held.get(position) or self._ahead.get(position)

    def _first_refused(self) -> tuple[Position, Held] | None:
        """Return the refused row that has waited longest since it was tried."""
        while self._refused:
            at, position = self._refused[0]
            held = self._known(position)
            if held is not None and held.refused and held.at == at:
                return position, held
            heapq.heappop(self._refused)
        return None

    def _may_try(self, now: float) -> bool:
        """Say whether a row may be sent again although nothing proves it missing."""
        if self._earned:
            self._earned -= 1
            return True
        if self._probes == 0:
            if now < self._probe_at:
                return False
            self._probes, self._probe_at = PROBES, now + self._probe_wait_s
            self._probe_wait_s = min(self._probe_wait_s * 2, self._wait_last_s)
        self._probes -= 1
        return True
