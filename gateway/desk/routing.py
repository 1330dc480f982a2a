"""Who is to be told: by place, kind and the hour, from the roster first and outwards until somebody is there. Pure.

The roster names people in the order they are called; the duty of the smallest place that covers an alert comes
first. Where nobody is on duty, or nobody there has a channel, the words reach further, to all who have a role there, to
the duty room, to everybody: an alert that nobody is told of is the one failure a desk must not have.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.core import schedule
from gateway.core.events import Place
from gateway.core.places import within
from gateway.desk.silences import of_family

DUTY_ROOM: Final = "duty_room"


class Audience(enum.StrEnum):
    """Whom a step of a ladder tells."""

    FIRST = "first"  # on the roster
    NEXT = "next"  # the second on the roster
    EVERYBODY = "everybody"  # on duty, and with a role in that place
    DUTY_ROOM = "duty_room"  # the street's


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be told. `channels` are (channel, address) in the order they are tried; `phone` to call."""

    name: str
    language: str
    channels: tuple[tuple[str, str], ...]
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """What a person is, and where."""

    person: str
    role: str
    place: Place


@dataclass(frozen=True, slots=True)
class Duty:
    """Who is on duty where, for which kinds, at which times of the week, in the order they are called."""

    place: Place
    kinds: tuple[str, ...]
    times: tuple[str, ...]
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Directory:
    """Everybody."""

    people: Mapping[str, Person] = field(default_factory=dict)
    roles: tuple[Role, ...] = ()
    duties: tuple[Duty, ...] = ()


def audience(who: Audience, directory: Directory, kind: str, place: Place, now: float) -> list[Person]:
    """Return the people a step tells, none twice; somebody who can be reached, as long as there is anybody at all."""
    on_duty = _on_duty(directory, kind, place, now)
    called = [name for name in on_duty if _reached(_known([name], directory))] or on_duty
    room = _with_roles(directory, place, only=DUTY_ROOM)
    local = _with_roles(directory, place)
    chosen = {
        Audience.FIRST: called[:1],
        Audience.NEXT: called[1:2],
        Audience.EVERYBODY: [*on_duty, *local],
        Audience.DUTY_ROOM: room,
    }[who]
    wider = (chosen, [*on_duty, *local], room, list(directory.people))
    groups = [people for names in wider if (people := _known(names, directory))]
    reached = next((people for people in groups if _reached(people)), [])
    return list(dict.fromkeys([*(groups[0] if groups else ()), *reached]))


def _reached(people: Iterable[Person]) -> bool:
    """Return whether a page can go to any of these."""
    return any(each.channels for each in people)


def _on_duty(directory: Directory, kind: str, place: Place, now: float) -> list[str]:
    """Return who is on duty for this, those of the smallest place first."""
    there = [
        duty
        for duty in directory.duties
        if within(place, duty.place)
        and (not duty.kinds or any(of_family(kind, wanted) for wanted in duty.kinds))
        and (not duty.times or schedule.parse(duty.times).holds(now))
    ]
    there.sort(key=lambda duty: -_depth(duty.place))
    return list(dict.fromkeys(person for duty in there for person in duty.people))


def _with_roles(directory: Directory, place: Place, *, only: str | None = None) -> list[str]:
    """Return who has a role that covers a place; of `everybody` the duty room is no part, it comes last."""
    return [
        each.person
        for each in directory.roles
        if within(place, each.place) and (each.role == only if only else each.role != DUTY_ROOM)
    ]


def _known(names: Iterable[str], directory: Directory) -> list[Person]:
    return [directory.people[name] for name in dict.fromkeys(names) if name in directory.people]


def _depth(place: Place) -> int:
    return sum(bool(getattr(place, level)) for level in Place.__struct_fields__)
