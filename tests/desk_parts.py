"""What tests of the desk share: alert events as gateways publish them, people, a sender that keeps what it is given."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from gateway.core import payload
from gateway.core.events import Change, Event, Place, Severity
from gateway.desk.arrivals import Arrival, read
from gateway.desk.checking import LADDERS
from gateway.desk.escalating import Rules
from gateway.desk.routing import Directory, Duty, Person, Role
from gateway.desk.sending import Delivered, Message, Result
from gateway.desk.store import people as store_people
from gateway.desk.store.database import Record
from gateway.desk.store.opening import open_database
from tests.events import MORNING, PLACE, alert_body, event

GATEWAY = "hxtp-01"
NOW = MORNING
RULES = Rules(LADDERS)


@asynccontextmanager
async def opened(where: str) -> AsyncIterator[Record]:
    """Have a database open."""
    database = await open_database(where)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def staffed(where: str) -> AsyncIterator[Record]:
    """Have a database open that knows the usual people."""
    async with opened(where) as database:
        async with database.transaction() as transaction:
            await store_people.replace(transaction, people())
        yield database


def told(
    seq: int,
    *,
    life: int | None = None,
    change: Change = Change.RAISED,
    kind: str = "fire.smoke",
    severity: Severity = Severity.CRITICAL,
    place: Place = PLACE,
    epoch: int = 1,
    previous: int | None = None,
    by: str | None = None,
    state: str = "active_unacked",
) -> Event:
    """Return one step of the life no. `life` (its own by default) as the gateway journals it."""
    body = msgspec.structs.replace(
        alert_body(seq if life is None else life, kind=kind, state=state),
        change=change, severity=severity, place=place, by=by, count=seq,
    )  # fmt: skip
    return msgspec.structs.replace(event(seq, body, epoch=epoch), previous=previous)


def published(each: Event, gateway: str = GATEWAY) -> bytes:
    """Return an event as it goes over the broker."""
    return payload.alert_event(each, gateway)


def arrival(seq: int, *, gateway: str = GATEWAY, **changes: Any) -> Arrival:
    """Return an event as the desk reads it."""
    return read(gateway, published(told(seq, **changes), gateway))


def people() -> Directory:
    """Return two wardens on duty, somebody of the property, and the duty room."""
    names = ("warden-1", "warden-2", "property-1", "duty-room")
    return Directory(
        people={name: Person(name, "zh", (("phones", name), ("bot", name))) for name in names},
        roles=(
            Role("warden-1", "warden", PLACE_OF_COMPOUND),
            Role("warden-2", "warden", PLACE_OF_COMPOUND),
            Role("property-1", "property", PLACE_OF_COMPOUND),
            Role("duty-room", "duty_room", Place()),
        ),
        duties=(Duty(PLACE_OF_COMPOUND, (), (), ("warden-1", "warden-2")),),
    )


PLACE_OF_COMPOUND = Place(PLACE.community, PLACE.grid, PLACE.microgrid, PLACE.compound)


class Phones:
    """A sender that keeps what it is given and answers as it is told."""

    def __init__(self, answer: Result | None = None) -> None:
        self.answer: Result = answer or Delivered("ok")
        self.messages: list[Message] = []

    async def send(self, message: Message) -> Result:
        """Keep the message."""
        self.messages.append(message)
        await asyncio.sleep(0)
        return self.answer


def compound(name: str) -> Place:
    """Return another compound of the street."""
    return Place(PLACE.community, PLACE.grid, PLACE.microgrid, name)
