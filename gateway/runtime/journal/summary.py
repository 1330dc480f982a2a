"""Which rows a restart needs, written down beside the journal, so that an old one opens as fast as a young one.

Without it a start reads every urgent row there is: seconds for a hundred thousand of them, and as long no line is
polled. With it a start reads the rows named here and those behind the last one of then. It is a summary and no source:
where it is missing, torn, of another journal, or names a row that is not whole, everything is read as before.
"""

import logging
import os
import sqlite3
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from gateway.core.events import Event
from gateway.runtime.journal import statements
from gateway.runtime.journal.rows import Lane, Position, RowError, decode, pack, verify
from gateway.runtime.journal.statements import Connection

EVERY_ROWS: Final = 2000
"""So many urgent rows are read at a start at most behind a summary, or two minutes' worth of a storm."""
AT_CLOSE_ROWS: Final = 200

log = logging.getLogger(__name__)


class Needed(msgspec.Struct, frozen=True):
    """The rows that must be there, and those that retention may have taken."""

    must: Sequence[Position] = ()
    may: Sequence[Position] = ()


class _Written(msgspec.Struct, frozen=True):
    """The file: it holds up to `until`, whose row had `ordinal` and `checksum`."""

    until: int
    ordinal: int
    checksum: int
    needed: Needed


class Summary(msgspec.Struct, frozen=True):
    """The events a restart needs up to a position."""

    events: list[Event]
    until: int
    ordinal: int


def write(connection: Connection, database: Path, until: int, needed: Needed) -> None:
    """Write the summary of all rows up to `until`, which are durable; OSError where the disk will not have it."""
    *columns, ordinal = statements.at(connection, Lane.URGENT, until) or (None,)
    if not columns or not isinstance(ordinal, int):
        return
    try:
        checksum = verify(Lane.URGENT, columns).checksum
    except RowError:  # nobody could ever tell by it whose summary this is
        return
    body = msgspec.json.encode(_Written(until, ordinal, checksum, needed))
    new = file_of(database).with_suffix(".new")
    with new.open("wb") as file:
        file.write(b"%08x\n" % zlib.crc32(body) + body)
        file.flush()
        os.fsync(file.fileno())
    new.rename(file_of(database))


def read(connection: Connection, database: Path) -> Summary | None:
    """Return the summary, if there is one and every row it needs is there and whole."""
    try:
        told = _parse(file_of(database).read_bytes())
        if _row(connection, told.until)[1] != told.checksum:
            raise RowError("it is of another journal")  # noqa: TRY301 - one way out for all that is wrong with it
        events = [_row(connection, pack(each))[0] for each in told.needed.must]
        there = (each for each in told.needed.may if statements.at(connection, Lane.URGENT, pack(each)))
        events += [_row(connection, pack(each))[0] for each in there]
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, RowError, sqlite3.Error) as error:
        log.info("the summary of the journal is of no use, all of it is read: %s", error)
        return None
    return Summary(sorted(events, key=lambda event: (event.epoch, event.seq)), told.until, told.ordinal)


def _parse(content: bytes) -> _Written:
    check, _, body = content.partition(b"\n")
    if check != b"%08x" % zlib.crc32(body):
        raise RowError("its checksum is wrong")
    return msgspec.json.decode(body, type=_Written)


def file_of(database: Path) -> Path:
    """Return where the summary of a journal is."""
    return database.with_name(database.name + ".standing")


def _row(connection: Connection, position: int) -> tuple[Event, int]:
    """Return the event at a position and its checksum; RowError where it is not there whole."""
    columns = statements.at(connection, Lane.URGENT, position)
    if columns is None:
        raise RowError(f"there is no row {position}")
    row = verify(Lane.URGENT, columns[:-1])
    return decode(row), row.checksum
