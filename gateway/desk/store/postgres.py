"""The desk's database for several desks at once: PostgreSQL through asyncpg, a small pool of connections.

Statements lock rows in one order (batches are sorted by key), and what two desks both want to do rests on primary
keys and on `FOR UPDATE SKIP LOCKED`. A deadlock or a lost connection undoes the whole transaction; whoever began it
begins anew.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from gateway.desk.store.database import Row, StoreError, Transaction, Value, migrations

if TYPE_CHECKING:  # installed with the extra `desk`; a desk on SQLite does without
    import asyncpg

CONNECTIONS: Final = 4
CHANNEL: Final = "desk_news"
PROBE_S: Final = 30.0  # a line that only listens would never notice that it is dead
ANSWER_S: Final = 5.0
LOCK_MS: Final = 300  # so long an alert may wait for our housekeeping
PLANNED: Final = {"plan_cache_mode": "force_custom_plan"}
"""A plan made while the tables were small and kept for good reads all of a large one: half the pace after an hour."""
_LOCK: Final = 7_310_205  # any number of our own: two desks that start at once migrate one after the other


class _Within:
    """A connection in a transaction."""

    skip_locked = "FOR UPDATE SKIP LOCKED"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        """Carry out one statement and return its rows."""
        return cast("Sequence[Row]", await self._connection.fetch(statement, *values))

    async def execute(self, statement: str, *values: Value) -> None:
        """Carry out one statement."""
        await self._connection.execute(statement, *values)


class Postgres:
    """A pool of connections to a database with the desk's tables in it."""

    def __init__(self, pool: "asyncpg.Pool", connect: Callable[[], Awaitable[Any]]) -> None:
        self._pool, self._connect = pool, connect

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Begin; commit at the end of the block, or undo everything if it raises."""
        async with self._pool.acquire() as connection, connection.transaction():
            yield _Within(connection)

    def is_outage(self, error: BaseException) -> bool:
        """Return whether an error is the server's or the line's, or a conflict with another desk."""
        import asyncpg

        return isinstance(
            error,
            OSError
            | asyncpg.InterfaceError
            | asyncpg.PostgresConnectionError
            | asyncpg.OperatorInterventionError
            | asyncpg.InsufficientResourcesError
            | asyncpg.TransactionRollbackError
            | asyncpg.CannotConnectNowError,
        )

    async def announce(self) -> None:
        """Have all desks that listen hear that there is news, this one too."""
        await self._pool.execute(f"NOTIFY {CHANNEL}")

    async def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` whenever a desk announces; raises when the line is lost. It has a connection of its own."""
        connection, ended = await self._connect(), asyncio.Event()
        connection.add_termination_listener(lambda _: ended.set())
        try:
            await connection.add_listener(CHANNEL, lambda *_: heard())
            heard()  # what was announced before
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PROBE_S):
                        await ended.wait()
                await connection.execute("SELECT 1", timeout=ANSWER_S)
        finally:
            connection.terminate()

    async def shred(self, tables: Sequence[str]) -> bool:
        """Write what is left of these tables anew. The server's own log and its backups are its keeper's affair.

        Whoever waits for such a lock has every alert about a resident wait behind them: for as long as a backup reads.
        """
        import asyncpg

        async with self._pool.acquire() as connection:
            await connection.execute(f"SET lock_timeout = {LOCK_MS}")  # let go of with the connection
            try:
                for table in tables:
                    await connection.execute(f"VACUUM FULL {table}")
            except asyncpg.LockNotAvailableError:
                return False
        return True

    async def damaged(self) -> None:
        """Wait until cancelled: the server looks after its own files."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()


async def open_postgres(url: str, password: str | None = None) -> Postgres:
    """Connect to `postgresql://...`; raises StoreError. The password never stands in the address."""
    try:
        import asyncpg
    except ImportError as error:
        hint = "pip install 'compound-gateway[desk]'"
        raise StoreError("open", "postgresql: asyncpg is not installed", hint) from error
    try:
        pool = await asyncpg.create_pool(
            url, password=password, min_size=1, max_size=CONNECTIONS, server_settings=PLANNED
        )
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreError("connect to", url.rpartition("@")[2], str(error)) from error
    try:
        async with pool.acquire() as connection:
            await _migrate(connection)
    except BaseException as error:
        await pool.close()
        if isinstance(error, asyncpg.PostgresError):
            raise StoreError("make the tables in", url.rpartition("@")[2], str(error)) from error
        raise
    return Postgres(pool, lambda: asyncpg.connect(url, password=password))


async def _migrate(connection: Any) -> None:
    """Bring the tables up to this version, all of it or nothing."""
    known = migrations("postgres")
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
        await connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        version = await connection.fetchval("SELECT max(version) FROM schema_version") or 0
        if version > known[-1][0]:
            raise StoreError("open", "postgresql", f"it is of schema {version}, newer than this program's")
        for number, script in known:
            if number > version:
                await connection.execute(script)
                await connection.execute("INSERT INTO schema_version VALUES ($1)", number)
