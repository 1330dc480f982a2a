"""What becomes of an order to a gateway: when it is sent, again, given up; what an outcome means. Pure.

    waiting -> sent -> done | failed | late | refused | unknown

An order has one id for all its copies, and a gateway carries an id out once and tells the old outcome ever after
(gateway/services/remote/README.md): so a copy that nobody answered is given again, with another nonce, by whichever
desk is there. Who opens a door waits in front of it, so such an order lives ten seconds and is never sent later, nor
when the clock was set back and nobody knows how long ago it was given; an acknowledgement has a day, and waits for its
gateway.

What is told is true: `late` and `refused` only while every copy is known to have done nothing, else `unknown`. The
outcome of an order on record (`remote:`) has the last word, whenever it comes. A refusal by `nonce` comes before
the signature is looked at, so anybody could have caused it: it is a hint to hurry with the next copy, and no outcome.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gateway.core.events import Words
from gateway.core.payload import clip
from gateway.desk import order_texts
from gateway.desk.outcomes import Outcome

ACKNOWLEDGE: Final = "acknowledge"
DOOR_S: Final = 10.0
ACKNOWLEDGE_S: Final = 86_400.0
LONGEST_COPY_S: Final = 60
AGAIN_S: Final = 2.0  # a copy to a door that has no outcome
AGAIN_ACKNOWLEDGE_S: Final = 20.0
HURRY_S: Final = 0.2
REFUSED_S: Final = 1.0  # until the gateway may have room again
GRACE_S: Final = 3.0  # an outcome may come so long after the end
COPIES: Final = 12
LONGEST_ORIGIN: Final = 200  # bytes, as payload.outcome_event cuts it


class State(enum.StrEnum):
    """How far an order has come."""

    WAITING = "waiting"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    LATE = "late"
    REFUSED = "refused"
    UNKNOWN = "unknown"


OPEN: Final = (State.WAITING, State.SENT)
DECIDED: Final = (State.DONE, State.FAILED)
_RETRYABLE: Final = frozenset({"nonce", "rate", "busy"})


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it stands. Times are wall seconds; `said` are the gateway's own words, `words` ours."""

    id: str
    gateway: str
    target: str
    action: str
    arguments: Mapping[str, float | str]
    who: str
    made_at: float
    until: float
    phone: str = ""
    state: State = State.WAITING
    words: Words = field(default_factory=lambda: order_texts.WAITING)
    said: str = ""
    sent: int = 0
    refused: int = 0

    @property
    def content(self) -> tuple[object, ...]:
        """Return what makes it this order and no other."""
        return self.gateway, self.target, self.action, self.arguments, self.who

    @property
    def in_doubt(self) -> bool:
        """Return whether some copy of it may have done something."""
        return self.sent > self.refused

    @property
    def is_urgent(self) -> bool:
        """Return whether somebody waits for it."""
        return self.action != ACKNOWLEDGE

    @property
    def subject(self) -> str:
        """Return what the audit trail keeps it under: the door, or the alert."""
        return f"{self.gateway}/{self.target}"


@dataclass(frozen=True, slots=True)
class Send:
    """Send a copy that is good for `life_s`; look again after `again_s`."""

    life_s: int
    again_s: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing for now. `again_s` None: until there is news."""

    again_s: float | None = None
    hindrance: Words | None = None


@dataclass(frozen=True, slots=True)
class Settle:
    """It has come to this."""

    state: State
    words: Words
    said: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """A copy came to nothing; look again after `again_s`."""

    again_s: float
    refused: bool = False
    said: str = ""


Decision: TypeAlias = Send | Wait | Settle
News: TypeAlias = Settle | Again | None


def life_s(action: str) -> float:
    """Return how long an order is good for."""
    return ACKNOWLEDGE_S if action == ACKNOWLEDGE else DOOR_S


def decide(order: Order, now: float, *, hindrance: Words | None) -> Decision:
    """Return what to do with an open order now. `hindrance` says why nothing can be sent; None: it can."""
    left_s = int(min(order.until - int(now), LONGEST_COPY_S))  # `iat` and `exp` are whole seconds
    ahead = order.is_urgent and order.made_at > now + DOOR_S
    if now < order.until - 0.5 and left_s >= 1 and order.sent < COPIES and not ahead:
        if hindrance is not None:
            return Wait(None if order.is_urgent else AGAIN_ACKNOWLEDGE_S, hindrance)
        return Send(left_s, AGAIN_S if order.is_urgent else AGAIN_ACKNOWLEDGE_S)
    if order.in_doubt:
        end = now if ahead else order.until + GRACE_S
        return Wait(end - now) if now < end else Settle(State.UNKNOWN, order_texts.UNHEARD, order.said)
    if order.refused:
        return Settle(State.REFUSED, order_texts.refused(order.said), order.said)
    return Settle(State.LATE, hindrance or order_texts.NOT_SENT)


def judge(order: Order, outcome: Outcome, operator: str, *, synced: bool) -> News:
    """Return what an outcome of the order's id means for it; None: nothing."""
    if outcome.is_unverified:
        stale = outcome.result == "refused" and outcome.reason == "nonce"
        return Again(HURRY_S) if stale and order.state is State.SENT else None
    if outcome.origin == clip(f"remote:{operator}/{order.who}", LONGEST_ORIGIN):
        if order.state in DECIDED or not outcome.is_known:
            return None
        return Settle(
            State(outcome.result), order_texts.outcome(outcome.result, outcome.detail), outcome.detail
        )
    if (
        outcome.origin != clip(f"refused:{operator}/{order.who}", LONGEST_ORIGIN)
        or order.state is not State.SENT
    ):
        return None
    if outcome.reason in _RETRYABLE or (outcome.reason == "expired" and not synced):
        pause_s = REFUSED_S if order.is_urgent else AGAIN_ACKNOWLEDGE_S
        return Again(pause_s, refused=True, said=outcome.detail)
    if order.sent > order.refused + 1:  # of another copy nobody knows
        return Again(AGAIN_S, refused=True, said=outcome.detail)
    return Settle(State.REFUSED, order_texts.refused(outcome.detail), outcome.detail)


def is_worth_another(order: Order, state: State, now: float) -> bool:
    """Return whether an acknowledgement that came to nothing is given again under a fresh id."""
    vain = state in {State.FAILED, State.LATE, State.UNKNOWN}
    return not order.is_urgent and vain and now < order.until - AGAIN_ACKNOWLEDGE_S
