"""What a packet says (7, 8): a type, a count, and so many objects of that type, each with its time where it has one.

One table holds for every type of the standard what its objects are, how they lie in bytes and how many one unit may
have. Types 128 to 254 are the user's: their bytes are handed on as they are. Component texts stay bytes here (31 of
them, GB 18030, see text.py), so that what was read is written again to the byte.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from struct import Struct
from typing import Final, TypeAlias

from drivers.api import FrameError

TEXT_BYTES: Final = 31
USER_TYPES: Final = range(128, 255)


@dataclass(frozen=True, slots=True)
class SystemState:
    """State of a system, as bits (8.2.1.1)."""

    system: int
    address: int
    state: int
    stamp: bytes


@dataclass(frozen=True, slots=True)
class ComponentState:
    """State of one component, as bits (8.2.1.2). `place` is its address: zone in the low word, number in the high."""

    system: int
    address: int
    component: int
    place: int
    state: int
    text: bytes
    stamp: bytes


@dataclass(frozen=True, slots=True)
class Analog:
    """A value of a component in the smallest unit of its `quantity` (8.2.1.3), signed 16 bits."""

    system: int
    address: int
    component: int
    place: int
    quantity: int
    value: int
    stamp: bytes


@dataclass(frozen=True, slots=True)
class Operation:
    """What people did at a system, as bits (8.2.1.4)."""

    system: int
    address: int
    operation: int
    operator: int
    stamp: bytes


@dataclass(frozen=True, slots=True)
class SystemVersion:
    """Version of a system's program (8.2.1.5)."""

    system: int
    address: int
    major: int
    minor: int


@dataclass(frozen=True, slots=True)
class SystemAbout:
    """What a system is, in words (8.2.1.6); 255 bytes at most."""

    system: int
    address: int
    text: bytes


@dataclass(frozen=True, slots=True)
class ComponentAbout:
    """What a component is, in words (8.2.1.7)."""

    system: int
    address: int
    component: int
    place: int
    text: bytes


@dataclass(frozen=True, slots=True)
class SystemTime:
    """The time a system has (8.3.1.8)."""

    system: int
    address: int
    stamp: bytes


@dataclass(frozen=True, slots=True)
class DeviceState:
    """State of the transmission device itself, as bits (8.2.1.8)."""

    state: int
    stamp: bytes


@dataclass(frozen=True, slots=True)
class DeviceOperation:
    """What people did at the transmission device, as bits (8.2.1.9)."""

    operation: int
    operator: int
    stamp: bytes


@dataclass(frozen=True, slots=True)
class DeviceVersion:
    """Version of the device's program (8.2.1.10)."""

    major: int
    minor: int


@dataclass(frozen=True, slots=True)
class DeviceAbout:
    """What the device is, in words (8.2.1.11); 255 bytes at most."""

    text: bytes


@dataclass(frozen=True, slots=True)
class DeviceTime:
    """The time of the device, told (28) or ordered (90)."""

    stamp: bytes


@dataclass(frozen=True, slots=True)
class OfSystem:
    """Which system is asked for (61, 65, 66, 68)."""

    system: int
    address: int


@dataclass(frozen=True, slots=True)
class OfComponent:
    """Which component is asked for (62, 63, 67)."""

    system: int
    address: int
    place: int


@dataclass(frozen=True, slots=True)
class OperationsOfSystem:
    """How many operations of a system are asked for, from when on (64)."""

    system: int
    address: int
    count: int
    stamp: bytes


@dataclass(frozen=True, slots=True)
class OperationsOfDevice:
    """How many operations of the device are asked for, from when on (84)."""

    count: int
    stamp: bytes


@dataclass(frozen=True, slots=True)
class Bare:
    """A question or command with one byte: spare (81, 85, 86, 88, 89), or the minutes of a duty check (91)."""

    number: int


@dataclass(frozen=True, slots=True)
class Users:
    """The objects of a user's type, as bytes; `count` is what the unit says."""

    count: int
    data: bytes


Object: TypeAlias = (
    SystemState | ComponentState | Analog | Operation | SystemVersion | SystemAbout | ComponentAbout | SystemTime
    | DeviceState | DeviceOperation | DeviceVersion | DeviceAbout | DeviceTime
    | OfSystem | OfComponent | OperationsOfSystem | OperationsOfDevice | Bare | Users
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """An application data unit: its type and its objects."""

    type: int
    objects: tuple[Object, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How objects of a type lie in bytes, and how many one unit may have. A text of any length ends the object."""

    make: type[Object]
    wire: Struct
    most: int
    worded: bool = False


def _layout(make: type[Object], form: str, most: int = 1, *, worded: bool = False) -> Layout:
    return Layout(make, Struct("<" + form), most, worded)


LAYOUTS: Final[Mapping[int, Layout]] = {
    1: _layout(SystemState, "BBH6s", 102),
    2: _layout(ComponentState, "BBBIH31s6s", 22),
    3: _layout(Analog, "BBBIBh6s", 63),
    4: _layout(Operation, "BBBB6s", 102),
    5: _layout(SystemVersion, "BBBB"),
    6: _layout(SystemAbout, "BBB", 3, worded=True),
    7: _layout(ComponentAbout, "BBBI31s", 26),
    8: _layout(SystemTime, "BB6s"),
    21: _layout(DeviceState, "B6s"),
    24: _layout(DeviceOperation, "BB6s", 127),
    25: _layout(DeviceVersion, "BB"),
    26: _layout(DeviceAbout, "B", worded=True),
    28: _layout(DeviceTime, "6s"),
    61: _layout(OfSystem, "BB", 102),
    62: _layout(OfComponent, "BBI", 22),
    63: _layout(OfComponent, "BBI", 63),
    64: _layout(OperationsOfSystem, "BBB6s"),
    65: _layout(OfSystem, "BB"),
    66: _layout(OfSystem, "BB", 3),
    67: _layout(OfComponent, "BBI", 26),
    68: _layout(OfSystem, "BB"),
    81: _layout(Bare, "B"),
    84: _layout(OperationsOfDevice, "B6s"),
    85: _layout(Bare, "B"),
    86: _layout(Bare, "B"),
    88: _layout(Bare, "B"),
    89: _layout(Bare, "B"),
    90: _layout(DeviceTime, "6s"),
    91: _layout(Bare, "B"),
}
_FIELDS: Final = {
    layout.make: tuple(field.name for field in fields(layout.make)) for layout in LAYOUTS.values()
}


def encode(unit: Unit) -> bytes:
    """Return the bytes of a unit; ValueError for objects that are not of its type, do not fit, or are too many."""
    layout = LAYOUTS.get(unit.type)
    if layout is None:
        return _encode_users(unit)
    if len(unit.objects) > layout.most:
        raise ValueError(f"{len(unit.objects)} objects of type {unit.type}, {layout.most} at most")
    parts = [bytes([unit.type, len(unit.objects)])]
    for each in unit.objects:
        if type(each) is not layout.make:
            raise ValueError(f"a {type(each).__name__} in a unit of type {unit.type}")
        parts.append(_encode(each, layout))
    return b"".join(parts)


def decode(data: bytes) -> Unit:
    """Return what a unit says; FrameError for one the standard does not know, cut short or too long."""
    if len(data) < 2:
        raise FrameError("a data unit of less than two bytes", data)
    kind, count = data[0], data[1]
    layout = LAYOUTS.get(kind)
    if layout is None:
        if kind in USER_TYPES:
            return Unit(kind, (Users(count, data[2:]),))
        raise FrameError(f"type {kind} is not known", data)
    if count > layout.most:
        raise FrameError(f"{count} objects of type {kind}, {layout.most} at most", data)
    objects, at = [], 2
    for _ in range(count):
        each, at = _decode(data, at, layout)
        objects.append(each)
    if at != len(data):
        raise FrameError(f"{len(data) - at} bytes behind the objects", data)
    return Unit(kind, tuple(objects))


def zone_and_number(place: int) -> tuple[int, int]:
    """Return the two words of a component's address."""
    return place & 0xFFFF, place >> 16


def place_of(zone: int, number: int) -> int:
    """Return the address of a component; ValueError where a word does not fit."""
    if not (0 <= zone < 1 << 16 and 0 <= number < 1 << 16):
        raise ValueError(f"zone {zone}, number {number}: 0 to 65535")
    return zone | number << 16


def _encode(each: Object, layout: Layout) -> bytes:
    values = [getattr(each, name) for name in _FIELDS[layout.make]]
    words: bytes = values[-1] if layout.worded else b""
    if layout.worded:
        values[-1] = len(words)
    try:
        return layout.wire.pack(*values) + words
    except struct.error as error:
        raise ValueError(f"{each}: {error}") from error


def _decode(data: bytes, at: int, layout: Layout) -> tuple[Object, int]:
    end = at + layout.wire.size
    if end > len(data):
        raise FrameError("an object is cut short", data)
    values: Sequence[object] = layout.wire.unpack_from(data, at)
    if layout.worded:
        size = data[end - 1]
        if end + size > len(data):
            raise FrameError("a text is cut short", data)
        values = [*values[:-1], data[end : end + size]]
        end += size
    return layout.make(*values), end  # type: ignore[arg-type]


def _encode_users(unit: Unit) -> bytes:
    if unit.type not in USER_TYPES or len(unit.objects) != 1 or not isinstance(unit.objects[0], Users):
        raise ValueError(f"type {unit.type} is neither of the standard nor a user's")
    return bytes([unit.type, unit.objects[0].count]) + unit.objects[0].data
