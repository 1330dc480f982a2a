"""One look at the list upstream: https, a bearer token, an ETag, and bounds on size and time. Blocking; for a thread.

Redirects are refused, because the token would go along; proxies of the environment are not used.
"""

import ssl
import time
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final
from urllib.error import HTTPError, URLError

from gateway.core.access_file import MOST_BYTES
from gateway.services.access.upstream import Pulled, PullError, Upstream

SILENT_S: Final = 20.0  # of one read or connect
WHOLE_S: Final = 120.0
_CHUNK: Final = 64 * 1024
_UNCHANGED: Final = 304


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow none: the answer is then an error like any other."""


def pull(
    upstream: Upstream, etag: str = "", *, silent_s: float = SILENT_S, whole_s: float = WHOLE_S
) -> Pulled:
    """Return what is there now; PullError."""
    until = time.monotonic() + whole_s
    try:
        request = urllib.request.Request(upstream.url, headers=_headers(upstream, etag))  # noqa: S310 - checked: https
        with _opener(upstream).open(request, timeout=silent_s) as answer:
            return Pulled(_body(answer, until), answer.headers.get("ETag", ""))
    except HTTPError as error:
        error.close()
        if error.code == _UNCHANGED:
            return Pulled(None, etag)
        raise PullError(f"it answers {error.code}") from error
    except URLError as error:
        raise PullError(str(getattr(error.reason, "strerror", None) or error.reason)) from error
    except (OSError, HTTPException, ValueError) as error:
        raise PullError(str(error) or type(error).__name__) from error


def _headers(upstream: Upstream, etag: str) -> dict[str, str]:
    headers = {"User-Agent": "compound-gateway", "Accept": "text/csv"}
    if etag:
        headers["If-None-Match"] = etag
    if upstream.token_file:
        try:
            token = Path(upstream.token_file).read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise PullError(f"the token in {upstream.token_file} cannot be read") from error
        if not token or not token.isprintable() or " " in token:
            raise PullError(f"what is in {upstream.token_file} is no token")
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _opener(upstream: Upstream) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), _NoRedirect()]
    if upstream.url.startswith("https:"):
        context = ssl.create_default_context(cafile=upstream.ca_file or None)
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers)


def _body(answer: HTTPResponse, until: float) -> bytes:
    """Return the whole answer. Read as it comes: to wait for a part of some size has no end where bytes trickle."""
    parts, size, wanted = [], 0, answer.length
    while (wanted is None or size < wanted) and (part := answer.read1(_CHUNK)):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise PullError(f"more than {MOST_BYTES} bytes")
        if time.monotonic() > until:
            raise PullError("it takes too long")
    if wanted is not None and size < wanted:  # http.client says nothing of an answer that was cut
        raise PullError(f"it breaks off {wanted - size} bytes too early")
    return b"".join(parts)
