"""What is written down about refused orders: each one a while, then their number. Pure, told `now`.

An order that a known key has signed is always written down: those are few, by the operator's own allowance. Of what
anybody could have sent the first ten of a minute are; the others are counted by reason and told in one line when the
minute is over, because a flood must not push alerts out of the journal. Five within a minute are worth a person's
attention, once a minute.
"""

from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from gateway.core.events import Body, NoteBody, OutcomeBody
from gateway.core.gate import Seen
from gateway.core.outcomes import REFUSED, REMOTE, UNVERIFIED, is_private
from gateway.core.signed import RefusedError

WINDOW_S: Final = 60.0
SINGLY: Final = 10
WORTH_TELLING: Final = 5
ALERT: Final = "security.commands_refused"
"""The kind of alert, in kinds.toml."""


class Refusals:
    """Counts what was refused. `new_id` names a line that stands for no single order."""

    def __init__(self, gateway_id: str, new_id: Callable[[], str]) -> None:
        self.total = 0
        self._gateway_id, self._new_id = gateway_id, new_id
        self._began: float | None = None
        self._written = 0
        self._counted: Counter[str] = Counter()
        self._recent: deque[float] = deque(maxlen=WORTH_TELLING)
        self._told_at: float | None = None

    def note(self, refusal: RefusedError, seen: Seen, now: float) -> list[Body]:
        """Return what is to be written down about one refusal."""
        self.total += 1
        self._recent.append(now)
        bodies = self.due(now)
        if self._began is None:
            self._began = now
        if seen.order is not None:
            bodies.append(self._body(refusal, seen))
        elif self._written < SINGLY:
            self._written += 1
            bodies.append(self._body(refusal, seen))
        else:
            self._counted[refusal.reason] += 1
        if self._is_worth_telling(now):
            self._told_at = now
            last = refusal.reason if seen.order is not None and is_private(seen.order.action) else refusal
            told = f"{WORTH_TELLING} orders refused within {now - self._recent[0]:.0f} s, the last: {last}"
            bodies.append(NoteBody(ALERT, told))
        return bodies

    def due(self, now: float) -> list[Body]:
        """Return the line that sums up a minute that is over."""
        if self._began is None or now - self._began < WINDOW_S:
            return []
        counted, self._counted = self._counted, Counter()
        self._began, self._written = None, 0
        if not counted:
            return []
        reasons = ", ".join(f"{reason} {count}" for reason, count in counted.most_common())
        detail = f"{counted.total()} more orders were refused within a minute: {reasons}"
        return [OutcomeBody(self._new_id(), self._gateway_id, "command", "refused", detail, UNVERIFIED)]

    def next_due(self) -> float | None:
        """Return when `due` has something to say."""
        return self._began + WINDOW_S if self._began is not None else None

    def _is_worth_telling(self, now: float) -> bool:
        if len(self._recent) < WORTH_TELLING or now - self._recent[0] > WINDOW_S:
            return False
        return self._told_at is None or now - self._told_at >= WINDOW_S

    def _body(self, refusal: RefusedError, seen: Seen) -> OutcomeBody:
        order, envelope = seen.order, seen.envelope
        if order is not None:
            origin = REFUSED + order.origin.removeprefix(REMOTE)
            return OutcomeBody(order.id, order.target, order.action, "refused", str(refusal), origin)
        claimed = envelope.id if envelope is not None else ""
        return OutcomeBody(
            claimed or self._new_id(), self._gateway_id, "command", "refused", str(refusal), UNVERIFIED
        )
