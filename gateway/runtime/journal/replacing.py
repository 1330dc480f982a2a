"""Puts a fresh journal in the place of a damaged one, and remembers the epoch beside the file.

A file that is damaged is never repaired in place and never deleted. Its whole rows and marks are copied into a
fresh file of a greater epoch; when that is complete and flushed, the old file and its WAL are renamed to
`….set-aside-N` and the fresh one takes their name. A crash at any point of this is taken up at the next start.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from gateway.core.standing import may_stand
from gateway.runtime import whole_file
from gateway.runtime.journal import salvage, statements
from gateway.runtime.journal.contract import Salvage
from gateway.runtime.journal.retention import CUT, HOLES
from gateway.runtime.journal.rows import Lane, RowError, decode, pack, unpack, verify
from gateway.runtime.journal.salvage import Found, FoundMark, FoundRow
from gateway.runtime.journal.statements import Probe

_BATCH: Final = 500


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection whose transactions are begun and ended by us."""
    connection = sqlite3.connect(path, timeout=0.5, isolation_level=None, cached_statements=32)
    connection.text_factory = _text
    return connection


def _text(data: bytes) -> str:
    """Return text also where a flipped bit made it something else: the checksum will tell."""
    return data.decode(errors="replace")


def replace_damaged(path: Path, reason: str, probe: Probe) -> Salvage:
    """Copy what is whole into a fresh file, then let the two change places."""
    fresh = _fresh_of(path)
    for leftover in (fresh, salvage.wal_of(fresh)):
        leftover.unlink(missing_ok=True)
    aside = _next_aside(path)
    connection = connect(fresh)
    try:
        statements.configure(connection)
        statements.migrate(connection, 0)
        rows = _copy(connection, salvage.scan(path), remembered_epoch(path))
    finally:
        connection.close()
    probe("journal.before_set_aside")
    path.rename(aside) if path.exists() else aside.touch()
    finish_replacement(path)
    probe("journal.after_set_aside")
    return Salvage(aside, reason, rows)


def finish_replacement(path: Path) -> None:
    """Put the fresh file in the damaged one's place, also when a crash came between."""
    fresh, wal = _fresh_of(path), salvage.wal_of(path)
    if path.exists() or not fresh.exists():
        return
    if wal.exists():
        wal.rename(salvage.wal_of(_last_aside(path)))
    fresh.rename(path)
    whole_file.flush(path.parent)


def _copy(connection: sqlite3.Connection, found: Iterator[Found], epoch: int) -> int:
    """Write what was found, in small transactions, and open a greater epoch; return how many rows there are."""
    marks: dict[str, int] = {}
    batch: list[FoundRow] = []
    for thing in found:
        if isinstance(thing, FoundMark):
            marks[thing.name] = max(thing.value, marks.get(thing.name, 0))
        else:
            batch.append(thing)
        if len(batch) >= _BATCH:
            _put(connection, batch)
            batch = []
    _put(connection, batch)
    highest = {lane: _drop_removed(connection, lane, marks) for lane in Lane}
    for lane, position in highest.items():
        marks[HOLES + lane.table] = max(position, marks.get(HOLES + lane.table, 0))
    epoch = max(
        epoch, unpack(marks.get("base", 0))[0], *(unpack(position)[0] for position in highest.values())
    )
    kept = {name: value for name, value in marks.items() if name not in {"closed", "schema", "layout"}}
    with statements.transaction(connection):
        start = pack((epoch + 1, 0))
        statements.put_marks(connection, {**kept, "base": start, "closed": start})
    return sum(
        connection.execute(f"SELECT count(*) FROM {lane.table}").fetchone()[0]  # noqa: S608
        for lane in Lane
    )


def _drop_removed(connection: sqlite3.Connection, lane: Lane, marks: Mapping[str, int]) -> int:
    """Remove again what retention had removed and an old page still held; return the last position.

    What a restart may need stays: a row that retention had protected cannot be told from one that it had removed, and
    an alert or a lock-down too many is better than one too few. Upkeep removes what proves to be too many.
    """
    found = connection.execute(
        f"SELECT position, kind, time, checksum, body FROM {lane.table} WHERE position <= ?",  # noqa: S608
        (marks.get(CUT + lane.table, 0),),
    )
    going = [(columns[0],) for columns in found if not _may_stand(lane, columns)]
    with statements.transaction(connection):
        connection.executemany(f"DELETE FROM {lane.table} WHERE position = ?", going)  # noqa: S608
    return statements.last(connection, lane)[0]


def _may_stand(lane: Lane, columns: Sequence[object]) -> bool:
    try:
        return may_stand(decode(verify(lane, columns)).body)
    except RowError:  # of another version: it would stand for nothing
        return False


def _put(connection: sqlite3.Connection, batch: list[FoundRow]) -> None:
    with statements.transaction(connection):
        for found in batch:
            statements.insert(connection, found.lane, [found.row], found.ordinal - 1)


def _fresh_of(path: Path) -> Path:
    return path.with_name(path.name + ".fresh")


def _asides(path: Path) -> list[Path]:
    found = path.parent.glob(f"{path.name}.set-aside-*")
    return sorted((each for each in found if each.name.rpartition("-")[2].isdecimal()), key=_number)


def _number(aside: Path) -> int:
    return int(aside.name.rpartition("-")[2])


def _next_aside(path: Path) -> Path:
    number = max(map(_number, _asides(path)), default=0)  # of those that somebody has left there
    return path.with_name(f"{path.name}.set-aside-{number + 1}")


def _last_aside(path: Path) -> Path:
    return (_asides(path) or [_next_aside(path)])[-1]


def _epoch_file(path: Path) -> Path:
    return path.with_name(path.name + ".epoch")


def remembered_epoch(path: Path) -> int:
    """Return the greatest epoch known outside the file itself."""
    try:
        written = int(_epoch_file(path).read_text(encoding="ascii"))
    except (OSError, ValueError):
        written = 0
    return max(written, len(_asides(path)))


def remember_epoch(path: Path, epoch: int) -> None:
    """Write the epoch down beside the file, flushed, so that it survives when nothing else does."""
    if remembered_epoch(path) == epoch:
        return
    new = _epoch_file(path).with_suffix(".new")
    with new.open("w", encoding="ascii") as file:
        file.write(str(epoch))
        file.flush()
        os.fsync(file.fileno())
    new.rename(_epoch_file(path))
    whole_file.flush(path.parent)
