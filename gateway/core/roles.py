"""Who may have what done, and where: one table of roles, denied by default. Pure.

Actions are those of doors, devices, alerts and of the gateway itself. What no role is named for here, like setting
a device's address, is the administrator's alone. An `[[operator]]` may be given fewer or other actions by `allow`.
"""

from collections.abc import Mapping
from typing import Final

from gateway.core.config import OperatorTable
from gateway.core.events import Place
from gateway.core.places import within
from gateway.core.texts import NOWHERE

EVERYTHING: Final = "*"

_ALERTS: Final = frozenset({"acknowledge", "silence"})
_BARRIERS: Final = frozenset({"open", "close", "stop"})
_DOORS: Final = frozenset({"unlock", "lock", "hold_open", "lock_down", "normal"})

ROLES: Final[Mapping[str, frozenset[str]]] = {
    # whoever set the gateway up
    "administrator": frozenset({EVERYTHING}),
    # the street's duty room, day and night
    "duty_room": _ALERTS
    | _DOORS
    | _BARRIERS
    | {
        "on",
        "off",
        "away",
        "home",
        "reset",
        "test",
        "self_test",
        "release",
        "silence",
        "accept",
        "reject",
        "open_next_call",
        "switch_on",
        "switch_off",
    },
    # property management: keeps the house in order, never locks it down
    "property": _ALERTS
    | _BARRIERS
    | {"unlock", "lock", "hold_open", "normal", "reset", "test", "self_test", "baseline", "zero"},
    # the warden of a micro-grid, on foot
    "warden": frozenset({"acknowledge", "unlock", "away", "home"}),
    # the police post: doors, and nothing that makes an alarm quiet
    "police": _DOORS | {"acknowledge"},
    # the residents' committee: sees to it that alerts are seen to
    "committee": frozenset({"acknowledge"}),
}


def may(operator: OperatorTable, action: str) -> bool:
    """Return whether an operator may have `action` done at all."""
    allowed = frozenset(operator.allow) or ROLES.get(operator.role, frozenset())
    return action in allowed or EVERYTHING in allowed


def reaches(operator: OperatorTable, place: Place) -> bool:
    """Return whether a place lies within those of an operator; with none named, all of the compound does.

    A place that says nothing is a slip, and lets nobody in anywhere.
    """
    return not operator.places or any(reach != NOWHERE and within(place, reach) for reach in operator.places)
