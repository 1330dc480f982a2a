"""Evidence taken in: parts to the disk, whole pieces into the folder and the record, the folder under its quota.

A part is settled once it is flushed; whatever came meanwhile shares one flush. A piece that is whole is kept when an
alert of the very gateway that sent it names it, and waits a day for that; nothing else that is published is kept.
News of the alert is told when its piece is there. What cannot be written is held and tried again, unsettled, and
the broker holds what comes behind it: evidence has a connection of its own, so no alert stands in that queue.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from gateway.desk.evidence.folder import Folder
from gateway.desk.evidence.keeping import SPARE, Keeper, Tally
from gateway.desk.evidence.parts import PartError, read
from gateway.desk.evidence.unfinished import Unfinished, flush, free_bytes
from gateway.desk.listening import Heard, Way
from gateway.desk.media import IMAGES, media_of
from gateway.desk.photos import PhotoError
from gateway.desk.store import files
from gateway.desk.store.database import Database
from gateway.runtime.threads import in_thread

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSE_S: Final = 5.0
SWEEP_S: Final = 60.0
LARGEST_PHOTO: Final = 8 * 1024 * 1024


class Evidence:
    """The folder of evidence at work. `wake` when alerts were taken in: they may name what waits."""

    subscriptions: Final = ("compound/v1/+/evidence/+",)

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        quota_bytes: int,
        changed: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.time,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self.tally = Tally()
        self.unfinished = Unfinished(folder / "unfinished")
        self._folder, self._root = Folder(folder), folder
        self.keeper = Keeper(
            database, self._folder, self.unfinished, self.tally,
            room=lambda: (quota_bytes, free(folder)), changed=changed, now=now, aside=self._aside,
        )  # fmt: skip
        self._database, self._now, self._free = database, now, free
        self._queue: list[Heard] = []
        self._hand = asyncio.Lock()
        self._filled, self._due = asyncio.Event(), asyncio.Event()

    def hear(self, heard: Heard, _: Way) -> bool:
        """Take a message if it is a part of evidence."""
        if heard.what != "evidence":
            return False
        self._queue.append(heard)
        self._filled.set()
        return True

    def wake(self) -> None:
        """Look whether what waits has been named."""
        if self.unfinished.whole:
            self._due.set()

    async def run(self) -> None:
        """Work until cancelled."""
        await self._aside(self._open)
        self._due.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take(), name="evidence.take")
            group.create_task(self._keep(), name="evidence.keep")
            group.create_task(self._sweep(), name="evidence.sweep")

    async def photo(self, content: bytes, who: str) -> str:
        """Keep a photo of a person's and return its SHA-256; raises PhotoError, OSError. Attach it to an alert soon."""
        media = media_of(content[:16])
        if media not in IMAGES:
            raise PhotoError("no JPEG, PNG or WebP")
        if len(content) > LARGEST_PHOTO:
            raise PhotoError(f"{len(content)} bytes, {LARGEST_PHOTO} at most")
        sha256 = await self._aside(functools.partial(self._folder.put, content))
        async with self._database.transaction() as transaction:
            size = len(content)
            await files.add(
                transaction, sha256, kind="photo", media=media, size=size, who=who, now=self._now()
            )
        return sha256

    def path(self, sha256: str) -> Path:
        """Return where a file is, if this desk has it. Whether somebody may see it is the record's matter."""
        return self._folder.path(sha256)

    async def _aside(self, work: Callable[[], T], /) -> T:
        async with self._hand:
            return await in_thread(work)

    def _open(self) -> None:
        self._folder.open()
        self.unfinished.load()

    async def _take(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            batch, self._queue = self._queue, []
            await self._patiently(functools.partial(self._aside, functools.partial(self._write, batch)))
            for each in batch:
                each.settled()
            self.wake()

    def _write(self, batch: Sequence[Heard]) -> None:
        """Write parts down and flush; a part that is there is passed over, so all of it may be tried again."""
        if self._free(self._root) < SPARE:
            raise OSError(f"less than {SPARE >> 20} MiB are free in {self._root}")
        touched: set[Path] = set()
        for each in batch:
            try:
                part = read(each.name, each.content)
                if not self.path(part.sha256).exists():
                    touched.add(self.unfinished.add(each.gateway, each.content, part, self._now()))
                self.tally.parts += 1
            except PartError as error:
                self._refuse(each, str(error))
        for path in touched:
            flush(path)

    def _refuse(self, heard: Heard, why: str) -> None:
        self.tally.refused += 1
        if self.tally.refused.bit_count() == 1:  # the 1st, 2nd, 4th, 8th, ...: a flood is a few lines
            log.warning("evidence no. %d refused, of %s: %s", self.tally.refused, heard.gateway, why[:200])

    async def _keep(self) -> None:
        await self._patiently(self.keeper.adopt)
        while True:
            await self._due.wait()
            self._due.clear()
            for piece in self.unfinished.whole:
                await self._patiently(functools.partial(self.keeper.keep, piece))

    async def _sweep(self) -> None:
        while True:
            await self._patiently(self.keeper.sweep)
            await asyncio.sleep(SWEEP_S)

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it, again and again while disk or database will not have it."""
        while True:
            try:
                await work()
                self.tally.trouble = ""
                return
            except Exception as error:
                if not isinstance(error, OSError) and not self._database.is_outage(error):
                    raise
                trouble = f"{type(error).__name__}: {error}"
                if trouble != self.tally.trouble:
                    log.error("evidence cannot be kept, trying again: %s", trouble)
                self.tally.trouble = trouble
            await asyncio.sleep(PAUSE_S)
