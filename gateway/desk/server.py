"""Serve the board: one page, one JSON document, one stream of server-sent events, and the stills of alerts.

Plain HTTP, no account, nothing but reading: it listens on loopback unless told otherwise.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.desk.board import Board, Message

PAGE = Path(__file__).parent / "page"
HEADERS = {
    "Content-Security-Policy": "default-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
BEAT_S = 5.0
MOST_WAITING = 1000  # messages a slow browser may lag before it must load the page anew

_FILES = {"/": "index.html", "/page.css": "page.css", "/page.js": "page.js"}


class BoardServer:
    """An ASGI app around a board; `publish` hands a message to every open page."""

    def __init__(self) -> None:
        self.board = Board(self.publish)
        self._pages: set[asyncio.Queue[Message | None]] = set()
        routes = [Route(path, page_file(name)) for path, name in _FILES.items()]
        routes += [Route("/alerts.json", self._alerts), Route("/events", self._events)]
        routes.append(Route("/evidence/{sha256}", self._evidence))
        self.app = Starlette(routes=routes)

    def publish(self, message: Message) -> None:
        """Give `message` to every page; one that lags too far is told to load anew."""
        for page in list(self._pages):
            if page.qsize() < MOST_WAITING:
                page.put_nowait(message)
            else:
                self._pages.discard(page)
                page.put_nowait(None)

    def close(self) -> None:
        """End the stream of every open page."""
        for page in self._pages:
            page.put_nowait(None)

    async def _alerts(self, _: Request) -> Response:
        return Response(
            msgspec.json.encode(self.board.page()), media_type="application/json", headers=HEADERS
        )

    async def _events(self, _: Request) -> Response:
        return StreamingResponse(self._follow(), media_type="text/event-stream", headers=HEADERS)

    async def _evidence(self, request: Request) -> Response:
        picture = self.board.pictures.get(request.path_params["sha256"])
        if picture is None:
            return Response("no such picture\n", status_code=404, media_type="text/plain", headers=HEADERS)
        return Response(picture, media_type="image/jpeg", headers=HEADERS)

    async def _follow(self) -> AsyncIterator[bytes]:
        page: asyncio.Queue[Message | None] = asyncio.Queue()
        self._pages.add(page)
        try:
            yield b"retry: 1000\n\n"
            while True:
                try:
                    async with asyncio.timeout(BEAT_S):
                        message = await page.get()
                except TimeoutError:
                    yield b"event: beat\ndata: {}\n\n"
                    continue
                if message is None:
                    return
                yield b"data: " + msgspec.json.encode(message) + b"\n\n"
        finally:
            self._pages.discard(page)


class QuietServer(uvicorn.Server):
    """uvicorn without its own signal handlers: Ctrl-C belongs to whoever runs us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave all signals alone."""
        yield


class Served(Protocol):
    """An ASGI app, and the way to end what keeps its connections open."""

    @property
    def app(self) -> Starlette:
        """Return the app."""

    def close(self) -> None:
        """End every open page."""


async def serve(
    server: Served, *, host: str = "127.0.0.1", port: int = 0, listener: socket.socket | None = None
) -> None:
    """Serve until cancelled, then end every open page in order; on `listener`, if given, in place of host and port."""
    config = uvicorn.Config(
        server.app,
        host=host,
        port=port,
        log_level="critical",  # a browser that went away is no news
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    quiet = QuietServer(config)
    serving = asyncio.create_task(quiet.serve([listener] if listener else None), name="uvicorn")
    try:
        await asyncio.shield(serving)
    finally:
        server.close()
        quiet.should_exit = True
        await asyncio.wait([serving])


def page_file(name: str, headers: Mapping[str, str] = HEADERS) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers with a file of the page."""

    async def answer(_: Request) -> Response:
        return FileResponse(PAGE / name, headers=headers)

    return answer
