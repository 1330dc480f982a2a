"""The roster for whoever asks: who is on duty in their places now and next, whom to call, their own times."""

from typing import Final

import msgspec

from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.permissions import Action
from gateway.desk.web.shifts import Span, Watch, spans, watches


class Roster(msgspec.Struct, frozen=True):
    """Who is on duty, their numbers, and the asker's own duties of the week to come."""

    places: tuple[Watch, ...]
    phones: dict[str, str]
    own: tuple[Span, ...]


async def roster(asked: Asked) -> Roster:
    """Return who is on duty in the asker's places."""
    directory = await asked.parts.people.everybody()
    places = watches(directory.duties, asked.who.reach(Action.SEE), asked.now)
    named = {person for watch in places for person in (*watch.now, *watch.next)}
    numbers = {
        name: person.phone for name, person in directory.people.items() if name in named and person.phone
    }
    return Roster(tuple(places), numbers, tuple(spans(directory.duties, asked.who.person, asked.now)))


ENDPOINTS: Final = (Endpoint("GET", "/api/duty", Action.SEE, roster, "Who is on duty", None, Roster),)
