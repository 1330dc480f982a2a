"""What the desk asks of a database: transactions, and statements that both of ours understand word for word.

Placeholders are written `$1`, as PostgreSQL has them; SQLite is given `?1`. Rows come back as mappings. The one
thing they differ in is `skip_locked`: on PostgreSQL it makes several desks share the work instead of waiting for
one another; on SQLite there is one connection and the words are empty.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from gateway.core.chunks import chunks

Value: TypeAlias = str | int | float | None

CHUNK: Final = 100
"""Rows of one statement. SQLite takes 32,766 values in one, PostgreSQL 65,535; more rows gain nothing."""


class StoreError(Exception):
    """The database cannot be used: what was tried, where, what to do."""

    def __init__(self, op: str, where: str, hint: str = "") -> None:
        super().__init__(op, where, hint)
        self.op, self.where, self.hint = op, where, hint

    def __str__(self) -> str:
        return f"{self.op}: {self.where}" + (f" ({self.hint})" if self.hint else "")


class Row(Protocol):
    """One row, by the names of its columns."""

    def __getitem__(self, key: str, /) -> Any:
        """Return the value of one column."""


class Transaction(Protocol):
    """Statements that are carried out together or not at all."""

    skip_locked: str

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        """Carry out one statement and return its rows."""

    async def execute(self, statement: str, *values: Value) -> None:
        """Carry out one statement."""


class Database(Protocol):
    """A database with the desk's tables in it."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin; commit at the end of the block, or undo everything if it raises."""

    def is_outage(self, error: BaseException) -> bool:
        """Return whether an error is the database's own trouble, and not that of the values it was given."""

    async def announce(self) -> None:
        """Have all desks that listen hear that there is news, this one too."""

    async def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` whenever a desk announces, until cancelled or the line is lost, which is an outage."""

    async def close(self) -> None:
        """Let go of it."""


class Record(Database, Protocol):
    """A database that can also be made to forget for good, and says when it can be relied on no more."""

    async def damaged(self) -> None:
        """Wait until its file turns out damaged, which raises StoreError: start anew, and the opening mends it."""

    async def shred(self, tables: Sequence[str]) -> bool:
        """Have nothing left of what was deleted from these small tables, nowhere in the database's own files.

        Nobody waits for it: False where somebody has them in use, and it is to be asked for again.
        """


async def insert(
    transaction: Transaction, statement: str, rows: Sequence[Sequence[Value]], after: str = ""
) -> list[Row]:
    """Carry out `statement` VALUES rows `after`, in chunks; return what its RETURNING returned."""
    found: list[Row] = []
    for chunk in chunks(rows, CHUNK):
        flat = [value for row in chunk for value in row]
        text = f"{statement} VALUES {places(len(chunk), len(chunk[0]))} {after}"
        found += await transaction.fetch(text, *flat)
    return found


async def among(transaction: Transaction, statement: str, keys: Sequence[str]) -> list[Row]:
    """Carry out `statement` IN (keys), in chunks; return all rows."""
    found: list[Row] = []
    for chunk in chunks(keys, CHUNK):
        found += await transaction.fetch(f"{statement} IN {places(1, len(chunk))}", *chunk)
    return found


def places(rows: int, columns: int) -> str:
    """Return placeholders for so many rows: `($1,$2),($3,$4)`."""
    return ",".join(
        "(" + ",".join(f"${row * columns + column + 1}" for column in range(columns)) + ")"
        for row in range(rows)
    )


def migrations(kind: str) -> list[tuple[int, str]]:
    """Return the numbered schema files of a kind of database, in order."""
    files = sorted((Path(__file__).parent / kind).glob("[0-9]*.sql"))
    return [(int(file.stem), file.read_text(encoding="utf-8")) for file in files]
