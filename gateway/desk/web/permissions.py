"""Who may do what on the desk's pages, and where: one table of roles, denied by default. Pure.

A role holds in a place and all below it; one without a place holds everywhere. The gateway has a table of its own
(gateway/core/roles.py) and decides about doors once more: this one only spares people a refusal.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from gateway.core.events import Place
from gateway.core.places import within
from gateway.desk.routing import Role
from gateway.desk.workflow import Step


class Action(enum.StrEnum):
    """What somebody may do."""

    SEE = "see"
    NOTE = "note"  # write something to an alert
    REPORT = "report"  # a hazard, a request, a photo
    ACKNOWLEDGE = "acknowledge"
    WORK = "work"  # assign, arrive, resolve, false alarm, reopen
    SILENCE = "silence"
    DOORS = "doors"
    DEVICES = "devices"  # write in the registry
    PEOPLE = "people"  # let phones in and out
    LOOKS = "looks"  # see who looked at what only some may see


_HELPS: Final = frozenset({Action.SEE, Action.NOTE, Action.REPORT, Action.ACKNOWLEDGE})
_KEEPS: Final = _HELPS | {Action.WORK, Action.SILENCE, Action.DOORS, Action.DEVICES}

ROLES: Final[Mapping[str, frozenset[Action]]] = {
    "administrator": frozenset(Action),
    "duty_room": _KEEPS,
    "property": _KEEPS,
    "warden": _HELPS | {Action.WORK, Action.DOORS},
    "police": _HELPS | {Action.DOORS},
    "committee": _HELPS | {Action.LOOKS},  # the residents' own: they keep an eye on who looks
}

STEPS: Final[Mapping[Step, Action]] = {
    Step.ACKNOWLEDGE: Action.ACKNOWLEDGE,
    Step.NOTE: Action.NOTE,
    Step.ASSIGN: Action.WORK,
    Step.ARRIVE: Action.WORK,
    Step.RESOLVE: Action.WORK,
    Step.FALSE_ALARM: Action.WORK,
    Step.REOPEN: Action.WORK,
}


def reach(roles: Iterable[Role], action: Action) -> tuple[Place, ...]:
    """Return the places in which these roles allow an action; none at all: it is forbidden."""
    return tuple(role.place for role in roles if action in ROLES.get(role.role, frozenset()))


def reaches(places: Iterable[Place], place: Place) -> bool:
    """Return whether a place lies in any of these."""
    return any(within(place, each) for each in places)


def covers(own: Iterable[Role], theirs: Iterable[Role]) -> bool:
    """Return whether whoever has `own` may do all that `theirs` allow, wherever they allow it."""
    own = tuple(own)
    return all(
        reaches(reach(own, action), role.place)
        for role in theirs
        for action in ROLES.get(role.role, frozenset())
    )


def shared(roles: Iterable[Role], place: Place) -> tuple[Role, ...]:
    """Return what of somebody's roles a shared phone lends them: only in its place, and never an administrator's.

    Whoever holds a shared phone says who they are and proves it to nobody.
    """
    lent: list[Role] = []
    for role in roles:
        if Action.PEOPLE in ROLES.get(role.role, frozenset()):
            continue
        if within(role.place, place):
            lent.append(role)
        elif within(place, role.place):
            lent.append(replace(role, place=place))
    return tuple(lent)
