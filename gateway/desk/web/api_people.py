"""Phones let in and sent away, and the people they belong to: for whoever keeps them in their places.

Nobody lets in a phone that may do more than they may themselves: every role of its person must be covered by their
own. A shared phone lends what lies in its place, so its place must lie in theirs.
"""

import io
from typing import Final

import msgspec
import segno

from gateway.core.events import Place
from gateway.desk.routing import Directory, Role
from gateway.desk.store import phones, work
from gateway.desk.store.phones import Phone
from gateway.desk.web.api_me import RoleOf
from gateway.desk.web.asking import Asker, roles_of, secure
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.fields import Name, Where
from gateway.desk.web.permissions import Action, covers, reaches
from gateway.desk.web.refusals import RefusalError


class PersonOf(msgspec.Struct, frozen=True):
    """Somebody with a role in the asker's places. `pairable`: whether the asker may let in a phone for them."""

    person: str
    language: str
    phone: str
    channels: tuple[str, ...]
    roles: tuple[RoleOf, ...]
    pairable: bool
    phones: int


class Everybody(msgspec.Struct, frozen=True):
    """The people of the asker's places, and the places in which they may let in shared phones."""

    people: tuple[PersonOf, ...]
    places: tuple[Place, ...]


class PhoneOf(msgspec.Struct, frozen=True):
    """A phone that is let in. `own`: the very one that asks."""

    phone: str
    label: str
    person: str
    shared: bool
    place: Place
    acting: str
    made_by: str
    made_at: float
    seen_at: float
    own: bool


class Phones(msgspec.Struct, frozen=True):
    """The phones the asker may send away, who was seen last first."""

    phones: tuple[PhoneOf, ...]


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose phone is to be let in; nobody's: a shared one, of a place."""

    person: Name = ""
    place: Where = Where()
    label: Name = ""


class Code(msgspec.Struct, frozen=True):
    """The word that lets one phone in until a time, its address, and that as a QR code (SVG)."""

    token: str
    url: str
    until: float
    qr: str


class SentAway(msgspec.Struct, frozen=True):
    """The phone that is out now."""

    phone: str


async def people(asked: Asked) -> Everybody:
    """Return who has a role in the asker's places, each with those roles only."""
    directory = await asked.parts.people.everybody()
    async with asked.parts.database.transaction() as transaction:
        known = await phones.everyone(transaction)
    places = asked.who.reach(Action.PEOPLE)
    found = []
    for person in directory.people.values():
        roles = roles_of(person.name, directory)
        seen = tuple(RoleOf(role.role, role.place) for role in roles if reaches(places, role.place))
        if seen:
            found.append(
                PersonOf(
                    person=person.name,
                    language=person.language,
                    phone=person.phone,
                    channels=tuple(name for name, _ in person.channels),
                    roles=seen,
                    pairable=_keeps(asked.who, roles),
                    phones=sum(each.person == person.name for each in known),
                )
            )
    return Everybody(tuple(found), places)


async def listed(asked: Asked) -> Phones:
    """Return the phones of the asker's places."""
    directory = await asked.parts.people.everybody()
    async with asked.parts.database.transaction() as transaction:
        known = await phones.everyone(transaction)
    return Phones(tuple(_phone(each, asked.who) for each in known if _governs(asked.who, each, directory)))


async def offer(asked: Asked, wanted: Wanted) -> Code:
    """Make a word that lets one phone in."""
    place = wanted.place.place
    if wanted.person:
        roles = roles_of(wanted.person, await asked.parts.people.everybody())
        if not any(reaches(asked.who.reach(Action.PEOPLE), role.place) for role in roles):
            raise RefusalError("none")
        if not _keeps(asked.who, roles):
            raise RefusalError("forbidden")
        place = Place()
    elif not asked.who.may(Action.PEOPLE, place):
        raise RefusalError("forbidden")
    async with asked.parts.database.transaction() as transaction:
        token, until = await phones.offer(
            transaction,
            person=wanted.person or None,
            place=place,
            label=wanted.label,
            by=asked.who.person,
            now=asked.now,
        )
        detail = {"person": wanted.person, "place": place, "label": wanted.label}
        await work.write_down(
            transaction, "phones", asked.now, asked.who.person, "offers a code", detail=detail
        )
    url = f"{base(asked)}/pair#{token}"
    return Code(token, url, until, drawn(url))


async def send_away(asked: Asked) -> SentAway:
    """Send a phone away, at once and for good."""
    directory = await asked.parts.people.everybody()
    async with asked.parts.database.transaction() as transaction:
        phone = await phones.find(transaction, asked.path["phone"])
        if phone is None or not _governs(asked.who, phone, directory):
            raise RefusalError("none")
        await phones.revoke(transaction, phone.phone, asked.now)
        detail = {"label": phone.label, "person": phone.holder}
        await work.write_down(
            transaction, phone.phone, asked.now, asked.who.person, "sends the phone away", detail=detail
        )
    asked.parts.changed()
    return SentAway(phone.phone)


def base(asked: Asked) -> str:
    """Return the address at which phones reach the desk: the one it was given, else the one this very page has."""
    if asked.parts.url:
        return asked.parts.url.rstrip("/")
    address = asked.request.url
    scheme = "https" if secure(asked.request.headers, address.scheme) else "http"
    return f"{scheme}://{address.netloc}"


def drawn(url: str) -> str:
    """Return an address as a QR code, an SVG that needs no style of its own."""
    picture = io.BytesIO()
    code = segno.make(url, error="m", micro=False)
    code.save(picture, kind="svg", xmldecl=False, omitsize=True, light="#fff", nl=False)
    return picture.getvalue().decode()


def _keeps(who: Asker, roles: tuple[Role, ...]) -> bool:
    """Return whether all of these roles lie in the asker's places and allow nothing they may not do themselves."""
    places = who.reach(Action.PEOPLE)
    return bool(roles) and all(reaches(places, role.place) for role in roles) and covers(who.roles, roles)


def _governs(who: Asker, phone: Phone, directory: Directory) -> bool:
    """Return whether the asker may send a phone away; one whose person is gone is for who may do so everywhere."""
    if phone.phone == who.phone.phone:
        return True
    if phone.person is None:
        return who.may(Action.PEOPLE, phone.place)
    roles = roles_of(phone.person, directory)
    return _keeps(who, roles) if roles else who.may(Action.PEOPLE, Place())


def _phone(phone: Phone, who: Asker) -> PhoneOf:
    return PhoneOf(
        phone=phone.phone,
        label=phone.label,
        person=phone.person or "",
        shared=phone.person is None,
        place=phone.place,
        acting=phone.acting or "",
        made_by=phone.made_by,
        made_at=phone.made_at,
        seen_at=phone.seen_at,
        own=phone.phone == who.phone.phone,
    )


ENDPOINTS: Final = (
    Endpoint("GET", "/api/people", Action.PEOPLE, people, "People of one's places", None, Everybody),
    Endpoint("GET", "/api/phones", Action.PEOPLE, listed, "Phones that are let in", None, Phones),
    Endpoint("POST", "/api/pairings", Action.PEOPLE, offer, "Have a phone let in", Wanted, Code),
    Endpoint("DELETE", "/api/phones/{phone}", Action.PEOPLE, send_away, "Send a phone away", None, SentAway),
)
