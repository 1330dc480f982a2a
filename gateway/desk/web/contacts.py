"""Whom to call about an alert: the emergency number that fits, then who is on duty there. Pure."""

from collections.abc import Iterable
from typing import Final

import msgspec

from gateway.core.events import Place, Words
from gateway.desk.routing import Audience, Directory, audience
from gateway.desk.silences import is_vital, of_family


class Contact(msgspec.Struct, frozen=True):
    """Somebody to call."""

    name: Words
    phone: str


_EMERGENCY: Final = (
    ("fire", Contact(Words("火警 119", "Fire brigade 119"), "119")),
    ("care", Contact(Words("急救 120", "Ambulance 120"), "120")),
    ("door.forced", Contact(Words("报警 110", "Police 110"), "110")),
)


def contacts(kind: str, place: Place, directory: Directory, now: float) -> tuple[Contact, ...]:
    """Return whom to call, the first first."""
    first = [who for family, who in _EMERGENCY if of_family(kind, family) and _urgent(kind)]
    people = [
        each
        for whom in (Audience.FIRST, Audience.NEXT, Audience.EVERYBODY, Audience.DUTY_ROOM)
        for each in audience(whom, directory, kind, place, now)
    ]
    numbered = dict.fromkeys((each.name, each.phone) for each in people if each.phone)
    return (*first, *_named(numbered))


def _named(people: Iterable[tuple[str, str]]) -> list[Contact]:
    return [Contact(Words(name, name), phone) for name, phone in people]


def _urgent(kind: str) -> bool:
    return is_vital(kind) or kind.startswith("door.")
