"""The pages people open, painted on the server so that an alert is readable before any script has run.

Assets carry a hash of their bytes in the address and are kept by the browser for ever; pages are never kept.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

import jinja2
import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.desk.store import news
from gateway.desk.web.api_me import me_of
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.permissions import Action

PAGE: Final = Path(__file__).parent.parent / "page"
MEDIA: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
FOR_EVER: Final = {"cache-control": "public, max-age=31536000, immutable"}
FIRST: Final = 100  # alerts of the first paint


@lru_cache(maxsize=1)
def templates() -> jinja2.Environment:
    """Return the templates; whatever is put into them is escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE), autoescape=True, undefined=jinja2.StrictUndefined
    )
    made.globals["asset"] = lambda name: assets()[name]
    made.filters["json"] = lambda value: msgspec.json.encode(value).decode().replace("<", "\\u003c")
    return made


@lru_cache(maxsize=1)
def assets() -> Mapping[str, str]:
    """Return the address of every asset by its name: `duty.js` is /assets/<hash>/duty.js.

    All share one hash, so that modules may import one another by their plain names.
    """
    files = sorted(path for path in PAGE.iterdir() if path.suffix in MEDIA)
    whole = hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()[
        :12
    ]
    return {path.name: f"/assets/{whole}/{path.name}" for path in files}


def language(request: Request, own: str = "") -> str:
    """Return the language of a page: what was asked for, a person's own, what the browser wants; Chinese else."""
    asked = request.query_params.get("lang") or request.cookies.get("lang") or own
    if asked in {"zh", "en"}:
        return asked
    wanted = request.headers.get("accept-language", "").lower()
    return "en" if wanted.startswith("en") else "zh"


def paint(request: Request, name: str, own: str = "", **told: object) -> Response:
    """Return a page."""
    told["lang"] = language(request, own)
    return Response(templates().get_template(name).render(told), media_type="text/html; charset=utf-8")


async def duty(asked: Asked) -> Response:
    """Return the phone page; a phone that was not let in is told how."""
    if asked.known is None:
        return RedirectResponse("/pair", 303)
    who = asked.known
    directory = await asked.parts.people.everybody()
    async with asked.parts.database.transaction() as transaction:
        after = await news.latest(transaction)
    found = asked.parts.showing.open_in(who.reach(Action.SEE))
    me = me_of(who, directory, asked.now)
    return paint(
        asked.request, "duty.html", who.language,
        me=me, alerts=found[:FIRST], more=len(found) > FIRST, after=after, now=asked.now,
    )  # fmt: skip


async def pair(asked: Asked) -> Response:
    """Return the page that lets a phone in by the word in its address's fragment."""
    return paint(asked.request, "pair.html")


async def _asset(request: Request) -> Response:
    """Return an asset; one of another version is sent as it is now, and not kept."""
    name = request.path_params["name"]
    address = assets().get(name)
    if address is None:
        return Response("no such file\n", status_code=404, media_type="text/plain")
    path = PAGE / name
    headers = FOR_EVER if request.url.path == address else {}
    return Response(path.read_bytes(), media_type=MEDIA[path.suffix], headers=headers)


def files() -> list[Route]:
    """Return the routes of the assets."""
    return [Route("/assets/{version}/{name}", _asset)]


ENDPOINTS: Final = (
    Endpoint("GET", "/", None, duty, "The phone page"),
    Endpoint("GET", "/pair", None, pair, "Let this phone in"),
)
