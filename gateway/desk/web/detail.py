"""One alert in full: everything that happened to it in the order it happened, and who was told."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from gateway.core.events import Words
from gateway.desk.store import care, events, notices, work
from gateway.desk.store.database import Row, Transaction
from gateway.desk.web.contacts import Contact
from gateway.desk.web.looking import Resident, View
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
    """All there is to know of an alert. `assignable`: whose place it lies in.

    `view` of one about a resident: masked as for everybody, place with the door for who is to go there, details for
    whom the resident agreed; open of any other.
    """

    alert: Alert
    view: View
    resident: Resident | None
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


Hidden = Mapping[str, Mapping[str, Any]]

_NOTHING: Final[Hidden] = {}
_body = msgspec.json.Decoder(_Body)


async def timeline(transaction: Transaction, alert: Alert, told: Hidden = _NOTHING) -> tuple[Happened, ...]:
    """Return what its sensor said and what people and the desk did, oldest first, with what of it is `told`."""
    found = [_said(row, told) for row in await events.timeline(transaction, alert.alert)]
    found += [_made(row, "step", told) for row in await work.trail(transaction, alert.alert)]
    found += [_made(row, "page", told) for row in await work.trail(transaction, alert.incident)]
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


def _said(row: Row, told: Hidden) -> Happened:
    hidden = told.get(f"{care.SAID} {row['epoch']}.{row['seq']}")
    data = _body.decode(row["body"]).data if hidden is None else msgspec.convert(hidden, _Body).data
    known = {name: value for name in _Data.__struct_fields__ if (value := getattr(data, name)) is not None}
    return Happened(
        row["received"], "sensor", row["gateway"], row["change"], "done", {**known, "time": row["time"]}
    )


def _made(row: Row, what: str, told: Hidden) -> Happened:
    detail = msgspec.json.decode(row["detail"], type=dict[str, Any])
    detail.pop("work", None)
    detail |= {name: text for name, text in told.get(f"{care.WRITTEN} {row['command']}", {}).items() if text}
    return Happened(row["at"], what, row["who"], row["step"], row["outcome"], detail)
