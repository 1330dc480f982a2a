"""The desk's control socket: tools of its own machine ask it to let a phone in, the first one above all.

Who may connect is decided by the file, as with the gateway's: owner and group of the desk. Whoever may is as good as
somebody who can write desk.toml, so they may let in anybody's phone; it is on record who did.
"""

import ipaddress
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from gateway.core.events import Place
from gateway.desk.checking import address_of
from gateway.desk.service import Desk
from gateway.desk.store import phones, work
from gateway.desk.tables import DeskConfig
from gateway.desk.web.asking import roles_of
from gateway.desk.web.fields import Name, Where
from gateway.desk.web.parts import Parts
from gateway.runtime.supervisor import Run
from gateway.services.control import Answer, Control, ControlError, Request


class Wanted(msgspec.Struct, frozen=True):
    """Whose phone is to be let in; nobody's: a shared one, of a place."""

    person: Name = ""
    place: Where = Where()
    label: Name = ""


def services(desk: Desk, config: DeskConfig) -> Mapping[str, Run]:
    """Return what serves the tools."""

    async def pair(request: Request) -> Answer:
        if desk.parts is None or config.web is None:
            raise ControlError(
                "this desk has no pages", 'add [web] with listen = "0.0.0.0:8090" to desk.toml'
            )
        url = config.web.url.rstrip("/") or reached(config.web.listen)
        return await offered(desk.parts, url, request)

    async def status(_: Request) -> Answer:
        return await desk.standing()

    return {"control": Control(Path(config.desk.control_socket), {"pair": pair, "status": status}).run}


async def offered(parts: Parts, url: str, request: Mapping[str, Any]) -> Answer:
    """Make a word that lets one phone in; return its address and until when it is good."""
    try:
        wanted = msgspec.convert(request, Wanted)
    except msgspec.ValidationError as error:
        raise ControlError(str(error), "a person, or a place for a shared phone") from error
    directory = await parts.people.everybody()
    if wanted.person and not roles_of(wanted.person, directory):
        there = ", ".join(directory.people) or "nobody"
        raise ControlError(f"there is no [[person]] {wanted.person!r}", f"there is: {there}")
    place, now = Place() if wanted.person else wanted.place.place, parts.now()
    async with parts.database.transaction() as transaction:
        token, until = await phones.offer(
            transaction, person=wanted.person or None, place=place, label=wanted.label,
            by=request["origin"], now=now,
        )  # fmt: skip
        detail = {"person": wanted.person, "place": place, "label": wanted.label}
        await work.write_down(transaction, "phones", now, request["origin"], "offers a code", detail=detail)
    return {"url": f"{url}/pair#{token}", "until": until, "reachable": not _is_local(url)}


def reached(listen: str) -> str:
    """Return the address at which phones reach what listens there."""
    address = address_of(listen)
    assert address is not None  # checked with the file
    host, port = address
    if host in {"", "0.0.0.0", "::"}:
        host = _own_address()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _own_address() -> str:
    """Return the address of this machine on the way out; nothing is sent for that."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: nobody's
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _is_local(url: str) -> bool:
    """Return whether only this machine itself reaches an address."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
