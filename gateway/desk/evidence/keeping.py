"""What becomes of evidence: kept when an alert names it, recorded, and thrown away for room, the least missed first."""

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from gateway.core.chunks import chunks
from gateway.desk.evidence.folder import Folder
from gateway.desk.evidence.unfinished import Piece, Unfinished
from gateway.desk.store import files, news
from gateway.desk.store.database import Database

log = logging.getLogger(__name__)

T = TypeVar("T")

SPARE: Final = 256 * 1024 * 1024
"""Of the disk: the record must never lack room because of pictures."""

REMEMBERED_S: Final = 30 * 86_400.0
"""For so long a desk that was away still throws away what another has thrown away."""

OVERLAP_S: Final = 600.0  # between two looks at what others threw away: their clocks are not ours
WHAT: Final = {"image/jpeg": "still", "video/mp4": "clip"}


class Aside(Protocol):
    """Does what blocks in a thread, one such work after the other: the folder has one hand."""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Return what the work returns."""


@dataclass(slots=True)
class Tally:
    """What was counted since the start."""

    parts: int = 0
    refused: int = 0
    kept: int = 0
    thrown_away: int = 0
    trouble: str = ""


class Keeper:
    """Moves pieces from what is unfinished to folder and record. `room` tells the quota and what the disk has free."""

    def __init__(
        self,
        database: Database,
        folder: Folder,
        unfinished: Unfinished,
        tally: Tally,
        *,
        room: Callable[[], tuple[int, int]],
        changed: Callable[[], None],
        now: Callable[[], float],
        aside: Aside,
    ) -> None:
        self._database, self._folder, self._unfinished, self._tally = database, folder, unfinished, tally
        self._room, self._changed, self._now = room, changed, now
        self._aside = aside
        self._swept_to: float | None = None

    async def keep(self, piece: Piece) -> None:
        """Keep a whole piece, if an alert of its gateway names it."""
        if not self._unfinished.has(piece):  # it had to go, for room
            return
        async with self._database.transaction() as transaction:
            if not await files.named(transaction, piece.gateway, piece.sha256):
                return
        media = await self._aside(functools.partial(self._folder.take, piece))
        if media is None:
            self._tally.refused += 1
            log.error("%s of %s is not what its name says", piece.sha256, piece.gateway)
        else:
            await self._record(piece.sha256, piece.what, media, piece.size, piece.gateway)
        await self._aside(functools.partial(self._unfinished.drop, piece))

    async def adopt(self) -> None:
        """Settle what a kill left between folder and record: what an alert names is recorded, the rest thrown away."""
        sums = await self._aside(lambda: list(self._folder.sums()))
        for some in chunks(sums, 100):
            async with self._database.transaction() as transaction:
                strays = sorted(set(some) - await files.known(transaction, some))
                owners = {each: await files.owner(transaction, each) for each in strays}
            for sha256, owner in owners.items():
                facts = await self._aside(functools.partial(self._folder.facts, sha256))
                if owner is not None and facts.media in WHAT:
                    await self._record(sha256, WHAT[facts.media], facts.media, facts.size, owner)
                elif (
                    self._now() - facts.made_at > files.FRESH_S
                ):  # else a photo may be on its way into the record
                    await self._aside(functools.partial(self._folder.remove, sha256))

    async def sweep(self) -> None:
        """Throw away what is over the quota, what other desks threw away, and parts that nobody finished."""
        now = self._now()
        quota, free = await self._aside(self._room)
        async with self._database.transaction() as transaction:
            total = await files.size(transaction)
            excess = total - min(quota, max(total + free - SPARE, 0))
            gone = await files.throw_away(transaction, excess, now) if excess > 0 else []
            since = now - REMEMBERED_S if self._swept_to is None else min(self._swept_to, now) - OVERLAP_S
            all_gone = await files.gone_since(transaction, since)
        self._swept_to = now
        self._tally.thrown_away += len(gone)
        await self._aside(functools.partial(self._folder.remove, *all_gone))
        await self._aside(functools.partial(self._unfinished.shorten, now))

    async def _record(self, sha256: str, what: str, media: str, size: int, who: str) -> None:
        now = self._now()
        async with self._database.transaction() as transaction:
            await files.add(transaction, sha256, kind=what, media=media, size=size, who=who, now=now)
            await news.tell(transaction, "alert", await files.alerts_of(transaction, sha256), now)
        self._tally.kept += 1
        self._changed()
