"""The phone page beside a phone's apps: its manifest, its service worker, and the shell that opens without a network.

Over plain HTTP browsers have none of this, and the page asks for none. The worker keeps the shell and its assets, never
an alert and no answer of the API.
"""

import hashlib
from typing import Final

import msgspec
from starlette.responses import JSONResponse, Response

from gateway.desk.web.assets import MEDIA, PAGE, address, modules
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.pages import language, phone_page, words

SHELL: Final = "/shell"


async def shell(asked: Asked) -> Response:
    """Return the phone page without anything in it, which the worker keeps for when there is no network."""
    return phone_page(asked.request)


async def manifest(asked: Asked) -> Response:
    """Return what a phone needs to install the page beside its apps."""
    name = words()[language(asked.request)]["page.title"]
    shown = {
        "name": name,
        "short_name": name,
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
    }
    colours = {"background_color": "#12161c", "theme_color": "#12161c"}
    pictures = [
        {"src": address("icon-192.png"), "sizes": "192x192", "type": "image/png", "purpose": "any maskable"},
        {"src": address("icon.svg"), "sizes": "any", "type": "image/svg+xml"},
    ]
    return JSONResponse({**shown, **colours, "icons": pictures}, media_type=MEDIA[".webmanifest"])


async def worker(asked: Asked) -> Response:
    """Return the service worker, told what the shell consists of."""
    kept = [SHELL, *map(address, ("desk.css", "duty.css", "icon.svg", *modules("duty.js")))]
    # its words too: a new one is kept anew
    version = hashlib.sha256((await shell(asked)).body).hexdigest()[:12]
    told = f'const KEPT = {msgspec.json.encode(kept).decode()};\nconst VERSION = "{version}";\n'
    return Response(told + (PAGE / "worker.js").read_text(encoding="utf-8"), media_type=MEDIA[".js"])


ENDPOINTS: Final = (
    Endpoint("GET", SHELL, None, shell, "The phone page without anything in it"),
    Endpoint("GET", "/manifest.webmanifest", None, manifest, "What a phone needs to install the page"),
    Endpoint("GET", "/worker.js", None, worker, "The service worker"),
)
