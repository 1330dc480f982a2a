"""Gives a file whose first page has rotted that page again: it says where each table begins, and that is noted beside.

Without it SQLite reads nothing at all, and few pages are written as often. Where tables begin changes only with the
schema, so the note is written at the first opening after that and never again. The new page is a head ("Database File
Format" 1.3) and an empty list of tables, which is then filled in: longer lists take new pages at the end of the file.
"""

import logging
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec

from gateway.runtime import whole_file

log = logging.getLogger(__name__)

Entry = tuple[str, str, str, int, str | None]
"""A row of sqlite_schema: type, name, table, first page, statement."""

LISTED: Final = "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema ORDER BY rowid"
_PAGES_AT: Final = 28  # in the head: how many pages the file has


class Note(msgspec.Struct, frozen=True):
    """What the first page says."""

    version: int
    page_size: int
    entries: list[Entry]


def note(path: Path, version: int, page_size: int, entries: Sequence[Entry]) -> None:
    """Write down what the first page of the file at `path` says, if that is not what is written already."""
    content = msgspec.json.encode(Note(version, page_size, list(entries)))
    with suppress(OSError):  # the next opening does it
        if not _beside(path).exists() or _beside(path).read_bytes() != content:
            whole_file.replace(_beside(path), content)


def forget(path: Path) -> None:
    """Throw the note away: another file takes the place of the one that it is about."""
    _beside(path).unlink(missing_ok=True)


def is_bad_spot(error: BaseException | None) -> bool:
    """Return whether the disk cannot read what was written there: what SQLite makes of EIO outside a statement."""
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_CORRUPTFS


def give(path: Path) -> None:
    """Write an unreadable first page anew where there is a note of it; raises where another process has the file."""
    known = _read(path)
    if known is None or _is_readable(path):
        return
    with path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        file.write(_head(known, pages=size // known.page_size))
        file.flush()
        os.fsync(file.fileno())
    try:
        _fill_in(path, known.entries)
    except sqlite3.OperationalError:
        raise  # the disk is full
    except sqlite3.DatabaseError as error:  # more has rotted than that
        log.warning("%s cannot be given its first page again: %s", path, error)


def _fill_in(path: Path, entries: Sequence[Entry]) -> None:
    with closing(sqlite3.connect(path, timeout=0.5, isolation_level=None)) as record:
        record.execute("PRAGMA locking_mode=EXCLUSIVE")
        record.execute("PRAGMA writable_schema=ON")
        record.execute("BEGIN")
        record.executemany("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", entries)
        record.execute("COMMIT")


def _is_readable(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=0.5, isolation_level=None)) as record:
            record.execute("PRAGMA locking_mode=EXCLUSIVE")
            record.execute("PRAGMA writable_schema=ON")
            record.execute(LISTED).fetchall()
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and not is_bad_spot(error):
            raise  # locked, or the disk's trouble
        return False
    return True


def _head(known: Note, *, pages: int) -> bytes:
    """Return the first page of an empty database, but for how many pages there are."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as empty:
        empty.execute(f"PRAGMA page_size={known.page_size}")
        empty.execute(f"PRAGMA user_version={known.version}")
        page = bytearray(empty.serialize()[: known.page_size])
    page[18:20] = b"\x02\x02"  # its log is a WAL
    page[_PAGES_AT : _PAGES_AT + 4] = pages.to_bytes(4, "big")
    return bytes(page)


def _read(path: Path) -> Note | None:
    try:
        return msgspec.json.decode(_beside(path).read_bytes(), type=Note)
    except (OSError, msgspec.DecodeError):
        return None


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".schema")
