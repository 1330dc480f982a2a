"""Keeps the journal within its age and room, a step at a time, and says what that cost."""

import logging
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from gateway.core.events import NoteBody
from gateway.runtime.journal import retention, statements, summary
from gateway.runtime.journal.contract import JournalSettings
from gateway.runtime.journal.cursors import CURSOR, lanes_of
from gateway.runtime.journal.retention import CUT, HOLES, Gone, Kept
from gateway.runtime.journal.rows import Lane, Position, pack
from gateway.runtime.journal.statements import Connection
from gateway.runtime.journal.store import Store
from gateway.runtime.journal.summary import Needed, Summary

log = logging.getLogger(__name__)

_DAY_S: Final = 86400.0


class Upkeep:
    """Decides what goes. `marks` is the writer's own dictionary: cursors are read from it, cuts are put into it.

    `protect` names the rows that must stay, `needed` those that a restart looks at.
    """

    def __init__(self, settings: JournalSettings, marks: dict[str, int], path: Path) -> None:
        self.lost: Counter[str] = Counter()
        self.bytes = self.rows = 0
        self.newest = 0.0  # trusted wall time of the newest event: what age is measured from
        self.protect: Callable[[], Collection[Position]] = tuple
        self.needed: Callable[[], Needed] | None = None
        self.report: Callable[[NoteBody], object] = lambda _note: None
        self._settings, self._marks, self._path = settings, marks, path
        self._summed_up = 0  # ordinal of the last urgent row of the summary

    async def measure(self, store: Store) -> None:
        """Find out how many bytes are in use, and how many rows there are."""
        self.bytes, self.rows = await store.call(_measure)

    async def step(self, store: Store) -> int:
        """Remove a few hundred rows that are too old or too many; return how many went."""
        await self.measure(store)
        kept, cuts, gone = self._kept(), self._cuts(), 0
        before = self.newest - self._settings.retention_days * _DAY_S
        for lane in Lane if self.newest else ():
            found = await store.call(retention.by_age, lane, before=before, kept=kept, cut=cuts[lane])
            gone += self._count(found)
            found = await store.call(retention.no_longer_kept, lane, kept, cuts[lane])
            gone += self._count(found)
        if not gone and self.bytes > self._settings.max_bytes:
            gone = self._count(await store.call(retention.by_need, kept, cuts))
        self._marks |= await store.call(_cuts_and_holes)
        return gone

    async def remembered(self, store: Store) -> Summary | None:
        """Return what a restart needs of the rows up to a position, where that was written down."""
        found = await store.call(summary.read, self._path)
        self._summed_up = 0 if found is None else found.ordinal
        return found

    async def sum_up(self, store: Store, last: int, ordinal: int, rows: int) -> None:
        """Write down which rows a restart needs up to the `last`, where `rows` are new; all of them are durable.

        Only where somebody says which those are: a summary that names none would be believed.
        """
        if self.needed is None or ordinal - self._summed_up < rows:
            return
        self._summed_up = ordinal
        try:
            await store.call(summary.write, self._path, last, self.needed())
        except OSError as error:  # the next start takes longer, that is all
            log.warning("the summary of the journal cannot be written: %s", error)

    async def give_up_readings(self, store: Store) -> None:
        """Free some pages inside our own file: the disk is full, and has no other room for what is urgent."""
        self._count(await store.call(retention.by_need, self._kept(), self._cuts(), (Lane.READINGS,)))
        self._marks |= await store.call(_cuts_and_holes)

    def _count(self, gone: Gone) -> int:
        if gone.lost:
            self.lost.update(gone.lost)
            words = ", ".join(f"{number} {kind}" for kind, number in sorted(gone.lost.items()))
            self.report(NoteBody("journal.lost", f"removed before they were sent, for want of room: {words}"))
        return gone.rows

    def _kept(self) -> Kept:
        sent = dict.fromkeys(Lane, 1 << 62)
        for name, position in self._marks.items():
            for lane in lanes_of(name) if name.startswith(CURSOR) else ():
                sent[lane] = min(sent[lane], position)
        return Kept(sent, frozenset(map(pack, self.protect())))

    def _cuts(self) -> dict[Lane, int]:
        return {lane: self._marks.get(CUT + lane.table, 0) for lane in Lane}


def _cuts_and_holes(connection: Connection) -> dict[str, int]:
    marks = statements.marks(connection)
    return {name: value for name, value in marks.items() if name.startswith((CUT, HOLES))}


def _measure(connection: Connection) -> tuple[int, int]:
    ends = [
        (statements.ordinal_at(connection, lane, 0), statements.last(connection, lane)[1]) for lane in Lane
    ]
    return statements.used_bytes(connection), sum(end - start for start, end in ends)
