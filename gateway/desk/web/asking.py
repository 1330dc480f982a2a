"""Who asks, and what they ask with: a phone known by its cookie, a person, what their roles reach.

The cookie is HttpOnly and SameSite=Strict. A request that changes anything must also carry `X-Desk`, which only a page
of ours can know, and must not come from another site's page. On plain HTTP whoever listens on the line can take
the cookie: that is said where the desk is set up, and is why a role reaches no further than it must.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request

from gateway.core.events import Place
from gateway.desk.routing import Directory, Person, Role
from gateway.desk.store import people, phones
from gateway.desk.store.database import Database
from gateway.desk.store.phones import Phone
from gateway.desk.web.permissions import Action, reach, reaches, shared
from gateway.desk.web.refusals import RefusalError

COOKIE: Final = "desk"
HEADER: Final = "x-desk"
COOKIE_S: Final = 400 * 86_400  # the most a browser keeps one
DIRECTORY_S: Final = 5.0  # so soon a person who was taken out of desk.toml is out
SAFE: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Asker:
    """A phone that was let in, and who has it. `roles` are already cut to what a shared phone lends."""

    phone: Phone
    person: str
    roles: tuple[Role, ...]
    csrf: str
    language: str = "zh"

    def reach(self, action: Action) -> tuple[Place, ...]:
        """Return the places in which they may do something."""
        return reach(self.roles, action)

    def may(self, action: Action, place: Place) -> bool:
        """Return whether they may do something in a place."""
        return reaches(self.reach(action), place)


@dataclass(slots=True)
class People:
    """Everybody, read anew when that is some seconds old."""

    database: Database
    clock: Callable[[], float] = time.monotonic
    _known: Directory = field(default_factory=Directory)
    _until: float = 0.0

    async def everybody(self) -> Directory:
        """Return who there is."""
        if self.clock() >= self._until:
            async with self.database.transaction() as transaction:
                self._known = await people.directory(transaction)
            self._until = self.clock() + DIRECTORY_S
        return self._known

    def forget(self) -> None:
        """Have everybody read anew at the next question."""
        self._until = 0.0


async def asker_of(request: Request, database: Database, everybody: People, now: float) -> Asker | None:
    """Return who asks; None for a phone that was not let in."""
    secret = request.cookies.get(COOKIE, "")
    if not secret:
        return None
    async with database.transaction() as transaction:
        phone = await phones.known(transaction, secret, now)
    return None if phone is None else asker(phone, secret, await everybody.everybody())


def asker(phone: Phone, secret: str, directory: Directory) -> Asker:
    """Return what a phone and whoever holds it come to."""
    person = directory.people.get(phone.holder)
    name = person.name if person else ""
    roles = roles_of(name, directory)
    if phone.person is None:
        roles = shared(roles, phone.place)
    return Asker(phone, name if roles else "", roles, csrf(secret), person.language if person else "zh")


def roles_of(name: str, directory: Directory) -> tuple[Role, ...]:
    """Return somebody's roles."""
    return tuple(role for role in directory.roles if role.person == name)


def may_hold(phone: Phone, directory: Directory) -> list[Person]:
    """Return who may have a shared phone."""
    return [
        person
        for person in directory.people.values()
        if shared(roles_of(person.name, directory), phone.place)
    ]


def csrf(secret: str) -> str:
    """Return what a page must send along to change anything; it tells nothing of the cookie."""
    return hashlib.sha256(b"csrf:" + secret.encode()).hexdigest()[:32]


def guard(request: Request, asked_by: Asker | None) -> None:
    """Raise RefusalError for a request that changes something and does not come from a page of ours."""
    if request.method in SAFE:
        return
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin" or not _own(request):
        raise RefusalError("csrf")
    if asked_by is not None and not hmac.compare_digest(
        request.headers.get(HEADER, "").encode(), asked_by.csrf.encode()
    ):
        raise RefusalError("csrf")


def secure(headers: Mapping[str, str], scheme: str) -> bool:
    """Return whether the phone speaks HTTPS, to us or to a proxy before us."""
    return scheme == "https" or headers.get("x-forwarded-proto", "") == "https"


def _own(request: Request) -> bool:
    """Return whether the page that asks, if the browser says which, is of this very host."""
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host", "")
