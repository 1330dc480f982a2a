"""The desk's database on one machine: SQLite through aiosqlite, one connection, one transaction at a time.

The file has one connection only, and says so (`locking_mode=EXCLUSIVE` before WAL): two connections that write
and checkpoint at once can lose committed rows in the SQLite of Debian 12 and 13. WAL with synchronous=FULL makes
every commit durable, which is what a receipt promises; both are read back, because SQLite ignores what it cannot do.
"""

import asyncio
import logging
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import aiosqlite

from gateway.desk.store.database import Row, StoreError, Transaction, Value, migrations

FULL: Final = 2
logging.getLogger("aiosqlite").setLevel(logging.INFO)  # in detail it tells all that is in a statement

_PLACE = re.compile(r"\$(\d+)")


class Sqlite:
    """An open file with the desk's tables in it; also its only transaction."""

    skip_locked = ""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()
        self._whose: asyncio.Task[object] | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Begin; commit at the end of the block, or undo everything if it raises."""
        if self._turn.locked() and self._whose is asyncio.current_task():
            raise RuntimeError("a transaction within another would wait for itself, and all others for it")
        async with self._turn:
            self._whose = asyncio.current_task()
            try:
                await self._connection.execute("BEGIN IMMEDIATE")
                yield self
                await self._connection.execute("COMMIT")
            except BaseException:
                await asyncio.shield(self._undo())
                raise

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        """Carry out one statement and return its rows."""
        return list(await self._connection.execute_fetchall(_numbered(statement), values))

    async def execute(self, statement: str, *values: Value) -> None:
        """Carry out one statement."""
        await self._connection.execute(_numbered(statement), values)

    def is_outage(self, error: BaseException) -> bool:
        """Return whether an error is the disk's: full, gone, broken."""
        return isinstance(error, sqlite3.OperationalError | OSError)

    async def announce(self) -> None:
        """Tell nobody: the file has one desk."""

    async def listen(self, heard: Callable[[], None]) -> None:
        """Hear nobody, until cancelled."""
        await asyncio.Event().wait()

    async def shred(self, tables: Sequence[str]) -> bool:
        """Cut the log down to nothing: what is deleted is blanked where it stood (`secure_delete`), but the log has it.

        With 3.40 nothing was left in files of thousands of rows that grew, moved and went, in any of a dozen runs.
        """
        async with self._turn:
            (left,) = await self.fetch("PRAGMA wal_checkpoint(TRUNCATE)")
        return not left["busy"]

    async def close(self) -> None:
        """Close the file."""
        await self._connection.close()

    async def _undo(self) -> None:
        """Roll back in the connection's thread, behind what was asked before: also a BEGIN whose asker left."""
        await self._connection.rollback()


async def open_sqlite(path: Path) -> Sqlite:
    """Open or make the database at `path`; raises StoreError."""
    try:
        connection = await aiosqlite.connect(path, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise StoreError("open", str(path), f"{error}; is its folder there and writable?") from error
    connection.row_factory = sqlite3.Row
    try:
        await _set_up(connection, path)
        await _migrate(connection, path)
    except sqlite3.Error as error:
        await connection.close()
        raise StoreError("open", str(path), f"{error}; does another desk have it open?") from error
    except BaseException:
        await connection.close()
        raise
    return Sqlite(connection)


async def _set_up(connection: aiosqlite.Connection, path: Path) -> None:
    await connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    await connection.execute("PRAGMA secure_delete=ON")
    for pragma, wanted in (("journal_mode=WAL", "wal"), ("synchronous=FULL", FULL)):
        await connection.execute(f"PRAGMA {pragma}")
        found = await _told(connection, f"PRAGMA {pragma.partition('=')[0]}")
        if found != wanted:
            raise StoreError(f"set {pragma}", str(path), f"SQLite says {found}; is it on a network disk?")


async def _migrate(connection: aiosqlite.Connection, path: Path) -> None:
    """Bring the tables up to this version, each step whole or not at all."""
    known = migrations("sqlite")
    version = await _told(connection, "PRAGMA user_version")
    if version > known[-1][0]:
        raise StoreError("open", str(path), f"it is of schema {version}, newer than this program's")
    for number, script in known:
        if number > version:
            await connection.executescript(f"BEGIN; {script} PRAGMA user_version={number}; COMMIT;")


async def _told(connection: aiosqlite.Connection, pragma: str) -> Any:
    async with connection.execute(pragma) as cursor:
        row = await cursor.fetchone()
    return None if row is None else row[0]


@lru_cache(maxsize=1024)
def _numbered(statement: str) -> str:
    return _PLACE.sub(r"?\1", statement)
