"""What the API says of an alert, as objects; their fields are the contract with the pages."""

from collections.abc import Sequence
from typing import Final

import msgspec

from gateway.core.events import Place, Words
from gateway.core.places import cut
from gateway.core.texts import Subject, where
from gateway.desk.silences import is_vital
from gateway.desk.store.database import Row

SEVERITIES: Final = ("info", "minor", "major", "critical")


class File(msgspec.Struct, frozen=True):
    """A still, a clip or a photo, by the SHA-256 it can be had under."""

    sha256: str
    kind: str


class Alert(msgspec.Struct, frozen=True):
    """An alert: what its sensor says, and what people have done. Times are wall seconds.

    `zh` and `en` say all of it; a page that shows `where` on a line of its own shows `what` beside it.
    """

    alert: str
    gateway: str
    subject: str
    incident: str
    kind: str
    rank: int
    severity: str
    state: str
    change: str
    version: int
    zh: str
    en: str
    place: Place
    where: Words
    what: Words
    first_seen: float
    time: float
    count: int
    opened_at: float
    acknowledged_by: str | None
    acknowledged_at: float | None
    assignee: str | None
    arrived_at: float | None
    closed_by: str | None
    closed_at: float | None
    cause: str | None
    note: str | None
    evidence: tuple[File, ...]
    device: str
    vital: bool
    hidden: bool
    """Whether there is more, which only some may see: the alert is about a resident."""


class _Data(msgspec.Struct, frozen=True):
    device: str | None = None


class _Body(msgspec.Struct, frozen=True):
    data: _Data = _Data()


_body = msgspec.json.Decoder(_Body)
_place = msgspec.json.Decoder(Place)


def alert_of(row: Row, files: Sequence[File] = ()) -> Alert:
    """Return a row of `lists.SELECT` as everybody may see it."""
    gateway, _, subject = row["alert"].partition("/")
    shown, place = row["shown"], _place.decode(row["place"])
    place = cut(place, shown) if shown else place
    device = _body.decode(row["body"]).data.device or ""
    spot = where(Subject(device, "", place))
    return Alert(
        alert=row["alert"],
        gateway=gateway,
        subject=subject,
        incident=row["incident"],
        kind=row["kind"],
        rank=row["rank"],
        severity=SEVERITIES[row["rank"]],
        state=row["work_state"],
        change=row["change"],
        version=row["version"],
        zh=row["zh"],
        en=row["en"],
        place=place,
        where=spot,
        what=Words(_without(row["zh"], spot.zh), _without(row["en"], spot.en)),
        first_seen=row["first_seen"],
        time=row["time"],
        count=row["count"],
        opened_at=row["opened_at"],
        acknowledged_by=row["acknowledged_by"],
        acknowledged_at=row["acknowledged_at"],
        assignee=row["assignee"],
        arrived_at=row["arrived_at"],
        closed_by=row["closed_by"],
        closed_at=row["closed_at"],
        cause=row["cause"],
        note=row["note"],
        evidence=() if shown else tuple(files),
        device=device,
        vital=is_vital(row["kind"]),
        hidden=bool(shown),
    )


def placed(alert: Alert, text: Words, spot: Words, place: Place) -> Alert:
    """Return an alert with these words and this place in place of its own."""
    what = Words(_without(text.zh, spot.zh), _without(text.en, spot.en))
    return msgspec.structs.replace(alert, zh=text.zh, en=text.en, what=what, where=spot, place=place)


def _without(text: str, spot: str) -> str:
    """Return a text without the place in it, unless nothing else is left."""
    for told in (f", {spot}", f" {spot}", f"{spot} ", spot) if spot else ():
        if told in text:
            return text.replace(told, "", 1).strip(" ,:;，：；") or text
    return text
