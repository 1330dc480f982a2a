"""The one connection to the journal's file, and its thread.

Everything the journal does on disk is a plain function over the connection (statements, retention, opening).
Each runs whole on aiosqlite's thread, one hop there and one back, so that a commit costs two hops however many
statements it has; aiosqlite's own methods would pay them per statement.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import aiosqlite

from gateway.runtime.journal.contract import JournalSettings, StoreError
from gateway.runtime.journal.opening import Opened, open_file
from gateway.runtime.journal.reserve import Reserve
from gateway.runtime.journal.statements import Probe

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class Store(aiosqlite.Connection):
    """An open journal file. `opened` says what was found in it; `thorough` has every page looked at."""

    opened: Opened

    def __init__(
        self, path: Path, settings: JournalSettings, reserve: Reserve, probe: Probe, *, thorough: bool = False
    ) -> None:
        def connect() -> sqlite3.Connection:
            self.opened = open_file(path, settings, reserve, probe, thorough=thorough)
            return self.opened.connection

        super().__init__(connect, iter_chunk_size=64)

    async def open(self) -> None:
        """Start the thread and open the file; raises StoreError.

        Opening is never left half done: cancelled in the middle of it, it is waited for and undone, because a
        connection that nobody knows would keep the lock.
        """
        opening = asyncio.ensure_future(self)
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            with suppress(StoreError):
                await opening
                await self.close()
            raise
        except Exception:
            self._thread.join()  # it has nothing left to do but end, and must not outlive the loop it reports to
            raise

    async def call(
        self,
        function: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `function` on the connection's thread and return what it returns, or raise what it raises."""
        return await self.start(function, *args, **kwargs)

    def start(
        self,
        function: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> "asyncio.Future[T]":
        """Begin the same without waiting for it: what aiosqlite does for its own methods."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, partial(function, self._conn, *args, **kwargs)))
        return future


async def let_go(store: Store | None) -> None:
    """Close a store, whatever it says to that."""
    if store is None:
        return
    try:
        await store.close()
    except (sqlite3.Error, ValueError) as error:
        log.warning("closing the journal: %s", error)
