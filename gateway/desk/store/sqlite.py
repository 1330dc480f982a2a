"""The desk's database on one machine: SQLite through aiosqlite, one connection, one transaction at a time.

The file has one connection only, and says so (`locking_mode=EXCLUSIVE` before WAL): two connections that write
and checkpoint at once can lose committed rows in the SQLite of Debian 12 and 13. WAL with synchronous=FULL makes
every commit durable, which is what a receipt promises; both are read back, because SQLite ignores what it cannot do.

A damaged file is not lived with: the first statement that meets the damage marks the file, ends the desk (`damaged`)
and lets no other statement through. At the next opening what can be read is taken over into a new file: replacing.py.
"""

import asyncio
import logging
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

import aiosqlite

from gateway.desk.store import first_page, replacing
from gateway.desk.store.database import Row, StoreError, Transaction, Value, migrations
from gateway.runtime.threads import in_thread

log = logging.getLogger(__name__)

FULL: Final = 2
logging.getLogger("aiosqlite").setLevel(logging.INFO)  # in detail it tells all that is in a statement

_PLACE = re.compile(r"\$(\d+)")


class Sqlite:
    """An open file with the desk's tables in it; also its only transaction."""

    skip_locked = ""

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        self._connection, self._path = connection, path
        self._damage: StoreError | None = None
        self._damaged = asyncio.Event()
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
                await self.execute("BEGIN IMMEDIATE")
                yield self
                await self.execute("COMMIT")
            except BaseException:
                await asyncio.shield(self._undo())
                raise

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        """Carry out one statement and return its rows."""
        with self._judging():
            return list(await self._connection.execute_fetchall(_numbered(statement), values))

    async def execute(self, statement: str, *values: Value) -> None:
        """Carry out one statement."""
        with self._judging():
            await self._connection.execute(_numbered(statement), values)

    async def damaged(self) -> None:
        """Wait until a statement met damage, then raise StoreError."""
        await self._damaged.wait()
        assert self._damage is not None
        raise self._damage

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
        replacing.forget(self._path)
        return not left["busy"]

    async def close(self) -> None:
        """Close the file."""
        await self._connection.close()

    async def _undo(self) -> None:
        """Roll back in the connection's thread, behind what was asked before: also a BEGIN whose asker left."""
        with suppress(*((sqlite3.Error,) if self._damage else ())):
            await self._connection.rollback()

    @contextmanager
    def _judging(self) -> Iterator[None]:
        """Let a statement through while the file is whole; StoreError from the first damage on."""
        if self._damage is not None:
            raise self._damage
        try:
            yield
        except sqlite3.Error as error:
            if not replacing.is_damage(error):
                raise
            hint = "what can be read is saved at the next start; the card or disk is failing: replace it"
            self._damage = StoreError("read", str(self._path), f"{error}; {hint}")
            log.critical("the record is damaged, the desk ends: %s", self._damage)
            replacing.mark(self._path)
            self._damaged.set()
            raise self._damage from error


async def open_sqlite(path: Path) -> Sqlite:
    """Open or make the database at `path`, in place of one that is damaged; raises StoreError."""
    try:
        await in_thread(partial(replacing.take_up, path))
        try:
            return await _open(path)
        except StoreError as error:
            if not replacing.is_damage(error.__cause__):
                raise
        await in_thread(partial(replacing.replace, path))
    except (OSError, sqlite3.Error) as error:
        hint = f"{error}; is the disk full, does another desk have the file open?"
        raise StoreError("save what can be read of", str(path), hint) from error
    return await _open(path)


async def _open(path: Path) -> Sqlite:
    try:
        connection = await aiosqlite.connect(path, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise StoreError("open", str(path), f"{error}; is its folder there and writable?") from error
    connection.row_factory = sqlite3.Row
    try:
        await _set_up(connection, path)
        await _migrate(connection, path)
        await _note(connection, path)
    except sqlite3.Error as error:
        await connection.close()
        raise StoreError("open", str(path), f"{error}; does another desk have it open?") from error
    except BaseException:
        await connection.close()
        raise
    return Sqlite(connection, path)


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


async def _note(connection: aiosqlite.Connection, path: Path) -> None:
    """Note beside the file what its first page says: without that page nothing of it could be read."""
    version, size = [await _told(connection, f"PRAGMA {name}") for name in ("user_version", "page_size")]
    entries = [tuple(row) for row in await connection.execute_fetchall(first_page.LISTED)]
    await in_thread(partial(first_page.note, path, version, size, entries))


async def _told(connection: aiosqlite.Connection, pragma: str) -> Any:
    async with connection.execute(pragma) as cursor:
        row = await cursor.fetchone()
    return None if row is None else row[0]


@lru_cache(maxsize=1024)
def _numbered(statement: str) -> str:
    return _PLACE.sub(r"?\1", statement)
