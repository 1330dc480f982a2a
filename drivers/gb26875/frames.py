"""Packets of GB/T 26875.3-2011, 6.6: from a stream of bytes to packets, and back. Pure.

    40 40 | serial | version | time | source | destination | length | command | data unit | sum | 23 23
       2      2    main, user   6       6          6           2         1      0 to 1024    1      2    bytes

Numbers are low byte first. The sum is that of all bytes from the serial number to the end of the data unit, its low
eight bits. 40 40 and 23 23 may stand inside a packet as well: only length and sum say where one ends.

What is no packet is eaten and told as a FrameError. Where a packet has its length and its end but a wrong sum, the
error carries its `head`, because the standard wants that refused (6.5) under its own serial number.
"""

import enum
from dataclasses import dataclass
from struct import Struct
from typing import Final

from drivers.api import FrameError

START: Final = b"@@"
END: Final = b"##"
MAIN_VERSION: Final = 1
LONGEST_UNIT: Final = 1024
AROUND: Final = 30  # bytes of a packet that are not its data unit
ADDRESSES: Final = 1 << 48
SERIALS: Final = 1 << 16

_HEAD: Final = Struct("<2sHBB6s6s6sHB")
_CONTROL: Final = Struct("<HBB6s6s6sHB")


class Command(enum.IntEnum):
    """The command byte (table 2). 7 to 127 are reserved, 128 to 255 are the user's."""

    CONTROL = 1
    SEND = 2
    CONFIRM = 3
    REQUEST = 4
    RESPONSE = 5
    DENY = 6


@dataclass(frozen=True, slots=True)
class Frame:
    """One packet. Addresses are numbers of 48 bits; `stamp` is six bytes, see stamps.py; `unit` is what it says."""

    serial: int
    command: int
    source: int
    destination: int
    stamp: bytes
    unit: bytes = b""
    user_version: int = 1


class BrokenFrameError(FrameError):
    """A packet that is one but for its sum: `head` is what it says of itself, with no data unit."""

    def __init__(self, reason: str, data: bytes, head: Frame) -> None:
        super().__init__(reason, data)
        self.head = head


def encode(frame: Frame) -> bytes:
    """Return the bytes of a packet; ValueError for a number or a unit that does not fit in."""
    if len(frame.unit) > LONGEST_UNIT or len(frame.stamp) != 6:
        raise ValueError(f"a unit of {len(frame.unit)} bytes, a time of {len(frame.stamp)}")
    if not (0 <= frame.serial < SERIALS and 0 <= frame.command < 256 and 0 <= frame.user_version < 256):
        raise ValueError(f"serial {frame.serial}, command {frame.command}, version {frame.user_version}")
    if not (0 <= frame.source < ADDRESSES and 0 <= frame.destination < ADDRESSES):
        raise ValueError(f"from {frame.source:x} to {frame.destination:x}: 48 bits at most")
    control = _CONTROL.pack(
        frame.serial,
        MAIN_VERSION,
        frame.user_version,
        frame.stamp,
        frame.source.to_bytes(6, "little"),
        frame.destination.to_bytes(6, "little"),
        len(frame.unit),
        frame.command,
    )
    body = control + frame.unit
    return START + body + bytes([sum(body) & 0xFF]) + END


def decode(buffer: bytearray) -> Frame | None:
    """Return the next packet and eat its bytes; None for "more, please"; FrameError for what is none, eaten too."""
    at = buffer.find(START)
    if at:
        keep = at if at > 0 else len(buffer) - buffer.endswith(START[:1])
        if keep:
            raise FrameError("no packet begins here", _eaten(buffer, keep))
    if len(buffer) < AROUND:
        return None
    _, serial, main, user, stamp, source, destination, length, command = _HEAD.unpack_from(buffer)
    if main != MAIN_VERSION or length > LONGEST_UNIT:
        reason = f"version {main}" if main != MAIN_VERSION else f"a data unit of {length} bytes"
        raise FrameError(reason, _eaten(buffer, 1))
    whole = length + AROUND
    if len(buffer) < whole:
        return None
    if buffer[whole - 2 : whole] != END:
        raise FrameError("the end is not where its length says", _eaten(buffer, 1))
    data = _eaten(buffer, whole)
    unit = data[27 : 27 + length]
    ends = int.from_bytes(source, "little"), int.from_bytes(destination, "little")
    if (sum(data[2:-3]) & 0xFF) != data[-3]:
        head = Frame(serial, command, *ends, stamp, b"", user)
        raise BrokenFrameError("its sum is wrong", data, head)
    return Frame(serial, command, *ends, stamp, unit, user)


def resync(buffer: bytearray) -> None:
    """Give up a packet whose rest did not come, so that the next one is looked for behind its first byte."""
    del buffer[:1]


def _eaten(buffer: bytearray, count: int) -> bytes:
    data = bytes(buffer[:count])
    del buffer[:count]
    return data
