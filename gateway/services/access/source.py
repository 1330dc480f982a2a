"""Where the list comes from: a file that is read when it changes, or an address that is asked now and then.

A bad list is told once, not each time it is seen again. An address that cannot be reached is ordinary and is only
logged when that begins or ends; the pause grows from a minute to the usual one.
"""

import asyncio
import hashlib
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeAlias

from gateway.core.access_file import MOST_BYTES
from gateway.core.config import AccessTable
from gateway.runtime.threads import in_thread
from gateway.services.access.book import Book, ListRefusedError
from gateway.services.access.upstream import Pulled, PullError, Upstream

log = logging.getLogger(__name__)

POLL_S: Final = 5.0
FIRST_PAUSE_S: Final = 60.0
REOPEN_S: Final = 2.0  # until a list that cannot be loaded is tried again, and twice as long each time

Stamp: TypeAlias = tuple[int, int, int]
Pull: TypeAlias = Callable[[Upstream, str], Awaitable[Pulled]]


async def _pull(upstream: Upstream, etag: str) -> Pulled:
    def pulled() -> Pulled:  # HTTP is loaded only where a list is fetched by it, and no line waits for that
        from gateway.services.access.pulling import pull

        return pull(upstream, etag)

    return await in_thread(pulled)


class Source:
    """Keeps a book up with its source. `wall` gives the time of day, for `status` alone."""

    def __init__(
        self, table: AccessTable, book: Book, *, wall: Callable[[], float], pull: Pull = _pull
    ) -> None:
        self._table, self._book, self._wall, self._pull = table, book, wall, pull
        self._told = ""  # what was last told to be wrong with the list
        self._unreachable = ""  # why the file or address cannot be read
        self._taken_at: float | None = None

    @property
    def where(self) -> str:
        """Return where the list comes from; empty where people bring it here."""
        return self._table.file or self._table.url

    def status(self) -> dict[str, Any]:
        """Return where the list comes from, when it last did, and what is wrong."""
        return {"from": self.where, "taken_at": self._taken_at, "wrong": self._told or self._unreachable}

    async def run(self) -> None:
        """Load the list and keep it up with its source, until cancelled."""
        pause_s = REOPEN_S
        try:
            while True:
                loaded = await self._book.open()
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if loaded else pause_s):
                        await self._follow()
                pause_s = min(2 * pause_s, FIRST_PAUSE_S)
        finally:
            await self._book.close()

    async def _follow(self) -> None:
        """Store what comes into force, and read the source from the beginning."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._book.keep(), name="keep the access list")
            if self._table.file:
                await self._watch(Path(self._table.file))
            elif self._table.url:
                await self._ask(Upstream(self._table.url, self._table.token_file, self._table.ca_file))

    async def _watch(self, path: Path) -> None:
        taken: Stamp | None = None
        before: Stamp | None = None
        while True:
            seen = await in_thread(lambda: _stamp(path))
            self._reached("" if seen else f"{path} is not there")
            if (
                seen is not None and seen != taken and (taken is None or seen == before)
            ):  # is it still written?
                data = await in_thread(lambda: _read(path))
                if data is None:
                    self._reached(f"{path} cannot be read")
                elif await in_thread(lambda: _stamp(path)) == seen:
                    taken = seen
                    await self._take(data, str(path))
            before = seen
            await asyncio.sleep(POLL_S)

    async def _ask(self, upstream: Upstream) -> None:
        usual_s = self._table.pull_minutes * 60.0
        etag, pause_s = "", min(FIRST_PAUSE_S, usual_s)
        while True:
            try:
                pulled = await self._pull(upstream, etag)
            except PullError as error:
                self._reached(f"{upstream.url}: {error}")
                wait_s, pause_s = pause_s, min(2 * pause_s, usual_s)
            else:
                self._reached("")
                if pulled.data is None:
                    self._taken_at = self._wall()
                else:
                    await self._take(pulled.data, upstream.url)
                etag, wait_s, pause_s = pulled.etag, usual_s, min(FIRST_PAUSE_S, usual_s)
            await asyncio.sleep(wait_s * random.uniform(0.9, 1.1))  # not all gateways at once

    async def _take(self, data: bytes, where: str) -> None:
        try:
            await self._book.take(await self._book.read(data), where)
        except ListRefusedError as refused:
            self._bad(f"{where} ({hashlib.sha256(data).hexdigest()[:8]}): {refused}")
        else:
            self._told, self._taken_at = "", self._wall()

    def _bad(self, told: str) -> None:
        if told != self._told:
            self._told = told
            self._book.bad(told)

    def _reached(self, reason: str) -> None:
        if reason == self._unreachable:
            return
        self._unreachable = reason
        if reason and self._table.file:  # a file does not go away by itself, as a network does
            self._book.bad(reason)
        else:
            log.warning("access list: %s", reason or f"{self.where} answers again")


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read(path: Path) -> bytes | None:
    """Return the file, or one byte more than is taken; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError:
        return None
