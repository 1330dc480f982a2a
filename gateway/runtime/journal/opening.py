"""Opens the journal's file whatever state it is in: new, left in peace, left in a power cut, damaged, foreign.

Numbers are never given twice. An event may have gone upstream from memory, while the disk refused, and be
forgotten in a crash; so after every unclean end numbering goes on SKIP further. The mark `base` stands above every
number of earlier runs, `closed` reaches it only when a run ends in peace. No more than SKIP events past the last
durable one are offered from memory.
"""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gateway.runtime.journal import salvage, statements
from gateway.runtime.journal.contract import JournalSettings, Salvage, StoreError
from gateway.runtime.journal.replacing import (
    connect,
    finish_replacement,
    remember_epoch,
    remembered_epoch,
    replace_damaged,
)
from gateway.runtime.journal.reserve import Reserve
from gateway.runtime.journal.retention import CUT, HOLES
from gateway.runtime.journal.rows import Lane, Position, pack, unpack
from gateway.runtime.journal.salvage import Found, FoundRow
from gateway.runtime.journal.statements import Probe

SKIP: Final = 1 << 20
WAL_BYTES: Final = statements.CHECKPOINT_PAGES * (statements.PAGE_SIZE + 24) * 5 // 4
_DAMAGE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@dataclass(frozen=True, slots=True)
class Opened:
    """A journal ready to go on: where its numbering stands and what its marks say."""

    connection: sqlite3.Connection
    base: Position  # the next event has the number after it
    last_alert_seq: int
    last: dict[Lane, int]
    ordinals: dict[Lane, int]
    marks: dict[str, int]
    salvage: Salvage | None = None


def open_file(
    path: Path, settings: JournalSettings, reserve: Reserve, probe: Probe, *, thorough: bool = False
) -> Opened:
    """Open the journal at `path`; raises StoreError when that cannot be, with a hint what to do.

    A large file is looked through only when `thorough`: that takes as long as reading all of it.
    """
    if thorough:
        settings = replace(settings, check_bytes=1 << 62)
    probe("journal.before_open")
    try:
        opened = _open_with_reserve(path, settings, reserve, probe)
    except sqlite3.DatabaseError as error:
        raise _explain(error, path) from error
    except OSError as error:
        raise StoreError("open", str(path), f"{error.strerror}: is the state directory writable?") from error
    probe("journal.after_open")
    return opened


def _open_with_reserve(path: Path, settings: JournalSettings, reserve: Reserve, probe: Probe) -> Opened:
    try:
        return _open(path, settings, probe)
    except sqlite3.DatabaseError as error:
        if _code(error) != sqlite3.SQLITE_FULL or not reserve.release():
            raise
        return _open(path, settings, probe)


def is_damage(error: Exception) -> bool:
    """Return whether an error says that the file is not what we wrote."""
    return isinstance(error, sqlite3.Error) and _code(error) in _DAMAGE


def _open(path: Path, settings: JournalSettings, probe: Probe) -> Opened:
    finish_replacement(path)
    done: Salvage | None = None
    try:
        opened = _open_healthy(path, settings, probe)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        done = replace_damaged(path, str(error), probe)
        opened = _open_healthy(path, settings, probe)
    try:
        remember_epoch(path, opened.base[0])
    except OSError:
        opened.connection.close()
        raise
    return replace(opened, salvage=done)


def _open_healthy(path: Path, settings: JournalSettings, probe: Probe) -> Opened:
    wal = salvage.wal_of(path)
    left = list(salvage.scan_wal(path)) if wal.exists() else []
    if left and (not path.exists() or path.stat().st_size == 0):
        raise _damaged("the file is gone and its WAL is not")
    connection = connect(path)
    try:
        statements.configure(connection)
        _check(connection, path, settings)
        _take_up(connection, left)
        opened = _go_on(connection, max(remembered_epoch(path) + 1, settings.first_epoch), probe)
        _allocate(wal)
        return opened
    except BaseException:
        _abandon(connection, path)
        raise


def _allocate(wal: Path) -> None:
    """Give the WAL its full size in written blocks, so that a commit need not flush the file system's books too."""
    with suppress(OSError), wal.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        file.write(bytes(max(0, WAL_BYTES - end)))
        file.flush()
        os.fsync(file.fileno())


def _abandon(connection: sqlite3.Connection, path: Path) -> None:
    """Close without letting SQLite fold the WAL into the file and delete it: both are evidence."""
    wal = salvage.wal_of(path)
    hidden = wal.with_name(wal.name + ".held")
    with suppress(OSError):
        wal.rename(hidden)
    with suppress(sqlite3.Error):
        connection.close()
    with suppress(OSError):
        hidden.rename(wal)


def _check(connection: sqlite3.Connection, path: Path, settings: JournalSettings) -> None:
    """Raise when the file is damaged, foreign or of a newer version; bring an older one up."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if version == 0 and not tables:
        statements.migrate(connection, 0)
        return
    if "mark" not in tables:
        raise _damaged("it holds something else")
    marks = statements.marks(connection)
    if marks.get("schema") != version or marks.get("layout") != statements.layout(connection):
        raise _damaged("its header does not agree with its content")
    if version > statements.SCHEMA:
        raise StoreError(
            "open",
            f"{path} is of version {version}, this gateway knows {statements.SCHEMA}",
            "install the newer gateway again, or move the file away to start a fresh journal",
        )
    if path.stat().st_size <= settings.check_bytes:
        (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if result != "ok":
            raise _damaged(result)
    statements.migrate(connection, version)


def _take_up(connection: sqlite3.Connection, left: Iterable[Found]) -> None:
    """Write rows of the WAL that SQLite did not take over: behind a flipped bit it ignores all the rest."""
    cuts = statements.marks(connection)
    for lane in Lane:
        cut = cuts.get(CUT + lane.table, 0)
        rows = {f.row.position: f for f in left if isinstance(f, FoundRow) and f.lane is lane}
        missing = [
            rows[position]
            for position in sorted(rows)
            if position > cut and not _has(connection, lane, position)
        ]
        if missing:
            with statements.transaction(connection):
                _, ordinal = statements.last(connection, lane)
                statements.insert(connection, lane, [found.row for found in missing], ordinal)
                statements.raise_mark(connection, HOLES + lane.table, missing[-1].row.position)


def _has(connection: sqlite3.Connection, lane: Lane, position: int) -> bool:
    query = f"SELECT 1 FROM {lane.table} WHERE position = ?"  # noqa: S608
    return connection.execute(query, (position,)).fetchone() is not None


def _go_on(connection: sqlite3.Connection, fresh_epoch: int, probe: Probe) -> Opened:
    """Note durably where this run's numbering begins, and return it with all that goes on from the last run."""
    marks = statements.marks(connection)
    ends = {lane: statements.last(connection, lane) for lane in Lane}
    base = marks.get("base", 0)
    top = max(base, *(position for position, _ in ends.values()))
    closed = marks.get("closed", 0)
    start = pack((fresh_epoch, 0)) if top == 0 else closed + 1 if closed >= top else top + SKIP
    statements.write(connection, statements.Batch({}, {"base": start}), probe)
    return Opened(
        connection,
        unpack(start),
        _last_alert_seq(connection, unpack(start)[0]),
        {lane: position for lane, (position, _) in ends.items()},
        {lane: ordinal for lane, (_, ordinal) in ends.items()},
        {**marks, "base": start},
    )


def _last_alert_seq(connection: sqlite3.Connection, epoch: int) -> int:
    found = connection.execute(
        "SELECT position FROM urgent WHERE kind = 'alert' AND position > ? ORDER BY position DESC LIMIT 1",
        (pack((epoch, 0)),),
    ).fetchone()
    return unpack(found[0])[1] if found else 0


def _damaged(reason: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(reason)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code; what our own checks raise without one is damage."""
    code = getattr(error, "sqlite_errorcode", None)
    return sqlite3.SQLITE_CORRUPT if code is None else code & 0xFF


def _explain(error: sqlite3.Error, path: Path) -> StoreError:
    hints = {
        sqlite3.SQLITE_BUSY: "another gateway is running on this state directory",
        sqlite3.SQLITE_LOCKED: "another gateway is running on this state directory",
        sqlite3.SQLITE_FULL: "the disk is full: make room",
        sqlite3.SQLITE_READONLY: "the state directory cannot be written",
        sqlite3.SQLITE_CANTOPEN: "does the state directory exist, and may this user write there?",
        sqlite3.SQLITE_PERM: "may this user write there?",
    }
    return StoreError("open", f"{path}: {error}", hints.get(_code(error), "is the disk failing? see dmesg"))
