"""What a resident agreed to: who may see what, how much everybody else sees, how long it is kept. Pure.

Consent is data of desk.toml and closed by default: of whom nothing is known, nobody sees more than that somebody in
that stairwell needs help. Where to go is told to whoever is called for it, or has taken it on, as long as it is open:
a life may hang on the door's number. Names, what was measured, what people wrote and pictures are shown by consent
only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from gateway.core.events import Place
from gateway.core.places import within
from gateway.desk.routing import Role

LEVELS: Final = ("building", "unit", "floor")
USUAL: Final = "unit"
"""How much of the place everybody sees of whom nothing is known."""

FORGOTTEN: Final = "compound"
"""How much is left once what was known has been thrown away: a number in the statistics."""

Key: TypeAlias = tuple[str, str]
"""A gateway and the code of one of its residents."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What one resident agreed to. `see` are roles and people; `keep_days` None: as long as the desk keeps others'."""

    gateway: str
    code: str
    see: tuple[str, ...] = ()
    shown: str = USUAL
    keep_days: float | None = None
    name: str = ""
    note: str = ""

    @property
    def key(self) -> Key:
        """Return whose it is."""
        return self.gateway, self.code


Consents: TypeAlias = Mapping[Key, Consent]


def allows(consent: Consent | None, person: str, roles: Iterable[Role], place: Place) -> bool:
    """Return whether a resident agreed that somebody sees everything: by name, or by a role they have in that place."""
    if consent is None or not person:
        return False
    there = [role.role for role in roles if within(place, role.place)]
    return bool(there) and (person in consent.see or any(role in consent.see for role in there))


def named(consent: Consent | None, roles: Iterable[Role], place: Place) -> frozenset[str]:
    """Return everybody who sees everything of a resident in that place."""
    theirs: dict[str, list[Role]] = {}
    for role in roles:
        theirs.setdefault(role.person, []).append(role)
    return frozenset(person for person, own in theirs.items() if allows(consent, person, own, place))


def shown_of(consent: Consent | None) -> str:
    """Return how much of the place everybody sees."""
    return USUAL if consent is None else consent.shown
