"""A row of the journal: an event as compressed JSON, its place in the order, and a checksum over all of it. Pure.

The checksum is CRC-32 (zlib): it finds every error of up to 32 bits in a row and all but one in four thousand
million of the longer ones. CRC-32C would be no better at that and has no module in Python itself. It covers
position (epoch and seq), lane, kind, time and body, so a row that was moved or renumbered fails as well.
SQLite itself does not notice a flipped bit in a payload.
"""

import enum
import zlib
from collections.abc import Sequence
from struct import Struct
from typing import Final, TypeAlias

import msgspec

from gateway.core.events import KEPT, Body, Clock, Event
from gateway.runtime.journal.compress import restore, shrink

Position: TypeAlias = tuple[int, int]
"""(epoch, seq): the order of all events, for ever."""

SEQ_BITS: Final = 40
START: Final[Position] = (0, 0)
_HEAD = Struct("<qBd")
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


class Lane(enum.IntEnum):
    """Which of the two queues an event goes by; the value is part of every row's checksum."""

    URGENT = 0  # alerts, commands, outcomes, baselines, notes: committed at once, dropped last
    READINGS = 1  # readings and links: may wait a little, may be thinned

    @property
    def table(self) -> str:
        """Return the table that holds the lane."""
        return "urgent" if self is Lane.URGENT else "readings"


class Row(msgspec.Struct, frozen=True):
    """What is written, except its ordinal: that is counted in the transaction.

    `time` is when it happened, 0 where the clock could not be trusted: the age of such a row is not known.
    """

    position: int
    kind: str
    time: float
    checksum: int
    body: bytes


class RowError(ValueError):
    """A row is not what was written."""


def pack(position: Position) -> int:
    """Return `position` as the one integer that is its key."""
    epoch, seq = position
    return epoch << SEQ_BITS | seq


def unpack(packed: int) -> Position:
    """Return (epoch, seq) of a key."""
    return packed >> SEQ_BITS, packed & ((1 << SEQ_BITS) - 1)


def lane_of(body: Body) -> Lane:
    """Return the lane a body goes by."""
    return Lane.URGENT if isinstance(body, KEPT) else Lane.READINGS


def encode(event: Event) -> Row:
    """Return the row that stands for `event`."""
    position = event.epoch << SEQ_BITS | event.seq
    kind = str(event.body.__struct_config__.tag)
    time = event.time if event.clock is Clock.SYNCED else 0.0
    body = shrink(_encoder.encode(event))
    return Row(position, kind, time, checksum(position, lane_of(event.body), kind, time, body), body)


def checksum(position: int, lane: int, kind: str, time: float, body: bytes) -> int:
    """Return the CRC-32 of everything a row says."""
    return zlib.crc32(body, zlib.crc32(kind.encode(), zlib.crc32(_HEAD.pack(position, lane, time))))


def verify(lane: Lane, columns: Sequence[object]) -> Row:
    """Return the row read as (position, kind, time, checksum, body); raises RowError when it is not whole."""
    position, kind, time, found, body = columns
    if not (isinstance(position, int) and isinstance(kind, str) and isinstance(time, float)):
        raise RowError("a column has the wrong type")
    if not (isinstance(found, int) and isinstance(body, bytes)):
        raise RowError("a column has the wrong type")
    if checksum(position, lane, kind, time, body) != found:
        raise RowError("its checksum is wrong")
    return Row(position, kind, time, found, body)


def decode(row: Row) -> Event:
    """Return the event of a verified row; raises RowError when this version cannot read it."""
    try:
        return _decoder.decode(restore(row.body))
    except (msgspec.DecodeError, zlib.error) as error:
        raise RowError(f"its body is no event: {error}") from error


def mark_checksum(name: str, value: int) -> int:
    """Return the checksum of a mark."""
    return zlib.crc32(f"{name}={value}".encode())
