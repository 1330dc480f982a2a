"""Places: one within another, one over another, one cut down to a level. Pure."""

from typing import Final

import msgspec

from gateway.core.events import Place

LEVELS: Final = tuple(Place.__struct_fields__)
"""From the street down to the floor."""


def within(place: Place, reach: Place) -> bool:
    """Return whether `place` lies in `reach`: every part that `reach` names is the same. Nothing named: everywhere."""
    named = (level for level in LEVELS if getattr(reach, level))
    return all(getattr(place, level) == getattr(reach, level) for level in named)


def over(own: Place, home: Place) -> Place:
    """Return a thing's own place, with what it leaves out taken from where its gateway is."""
    return Place(**{level: getattr(own, level) or getattr(home, level) for level in LEVELS})


def cut(place: Place, level: str) -> Place:
    """Return the place down to a level: the building somebody's kitchen is in.

    Where the place does not say (a panel without a unit), it ends earlier and so reaches further.
    """
    below = LEVELS[LEVELS.index(level) + 1 :]
    return msgspec.structs.replace(place, **dict.fromkeys(below, ""))
