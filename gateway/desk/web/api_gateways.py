"""Gateways of the asker's places: whether each is there, when it was heard, and what of its health matters here."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from gateway.core.events import Place, Words
from gateway.core.texts import Subject, where
from gateway.desk.store import gateways
from gateway.desk.store.database import Row
from gateway.desk.web.api_devices import seen
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.permissions import Action


class Health(msgspec.Struct, frozen=True):
    """What a gateway says of itself. `silent`: devices without an answer; `waiting`: rows it has not got rid of."""

    version: str = ""
    clock: str = ""
    devices: int = 0
    silent: tuple[str, ...] = ()
    cameras: int = 0
    waiting: int = 0


class GatewayOf(msgspec.Struct, frozen=True):
    """A gateway. `availability`: online, offline; `quiet_since`: since when nothing is heard of it."""

    gateway: str
    place: Place
    where: Words
    availability: str
    changed_at: float
    heard_at: float
    quiet_since: float | None
    health: Health | None


class Gateways(msgspec.Struct, frozen=True):
    """The gateways of the asker's places."""

    gateways: tuple[GatewayOf, ...]


async def listed(asked: Asked) -> Gateways:
    """Return the gateways of the asker's places; one that never said where it is, is for who sees everything."""
    async with asked.parts.database.transaction() as transaction:
        rows = await gateways.everyone(transaction)
    private = {each.name for each in await asked.parts.registry.everything() if each.reported.resident}
    private -= {each.name for each in await seen(asked)}
    found = [_gateway(row, private) for row in rows]
    return Gateways(tuple(each for each in found if asked.who.may(Action.SEE, each.place)))


def _gateway(row: Row, private: Collection[str]) -> GatewayOf:
    """Return a gateway; what is `private` to the asker, who of a stairwell has a sensor at home, is left out."""
    health = health_of(row["health"])
    if health is not None:
        silent = tuple(name for name in health.silent if f"{row['gateway']}/{name}" not in private)
        health = msgspec.structs.replace(health, silent=silent)
    place = msgspec.json.decode(row["place"], type=Place) if row["place"] else Place()
    return GatewayOf(
        gateway=row["gateway"],
        place=place,
        where=where(Subject(row["gateway"], "", place)),
        availability=row["availability"],
        changed_at=row["changed_at"],
        heard_at=row["heard_at"],
        quiet_since=row["quiet_since"],
        health=health,
    )


def health_of(document: str) -> Health | None:
    """Return what matters of a health document; None where there is none that can be read. Pure.

    It comes from the broker and may have been cut for its size, so whatever part is not as it should be is left out.
    """
    try:
        told = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    own, journal = _table(told, "gateway"), _table(told, "journal")
    devices = [each for line in _list(told, "buses") for each in _list(line, "devices")]
    depth = [each for each in _table(journal, "depth").values() if isinstance(each, int)]
    return Health(
        version=str(own.get("version", ""))[:64],
        clock=str(own.get("clock", ""))[:64],
        devices=len(devices),
        silent=tuple(
            str(each.get("device", ""))[:128]
            for each in devices
            if each.get("online") is False and each.get("polls") != 0
        ),
        cameras=len(_list(told, "cameras")),
        waiting=sum(depth),
    )


def _table(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def _list(told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = told.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


ENDPOINTS: Final = (Endpoint("GET", "/api/gateways", Action.SEE, listed, "Gateways", None, Gateways),)
