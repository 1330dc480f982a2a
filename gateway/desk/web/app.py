"""The desk's web server, put together: endpoints, pages, the live stream, and the headers that all of it has."""

from collections.abc import Sequence
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.desk.web import (
    api_alerts,
    api_deliveries,
    api_devices,
    api_doors,
    api_duty,
    api_files,
    api_gateways,
    api_looks,
    api_me,
    api_people,
    api_places,
    api_push,
    api_reports,
    api_silences,
    api_statistics,
    assets,
    installing,
    openapi,
    page_admin,
    page_room,
    page_shift,
    pages,
)
from gateway.desk.web.endpoints import Asked, Door, Endpoint
from gateway.desk.web.parts import Parts
from gateway.desk.web.permissions import Action

SECURITY: Final = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
STREAM: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}


class After(msgspec.Struct, frozen=True):
    """The news number a page has heard last."""

    after: int | None = None


async def events(asked: Asked, wanted: After) -> Response:
    """Return the stream of what changes. A browser that comes back by itself says where it was in a header."""
    last = asked.request.headers.get("last-event-id", "")
    after = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else wanted.after
    who = asked.who
    told = asked.parts.live.follow(who.phone.phone, who.reach(Action.SEE), after, who.person)
    return StreamingResponse(told, media_type="text/event-stream", headers=STREAM)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *api_me.ENDPOINTS,
    *api_alerts.ENDPOINTS,
    *api_deliveries.ENDPOINTS,
    *api_devices.ENDPOINTS,
    *api_doors.ENDPOINTS,
    *api_duty.ENDPOINTS,
    *api_files.ENDPOINTS,
    *api_gateways.ENDPOINTS,
    *api_looks.ENDPOINTS,
    *api_people.ENDPOINTS,
    *api_places.ENDPOINTS,
    *api_push.ENDPOINTS,
    *api_reports.ENDPOINTS,
    *api_silences.ENDPOINTS,
    *api_statistics.ENDPOINTS,
    Endpoint("GET", "/api/events", Action.SEE, events, "What changes, as server-sent events", After),
)

PAGES: Final = (
    *pages.ENDPOINTS,
    *installing.ENDPOINTS,
    *page_room.ENDPOINTS,
    *page_shift.ENDPOINTS,
    *page_admin.ENDPOINTS,
    *api_looks.PAGES,
)


class WebServer:
    """An ASGI app over the desk's parts."""

    def __init__(self, parts: Parts, endpoints: Sequence[Endpoint] = ENDPOINTS) -> None:
        self._parts = parts
        door = Door(parts)
        document = msgspec.json.encode(openapi.description(endpoints))

        async def described(_: Request) -> Response:
            return Response(document, media_type="application/json")

        routes = [door.route(each) for each in (*endpoints, *PAGES)]
        routes += [Route("/openapi.json", described), *assets.files()]
        self.app = Starlette(routes=routes)
        self.app.add_middleware(Headers)

    def close(self) -> None:
        """End every open page."""
        self._parts.live.close()


class Headers:
    """Gives every answer the headers that keep a page to itself; what is not an asset is never kept by a browser."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, headed if scope["type"] == "http" else send)
