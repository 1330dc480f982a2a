"""One request for every endpoint and page of the desk, aimed at something in a place; and a compound full of names."""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from gateway.core.events import Place
from gateway.core.installed import Asset, Written
from gateway.desk.arrivals import Arrival
from gateway.desk.registry.keeping import write
from gateway.desk.silences import Silence
from gateway.desk.store import files, gateways, notices, people, phones, pushes
from gateway.desk.store.notices import Notice
from gateway.desk.web.app import ENDPOINTS, PAGES
from gateway.desk.web.endpoints import Endpoint
from gateway.desk.web.parts import WebPush
from tests.desk_parts import PLACE_OF_COMPOUND, arrival, compound
from tests.desk_web import Office
from tests.events import PLACE
from tests.gateway.desk.test_photos import SMALL_PNG

ALL: Final[tuple[Endpoint, ...]] = (*ENDPOINTS, *PAGES)
HERE: Final = PLACE_OF_COMPOUND
THERE: Final = compound("别的院")
PUSH: Final = "https://fcm.googleapis.com/fcm/send/x"


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `scoped`: it is about something in a place, and out of one's places it is refused."""

    path: str
    body: dict[str, Any] = field(default_factory=dict)
    scoped: bool = True


Case = Callable[[Office, Place], Awaitable[Request]]
_alerts = iter(range(1, 1_000_000))


def deep(place: Place) -> Place:
    """Return a floor in a compound."""
    return msgspec.structs.replace(PLACE, compound=place.compound)


async def raised(office: Office, place: Place) -> Arrival:
    """Have an alert raised in a compound, by that compound's own gateway."""
    name = "hxtp-01" if place == HERE else "other-01"
    event = arrival(next(_alerts), gateway=name, place=deep(place))
    await office.take(event)
    return event


async def attached(office: Office, place: Place) -> str:
    """Have a still kept for an alert in a compound."""
    event = await raised(office, place)
    sha256 = await office.album.keep(uuid.uuid4().bytes, "still", "image/jpeg", event.gateway)
    async with office.database.transaction() as transaction:
        await files.attach(transaction, [(event.alert, sha256, event.gateway)], office.at)
    return sha256


async def silenced(office: Office, place: Place) -> str:
    """Have something silenced in a compound."""
    made = Silence(
        str(uuid.uuid4()), place, "door", office.at + 3_600, "装修", f"property of {place.compound}"
    )
    async with office.database.transaction() as transaction:
        await people.silence(transaction, made, office.at)
    return made.id


async def let_in(office: Office, place: Place) -> str:
    """Have a shared phone let in for a compound."""
    await office.phone(None, place)
    async with office.database.transaction() as transaction:
        known = await phones.everyone(transaction)
    return next(each.phone for each in known if each.person is None and each.place == place)


def plain(path: str, **body: Any) -> Case:
    """Return a case that is about nothing in particular."""

    async def made(_: Office, __: Place) -> Request:
        return Request(path, body, scoped=False)

    return made


async def _detail(office: Office, place: Place) -> Request:
    return Request(f"/api/alerts/{(await raised(office, place)).alert}")


async def _step(office: Office, place: Place) -> Request:
    told = {"json": {"id": str(uuid.uuid4()), "step": "note", "note": "x"}}
    return Request(f"/api/alerts/{(await raised(office, place)).alert}/steps", told)


async def _several(office: Office, place: Place) -> Request:
    told = {"id": str(uuid.uuid4()), "alerts": [(await raised(office, place)).alert]}
    return Request("/api/incidents/acknowledge", {"json": told}, scoped=False)


async def _file(office: Office, place: Place) -> Request:
    return Request(f"/files/{await attached(office, place)}")


async def _report(_: Office, place: Place) -> Request:
    told = {"id": str(uuid.uuid4()), "what": "hazard", "text": "x", "place": msgspec.to_builtins(place)}
    return Request("/api/reports", {"json": told})


async def _silence(_: Office, place: Place) -> Request:
    told = {
        "id": str(uuid.uuid4()), "place": msgspec.to_builtins(place), "kind": "door", "minutes": 5, "reason": "装修",
    }  # fmt: skip
    return Request("/api/silences", {"json": told})


async def _unsilence(office: Office, place: Place) -> Request:
    return Request(f"/api/silences/{await silenced(office, place)}")


async def _pairing(_: Office, place: Place) -> Request:
    return Request("/api/pairings", {"json": {"place": msgspec.to_builtins(place)}})


async def _send_away(office: Office, place: Place) -> Request:
    return Request(f"/api/phones/{await let_in(office, place)}")


async def guarded(office: Office, place: Place, *, mode: str = "normal", why: str = "") -> str:
    """Have a door in a compound, of that compound's own gateway, and return its path."""
    gateway = "hxtp-01" if place == HERE else "other-01"
    door = {"door": "gate-1", "place": deep(place), "state": "locked", "mode": mode, "why": why}
    document = msgspec.json.encode({"doors": [door], "orders": {}}).decode()
    office.parts.signs = True
    async with office.database.transaction() as transaction:
        await gateways.heard(transaction, {gateway: msgspec.json.encode(place).decode()}, office.at)
        await gateways.healthy(transaction, gateway, document, office.at, live=True)
    return f"/api/doors/{gateway}/gate-1"


async def _door(office: Office, place: Place) -> Request:
    return Request(f"{await guarded(office, place)}/unlock", {"json": {"id": str(uuid.uuid4())}})


async def _push(office: Office, _: Place) -> Request:
    office.parts.push = WebPush("key", lambda endpoint: endpoint == PUSH)
    async with office.database.transaction() as transaction:
        await pushes.forget(transaction, PUSH)
    keys = {"p256dh": "A" * 87, "auth": "A" * 22}
    return Request("/api/push", {"json": {"endpoint": PUSH, "keys": keys}}, scoped=False)


async def _device(_: Office, place: Place) -> Request:
    path = f"/api/devices/hxtp-01/smoke-{next(_alerts)}"
    return Request(path, {"json": {"version": 0, "place": msgspec.to_builtins(place)}})


CASES: Final[Mapping[tuple[str, str], Case]] = {
    ("POST", "/api/pair"): plain("/api/pair", json={"token": "0123456789"}),
    ("GET", "/api/me"): plain("/api/me"),
    ("POST", "/api/me/acting"): plain("/api/me/acting", json={"person": "property-1"}),
    ("POST", "/api/me/duty"): plain("/api/me/duty", json={"on": True}),
    ("POST", "/api/me/leave"): plain("/api/me/leave", json={}),
    ("GET", "/api/alerts"): plain("/api/alerts"),
    ("GET", "/api/alerts/{gateway}/{subject}"): _detail,
    ("POST", "/api/alerts/{gateway}/{subject}/steps"): _step,
    ("POST", "/api/incidents/acknowledge"): _several,
    ("GET", "/api/deliveries"): plain("/api/deliveries"),
    ("GET", "/api/devices"): plain("/api/devices"),
    ("GET", "/api/devices.csv"): plain("/api/devices.csv"),
    ("GET", "/api/devices.xlsx"): plain("/api/devices.xlsx"),
    ("PUT", "/api/devices/{gateway}/{device}"): _device,
    ("POST", "/api/devices/import"): plain("/api/devices/import?dry=1", content=b"gateway,device\n"),
    ("GET", "/api/doors"): plain("/api/doors"),
    ("POST", "/api/doors/{gateway}/{door}/{action}"): _door,
    ("GET", "/api/orders/{id}"): plain("/api/orders/none-of-theirs"),
    ("GET", "/api/push/key"): plain("/api/push/key"),
    ("POST", "/api/push"): _push,
    ("DELETE", "/api/push"): plain("/api/push", params={"endpoint": PUSH}),
    ("GET", "/api/duty"): plain("/api/duty"),
    ("PUT", "/api/files"): plain("/api/files", content=SMALL_PNG),
    ("GET", "/files/{sha256}"): _file,
    ("GET", "/api/gateways"): plain("/api/gateways"),
    ("GET", "/api/looks"): plain("/api/looks"),
    ("GET", "/api/looks.csv"): plain("/api/looks.csv"),
    ("GET", "/looks"): plain("/looks"),
    ("GET", "/api/people"): plain("/api/people"),
    ("GET", "/api/phones"): plain("/api/phones"),
    ("POST", "/api/pairings"): _pairing,
    ("DELETE", "/api/phones/{phone}"): _send_away,
    ("GET", "/api/places"): plain("/api/places"),
    ("POST", "/api/reports"): _report,
    ("GET", "/api/silences"): plain("/api/silences"),
    ("POST", "/api/silences"): _silence,
    ("DELETE", "/api/silences/{id}"): _unsilence,
    ("GET", "/api/statistics"): plain("/api/statistics"),
    ("GET", "/"): plain("/"),
    ("GET", "/pair"): plain("/pair"),
    ("GET", "/shell"): plain("/shell"),
    ("GET", "/room"): plain("/room"),
    ("GET", "/shift"): plain("/shift"),
    ("GET", "/admin"): plain("/admin"),
    ("GET", "/manifest.webmanifest"): plain("/manifest.webmanifest"),
    ("GET", "/worker.js"): plain("/worker.js"),
}
"""All but the stream, which never ends: tests/gateway/desk/web/test_stream.py has it."""

STREAM: Final = ("GET", "/api/events")


async def fill(office: Office, place: Place) -> None:
    """Have something of everything in a compound."""
    event = await raised(office, place)
    await attached(office, place)
    await silenced(office, place)
    await let_in(office, place)
    await guarded(office, place)
    async with office.database.transaction() as transaction:
        text = msgspec.json.encode(place).decode()
        await gateways.heard(transaction, {event.gateway: text}, office.at)
        rows = await transaction.fetch("SELECT incident FROM work WHERE alert = $1", event.alert)
        person = "police-1" if place == HERE else "warden-9"
        lost = Notice(event.alert, rows[0]["incident"], person, "zh", (), 3, event.text.zh, "", office.at)
        await notices.write(transaction, [lost], office.at)
        device = Asset(event.gateway, f"smoke-{next(_alerts)}")
        await write(transaction, device, Written(place=deep(place)), who=person, now=office.at)
    office.parts.registry.forget()
