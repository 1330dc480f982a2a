"""One request over HTTP in a thread that nobody needs to wait for, within a time that holds for the whole of it.

The time-out of a socket begins anew with every byte; a service that sends one byte every nine seconds would hold a
page for a week. So the whole has a limit, and at its end the connection is pulled from under the thread. Where the
connection ends after the request went out, nobody knows. No secret is in what is returned: not the address, which is
one (the key of a bot stands in it), and not what the service may repeat of it.
"""

import asyncio
import contextlib
import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from gateway.desk.sending import Rejected, Unknown
from gateway.runtime.threads import in_thread

TIMEOUT_S: Final = 10.0
WHOLE_S: Final = 15.0
LARGEST_ANSWER: Final = 64 * 1024
LONGEST_TOLD: Final = 300
SHORTEST_SECRET: Final = 6


@dataclass(frozen=True, slots=True)
class Request:
    """What to post where. `name` goes along so that a repeat can be known; `secrets` are told to nobody."""

    url: str = field(repr=False)
    body: bytes
    name: str
    token: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered; `said` is its beginning as text, without secrets."""

    status: int
    body: bytes
    said: str


def request(
    url: str, told: Mapping[str, object], name: str, *, token: str = "", secrets: tuple[str, ...] = ()
) -> Request:
    """Return the request that posts `told` as JSON."""
    return Request(url, msgspec.json.encode(told), name, token, secrets)


async def post(asked: Request, *, whole_s: float = WHOLE_S) -> Answer | Rejected | Unknown:
    """Post it and return the answer; never raises for what a service or a network may do."""
    try:
        address = urlsplit(asked.url)
        connection = _connection(address.scheme, address.hostname or "", address.port)
    except ValueError as error:
        return Rejected(f"no address: {type(error).__name__}", retryable=False)
    try:
        async with asyncio.timeout(whole_s):
            return await in_thread(lambda: _exchange(connection, asked))
    except TimeoutError:
        return Unknown(f"no answer in {whole_s:.0f} s")
    finally:
        _hang_up(connection)


def _exchange(connection: http.client.HTTPConnection, asked: Request) -> Answer | Rejected | Unknown:
    address = urlsplit(asked.url)
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": _ascii(asked.name)}
    if asked.token:
        headers["Authorization"] = f"Bearer {asked.token}"
    headers |= asked.headers
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    try:
        connection.connect()
    except OSError as error:
        connection.close()
        return Rejected(f"cannot be reached: {_reason(error)}", retryable=True)
    try:
        connection.request("POST", path, asked.body, headers)
        answer = connection.getresponse()
        body = answer.read(LARGEST_ANSWER)
        return Answer(answer.status, body, _said(body, asked))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Unknown(f"no answer: {type(error).__name__}: {_reason(error)}".removesuffix(": "))
    finally:
        connection.close()


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)
    return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)


def _hang_up(connection: http.client.HTTPConnection) -> None:
    """Pull the connection from under a thread that may still wait on it."""
    held = connection.sock
    if held is not None:
        with contextlib.suppress(OSError):
            held.shutdown(socket.SHUT_RDWR)


def _said(body: bytes, asked: Request) -> str:
    """Return the beginning of an answer with nothing in it that was a secret of the request."""
    said = body.decode("utf-8", "replace")
    for secret in sorted(_secrets(asked), key=len, reverse=True):
        said = said.replace(secret, "***")
    return said[:LONGEST_TOLD]


def _secrets(asked: Request) -> set[str]:
    address = urlsplit(asked.url)
    parts = {asked.url, asked.token, *asked.secrets, *(value for _, value in parse_qsl(address.query))}
    if asked.secrets:  # a bot: the last part of its path may be its key
        parts.add(address.path.rpartition("/")[2])
    return {each for each in parts if len(each) >= SHORTEST_SECRET}


def _reason(error: Exception) -> str:
    """Return an error's words if they are the system's own; those of others may repeat what was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return (error.strerror or str(error)) if isinstance(error, OSError) else ""


def _ascii(text: str) -> str:
    """Return a name as a header may carry it."""
    return text.encode("ascii", "backslashreplace").decode()
