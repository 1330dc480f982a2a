"""Styles, scripts and pictures of the pages: under an address with a hash of their bytes, kept by browsers for ever.

A phone at the edge of a network is sent everything packed. Which modules a page needs is read from their imports.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PAGE: Final = Path(__file__).parent.parent / "page"
MEDIA: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
FOR_EVER: Final = {"cache-control": "public, max-age=31536000, immutable"}
LEAST_PACKED: Final = 1_000
_REMARK: Final = re.compile(rb"^ *(?://.*|/\*\*.*\*/)\n", re.MULTILINE)
_IMPORT: Final = re.compile(r"""(?:from|import) "\./([a-z-]+\.js)";""")


@lru_cache(maxsize=1)
def assets() -> Mapping[str, str]:
    """Return the address of every asset by its name: `duty.js` is /assets/<hash>/duty.js.

    All share one hash, so that modules may import one another by their plain names.
    """
    files = sorted(path for path in PAGE.iterdir() if path.suffix in MEDIA)
    whole = hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files))
    return {path.name: f"/assets/{whole.hexdigest()[:12]}/{path.name}" for path in files}


def address(name: str) -> str:
    """Return the address of an asset."""
    return assets()[name]


@lru_cache(maxsize=16)
def modules(name: str) -> tuple[str, ...]:
    """Return a script and all that it imports, and those import."""
    found, left = dict.fromkeys([name]), [name]
    while left:
        text = (PAGE / left.pop()).read_text(encoding="utf-8")
        new = [each for each in _IMPORT.findall(text) if each not in found]
        found |= dict.fromkeys(new)
        left += new
    return tuple(found)


def packed(request: Request, data: bytes, media: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return bytes as a response, by gzip for whoever takes that."""
    found = {**(headers or {}), "vary": "accept-encoding"}
    if len(data) > LEAST_PACKED and "gzip" in request.headers.get("accept-encoding", ""):
        data, found["content-encoding"] = gzip.compress(data, 9, mtime=0), "gzip"
    return Response(data, media_type=media, headers=found)


@lru_cache(maxsize=256)
def _file(name: str, is_packed: bool) -> bytes:
    """Return the bytes of an asset; there are few, and each is packed once. A phone is sent no remarks."""
    data = (PAGE / name).read_bytes()
    if name.endswith(".js"):
        data = _REMARK.sub(b"", data)
    return gzip.compress(data, 9, mtime=0) if is_packed else data


async def _asset(request: Request) -> Response:
    """Return an asset; one of another version is sent as it is now, and not kept."""
    name = request.path_params["name"]
    known = assets().get(name)
    if known is None:
        return Response("no such file\n", status_code=404, media_type="text/plain")
    headers = {"vary": "accept-encoding", **(FOR_EVER if request.url.path == known else {})}
    is_packed = "gzip" in request.headers.get("accept-encoding", "")
    if is_packed:
        headers["content-encoding"] = "gzip"
    return Response(_file(name, is_packed), media_type=MEDIA[Path(name).suffix], headers=headers)


def files() -> list[Route]:
    """Return the routes of the assets."""
    return [Route("/assets/{version}/{name}", _asset)]
