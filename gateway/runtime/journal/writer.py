"""The journal's writer: takes everything queued, writes it in one transaction, and starts over.

There is no timer for what is urgent: when nothing is being written an alert is written at once, and while a commit
waits for the disk everything that comes joins the next one. Readings and cursors ride along, and cause a commit
of their own only when none came for a while.

When the disk refuses, nothing urgent is dropped: the batch goes back in front of the queue and is tried again. Is
the disk full, the reserve is given up first, then readings are. Is the connection broken it is opened anew, and a
file that turned out damaged is set aside there.
"""

import asyncio
import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.core.events import NoteBody
from gateway.runtime.journal import cursors, statements, summary
from gateway.runtime.journal.contract import JournalSettings, Salvage, StoreError
from gateway.runtime.journal.cursors import CURSOR, Written
from gateway.runtime.journal.opening import SKIP, is_damage
from gateway.runtime.journal.pending import Pending, Tail
from gateway.runtime.journal.reserve import Reserve
from gateway.runtime.journal.rows import Lane, pack
from gateway.runtime.journal.statements import Batch, Probe
from gateway.runtime.journal.store import Store, let_go
from gateway.runtime.journal.upkeep import Upkeep

log = logging.getLogger(__name__)

_NEVER: Final = float("inf")
_PAUSE_S: Final = 1.0
_SLOW_S: Final = 0.005  # a commit that takes longer is one on an SD card


@dataclass(frozen=True, slots=True)
class _Flight:
    """A batch on its way to the disk."""

    batch: Batch
    started: float
    future: "asyncio.Future[Written]"


class Writer:
    """Owns the store and what waits for it. All but the functions of the store's thread run on the loop."""

    def __init__(self, path: Path, settings: JournalSettings, probe: Probe) -> None:
        self.pending = Pending(settings)
        self.failing: str | None = None
        self.running = False
        self.salvage: Salvage | None = None
        self.commits, self.last_commit_s = 0, 0.0
        self.top = 0  # the greatest position handed to us
        self.last: dict[Lane, int] = {}
        self.ordinals: dict[Lane, int] = {}
        self.marks: dict[str, int] = {}
        self.upkeep = Upkeep(settings, self.marks, path)
        self.served: dict[tuple[str, Lane], int] = {}  # ordinal of the last row a sink was served
        self.changed, self.ready = asyncio.Event(), asyncio.Event()
        self.reserve = Reserve(path.with_name(path.name + ".reserve"), settings.reserve_bytes)
        self.tail = Tail(0)
        self._path, self._settings, self._probe = path, settings, probe
        self._kick = asyncio.Event()
        self._retry_at = self._paced_until = self._upkeep_at = 0.0
        self._checkpoint_at = _NEVER  # a checkpoint that the disk refused is owed
        self._dirty_pages = 0
        self._broken = self._idle = self._suspect = False
        self._full = False  # somebody was told that the reserve was given up
        self._flight: _Flight | None = None
        self._store: Store | None = None

    @property
    def store(self) -> Store:
        """Return the open store; StoreError while there is none."""
        if self._store is None:
            raise StoreError("use", str(self._path), "the journal is closed")
        return self._store

    async def open(self) -> None:
        """Open the file, or open it anew. One that turns out damaged on the way is looked through, and set aside."""
        store = Store(self._path, self._settings, self.reserve, self._probe, thorough=self._suspect)
        await store.open()
        try:
            await self._take_over(store)
        except sqlite3.Error as error:
            await let_go(store)
            if self._suspect or not is_damage(error):
                raise StoreError("open", str(self._path), str(error)) from error
            self._suspect = True
            await self.open()
            return
        except asyncio.CancelledError:
            await let_go(store)
            raise
        self._store, self._broken, self._suspect = store, False, False
        self.ready.set()

    async def _take_over(self, store: Store) -> None:
        """Go on from what was found in the file."""
        opened = store.opened
        self.last, self.ordinals = dict(opened.last), dict(opened.ordinals)
        for name, value in opened.marks.items():
            self.marks[name] = max(value, self.marks.get(name, 0))
        self.tail = Tail(self.last[Lane.URGENT])
        self.top = max(self.top, pack(opened.base))
        self.salvage = opened.salvage or self.salvage
        sinks = {name.removeprefix(CURSOR): value for name, value in self._cursors().items()}
        self.served |= await store.call(cursors.served, sinks)
        await self.upkeep.measure(store)
        await store.call(lambda _connection: self.reserve.make())

    def kick(self) -> None:
        """Wake the writer: something is queued. What is due begins at once, while its task is still waking up."""
        if self._idle and not self._broken and self._due() <= (now := self._now()):
            self._idle, self._flight = False, self._launch(now)
        self._kick.set()

    def suspect(self, error: sqlite3.Error) -> None:
        """Have the file opened anew: reading from it failed."""
        self._refused(error, broken=True)

    async def mend(self) -> None:
        """Open the file anew and look through all of it: it was found damaged before anything was written."""
        store, self._store, self._suspect = self._store, None, True
        await let_go(store)
        await self.open()

    async def run(self) -> None:
        """Write until cancelled; then write what is left, and close."""
        self.running, self._upkeep_at = True, self._now() + _PAUSE_S
        try:
            while True:
                await self._until_due()
                if self._broken:
                    await self._reopen()
                elif self._flight or self._due() <= self._now():
                    await self._commit(self._now())
                elif self._checkpoint_at <= self._now():
                    await self._checkpoint()
                else:
                    await self._upkeep()
        finally:
            self.running = False
            await self.close()

    async def close(self) -> None:
        """Write what is queued, note that we left in peace, close the file. Safe to call twice."""
        if self._broken:
            await self._let_go()
        if self._store is None and not await self._reopened_to_close():
            return
        try:
            while not self._broken and (self._flight or self.pending.due() < _NEVER):
                before = self.failing
                await self._commit(_NEVER)
                if self.failing and before:
                    break
            if not self.failing:
                await self.store.call(statements.leave, self.top, self._probe)
                await self._sum_up(summary.AT_CLOSE_ROWS)
        except sqlite3.Error as error:
            log.error("the journal could not be closed in peace: %s", error)
        finally:
            if held := self.pending.count(Lane.URGENT):
                log.error("%d urgent events were never written to the disk", held)
            await self._let_go()

    async def _let_go(self) -> None:
        store, self._store = self._store, None
        self.ready.clear()
        await let_go(store)

    async def _reopened_to_close(self) -> bool:
        """Open the file once more when we are to leave with urgent events that are nowhere else."""
        if not (held := self.pending.count(Lane.URGENT)):
            return False
        try:
            await self.open()
        except StoreError as error:
            log.error("%d urgent events were never written to the disk: %s", held, error)
            return False
        return True

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _due(self) -> float:
        due = max(self.pending.due(), self._retry_at)
        paced = self.pending.count(Lane.URGENT) < self._settings.storm_rows
        return max(due, self._paced_until) if paced else due

    async def _until_due(self) -> None:
        """Return when there is something to write, to mend or to tidy."""
        while True:
            wake_at = (
                self._retry_at if self._broken else min(self._due(), self._upkeep_at, self._checkpoint_at)
            )
            if self._flight or wake_at <= self._now():
                return
            self._kick.clear()
            self._idle = True
            alarm = asyncio.get_running_loop().call_at(wake_at, self._kick.set)
            try:
                await self._kick.wait()
            finally:
                self._idle = False
                alarm.cancel()

    async def _commit(self, now: float) -> None:
        """Write all that is due by `now`, tell everybody who waits, fold the WAL in when it has grown."""
        flight, self._flight = self._flight or self._launch(now), None
        try:
            written = await flight.future
        except sqlite3.Error as error:
            self.pending.refused()
            if not self._refused(error):
                await self._make_room()
            return
        except BaseException:
            self.pending.refused()  # cancelled: it may be written or not; the next try settles it
            raise
        self._written(flight.batch, written, self._now() - flight.started)
        if self._dirty_pages >= statements.CHECKPOINT_PAGES:
            await self._checkpoint()

    def _launch(self, now: float) -> "_Flight":
        batch = self.pending.take(now)
        return _Flight(batch, self._now(), self.store.start(cursors.write, batch, self._probe))

    def _written(self, batch: Batch, written: Written, took_s: float) -> None:
        self.pending.written()
        storm = took_s >= _SLOW_S and self.pending.count(Lane.URGENT) > 0
        self._paced_until = self._now() - took_s + self._settings.storm_pace_s if storm else 0.0
        for lane, rows in batch.rows.items():
            if rows:
                self.last[lane] = max(self.last[lane], rows[-1].position)
                self.upkeep.rows += written.ordinals[lane] - self.ordinals[lane]
                self.ordinals[lane] = written.ordinals[lane]
                self._dirty_pages += 2 + sum(len(row.body) + 60 for row in rows) // statements.PAGE_SIZE
        self._dirty_pages += bool(batch.marks)
        self.tail.extend(batch.rows[Lane.URGENT])
        self.served |= written.served
        self.commits, self.last_commit_s = self.commits + 1, took_s
        self._recovered()
        self.announce()

    def _recovered(self) -> None:
        """Say that the disk takes everything again, if it does."""
        if self._checkpoint_at == _NEVER and (self.failing or (self._full and self.reserve.held)):
            log.warning("the journal can be written again, the disk takes everything")
            self.failing, self._full = None, False
            self.upkeep.report(NoteBody("journal.recovered", "the disk takes everything again"))

    def announce(self) -> None:
        """Wake everybody who waits for rows."""
        self.changed.set()
        self.changed = asyncio.Event()

    async def _checkpoint(self) -> None:
        """Fold the WAL into the file. Where the disk refuses that it is owed; commits go on as long as they can."""
        self._dirty_pages, self._checkpoint_at = 0, _NEVER
        try:
            await self.store.call(statements.checkpoint, self._probe)
        except sqlite3.Error as error:
            pause = 0.0 if self._refused(error, pause=False) else self._settings.retry_s
            self._checkpoint_at = self._now() + pause
        else:
            if self.pending.due() == _NEVER:
                self._recovered()

    def _refused(
        self, error: sqlite3.Error | StoreError, *, broken: bool | None = None, pause: bool = True
    ) -> bool:
        """Decide what follows from an error; True when the next try may come at once."""
        full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        if full and self.reserve.release():
            self._full = True
            told = "the disk is full; the reserve was given up, make room"
            self.upkeep.report(NoteBody("journal.full", told))
            return True
        self._broken = (not full) if broken is None else broken
        self._suspect = self._suspect or is_damage(error)
        if pause or self._broken:
            self._retry_at = self._now() + self._settings.retry_s
        self._kick.set()
        first, self.failing = self.failing is None, str(error)
        if first:
            log.error("the journal cannot be written: %s", error)
            self.upkeep.report(NoteBody("journal.failing", str(error)))
        self.announce()
        return False

    async def _make_room(self) -> None:
        """Give up readings when the disk is full and there is no reserve: pages inside our own file."""
        if self._broken:
            return
        try:
            await self.store.call(statements.checkpoint, self._probe)
            await self.upkeep.give_up_readings(self.store)
        except sqlite3.Error:
            return  # said already: the disk refuses

    async def _reopen(self) -> None:
        """Replace a broken connection; a damaged file is set aside by the opening."""
        await self._let_go()
        before = self.salvage
        try:
            await self.open()
        except StoreError as error:
            self._refused(error, broken=True)
            return
        self._retry_at, self._checkpoint_at = 0.0, _NEVER
        if self.salvage is not before and self.salvage is not None:
            self.upkeep.report(
                NoteBody("journal.corrupt", f"{self.salvage.reason}; set aside as {self.salvage.path}")
            )
        if self.pending.due() == _NEVER:
            self._recovered()
        self.announce()

    async def _upkeep(self) -> None:
        """Remove what is old or too much, step by step; re-make the reserve when there is room again."""
        self._upkeep_at = self._now() + self._settings.upkeep_s
        try:
            if await self.store.call(lambda _connection: self.reserve.make()) and not self.failing:
                self._recovered()
            while self._due() > self._now():
                if not await self.upkeep.step(self.store):
                    await self._sum_up(summary.EVERY_ROWS)
                    return
            self._upkeep_at = self._now() + _PAUSE_S  # an alert came between: go on after it
        except sqlite3.Error as error:
            self._refused(error)

    async def _sum_up(self, rows: int) -> None:
        if not self.pending.count(Lane.URGENT):  # all that was appended is durable
            urgent = Lane.URGENT
            await self.upkeep.sum_up(self.store, self.last[urgent], self.ordinals[urgent], rows)

    def _cursors(self) -> dict[str, int]:
        return {name: value for name, value in self.marks.items() if name.startswith(CURSOR)}

    def offered_until(self) -> int:
        """Return the last position that may leave from memory: numbering never comes back to it."""
        return max(self.marks.get("base", 0), *self.last.values()) + SKIP
