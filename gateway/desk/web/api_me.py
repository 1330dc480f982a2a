"""The phone itself: let in by a code, who has it, what they may, whether they are on duty, and out again."""

from typing import Annotated, Final

import msgspec
from starlette.responses import Response

from gateway.core import schedule
from gateway.core.events import Place
from gateway.desk.routing import Directory
from gateway.desk.store import phones, work
from gateway.desk.store.database import Transaction
from gateway.desk.store.phones import Phone
from gateway.desk.web.asking import COOKIE, COOKIE_S, Asker, asker, may_hold, secure
from gateway.desk.web.endpoints import Asked, Endpoint, answered
from gateway.desk.web.fields import Name
from gateway.desk.web.limits import Limit
from gateway.desk.web.permissions import ROLES, Action
from gateway.desk.web.refusals import RefusalError

Token = Annotated[str, msgspec.Meta(min_length=10, max_length=100)]
DAY_S: Final = 86_400.0


class Pairing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The word out of a QR code, and what this phone is to be called in the list."""

    token: Token
    label: Name = ""


class Acting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who has a shared phone now."""

    person: Name


class OnDuty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether somebody begins or ends their duty."""

    on: bool


class RoleOf(msgspec.Struct, frozen=True):
    """A role and where it holds."""

    role: str
    place: Place


class Me(msgspec.Struct, frozen=True):
    """Whoever has this phone. `people`: who may have it, where it is shared; `on_duty` is by the roster."""

    person: str
    shared: bool
    label: str
    people: tuple[str, ...]
    roles: tuple[RoleOf, ...]
    may: tuple[str, ...]
    language: str
    csrf: str
    on_duty: bool
    next_duty: float | None


async def pair(asked: Asked, told: Pairing) -> Response:
    """Let this phone in."""
    async with asked.parts.database.transaction() as transaction:
        secret = await phones.pair(transaction, told.token, told.label, asked.now)
        if secret is not None:
            phone = await phones.known(transaction, secret, asked.now)
            if phone is not None:
                await _let_in(transaction, asked, phone)
    if secret is None or phone is None:
        raise RefusalError("token")
    directory = await asked.parts.people.everybody()
    answer = answered(me_of(asker(phone, secret, directory), directory, asked.now))
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=COOKIE_S,
        httponly=True,
        samesite="strict",
        secure=secure(asked.request.headers, asked.request.url.scheme),
    )
    return answer


async def _let_in(transaction: Transaction, asked: Asked, phone: Phone) -> None:
    """Write down who was let in; what this browser was before, it is no more."""
    detail = {"label": phone.label, "by": phone.made_by, "place": phone.place}
    await work.write_down(transaction, phone.phone, asked.now, phone.person or "", "is let in", detail=detail)
    if asked.known is not None:
        await phones.revoke(transaction, asked.known.phone.phone, asked.now)


async def me(asked: Asked) -> Me:
    """Return who has this phone."""
    return me_of(asked.who, await asked.parts.people.everybody(), asked.now)


async def act(asked: Asked, told: Acting) -> Me:
    """Say who has a shared phone now."""
    directory = await asked.parts.people.everybody()
    phone = asked.who.phone
    if phone.person is not None or told.person not in {each.name for each in may_hold(phone, directory)}:
        raise RefusalError("forbidden")
    async with asked.parts.database.transaction() as transaction:
        await phones.act(transaction, phone.phone, told.person, asked.now)
        detail = {"phone": phone.label, "before": phone.acting}
        await work.write_down(
            transaction, phone.phone, asked.now, told.person, "takes the phone", detail=detail
        )
        known = await phones.find(transaction, phone.phone)
    asked.parts.changed()
    if known is None:
        raise RefusalError("no_phone")
    return me_of(asker(known, asked.request.cookies[COOKIE], directory), directory, asked.now)


async def duty(asked: Asked, told: OnDuty) -> Me:
    """Begin or end a duty, on record."""
    step = "begins duty" if told.on else "ends duty"
    async with asked.parts.database.transaction() as transaction:
        detail = {"phone": asked.who.phone.label}
        await work.write_down(
            transaction, f"duty/{asked.who.person}", asked.now, asked.who.person, step, detail=detail
        )
    return await me(asked)


async def leave(asked: Asked) -> Response:
    """Have this phone forgotten."""
    async with asked.parts.database.transaction() as transaction:
        await phones.revoke(transaction, asked.who.phone.phone, asked.now)
    asked.parts.changed()
    answer = answered({})
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def me_of(who: Asker, directory: Directory, now: float) -> Me:
    """Return what a page is told of whoever has its phone."""
    is_shared = who.phone.person is None
    on_duty, next_duty = _duty(who.person, directory, now)
    return Me(
        person=who.person,
        shared=is_shared,
        label=who.phone.label,
        people=tuple(each.name for each in may_hold(who.phone, directory)) if is_shared else (),
        roles=tuple(RoleOf(role.role, role.place) for role in who.roles),
        may=tuple(sorted({action for role in who.roles for action in ROLES.get(role.role, frozenset())})),
        language=who.language,
        csrf=who.csrf,
        on_duty=on_duty,
        next_duty=next_duty,
    )


def _duty(person: str, directory: Directory, now: float) -> tuple[bool, float | None]:
    """Return whether somebody is on duty by the roster, and when that changes, within eight days."""
    own = [each for each in directory.duties if person in each.people]
    if not own or any(not each.times for each in own):
        return bool(own), None
    times = [schedule.parse(each.times) for each in own]
    holds, at = any(each.holds(now) for each in times), now
    while at < now + 8 * DAY_S:
        at = min(each.changes_after(at) for each in times)
        if any(each.holds(at) for each in times) is not holds:
            return holds, at
    return holds, None


ENDPOINTS: Final = (
    Endpoint(
        "POST",
        "/api/pair",
        None,
        pair,
        "Let this phone in by the word of a QR code",
        Pairing,
        Me,
        limit=Limit(10.0, 0.2),
        limit_in_all=Limit(100.0, 5.0),
    ),
    Endpoint("GET", "/api/me", Action.SEE, me, "Who has this phone", None, Me, nobody=True),
    Endpoint(
        "POST", "/api/me/acting", Action.SEE, act, "Say who has a shared phone now", Acting, Me, nobody=True
    ),
    Endpoint("POST", "/api/me/duty", Action.SEE, duty, "Begin or end a duty, on record", OnDuty, Me),
    Endpoint("POST", "/api/me/leave", Action.SEE, leave, "Have this phone forgotten", nobody=True),
)
