"""What comes in from a gateway, read with distrust: an alert event, or the reason why it is none. Pure.

Anybody who may publish at the broker may send anything, so everything is bounded and checked before it goes near
the database: what passes here can be stored by both of ours. The topic says which gateway speaks, and `source` must
agree; an alert's key has the gateway's name in front, so that none can touch another's alerts.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import msgspec

from gateway.core.events import Certainty, Change, Place, Severity, Words

LARGEST: Final = 65_536
RANKS: Final = {Severity.INFO: 0, Severity.MINOR: 1, Severity.MAJOR: 2, Severity.CRITICAL: 3}
TYPE: Final = "compound.alert."
MOST_EVIDENCE: Final = 48

_ID = re.compile(r"([1-9][0-9]{0,8})\.([1-9][0-9]{0,17})")
_SUM = re.compile(r"[0-9a-f]{64}")
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
_Text = Annotated[str, msgspec.Meta(max_length=4_000, pattern=r"^[^\x00]*\Z")]
_Count = Annotated[int, msgspec.Meta(ge=1, le=1 << 53)]


class UnreadableError(ValueError):
    """The bytes are no alert event of the gateway whose topic they came on."""


class _Words(msgspec.Struct, frozen=True):
    zh: _Text
    en: _Text


class _Data(msgspec.Struct, frozen=True):
    kind: _Name
    severity: Severity
    certainty: Certainty
    state: _Name
    place: dict[_Name, _Name]
    text: _Words
    first_seen: datetime
    count: _Count
    device: _Name | None = None
    by: _Text = ""
    note: _Text = ""
    resident: _Name | None = None
    evidence: object = None  # an alert is never refused for the names of its pictures


class _Envelope(msgspec.Struct, frozen=True):
    type: _Name
    source: _Name
    id: _Name
    subject: _Name
    time: datetime
    data: _Data
    previous: _Name | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """One step in the life of an alert, as it came. `alert` is `<gateway>/<subject>`; times are wall seconds."""

    gateway: str
    epoch: int
    seq: int
    previous: int | None
    alert: str
    change: Change
    time: float
    kind: str
    severity: Severity
    state: str
    place: Place
    text: Words
    first_seen: float
    count: int
    body: str
    by: str = ""
    evidence: tuple[str, ...] = ()
    device: str = ""
    resident: str = ""
    """Whom it concerns, by the code their gateway has for them."""
    shown: str = ""
    """How much of its place everybody sees, of an alert about a resident (masking.py)."""

    @property
    def key(self) -> tuple[str, int, int]:
        """Return what names the event for ever."""
        return self.gateway, self.epoch, self.seq

    @property
    def rank(self) -> int:
        """Return the severity as a number: 3 critical."""
        return RANKS[self.severity]


_decoder = msgspec.json.Decoder(_Envelope)


def read(gateway: str, content: bytes) -> Arrival:
    """Return the alert event that `gateway` published; raises UnreadableError."""
    if len(content) > LARGEST:
        raise UnreadableError(f"{len(content)} bytes, {LARGEST} at most")
    try:
        body = content.decode()
        told = _decoder.decode(content)
        return _arrival(gateway, told, body)
    except (
        msgspec.DecodeError,
        msgspec.ValidationError,
        UnicodeError,
        RecursionError,
        OverflowError,
    ) as error:
        raise UnreadableError(str(error)) from error


def rank_of(severity: str) -> int:
    """Return a severity's number; 3 is critical."""
    return RANKS[Severity(severity)]


def _arrival(gateway: str, told: _Envelope, body: str) -> Arrival:
    if told.source != f"/compound/{gateway}":
        raise UnreadableError(f"{told.source} speaks on the topic of {gateway}")
    if "\x00" in body or not told.type.startswith(TYPE):
        raise UnreadableError(f"no alert event: {told.type}")
    epoch, seq = _number(told.id)
    before = None if told.previous is None else _number(told.previous)
    try:
        change = Change(told.type.removeprefix(TYPE))
    except ValueError as error:
        raise UnreadableError(f"no change of an alert: {told.type}") from error
    data = told.data
    return Arrival(
        gateway=gateway,
        epoch=epoch,
        seq=seq,
        previous=before[1] if before and before[0] == epoch and before[1] < seq else None,
        alert=f"{gateway}/{told.subject}",
        change=change,
        time=_seconds(told.time),
        kind=data.kind,
        severity=data.severity,
        state=data.state,
        place=_place(data.place),
        text=Words(data.text.zh, data.text.en),
        first_seen=_seconds(data.first_seen),
        count=data.count,
        body=body,
        by=data.by,
        evidence=_sums(data.evidence),
        device=data.device or "",
        resident=data.resident or "",
    )


def _sums(told: object) -> tuple[str, ...]:
    """Return the SHA-256 sums among what an alert names as its evidence."""
    names = told[:MOST_EVIDENCE] if isinstance(told, list) else []
    return tuple(name for name in names if isinstance(name, str) and _SUM.fullmatch(name))


def _place(parts: dict[str, str]) -> Place:
    return Place(**{name: parts[name] for name in Place.__struct_fields__ if name in parts})


def _number(told: str) -> tuple[int, int]:
    match = _ID.fullmatch(told)
    if match is None:
        raise UnreadableError(f"no number of an event: {told}")
    return int(match[1]), int(match[2])


def _seconds(moment: datetime) -> float:
    if moment.tzinfo is None:
        raise UnreadableError("a time without its zone")
    return moment.timestamp()
