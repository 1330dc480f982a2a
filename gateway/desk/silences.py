"""Silences: a place and a kind that page nobody until a time, for a reason. Pure.

A silence stops pages, never the record, and never what a life hangs on: fire, gas and a call for help go through
whatever is silenced, because a silence is made for the nuisance somebody knows of (GB 50116 has no such switch).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.core.events import Place
from gateway.core.places import within

NEVER_SILENT: Final = ("fire", "care")
"""Families of kinds that no silence and no quiet hour keeps from anybody."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Pages about `kind` ('' all, `door` a family) in `place` are kept back until `until`, wall seconds."""

    id: str
    place: Place
    kind: str
    until: float
    reason: str
    who: str


def is_vital(kind: str) -> bool:
    """Return whether an alert of this kind is told at any hour, silenced or not."""
    return kind.partition(".")[0] in NEVER_SILENT and not kind.endswith((".fault", ".test"))


def of_family(kind: str, wanted: str) -> bool:
    """Return whether `kind` is `wanted`, or of that family: `door.forced` is of `door`."""
    return not wanted or kind == wanted or kind.startswith(wanted + ".")


def silenced_until(kind: str, place: Place, silences: Iterable[Silence]) -> float | None:
    """Return until when pages about this are kept back; None: not at all."""
    if is_vital(kind):
        return None
    ends = [each.until for each in silences if of_family(kind, each.kind) and within(place, each.place)]
    return max(ends, default=None)
