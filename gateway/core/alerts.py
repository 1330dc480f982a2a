"""Alert life: one table, no clock, no I/O.

The states are those of ISA-18.2 (IEC 62682): an alert that clears by itself stays listed until somebody
acknowledges it; a latched one (fire) stays until somebody resets it *and* its device is normal, in either order;
a shelved one is known, looked after and quiet for a while. What is worse than before, or again, wants to be
acknowledged again. A pair that is not in the table is not allowed, and `step` says so in words.

      raise          clear              acknowledge                     latch = normal again, but latched
    ┌───────► ACTIVE ─────► CLEARED_UNACKED ─────► OVER
    │           │ acknowledge                       ▲
    │           ▼                      clear        │              latch                  reset
    │      ACTIVE_ACKED ────────────────────────────┤      ACTIVE ──────► LATCHED ─────────────────► OVER
    └────────── worse                               │      ACTIVE ──────► ACTIVE_RESET ── clear ──► OVER
"""

import enum
from collections.abc import Mapping
from typing import Final

from gateway.core.events import Change
from gateway.core.policy import PolicyError


class State(enum.StrEnum):
    """Where an alert stands. The first word says how the condition is, the second what people did."""

    OVER = "over"
    ACTIVE_UNACKED = "active_unacked"
    ACTIVE_ACKED = "active_acked"
    ACTIVE_RESET = "active_reset"  # a person has reset it, the device is not normal yet
    CLEARED_UNACKED = "cleared_unacked"
    LATCHED_UNACKED = "latched_unacked"
    LATCHED_ACKED = "latched_acked"
    SHELVED_ACTIVE = "shelved_active"
    SHELVED_CLEARED = "shelved_cleared"


class Trigger(enum.StrEnum):
    """What moves an alert on."""

    RAISE = "raise"  # the condition is true
    REPEAT = "repeat"  # it came again while it was up: counted
    WORSEN = "worsen"  # past the urgent limit; another neighbour; a fire again that somebody had acknowledged
    CLEAR = "clear"  # the condition is normal
    LATCH = "latch"  # the same, where the rule latches
    ACKNOWLEDGE = "acknowledge"
    RESET = "reset"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"  # its time on the shelf is up


_S, _T, _C = State, Trigger, Change

LIFE: Final[Mapping[tuple[State, Trigger], tuple[State, Change]]] = {
    (_S.OVER, _T.RAISE): (_S.ACTIVE_UNACKED, _C.RAISED),
    (_S.ACTIVE_UNACKED, _T.REPEAT): (_S.ACTIVE_UNACKED, _C.UPDATED),
    (_S.ACTIVE_UNACKED, _T.WORSEN): (_S.ACTIVE_UNACKED, _C.UPDATED),
    (_S.ACTIVE_UNACKED, _T.CLEAR): (_S.CLEARED_UNACKED, _C.CLEARED),
    (_S.ACTIVE_UNACKED, _T.LATCH): (_S.LATCHED_UNACKED, _C.UPDATED),
    (_S.ACTIVE_UNACKED, _T.ACKNOWLEDGE): (_S.ACTIVE_ACKED, _C.ACKNOWLEDGED),
    (_S.ACTIVE_UNACKED, _T.RESET): (_S.ACTIVE_RESET, _C.ACKNOWLEDGED),
    (_S.ACTIVE_UNACKED, _T.SHELVE): (_S.SHELVED_ACTIVE, _C.UPDATED),
    (_S.ACTIVE_ACKED, _T.REPEAT): (_S.ACTIVE_ACKED, _C.UPDATED),
    (_S.ACTIVE_ACKED, _T.WORSEN): (_S.ACTIVE_UNACKED, _C.UPDATED),
    (_S.ACTIVE_ACKED, _T.CLEAR): (_S.OVER, _C.CLEARED),
    (_S.ACTIVE_ACKED, _T.LATCH): (_S.LATCHED_ACKED, _C.UPDATED),
    (_S.ACTIVE_ACKED, _T.RESET): (_S.ACTIVE_RESET, _C.UPDATED),
    (_S.ACTIVE_ACKED, _T.SHELVE): (_S.SHELVED_ACTIVE, _C.UPDATED),
    (_S.ACTIVE_RESET, _T.REPEAT): (_S.ACTIVE_RESET, _C.UPDATED),
    (_S.ACTIVE_RESET, _T.WORSEN): (_S.ACTIVE_UNACKED, _C.UPDATED),
    (_S.ACTIVE_RESET, _T.CLEAR): (_S.OVER, _C.CLEARED),
    (_S.CLEARED_UNACKED, _T.RAISE): (_S.ACTIVE_UNACKED, _C.RAISED),
    (_S.CLEARED_UNACKED, _T.WORSEN): (_S.ACTIVE_UNACKED, _C.RAISED),
    (_S.CLEARED_UNACKED, _T.ACKNOWLEDGE): (_S.OVER, _C.ACKNOWLEDGED),
    (_S.LATCHED_UNACKED, _T.RAISE): (_S.ACTIVE_UNACKED, _C.UPDATED),
    (_S.LATCHED_UNACKED, _T.WORSEN): (_S.ACTIVE_UNACKED, _C.UPDATED),
    (_S.LATCHED_UNACKED, _T.ACKNOWLEDGE): (_S.LATCHED_ACKED, _C.ACKNOWLEDGED),
    (_S.LATCHED_UNACKED, _T.RESET): (_S.OVER, _C.CLEARED),
    (_S.LATCHED_ACKED, _T.RAISE): (_S.ACTIVE_UNACKED, _C.UPDATED),
    (_S.LATCHED_ACKED, _T.WORSEN): (_S.ACTIVE_UNACKED, _C.UPDATED),
    (_S.LATCHED_ACKED, _T.RESET): (_S.OVER, _C.CLEARED),
    (_S.SHELVED_ACTIVE, _T.REPEAT): (_S.SHELVED_ACTIVE, _C.UPDATED),
    (_S.SHELVED_ACTIVE, _T.WORSEN): (_S.ACTIVE_UNACKED, _C.RAISED),
    (_S.SHELVED_ACTIVE, _T.CLEAR): (_S.SHELVED_CLEARED, _C.CLEARED),
    (_S.SHELVED_ACTIVE, _T.LATCH): (_S.LATCHED_UNACKED, _C.UPDATED),
    (_S.SHELVED_ACTIVE, _T.UNSHELVE): (_S.ACTIVE_UNACKED, _C.RAISED),
    (_S.SHELVED_CLEARED, _T.RAISE): (_S.SHELVED_ACTIVE, _C.UPDATED),
    (_S.SHELVED_CLEARED, _T.WORSEN): (_S.ACTIVE_UNACKED, _C.RAISED),
    (_S.SHELVED_CLEARED, _T.ACKNOWLEDGE): (_S.OVER, _C.ACKNOWLEDGED),
    (_S.SHELVED_CLEARED, _T.UNSHELVE): (_S.OVER, _C.CLEARED),
}

_BY_PEOPLE: Final = {
    Trigger.ACKNOWLEDGE: "acknowledged already, or shelved",
    Trigger.RESET: "only what latches is reset, and once",
    Trigger.SHELVE: "only what is active and not reset can be shelved",
}


def step(state: State, trigger: Trigger) -> tuple[State, Change]:
    """Return the next state and what to tell of it; PolicyError where the table has no such step."""
    try:
        return LIFE[state, trigger]
    except KeyError:
        hint = _BY_PEOPLE.get(trigger, "")
        raise PolicyError(f"an alert that is {state} takes no {trigger}", hint) from None


def is_active(state: str) -> bool:
    """Return whether the condition was true in this state."""
    return "active" in state.split("_")
