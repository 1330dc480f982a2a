"""The answers of a running gateway, as far as the tools show them.

Every field has a default and unknown ones are passed over, so that tools and daemon of two versions still
understand each other.
"""

from typing import Any, TypeVar

import msgspec

Shape = TypeVar("Shape", bound=msgspec.Struct)


class Gateway(msgspec.Struct, frozen=True):
    """Who it is."""

    id: str = "?"
    name: str = ""
    version: str = "?"
    boot: str = ""
    epoch: int = 0
    started: float = 0.0
    uptime_s: float = 0.0
    clock: str = "unsynced"


class DeviceLine(msgspec.Struct, frozen=True):
    """One device on a line."""

    device: str = "?"
    address: int = 0
    online: bool = False
    last_good_ago_s: float | None = None
    round_trip_p50_s: float | None = None
    round_trip_p99_s: float | None = None
    polls: int = 0
    timeouts: int = 0
    crc_errors: int = 0
    retries: int = 0
    late: int = 0
    exceptions: int = 0
    suspect_duplicate: bool = False


class Line(msgspec.Struct, frozen=True):
    """One line and its devices."""

    line: str = "?"
    up: bool = False
    utilisation: float = 0.0
    polls: int = 0
    noise_bytes: int = 0
    reopened: int = 0
    echo: bool | None = None
    devices: tuple[DeviceLine, ...] = ()
    wanted: float = 0.0


class Camera(msgspec.Struct, frozen=True):
    """One camera. `up` is None while that is not known yet."""

    camera: str = "?"
    up: bool | None = None
    picture: str = "fine"
    reason: str = ""
    fps: float = 0.0
    dropped: int = 0
    decode_errors: int = 0
    rss_bytes: int = 0
    falls: int = 0
    suppressed: int = 0
    starts: int = 0


class Evidence(msgspec.Struct, frozen=True):
    """The stills and clips on the gateway's disk."""

    pieces: int = 0
    bytes: int = 0
    quota_bytes: int = 0
    removed: int = 0
    trouble: str = ""


class Uplink(msgspec.Struct, frozen=True):
    """The link upstream. `last_confirmed_at` is on the clock of this machine's boot, which we share."""

    connected: bool = False
    broker: str = ""
    protocol: str = ""
    waiting: int = 0
    confirmed: int = 0
    resent: int = 0
    refused: int = 0
    last_confirmed_at: float | None = None
    trouble: str = ""
    note: str = ""


class LastResort(msgspec.Struct, frozen=True):
    """The lines by which the gateway itself tells people. `lines` says what each answered last."""

    silent: bool = False
    waiting: int = 0
    told: int = 0
    failed: int = 0
    lines: dict[str, str] = {}


class Journal(msgspec.Struct, frozen=True):
    """The journal on the gateway's disk."""

    rows: int = 0
    bytes: int = 0
    commits: int = 0
    last_commit_s: float = 0.0
    failing: str | None = None
    held: int = 0
    thinned: int = 0
    damaged: int = 0
    lost: dict[str, int] = {}
    depth: dict[str, int] = {}


class Service(msgspec.Struct, frozen=True):
    """One service of the daemon."""

    running: bool = True
    restarts: int = 0
    last_fault: str = ""


class DoorLine(msgspec.Struct, frozen=True):
    """One door."""

    door: str = "?"
    label: str = ""
    place: dict[str, str] = {}
    state: str = "unknown"
    mode: str = "normal"
    why: str = ""
    kinds: tuple[str, ...] = ()
    fail: str = "secure"
    until: float | None = None


class AssetValue(msgspec.Struct, frozen=True):
    """What one point of an asset said last."""

    value: bool | int | float | None = None
    unit: str | None = None
    quality: str = "bad"


class AssetLine(msgspec.Struct, frozen=True):
    """One asset."""

    asset: str = "?"
    kind: str = "?"
    label: str = ""
    place: dict[str, str] = {}
    points: dict[str, AssetValue] = {}
    settings: dict[str, float] = {}


class InterlockLine(msgspec.Struct, frozen=True):
    """One interlock. `burning` counts the alerts that keep it from being released."""

    interlock: str = "?"
    engaged: bool = False
    drill: bool = False
    burning: int = 0
    dry_run: bool = False
    silenced: bool = False


class FireCentre(msgspec.Struct, frozen=True):
    """A fire centre that is reported to."""

    name: str = "?"
    connected: bool = False
    at: str = ""
    waiting: int = 0
    confirmed: int = 0
    analogs: int = 0
    resent: int = 0
    refused: int = 0
    ignored: int = 0
    last_confirmed_ago_s: float | None = None
    trouble: str = ""


class Machine(msgspec.Struct, frozen=True):
    """The machine itself; None for what it does not tell."""

    temperature_c: float | None = None
    disk_free_bytes: int | None = None
    memory_available_bytes: int | None = None
    written_bytes_per_day: float | None = None
    card_written_bytes_per_day: float | None = None
    card_years: float | None = None
    card_life_used: float | None = None


class Advice(msgspec.Struct, frozen=True):
    """What is wrong, and what to do."""

    severity: str = "info"
    zh: str = ""
    en: str = ""
    do_zh: str = ""
    do_en: str = ""


class Status(msgspec.Struct, frozen=True):
    """The health document."""

    gateway: Gateway = Gateway()
    buses: tuple[Line, ...] = ()
    cameras: tuple[Camera, ...] = ()
    evidence: Evidence | None = None
    doors: tuple[DoorLine, ...] = ()
    interlocks: tuple[InterlockLine, ...] = ()
    uplink: Uplink | None = None
    last_resort: LastResort | None = None
    fire_centres: tuple[FireCentre, ...] = ()
    journal: Journal = Journal()
    alerts: dict[str, int] = {}
    services: dict[str, Service] = {}
    board: Machine = Machine()
    advice: tuple[Advice, ...] = ()


class Both(msgspec.Struct, frozen=True):
    """A text in both languages."""

    zh: str = ""
    en: str = ""


class Alert(msgspec.Struct, frozen=True):
    """An alert's present state."""

    alert: str = ""
    change: str = ""
    state: str = ""
    kind: str = "?"
    severity: str = "info"
    text: Both = Both()
    first_seen: float = 0.0
    device: str | None = None
    devices: tuple[str, ...] = ()
    count: int = 1
    by: str | None = None
    note: str | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What came of an order."""

    device: str = "?"
    action: str = "?"
    result: str = "failed"
    detail: str = ""


def read(shape: type[Shape], answer: Any) -> Shape:
    """Return an answer in its shape; what does not fit becomes the shape's default."""
    try:
        return msgspec.convert(answer, shape, strict=False)
    except msgspec.ValidationError:
        return shape()
