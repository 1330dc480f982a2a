"""One table of endpoints: from it come the routes, the permissions, what is read from a request, and the description.

A handler is given what was asked and, if its endpoint takes something, that as a typed object; it returns an object
that becomes JSON, or a response of its own. Who may call it stands beside it: an endpoint without an action is open
to everybody, and there are few. What it refuses it refuses in words.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.desk.web.asking import Asker, asker_of, guard
from gateway.desk.web.limits import GENERAL, Limit, Limiter, address_of
from gateway.desk.web.parts import Parts
from gateway.desk.web.permissions import Action
from gateway.desk.web.refusals import RefusalError

log = logging.getLogger(__name__)

LARGEST: Final = 64 * 1024
WITHIN_S: Final = 30.0
AGAIN_S: Final = "5"

Handler = Callable[..., Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One thing the API does. `takes`: what its body, or for GET its query, must be; `gives`: what comes back."""

    method: str
    path: str
    action: Action | None
    handle: Handler
    tells: str
    takes: Any = None
    gives: Any = None
    nobody: bool = False
    """Whether a shared phone may ask before somebody has said who has it."""
    raw: bool = False
    """Whether the handler reads the body itself."""
    limit: Limit | None = None
    """How often one may ask for this, where that is less than for anything."""
    limit_in_all: Limit | None = None
    """How often all together may ask for this."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a handler is given. `now` is wall seconds."""

    parts: Parts
    known: Asker | None
    path: Mapping[str, str]
    request: Request
    now: float

    @property
    def who(self) -> Asker:
        """Return who asks, where only somebody can."""
        if self.known is None:
            raise RefusalError("no_phone")
        return self.known


class Door:
    """Turns endpoints into routes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._limiter = Limiter()

    def route(self, endpoint: Endpoint) -> Route:
        """Return the route of an endpoint."""

        async def answer(request: Request) -> Response:
            try:
                return await self._answer(endpoint, request)
            except RefusalError as refusal:
                return refused(refusal, request)
            except Exception as error:  # one bad request must cost nobody but whoever made it
                if not self._parts.database.is_outage(error):
                    log.exception("%s %s failed", endpoint.method, endpoint.path)
                    return refused(RefusalError("broken"), request)
                log.error("%s %s: %s: %s", endpoint.method, endpoint.path, type(error).__name__, error)
                return refused(RefusalError("away"), request)

        return Route(endpoint.path, answer, methods=[endpoint.method])

    async def _answer(self, endpoint: Endpoint, request: Request) -> Response:
        now = self._parts.now()
        known = await asker_of(request, self._parts.database, self._parts.people, now)
        who = known.phone.phone if known else address_of(request)
        self._limit(who, GENERAL)
        if endpoint.action is not None:
            _admit(known, endpoint)
        guard(request, known if endpoint.action is not None else None)
        if endpoint.limit is not None:
            self._limit(f"{endpoint.path} {who}", endpoint.limit)
        if endpoint.limit_in_all is not None:
            self._limit(endpoint.path, endpoint.limit_in_all)
        asked = Asked(self._parts, known, request.path_params, request, now)
        if endpoint.takes is None or endpoint.raw:
            return answered(await endpoint.handle(asked))
        return answered(await endpoint.handle(asked, await told(request, endpoint.takes)))

    def _limit(self, name: str, limit: Limit) -> None:
        """Raise RefusalError for who asks too often."""
        if not self._limiter.take(name, limit, self._parts.clock()):
            raise RefusalError("often")


def _admit(known: Asker | None, endpoint: Endpoint) -> None:
    """Raise RefusalError unless somebody is there who may do this somewhere; where, the handler looks at."""
    if known is None:
        raise RefusalError("no_phone")
    if endpoint.nobody:
        return
    if not known.person:
        raise RefusalError("nobody")
    assert endpoint.action is not None
    if not known.reach(endpoint.action):
        raise RefusalError("forbidden")


async def told(request: Request, wanted: Any) -> Any:
    """Return what a request brings along as a `wanted`; raises RefusalError."""
    try:
        if request.method in {"GET", "DELETE"}:
            return msgspec.convert(dict(request.query_params), wanted, strict=False)
        return msgspec.json.decode(await body(request, LARGEST), type=wanted)
    except (
        msgspec.DecodeError,
        msgspec.ValidationError,
        RecursionError,
        UnicodeError,
        OverflowError,
    ) as error:
        raise RefusalError("bad", str(error)[:300]) from error


async def body(request: Request, most: int, within_s: float = WITHIN_S) -> bytes:
    """Return a body of at most `most` bytes; raises RefusalError for more at once, and for one that takes too long."""
    found = bytearray()
    try:
        async with asyncio.timeout(within_s):
            async for chunk in request.stream():
                found += chunk
                if len(found) > most:
                    raise RefusalError("large", f"{most // 1024} kB")
    except TimeoutError as error:
        raise RefusalError("slow") from error
    return bytes(found)


def answered(result: object) -> Response:
    """Return a result as a response."""
    if isinstance(result, Response):
        return result
    return Response(msgspec.json.encode(result), media_type="application/json")


def refused(refusal: RefusalError, request: Request) -> Response:
    """Return a refusal as a response; a page that may be had later is asked for again by the browser itself."""
    is_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    again = {"refresh": AGAIN_S} if is_page and refusal.is_passing else None
    told = msgspec.json.encode(refusal.told)
    return Response(told, status_code=refusal.status, media_type="application/json", headers=again)
