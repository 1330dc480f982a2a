"""Senders over HTTP: ntfy, and any service that takes JSON. Success is what the service's answer says.

The request is made in a thread that nobody needs to wait for. A refusal by what was sent (4xx but 408 and 429) is
final; everything else may be tried again. Where the connection ends after the request went out, nobody knows.
"""

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from gateway.desk.sending import Delivered, Message, Rejected, Result, Unknown
from gateway.runtime.threads import in_thread

TIMEOUT_S: Final = 10.0
LARGEST_ANSWER: Final = 64 * 1024
AGAIN: Final = frozenset({408, 425, 429})
NTFY_PRIORITY: Final = (2, 3, 4, 5)  # by rank; 5 breaks through do-not-disturb


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to post, and what an answer that means success has in it: `key` with `value`, both absent: any 2xx."""

    url: str
    token: str = ""
    key: str = ""
    value: str | int | bool | None = None


class Webhook:
    """Posts {id, to, text, rank} as JSON."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def send(self, message: Message) -> Result:
        """Send one message."""
        told = {
            "id": message.id,
            "to": message.address,
            "text": message.text,
            "rank": message.rank,
            "language": message.language,
        }
        return await post(self._endpoint, told, message.id)


class Ntfy:
    """Publishes to a topic of an ntfy server, as JSON to its root; it answers with the message's own id."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = Endpoint(endpoint.url, endpoint.token, "event", "message")

    async def send(self, message: Message) -> Result:
        """Send one message; `address` is the topic."""
        told = {
            "topic": message.address,
            "message": message.text,
            "priority": NTFY_PRIORITY[message.rank],
            "tags": ["rotating_light"] if message.rank == 3 else ["warning"],
        }
        return await post(self._endpoint, told, message.id)


async def post(endpoint: Endpoint, told: Mapping[str, object], name: str) -> Result:
    """Post JSON and judge the answer; `name` goes along so that a repeat can be known."""
    body = msgspec.json.encode(told)
    return await in_thread(lambda: _post(endpoint, body, name))


def judge(endpoint: Endpoint, status: int, body: bytes) -> Result:
    """Return what an answer means."""
    said = body.decode("utf-8", "replace")[:300]
    if status // 100 != 2:
        return Rejected(f"{status}: {said}", retryable=status >= 500 or status in AGAIN)
    if not endpoint.key:
        return Delivered(said)
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return Rejected(f"no JSON: {said}", retryable=True)
    found = answer.get(endpoint.key) if isinstance(answer, dict) else None
    if found == endpoint.value and type(found) is type(endpoint.value):
        return Delivered(str(answer.get("id", said)))
    return Rejected(said, retryable=True)


def _post(endpoint: Endpoint, body: bytes, name: str) -> Result:
    address = urlsplit(endpoint.url)
    headers = {"Content-Type": "application/json", "Idempotency-Key": _ascii(name)}
    if endpoint.token:
        headers["Authorization"] = f"Bearer {endpoint.token}"
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    connection = _connection(address.scheme, address.hostname or "", address.port)
    try:
        connection.connect()
    except OSError as error:
        connection.close()
        return Rejected(f"cannot be reached: {error}", retryable=True)
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return judge(endpoint, answer.status, answer.read(LARGEST_ANSWER))
    except (OSError, http.client.HTTPException) as error:
        return Unknown(f"no answer: {type(error).__name__}: {error}")
    finally:
        connection.close()


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(
            host, port, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)


def _ascii(text: str) -> str:
    """Return a name as a header may carry it."""
    return text.encode("ascii", "backslashreplace").decode()
