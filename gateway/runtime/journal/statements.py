"""Every statement the journal runs, as functions over one connection.

They take any connection with `execute` and `executemany`, so that the very same pragmas, SQL and transactions
run on the daemon's sqlite3 and on the recording file system of the power-cut tests.

WAL and FULL are not the defaults of Python's sqlite3, and with its defaults a power cut loses committed rows:
they are set here, read back and insisted on. The lock is exclusive, and taken before WAL: with two connections
that write and checkpoint, SQLite 3.7.0 to 3.51.2 (Debian 12 and 13 among them) can lose committed rows.
The WAL stays allocated while we run: growing it costs a second flush per commit.
"""

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Final, Protocol

from gateway.runtime.journal.contract import StoreError
from gateway.runtime.journal.rows import Lane, Row, mark_checksum

PAGE_SIZE: Final = (
    1024  # measured: a third less to the device per lone alert than 4096, a fifth less in a storm
)
CHECKPOINT_PAGES: Final = 600
SCHEMA: Final = 1
_PRAGMAS: Final = (
    # statement, what it must read back (None: no matter)
    ("locking_mode=EXCLUSIVE", "exclusive"),
    (f"page_size={PAGE_SIZE}", None),
    ("journal_mode=WAL", "wal"),
    ("synchronous=FULL", 2),
    ("journal_size_limit=-1", -1),
    (f"wal_autocheckpoint={CHECKPOINT_PAGES * 4}", None),  # only a backstop: we checkpoint ourselves
    ("cache_size=-1024", None),
    ("cell_size_check=ON", None),
    ("trusted_schema=OFF", None),
    ("mmap_size=0", None),
)


class Cursor(Protocol):
    """What a statement gives back."""

    def __iter__(self) -> Iterator[tuple[object, ...]]: ...
    def fetchall(self) -> list[tuple[object, ...]]: ...  # noqa: D102


class Connection(Protocol):
    """What we need of a connection; transactions are begun and ended by us."""

    @property
    def in_transaction(self) -> bool: ...  # noqa: D102
    def execute(self, sql: str, parameters: Sequence[object] = ..., /) -> Cursor: ...  # noqa: D102
    def executemany(self, sql: str, parameters: Iterable[Sequence[object]], /) -> object: ...  # noqa: D102


Probe = Callable[[str], None]


def no_probe(point: str) -> None:
    """Pass over a named point; tests put their own in its place to stop the process there."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction writes."""

    rows: Mapping[Lane, Sequence[Row]]
    marks: Mapping[str, int] = field(default_factory=dict)


def configure(connection: Connection) -> None:
    """Set the pragmas and insist on them; raises StoreError when SQLite will not have one."""
    for pragma, wanted in _PRAGMAS:
        name = pragma.partition("=")[0]
        connection.execute(f"PRAGMA {pragma}").fetchall()
        if wanted is None:
            continue
        found = connection.execute(f"PRAGMA {name}").fetchall()[0][0]
        if found != wanted:
            raise StoreError(
                "open", f"PRAGMA {name} is {found}, not {wanted}", "is the disk a network share?"
            )


def migrate(connection: Connection, version: int, probe: Probe = no_probe) -> None:
    """Bring the schema from `version` to the newest, one numbered file after the other, in one transaction."""
    if version >= SCHEMA:
        return
    with transaction(connection, probe):
        for number in range(version + 1, SCHEMA + 1):
            for statement in schema_statements(number):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={SCHEMA}")
        put_marks(connection, {"schema": SCHEMA, "layout": layout(connection)})


def layout(connection: Connection) -> int:
    """Return a checksum of the schema as SQLite holds it: a flipped bit in there renames a column."""
    rows = connection.execute("SELECT name, rootpage, sql FROM sqlite_schema ORDER BY name")
    return zlib.crc32(repr([tuple(row) for row in rows]).encode())


def schema_statements(number: int) -> Iterator[str]:
    """Yield the statements of one schema file."""
    text = files("gateway.runtime").joinpath(f"schema/{number:03d}.sql").read_text(encoding="utf-8")
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


class transaction:  # noqa: N801 - reads as a statement: with transaction(connection):
    """A transaction that is rolled back when its block or its commit fails."""

    def __init__(self, connection: Connection, probe: Probe = no_probe) -> None:
        self._connection, self._probe = connection, probe

    def __enter__(self) -> None:
        self._probe("journal.before_begin")
        self._connection.execute("BEGIN IMMEDIATE")
        self._probe("journal.after_begin")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._probe("journal.before_commit")
                self._connection.execute("COMMIT")
                self._probe("journal.after_commit")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def write(connection: Connection, batch: Batch, probe: Probe = no_probe) -> dict[Lane, int]:
    """Write a batch in one transaction; return the last ordinal of each lane it has rows of.

    Writing one twice changes nothing: a commit may have failed late, and what it wrote is not counted again.
    """
    ordinals: dict[Lane, int] = {}
    with transaction(connection, probe):
        for lane, rows in batch.rows.items():
            if rows:
                end, ordinal = last(connection, lane)
                new = [
                    row for row in rows if row.position > end or at(connection, lane, row.position) is None
                ]
                insert(connection, lane, new, ordinal)
                ordinals[lane] = ordinal + len(new)
        if batch.marks:
            probe("journal.before_cursor")
            put_marks(connection, batch.marks)
            probe("journal.after_cursor")
    return ordinals


def insert(connection: Connection, lane: Lane, rows: Sequence[Row], ordinal: int) -> None:
    """Insert rows, counting on from `ordinal`."""
    connection.executemany(
        f"INSERT INTO {lane.table} VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",  # noqa: S608
        [
            (row.position, number, row.kind, row.time, row.checksum, row.body)
            for number, row in enumerate(rows, ordinal + 1)
        ],
    )


def put_marks(connection: Connection, marks: Mapping[str, int]) -> None:
    """Set marks. The key is the name's own checksum, so that no index is needed."""
    connection.executemany(
        "INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?)",
        [
            (zlib.crc32(name.encode()), name, value, mark_checksum(name, value))
            for name, value in marks.items()
        ],
    )


def raise_mark(connection: Connection, name: str, value: int) -> None:
    """Set one mark, unless it stands higher already."""
    if marks(connection).get(name, -1) < value:
        put_marks(connection, {name: value})


def marks(connection: Connection) -> dict[str, int]:
    """Return all marks; raises sqlite3.DatabaseError when one is not what was written."""
    found: dict[str, int] = {}
    for name, value, check in connection.execute("SELECT name, value, checksum FROM mark"):
        if not (isinstance(name, str) and isinstance(value, int) and mark_checksum(name, value) == check):
            raise sqlite3.DatabaseError(f"the mark {name!r} is damaged")
        found[name] = max(value, found.get(name, value))
    return found


def checkpoint(connection: Connection, probe: Probe = no_probe) -> None:
    """Copy the WAL into the database, so that the next write starts at its head again."""
    probe("journal.before_checkpoint")
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    probe("journal.after_checkpoint")


def leave(connection: Connection, top: int, probe: Probe = no_probe) -> None:
    """Note that a run ends in peace, with `top` the greatest position it gave."""
    write(connection, Batch({}, {"closed": max(top, marks(connection)["base"])}), probe)
    checkpoint(connection, probe)


def read(connection: Connection, lane: Lane, after: int, limit: int) -> list[tuple[object, ...]]:
    """Return rows past `after` as (position, kind, time, checksum, body, ordinal), unverified."""
    return connection.execute(
        f"SELECT position, kind, time, checksum, body, ordinal FROM {lane.table}"  # noqa: S608
        " WHERE position > ? ORDER BY position LIMIT ?",
        (after, limit),
    ).fetchall()


def at(connection: Connection, lane: Lane, position: int) -> tuple[object, ...] | None:
    """Return the row at a position as `read` does, None where there is none."""
    found = read(connection, lane, position - 1, 1)
    return found[0] if found and found[0][0] == position else None


def last(connection: Connection, lane: Lane) -> tuple[int, int]:
    """Return (position, ordinal) of the last row of a lane, zeros when there is none."""
    found = connection.execute(
        f"SELECT position, ordinal FROM {lane.table} ORDER BY position DESC LIMIT 1"  # noqa: S608
    ).fetchall()
    return (_integer(found[0][0]), _integer(found[0][1])) if found else (0, 0)


def last_timed(connection: Connection, lane: Lane, most: int) -> int:
    """Return the position of the last row of a lane whose time of day is known, 0 where none of the last `most` is."""
    rows = connection.execute(
        f"SELECT position, time FROM {lane.table} ORDER BY position DESC LIMIT ?",  # noqa: S608
        (most,),
    )
    return next((_integer(position) for position, time in rows if time), 0)  # reads no further than it must


def ordinal_at(connection: Connection, lane: Lane, position: int) -> int:
    """Return the ordinal of the last row not past `position`; of the one before the first if there is none."""
    here = f"SELECT ordinal FROM {lane.table} WHERE position <= ? ORDER BY position DESC LIMIT 1"  # noqa: S608
    found = connection.execute(here, (position,)).fetchall()
    if found:
        return _integer(found[0][0])
    first = f"SELECT ordinal - 1 FROM {lane.table} ORDER BY position LIMIT 1"  # noqa: S608 - min() would read every page
    found = connection.execute(first).fetchall()
    return _integer(found[0][0]) if found else 0


def used_bytes(connection: Connection) -> int:
    """Return how much of the file is in use."""
    pages, free = (
        _integer(connection.execute(f"PRAGMA {name}").fetchall()[0][0])
        for name in ("page_count", "freelist_count")
    )
    return (pages - free) * PAGE_SIZE


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise sqlite3.DatabaseError(f"database disk image is malformed: {value!r} is no number")
    return value
