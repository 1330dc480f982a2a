"""The one kind of thing that flows: an Event, numbered and stamped once, with a body that says what it is.

A body is made by a service and submitted to the stream, which gives it (epoch, seq) and the time and hands
the event to every follower before the disk is touched. (epoch, seq) is row id, upstream dedupe key, audit
reference and resume point, all in one. Bodies are msgspec Structs, so that the journal's JSON, the control
socket's JSON and the schema have one source.
"""

import enum
from typing import Literal, TypeAlias

import msgspec

from drivers.api import Quality, Value
from gateway.core.upkeep_bodies import CheckedBody, ProvedBody, SeenBody, UnitBody


class Severity(enum.StrEnum):
    """How bad; the words of the contract."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    INFO = "info"


class Certainty(enum.StrEnum):
    """How sure (the words of CAP 1.2, section 3.2.2)."""

    OBSERVED = "observed"  # a sensor saw it, confirmed
    LIKELY = "likely"
    POSSIBLE = "possible"


class Change(enum.StrEnum):
    """What happened to an alert; the last word of its CloudEvent type."""

    RAISED = "raised"
    UPDATED = "updated"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"


class Clock(enum.StrEnum):
    """Whether the time of day could be trusted when an event was stamped."""

    SYNCED = "synced"
    UNSYNCED = "unsynced"


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where something is, from the street down to the floor. Unknown parts are left out."""

    community: str = ""
    grid: str = ""
    microgrid: str = ""
    compound: str = ""
    building: str = ""
    unit: str = ""
    floor: str = ""


class Words(msgspec.Struct, frozen=True):
    """The text of an alert in both languages."""

    zh: str
    en: str


class ReadingBody(msgspec.Struct, frozen=True, tag="reading"):
    """A value of a point, as it will be told: changes only, see the field service."""

    device: str
    point: str
    value: Value | None
    quality: Quality
    at: float  # monotonic seconds, this boot only
    unit: str | None = None


class LinkBody(msgspec.Struct, frozen=True, tag="link"):
    """A device, a line, the uplink or something else the gateway lives by came or went."""

    what: Literal[
        "device", "bus", "uplink", "desk", "storage", "camera",
        "heat", "power", "room", "card", "clock", "update", "centre",
    ]  # fmt: skip
    name: str
    up: bool
    reason: str


class FallBody(msgspec.Struct, frozen=True, tag="fall"):
    """A camera saw something fall. `fall` names the event; told again with it (`more`) when evidence came, or is lost.

    `seen_at` is monotonic seconds, this boot only, of its last visible frame. `low` and `high` bound the floor it
    left from with 90 % confidence. `evidence` are SHA-256 sums of what is kept; `note` says what could not be kept.
    """

    camera: str
    kind: str
    fall: str
    seen_at: float
    confidence: float
    floor: int | None = None
    low: int | None = None
    high: int | None = None
    evidence: tuple[str, ...] = ()
    note: str = ""
    more: bool = False


class PictureBody(msgspec.Struct, frozen=True, tag="picture"):
    """Something began or ceased to be wrong with a camera's picture; `kind` is a kind of alert."""

    camera: str
    kind: str
    wrong: bool


class SaidBody(msgspec.Struct, frozen=True, tag="said"):
    """A device said something in words: a line that a fire panel printed; see `drivers.api.Said`."""

    device: str
    text: str
    points: tuple[str, ...] = ()
    more: bool = False
    unknown: bool = False


class DoorBody(msgspec.Struct, frozen=True, tag="door"):
    """A door as it stands now, told whenever something of it changes; always the whole of it.

    `state` is what the door is, `mode` what it is meant to be and `why` who or what made it so (both words of
    gateway/core/doors). `kinds` are the kinds of alert that are true of it now: forced, held, tampered with.
    """

    door: str
    state: str
    mode: str
    why: str
    kinds: tuple[str, ...] = ()


class OrderedBody(msgspec.Struct, frozen=True, tag="ordered"):
    """Somebody gave a door a standing order, or took it back (`mode` empty); it outlives a restart.

    `until` is wall seconds since 1970, None: until it is taken back.
    """

    door: str
    mode: str
    by: str
    until: float | None = None


class InterlockBody(msgspec.Struct, frozen=True, tag="interlock"):
    """An interlock was engaged, or released by a person. `places` are where it holds; `drill` marks an exercise.

    `frees`: the doors there stand free as long as it holds. `silenced`: a person has hushed its sounders.
    """

    interlock: str
    engaged: bool
    places: tuple[Place, ...]
    cause: str  # the alert that engaged it, or who released it
    frees: bool = True
    drill: bool = False
    silenced: bool = False


class AccessBody(msgspec.Struct, frozen=True, tag="access"):
    """Somebody asked to be let in: granted or denied, and why. `card` is a card's masked number, never whole."""

    door: str
    reader: str
    granted: bool
    reason: str
    card: str = ""
    holder: str = ""


class AlertBody(msgspec.Struct, frozen=True, tag="alert"):
    """One step in the life of an alert; always the alert's whole present state, so the last one is enough.

    `alert` is a UUIDv7, one per life. `key` tells which condition it stands for: at most one alert that is
    not over has it. `state` is the ISA-18.2 state after this change; `until_s` of a shelved one is wall time.
    `first_seen` is seconds since 1970; `devices` names all that take part (one, or the neighbours that agree).
    """

    alert: str
    key: str
    change: Change
    state: str
    kind: str
    severity: Severity
    certainty: Certainty
    text: Words
    place: Place
    first_seen: float
    clock: Clock
    device: str | None = None
    point: str | None = None
    value: Value | None = None
    unit: str | None = None
    count: int = 1
    devices: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    by: str | None = None  # who acknowledged, reset or shelved it last
    note: str | None = None
    latch: bool = False  # stays until a person resets it
    until_s: float | None = None  # end of its time on the shelf


class RoundBody(msgspec.Struct, frozen=True, tag="round"):
    """Somebody began to test the detectors of a place, or ended it; alarms meanwhile are real, and count as tests.

    `until` is wall seconds since 1970, when it ends by itself.
    """

    round: str
    begun: bool
    by: str
    place: Place
    until: float


class CommandBody(msgspec.Struct, frozen=True, tag="command"):
    """An order to a device, written down before it is carried out. `origin` says who gave it and by what way."""

    id: str
    device: str
    action: str
    arguments: dict[str, float]
    origin: str


class OutcomeBody(msgspec.Struct, frozen=True, tag="outcome"):
    """What came of a command. `grants` is True when a door may lawfully open because of it.

    `unknown` is the truth about an order that was written down before the gateway died and nothing after it.
    """

    id: str
    device: str
    action: str
    result: Literal["done", "refused", "failed", "late", "unknown"]
    detail: str
    origin: str
    grants: bool = False


class BaselineBody(msgspec.Struct, frozen=True, tag="baseline"):
    """The value of a point that counts as rest: how a manhole cover lay when it was commissioned."""

    device: str
    point: str
    value: float
    origin: str


class MemoryBody(msgspec.Struct, frozen=True, tag="memory"):
    """What a derived point must know after a restart: a count, a time of day; None: no more. See core/assets."""

    asset: str
    point: str
    value: float | None


class NoteBody(msgspec.Struct, frozen=True, tag="note"):
    """A fact about the gateway itself worth keeping: started, stopped, rows lost, journal set aside."""

    what: str
    detail: str


Body: TypeAlias = (
    ReadingBody
    | LinkBody
    | FallBody
    | PictureBody
    | SaidBody
    | DoorBody
    | OrderedBody
    | InterlockBody
    | AccessBody
    | AlertBody
    | SeenBody
    | UnitBody
    | CheckedBody
    | RoundBody
    | ProvedBody
    | CommandBody
    | OutcomeBody
    | BaselineBody
    | MemoryBody
    | NoteBody
)

KEPT = (
    AlertBody,
    SaidBody,
    SeenBody,
    UnitBody,
    CheckedBody,
    RoundBody,
    ProvedBody,
    OrderedBody,
    InterlockBody,
    AccessBody,
    CommandBody,
    OutcomeBody,
    BaselineBody,
    MemoryBody,
    NoteBody,
)
"""Bodies that are committed at once and dropped last; the others may be thinned."""


class Event(msgspec.Struct, frozen=True):
    """A body with its number and its stamps.

    `time` is wall seconds since 1970, `monotonic` seconds of this boot. `previous` is the seq of the alert
    event before this one (alerts only, 0 for the first): a receiver that has not seen it knows what is missing.
    """

    epoch: int
    seq: int
    time: float
    monotonic: float
    clock: Clock
    body: Body
    previous: int | None = None

    @property
    def id(self) -> str:
        """Return `epoch.seq`, unique for ever on this gateway."""
        return f"{self.epoch}.{self.seq}"
