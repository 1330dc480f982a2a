"""Takes over what can be read of a damaged record into a new one: of each table all rows but those that have rotted.

SQLite cannot read past a broken page, but it can come from the other side: each table is read forwards until it breaks,
then backwards from its end. What lies between two broken pages is found by its key where an index or another table
names it, and an index that holds whole rows (`phones_twin`) is read like the table itself: it stands in other pages.
A row that does not fit its table, or is no text where text should be, has rotted as well.

The two files have a connection each: an error while reading undoes nothing that was written.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.desk.store import first_page
from gateway.desk.store.database import migrations

HISTORY: Final = ("events", "audit", "news", "looks")
"""Large, and not needed to reach people: left in the old file where there is no room for two."""


class Lost(msgspec.Struct, frozen=True):
    """A table that lost rows; `rows` None: nobody can say how many."""

    table: str
    rows: int | None


def save(old: Path, new: Path, *, history: bool) -> list[Lost]:
    """Make a record at `new` with what can be read of `old`; return what was lost. It is flushed when this returns."""
    lost: list[Lost] = []
    first_page.give(old)
    with closing(sqlite3.connect(new, isolation_level=None)) as target, closing(_source(old)) as source:
        target.execute("PRAGMA journal_mode=MEMORY")  # until it is whole it is nothing: a crash begins anew
        target.execute("PRAGMA synchronous=OFF")
        version = _version(source)
        _migrate(target, 0, version)
        shapes = [_shape(target, table) for table in _tables(target)]
        for shape in sorted(shapes, key=lambda each: (each.table in HISTORY, each.table)):
            if shape.table in HISTORY and not history:
                lost.append(Lost(shape.table, None))
            elif (rows := _copy(source, target, shape, shapes)) != 0:
                lost.append(Lost(shape.table, rows))
        _count_on(source, target)
        _migrate(target, version, migrations("sqlite")[-1][0])
    with new.open("rb") as file:
        os.fsync(file.fileno())
    return lost


@dataclass(frozen=True, slots=True)
class Index:
    """An index over all rows of a table. `whole`: every column is in it."""

    name: str
    whole: bool


@dataclass(slots=True)
class Shape:
    """A table as our schema has it.

    `itself` is SQLite's name for the rows of a table WITHOUT ROWID, or it reads them from another index.
    """

    table: str
    columns: Sequence[str]
    key: Sequence[str]
    itself: str = ""
    indexes: list[Index] = field(default_factory=list)

    def select(self, columns: Sequence[str], by: str, end: str = "") -> str:
        """Return a query that reads one index and no other page; '' is the table itself."""
        by = by or self.itself
        how = f"INDEXED BY {by}" if by else "NOT INDEXED"
        return f"SELECT {', '.join(columns)} FROM {self.table} {how} {end}"


class Reading:
    """Rows of a query as far as they can be read; `broke` says whether that was not to the end."""

    def __init__(self, source: sqlite3.Connection, statement: str, values: Sequence[Any] = ()) -> None:
        self.broke = False
        self._source, self._statement, self._values = source, statement, values

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._source.execute(self._statement, self._values)
        except sqlite3.Error:
            self.broke = True


def _copy(
    source: sqlite3.Connection, target: sqlite3.Connection, shape: Shape, shapes: Sequence[Shape]
) -> int | None:
    """Take over a table; return how many rows were lost, None where that cannot be known."""
    target.execute("BEGIN")
    forwards = Reading(source, shape.select(shape.columns, ""))
    lost: int | None = _put(target, shape, forwards)
    if forwards.broke:
        _put(target, shape, _backwards(source, target, shape))
        for index in shape.indexes:
            if index.whole:
                for way in ("ASC", "DESC"):
                    order = ", ".join(f"{name} {way}" for name in shape.key)
                    statement = shape.select(shape.columns, index.name, f"ORDER BY {order}")
                    _put(target, shape, Reading(source, statement))
        by_index = [
            _by_key(source, target, shape, shape.select(shape.key, each.name)) for each in shape.indexes
        ]
        by_others = [
            _by_key(source, target, shape, each.select(shape.key, ""))
            for each in shapes
            if _names(each, shape)
        ]
        lost = max((each for each in by_index if each is not None), default=None)
        if lost is None:  # others need not name each row: none is no answer
            lost = max((each for each in by_others if each), default=None)
    target.execute("COMMIT")
    return lost


def _names(other: Shape, shape: Shape) -> bool:
    """Return whether another table says of which rows this one must have: `alert`, `incident`, `phone`, ..."""
    return other.table != shape.table and len(shape.key) == 1 and shape.key[0] in other.columns


def _put(target: sqlite3.Connection, shape: Shape, rows: Any) -> int:
    """Insert rows that are not there yet; return how many did not fit."""
    places = ", ".join("?" * len(shape.columns))
    statement = f"INSERT OR IGNORE INTO {shape.table} ({', '.join(shape.columns)}) VALUES ({places})"
    remaining, rotten = iter(rows), 0
    while True:
        try:
            target.executemany(statement, remaining)
        except sqlite3.IntegrityError:  # of the row that was just taken from them
            rotten += 1
        else:
            return rotten


def _backwards(
    source: sqlite3.Connection, target: sqlite3.Connection, shape: Shape
) -> Iterator[tuple[Any, ...]]:
    """Yield rows from the end on, as far as they can be read and are new."""
    order = ", ".join(f"{name} DESC" for name in shape.key)
    at = [shape.columns.index(name) for name in shape.key]
    for row in Reading(source, shape.select(shape.columns, "", f"ORDER BY {order}")):
        if _has(target, shape, [row[each] for each in at]):
            return
        yield row


def _by_key(source: sqlite3.Connection, target: sqlite3.Connection, shape: Shape, named: str) -> int | None:
    """Look for each row whose key a query names and that is not there yet; return how many are lost, None: it broke."""
    lost: set[tuple[Any, ...]] = set()
    one = shape.select(shape.columns, "", f"WHERE {_where(shape)}")
    names = Reading(source, named)
    for key in names:
        if key not in lost and not _has(target, shape, key):
            _put(target, shape, Reading(source, one, key))
            if not _has(target, shape, key):
                lost.add(key)
    return None if names.broke else len(lost)


def _has(target: sqlite3.Connection, shape: Shape, key: Sequence[Any]) -> bool:
    statement = f"SELECT 1 FROM {shape.table} WHERE {_where(shape)}"
    return target.execute(statement, tuple(key)).fetchone() is not None


def _where(shape: Shape) -> str:
    return " AND ".join(f"{name} = ?" for name in shape.key)


def _count_on(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Let numbers that were given once be given to nothing else."""
    for name, last in Reading(source, "SELECT name, seq FROM sqlite_sequence"):
        target.execute("DELETE FROM sqlite_sequence WHERE name = ? AND seq < ?", (name, last))
        target.execute(
            "INSERT INTO sqlite_sequence SELECT ?1, ?2"
            " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)",
            (name, last),
        )


def _source(old: Path) -> sqlite3.Connection:
    """Open a damaged file as tolerantly as can be; raises where another process has it."""
    connection = sqlite3.connect(old, timeout=0.5, isolation_level=None)
    connection.text_factory = _text
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("PRAGMA writable_schema=ON")  # also a file that is shorter than it says is read
    connection.execute("PRAGMA cell_size_check=ON")
    return connection


def _version(source: sqlite3.Connection) -> int:
    """Return the schema that a damaged file was written with, the newest where it does not say."""
    newest = migrations("sqlite")[-1][0]
    try:
        found = int(source.execute("PRAGMA user_version").fetchone()[0])
        source.execute("BEGIN IMMEDIATE")
        source.execute("ROLLBACK")
    except sqlite3.OperationalError:
        raise  # locked, or the disk's trouble
    except sqlite3.DatabaseError:
        return newest
    return found if 0 < found <= newest else newest


def _migrate(target: sqlite3.Connection, since: int, until: int) -> None:
    for number, script in migrations("sqlite"):
        if since < number <= until:
            target.executescript(f"BEGIN; {script} PRAGMA user_version={number}; COMMIT;")


def _tables(target: sqlite3.Connection) -> list[str]:
    rows = target.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    return [name for (name,) in rows]


def _shape(target: sqlite3.Connection, table: str) -> Shape:
    columns = target.execute(f"PRAGMA table_info({table})").fetchall()
    keys = sorted((each[5], each[1]) for each in columns if each[5])
    shape = Shape(table, [each[1] for each in columns], [name for _, name in keys])
    for _, name, _, origin, partial in target.execute(f"PRAGMA index_list({table})").fetchall():
        if origin == "pk":
            shape.itself = name
        elif not partial:
            held = {each[2] for each in target.execute(f"PRAGMA index_xinfo({name})")}
            shape.indexes.append(Index(name, held >= set(shape.columns)))
    return shape


def _text(data: bytes) -> str | bytes:
    """Return text; bytes, which no column of text takes, where a flipped bit made it something else."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data
