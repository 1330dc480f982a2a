"""One alert in full: everything that happened to it in the order it happened, and who was told."""

from typing import Any

import msgspec

from gateway.core.events import Words
from gateway.desk.store import events, notices, work
from gateway.desk.store.database import Row, Transaction
from gateway.desk.web.contacts import Contact
from gateway.desk.web.shapes import Alert


class Happened(msgspec.Struct, frozen=True):
    """One line of the timeline. `what`: sensor, step, page. `detail` depends on it."""

    at: float
    what: str
    who: str
    step: str
    outcome: str
    detail: dict[str, Any]


class Delivery(msgspec.Struct, frozen=True):
    """Who was told, over which channel, and what came of it."""

    person: str
    channel: str
    state: str
    created_at: float
    sent_at: float | None
    answer: str


class Detail(msgspec.Struct, frozen=True):
    """All there is to know of an alert. `assignable`: whose place it lies in."""

    alert: Alert
    timeline: tuple[Happened, ...]
    deliveries: tuple[Delivery, ...]
    contacts: tuple[Contact, ...]
    others: tuple[Alert, ...]
    assignable: tuple[str, ...]


class _Data(msgspec.Struct, frozen=True):
    text: Words | None = None
    value: bool | int | float | str | None = None
    unit: str | None = None
    count: int | None = None
    by: str | None = None
    note: str | None = None


class _Body(msgspec.Struct, frozen=True):
    data: _Data = _Data()


_body = msgspec.json.Decoder(_Body)


async def timeline(transaction: Transaction, alert: Alert) -> tuple[Happened, ...]:
    """Return what its sensor said and what people and the desk did, oldest first."""
    found = [_said(row) for row in await events.timeline(transaction, alert.alert)]
    found += [_made(row, "step") for row in await work.trail(transaction, alert.alert)]
    found += [_made(row, "page") for row in await work.trail(transaction, alert.incident)]
    return tuple(sorted(found, key=lambda each: each.at))


async def delivery_of(transaction: Transaction, incident: str) -> tuple[Delivery, ...]:
    """Return who was told of an incident."""
    return tuple(
        Delivery(
            person=row["person"],
            channel=row["sent_by"] or "",
            state="summary" if row["merged_into"] else row["state"],
            created_at=row["created_at"],
            sent_at=row["sent_at"],
            answer=row["answer"],
        )
        for row in await notices.of_incident(transaction, incident)
    )


def _said(row: Row) -> Happened:
    data = _body.decode(row["body"]).data
    told = {name: value for name in _Data.__struct_fields__ if (value := getattr(data, name)) is not None}
    return Happened(
        row["received"], "sensor", row["gateway"], row["change"], "done", {**told, "time": row["time"]}
    )


def _made(row: Row, what: str) -> Happened:
    detail = msgspec.json.decode(row["detail"], type=dict[str, Any])
    detail.pop("work", None)
    return Happened(row["at"], what, row["who"], row["step"], row["outcome"], detail)
