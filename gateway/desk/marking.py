"""Serve the page on which floors and facade are marked in a camera's picture. It reads and reckons; it writes nothing.

Everything lies below a random token in the address: whoever does not know it sees no homes of other people, be it
a neighbour in the same network, another user of the machine, or a foreign page in the same browser.
"""

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import Receive, Scope, Send

from drivers.api import Text
from gateway.core.marks import Marks

LARGEST: Final = 64 * 1024
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is misread on a ladder
TOKEN_LENGTH: Final = 10  # 50 bits, to be typed into a telephone
PAGE: Final = Path(__file__).parent / "page"
PRIVATE: Final = {
    "Content-Security-Policy": "default-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}

_FILES = ("page.css", "marks.css", "marks.js", "marks-list.js", "marks-picture.js", "marks-words.js")


class NoPictureError(Exception):
    """The camera gave no picture; `told` says why and what to do."""

    def __init__(self, told: Text) -> None:
        super().__init__(told.en)
        self.told = told


@dataclass(frozen=True, slots=True)
class Picture:
    """What the camera sees, as JPEG, and its size in pixels."""

    jpeg: bytes
    width: int
    height: int


class MarkingServer:
    """An ASGI app around a camera's picture.

    `look` takes a new picture (NoPictureError when there is none); `judge` says what marks in a picture come to, as
    JSON. `camera` is what the page is told of the camera: its name, the file that tells of it, marks it has already.
    """

    def __init__(
        self,
        picture: Picture,
        *,
        camera: Mapping[str, object],
        look: Callable[[], Awaitable[Picture]],
        judge: Callable[[Marks, Picture], Mapping[str, object]],
    ) -> None:
        self.token = "".join(secrets.choice(ALPHABET) for _ in range(TOKEN_LENGTH))
        self._picture, self._camera, self._look, self._judge = picture, camera, look, judge
        self._looking = asyncio.Lock()
        routes = [Route(f"/{name}", _page(name)) for name in _FILES]
        routes += [Route("/", _page("marks.html")), Route("/camera.json", self._told)]
        routes += [Route("/picture.jpg", self._jpeg)]
        routes += [Route("/judge", self._judged, methods=["POST"])]
        routes += [Route("/look", self._looked, methods=["POST"])]
        self._below = Router(routes)
        self.app = Starlette(routes=[Mount("/{token}", app=self._guarded)])

    def close(self) -> None:
        """Have nothing to end: no page is kept waiting."""

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = str(scope["path_params"]["token"])
        known = hmac.compare_digest(given.encode(), self.token.encode())
        await (self._below if known else _plain("no such page", 404))(scope, receive, send)

    async def _told(self, _: Request) -> Response:
        return _json({**self._camera, **self._size()})

    async def _jpeg(self, _: Request) -> Response:
        return Response(self._picture.jpeg, media_type="image/jpeg", headers=PRIVATE)

    async def _judged(self, request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                return _plain("too much", 413)
        try:
            marks = msgspec.json.decode(bytes(body), type=Marks)
        except (msgspec.DecodeError, RecursionError) as error:
            return _plain(str(error), 400)
        return _json(self._judge(marks, self._picture))

    async def _looked(self, _: Request) -> Response:
        """Take another picture; one at a time, however often somebody presses."""
        if self._looking.locked():
            return _plain("already looking", 409)
        async with self._looking:
            try:
                self._picture = await self._look()
            except NoPictureError as error:
                return _json({"error": {"zh": error.told.zh, "en": error.told.en}})
        return _json(self._size())

    def _size(self) -> dict[str, int]:
        return {"width": self._picture.width, "height": self._picture.height}


def _json(told: Mapping[str, object]) -> Response:
    return Response(msgspec.json.encode(told), media_type="application/json", headers=PRIVATE)


def _plain(told: str, status: int) -> Response:
    return Response(f"{told}\n", status_code=status, media_type="text/plain", headers=PRIVATE)


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers with a file of the page."""

    async def answer(_: Request) -> Response:
        return FileResponse(PAGE / name, headers=PRIVATE)

    return answer
