"""Silences: pages about a nuisance kept back in a place until a time, for a reason; never about what is vital."""

from typing import Annotated, Final

import msgspec

from gateway.core.events import Place, Words
from gateway.core.places import within
from gateway.core.texts import Subject, where
from gateway.desk.silences import Silence, is_vital
from gateway.desk.store import people, work
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.fields import Id, Where
from gateway.desk.web.permissions import Action
from gateway.desk.web.refusals import RefusalError

MOST_MINUTES: Final = 7 * 24 * 60
MINUTE_S: Final = 60.0

Kind = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^([a-z0-9_]+(\.[a-z0-9_]+)*)?\Z")]
Reason = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]+\Z")]


class Made(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A silence somebody makes; `id` is made on the phone, once. `kind`: a kind, a family (`door`), '' all."""

    id: Id
    place: Where
    minutes: Annotated[int, msgspec.Meta(ge=1, le=MOST_MINUTES)]
    reason: Reason
    kind: Kind = ""


class SilenceOf(msgspec.Struct, frozen=True):
    """A silence in force. `mine`: whether the asker may end it."""

    id: str
    place: Place
    where: Words
    kind: str
    until: float
    reason: str
    who: str
    mine: bool


class Silences(msgspec.Struct, frozen=True):
    """The silences in force that touch the asker's places, those that end soonest first."""

    silences: tuple[SilenceOf, ...]


class Ended(msgspec.Struct, frozen=True):
    """The silence that is over."""

    id: str


async def listed(asked: Asked) -> Silences:
    """Return what is silenced in the asker's places, or over them."""
    async with asked.parts.database.transaction() as transaction:
        found = await people.silences(transaction, asked.now)
    return Silences(tuple(_told(each, asked) for each in found if _touches(each, asked)))


async def make(asked: Asked, made: Made) -> SilenceOf:
    """Put a silence in force; the same again changes nothing."""
    place = made.place.place
    if not asked.who.may(Action.SILENCE, place):
        raise RefusalError("forbidden")
    if is_vital(made.kind):
        raise RefusalError("vital", made.kind)
    silence = Silence(
        id=made.id,
        place=place,
        kind=made.kind,
        until=asked.now + made.minutes * MINUTE_S,
        reason=made.reason.strip(),
        who=asked.who.person,
    )
    async with asked.parts.database.transaction() as transaction:
        known = await people.find_silence(transaction, made.id)
        if known is None:
            await people.silence(transaction, silence, asked.now)
            await work.write_down(
                transaction, f"silence/{made.id}", asked.now, silence.who, "silences", detail=silence
            )
        elif (known.place, known.kind, known.who) != (place, made.kind, silence.who):
            raise RefusalError("changed")
        else:
            silence = known
    asked.parts.changed()
    return _told(silence, asked)


async def end(asked: Asked) -> Ended:
    """End a silence now."""
    name = asked.path["id"]
    async with asked.parts.database.transaction() as transaction:
        silence = await people.find_silence(transaction, name)
        if silence is None or not _touches(silence, asked):
            raise RefusalError("none")
        if not asked.who.may(Action.SILENCE, silence.place):
            raise RefusalError("forbidden")
        if silence.until > asked.now:
            await people.end_silence(transaction, name, asked.now)
            await work.write_down(
                transaction, f"silence/{name}", asked.now, asked.who.person, "ends the silence"
            )
    asked.parts.changed()
    return Ended(name)


def _touches(silence: Silence, asked: Asked) -> bool:
    """Return whether a silence lies in the asker's places, or they in its own."""
    places = asked.who.reach(Action.SEE)
    return any(within(silence.place, place) or within(place, silence.place) for place in places)


def _told(silence: Silence, asked: Asked) -> SilenceOf:
    return SilenceOf(
        id=silence.id,
        place=silence.place,
        where=where(Subject(place=silence.place)),
        kind=silence.kind,
        until=silence.until,
        reason=silence.reason,
        who=silence.who,
        mine=asked.who.may(Action.SILENCE, silence.place),
    )


ENDPOINTS: Final = (
    Endpoint("GET", "/api/silences", Action.SEE, listed, "What is silenced", None, Silences),
    Endpoint("POST", "/api/silences", Action.SILENCE, make, "Silence a nuisance", Made, SilenceOf),
    Endpoint("DELETE", "/api/silences/{id}", Action.SILENCE, end, "End a silence", None, Ended),
)
