"""The contract between a device and whoever listens: points, readings, reports, actions, errors.

A *profile* is a product as data; a *device* is one of them on a line; a *driver* owns one line, polls the
devices on it and reports what it saw. Whoever runs a driver gives it a callable to report to and gets back
nothing but the frozen objects of this file. Times are seconds of one monotonic clock; only the gateway's
stream knows the time of day.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, TypeAlias

from drivers.figures import LineStatistics

Value: TypeAlias = bool | int | float


class Priority(enum.IntEnum):
    """Classes of traffic on a line, most urgent first."""

    COMMAND = 0  # a person waits at a door, or a fire must free it
    FIRE = 1
    SAFETY = 2  # gas, SOS, fall, water, manhole covers
    DOOR = 3  # contacts and exit buttons
    TELEMETRY = 4
    PROBE = 5  # is the dead device back?


class Quality(enum.StrEnum):
    """How far a value can be trusted (the words of OPC UA, shortened)."""

    GOOD = "good"
    STALE = "stale"  # it was good, the device is silent since
    BAD = "bad"  # the device answered, and says the value means nothing (sentinel, warm-up)


@dataclass(frozen=True, slots=True)
class Text:
    """Words for people, Chinese first."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Clearing:
    """The action, with its arguments, that makes a device forget what one of its points holds."""

    action: str
    arguments: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Point:
    """One value a device has.

    `wire` belongs to the driver that reads it; nobody else looks inside. `deadband` is the change, in the
    point's unit, below which a new value is not worth telling. `states` names the numbers of a status word.
    A counter `counts` up to one below this and begins again at zero; 0: it is none. What `cleared_by` is given
    stays true, however short it was, until the device is told to forget it.
    """

    name: str
    wire: object
    unit: str | None = None
    priority: Priority = Priority.TELEMETRY
    interval_s: float = 10.0
    deadband: float = 0.0
    states: Mapping[int, str] = field(default_factory=dict)
    counts: int = 0
    cleared_by: Clearing | None = None


@dataclass(frozen=True, slots=True)
class Argument:
    """A number an action takes, with the range the device accepts."""

    name: str
    minimum: float
    maximum: float
    default: float | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """Something a device can be told to do: unlock, reset, self-test.

    `grants` marks an action after which the device's door may open lawfully.
    """

    name: str
    wire: object
    text: Text
    arguments: tuple[Argument, ...] = ()
    grants: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """How fast one product answers, from its datasheet; the line learns the rest.

    `timeout_s` caps the learned time-out, from the last byte sent to the first byte back. `late_s` is how
    long after a time-out a reply may still crawl in. `gap_s` and `after_write_s` are silences it needs.
    `warm_up_s` is how long after power-up its values mean nothing.
    """

    timeout_s: float = 0.3
    late_s: float = 2.0
    gap_s: float = 0.0
    after_write_s: float = 0.0
    warm_up_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Profile:
    """A product as data: what `drivers/profiles/<name>.toml` says, checked.

    `rules` are the alert rules that come with the product, as plain tables: the gateway reads them, drivers
    do not. `wire` holds what the product's own driver needs beyond points and actions. `verified` is False
    where the register map was never confirmed by a maker's document.
    """

    name: str
    driver: str
    category: str
    title: Text
    points: tuple[Point, ...]
    verified: bool = True
    sources: tuple[str, ...] = ()
    timing: Timing = Timing()
    actions: tuple[Action, ...] = ()
    rules: tuple[Mapping[str, object], ...] = ()
    wire: object = None
    layout: str = ""

    def point(self, name: str) -> Point:
        """Return the point called `name`; KeyError if there is none."""
        for point in self.points:
            if point.name == name:
                return point
        raise KeyError(name)

    def action(self, name: str) -> Action:
        """Return the action called `name`; KeyError if there is none."""
        for action in self.actions:
            if action.name == name:
                return action
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Device:
    """One product on one line. `name` is unique in the gateway, `address` on the line.

    `key` is the secret it shares with us (16 bytes, OSDP's SCBK); None where it has none.
    """

    name: str
    profile: Profile
    address: int
    key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LineSettings:
    """A serial line as configured.

    `port` is a device path, `socket://host:port` (a transparent converter: RTU frames over TCP) or
    `tcp://host:port` (Modbus TCP). `parity` is none, even or odd; `stop_bits` 1 or 2.
    """

    name: str
    port: str
    baud: int = 9600
    parity: str = "none"
    stop_bits: int = 1
    rs485: bool = False  # ask the kernel to drive the transceiver's direction pin

    @property
    def char_s(self) -> float:
        """Seconds one character takes: start, 8 data, parity if any, stop bits."""
        return (9 + (self.parity != "none") + self.stop_bits) / self.baud

    @property
    def gap_s(self) -> float:
        """Silence between frames: 3.5 characters of 11 bits, 1.75 ms above 19200 (Modbus serial line 1.02, 2.5.1.1)."""
        return 38.5 / self.baud if self.baud <= 19200 else 0.00175


class Reading(NamedTuple):
    """A value of a point at a time. There are hundreds a second, and a tuple is made in a fraction of the time.

    `at` is when the reply was complete; two values with the same `device` and `at` came in one reply, so
    they confirm nothing about each other. A reading that is not GOOD carries the last value, or None.
    """

    device: str
    point: str
    value: Value | None
    quality: Quality
    at: float
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """A device came (online) or went. While it is away its points are unknown, never normal."""

    device: str
    online: bool
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class LineReport:
    """A whole line came or went: adapter unplugged, converter unreachable, or every device silent at once."""

    line: str
    up: bool
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Presented:
    """Somebody held a card to a reader, or typed at it: told at once, and never kept, logged or sent on as it is.

    A card is `bits` bits, left aligned in `data`, as they came; 0 bits: whole bytes, a serial number. Keys are the
    characters 0-9, * and #, one each, `bits` is their number; they come one by one or as they were typed.
    """

    device: str
    form: Literal["card", "keys"]
    bits: int
    data: bytes = field(repr=False)
    at: float


@dataclass(frozen=True, slots=True)
class Said:
    """A device said something in words: what a fire panel printed, spaces put in order.

    `points` are those that became true by it; with `more` they were so already, and this is one more cause: another
    detector that nobody listed. `unknown`: nobody here knows what it means, so a person must read it.
    """

    device: str
    text: str
    at: float
    points: tuple[str, ...] = ()
    more: bool = False
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Identified:
    """A unit said which one it is: its serial number, or its firmware. Told when it is read, changed or not."""

    device: str
    what: Literal["serial", "firmware"]
    text: str
    at: float


Report: TypeAlias = Reading | DeviceReport | LineReport | Presented | Said | Identified
ReportTo: TypeAlias = Callable[[Report], None]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an action: the device's own answer, or what it read back."""

    detail: str
    at: float


class Driver(Protocol):
    """Speaks one protocol on one line and owns it."""

    async def run(self) -> None:
        """Open the line and poll until cancelled. Survives unplugging; raises only on a programming error."""

    def read_soon(self, device: str, point: str) -> None:
        """Read a point again at once, ahead of all but commands: the second look that confirms a fire."""

    async def act(self, device: str, action: str, arguments: Mapping[str, float], *, deadline: float) -> Done:
        """Carry out an action before `deadline` or not at all; raises DriverError."""

    def statistics(self) -> LineStatistics:
        """Return what the line did so far."""


class DriverError(Exception):
    """Base of all driver errors. `op` is what was tried, `where` on what, `hint` how to mend it."""

    def __init__(self, op: str, where: str, hint: str = "") -> None:
        super().__init__(op, where, hint)
        self.op, self.where, self.hint = op, where, hint

    def __str__(self) -> str:
        return f"{self.op}: {self.where}" + (f" ({self.hint})" if self.hint else "")


class LineError(DriverError):
    """The wire: a port that cannot be opened, a device that does not answer, bytes that make no frame."""


class FrameError(LineError):
    """Bytes on the line are no frame; `reason` says why, `data` what was seen."""

    def __init__(self, reason: str, data: bytes = b"") -> None:
        super().__init__("decode", reason, data.hex(" "))
        self.reason, self.data = reason, data


class DeviceError(DriverError):
    """The device answered and said no."""


class LateError(DriverError):
    """The deadline passed before the action could be sent; nothing was done."""


class ProfileError(DriverError):
    """A profile or a device table is wrong: a person must mend it."""

    def __init__(self, file: str, key: str, found: str, wanted: str) -> None:
        super().__init__("profile", f"{file}: {key}", f"found {found}, wanted {wanted}")
        self.file, self.key, self.found, self.wanted = file, key, found, wanted

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: found {self.found}, wanted {self.wanted}"
