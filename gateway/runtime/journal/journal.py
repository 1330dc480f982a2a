"""The journal: an append-only log of events on disk, read by sinks that each have a cursor.

`append` is a follower of the stream: it encodes the event and queues it, and never waits. `run` is the writer.
What `rows` gives is durable, but for one case: while the disk refuses, urgent events are offered from memory as
well, so that an alert still goes out. A cursor may move past those like past any other: row and cursor become
durable in the same transaction, or neither does.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from gateway.core.events import Clock, Event, NoteBody
from gateway.core.standing import Restored
from gateway.runtime.journal import reading, statements
from gateway.runtime.journal.contract import JournalSettings, JournalStatistics, Salvage, StoreError
from gateway.runtime.journal.cursors import CURSOR, UNSERVED, lanes_of
from gateway.runtime.journal.opening import is_damage
from gateway.runtime.journal.reading import CHUNK, Chunk
from gateway.runtime.journal.rows import START, Lane, Position, Row, decode, encode, lane_of, pack, unpack
from gateway.runtime.journal.statements import Probe, no_probe
from gateway.runtime.journal.summary import Needed
from gateway.runtime.journal.writer import Writer

PASSED_OVER: Final = 20_000  # rows, where a start looks for the last one whose time of day is known
T = TypeVar("T")


class Journal:
    """An open journal. `epoch`, `last_seq` and `last_alert_seq` are where the stream goes on.

    A sink's name ends in the lane it follows (`uplink.urgent`, `uplink.readings`); without such an ending it
    follows both. Set `report` to be told what a person should know (journal.full, .failing, .recovered, .lost,
    .damaged, .corrupt) and `protect` to name the rows that retention must keep.
    """

    def __init__(self, writer: Writer) -> None:
        opened = writer.store.opened
        self.epoch, self.last_seq = opened.base
        self.last_alert_seq = opened.last_alert_seq
        self._writer = writer
        self._offered = 0  # the greatest position that was given from memory
        self._damaged = 0
        self._told: set[int] = set()

    @classmethod
    async def open(
        cls, path: Path, *, settings: JournalSettings | None = None, probe: Probe = no_probe
    ) -> "Journal":
        """Open the journal at `path`, a fresh one where there is none; raises StoreError with a hint.

        `probe` is called with the name of each point where a crash would be interesting, on either thread.
        """
        writer = Writer(path, settings or JournalSettings(), probe)
        await writer.open()
        return cls(writer)

    @property
    def salvage(self) -> Salvage | None:
        """Return what was found damaged and set aside, None when nothing was."""
        return self._writer.salvage

    @property
    def report(self) -> Callable[[NoteBody], object]:
        """Return who is told of trouble."""
        return self._writer.upkeep.report

    @report.setter
    def report(self, report: Callable[[NoteBody], object]) -> None:
        self._writer.upkeep.report = report

    @property
    def protect(self) -> Callable[[], Collection[Position]]:
        """Return who names the rows that must be kept."""
        return self._writer.upkeep.protect

    @protect.setter
    def protect(self, protect: Callable[[], Collection[Position]]) -> None:
        self._writer.upkeep.protect = protect

    @property
    def needed(self) -> Callable[[], Needed] | None:
        """Return who names the rows that a restart looks at: then an old journal opens as fast as a young one."""
        return self._writer.upkeep.needed

    @needed.setter
    def needed(self, needed: Callable[[], Needed]) -> None:
        self._writer.upkeep.needed = needed

    async def run(self) -> None:
        """Write until cancelled, then write what is queued and close the file."""
        await self._writer.run()

    async def close(self) -> None:
        """Close the file where `run` was never started; nothing when it has closed it."""
        await self._writer.close()

    def append(self, event: Event) -> None:
        """Queue an event. Never waits; what is urgent is never dropped."""
        writer, lane, row = self._writer, lane_of(event.body), encode(event)
        quiet = writer.pending.due() == float("inf")
        writer.pending.add(lane, row, asyncio.get_running_loop().time())
        writer.top = max(writer.top, row.position)
        if event.clock is Clock.SYNCED:
            writer.upkeep.newest = event.time
        if quiet or lane is Lane.URGENT:
            writer.kick()
        if writer.failing and lane is Lane.URGENT:
            writer.announce()

    async def rows(self, lane: Lane, after: Position, limit: int = 100) -> list[Event]:
        """Return up to `limit` events of a lane past `after`, in order; from memory too while the disk refuses.

        Waits while the disk cannot be read and the rows asked for are only there.
        """
        packed, writer = pack(after), self._writer
        held = self._held(lane, packed)
        if lane is Lane.URGENT and writer.tail.covers(packed):
            events = [decode(row) for row in writer.tail.past(packed, limit)]
        else:
            chunk = await self._from_disk(lane, packed, limit)
            events = chunk.events
            if chunk.more:  # what is in memory comes behind all that is on the disk
                return events
        end = max([packed, *(pack((event.epoch, event.seq)) for event in events[-1:])])
        offered = [row for row in held if row.position > end][: limit - len(events)]
        self._offered = max([self._offered, *(row.position for row in offered)])
        return events + [decode(row) for row in offered]

    @property
    def failing(self) -> bool:
        """Return whether the disk refuses just now."""
        return self._writer.failing is not None

    async def committed(self, event: Event) -> None:
        """Return when an event is on the disk."""
        lane, packed = lane_of(event.body), pack((event.epoch, event.seq))
        while self._writer.last[lane] < packed:
            await self._writer.changed.wait()

    async def kept(self, within_s: float) -> bool:
        """Return whether all that is urgent and was appended so far came to the disk within a time."""
        newest = max((row.position for row in self._writer.pending.held(Lane.URGENT)), default=0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._writer.last[Lane.URGENT] < newest:
                    await self._writer.changed.wait()
        return self._writer.last[Lane.URGENT] >= newest

    async def secured(self, event: Event, sink: str) -> None:
        """Return when no power cut can take an event: it is on the disk, or was served to a sink while that refuses."""
        lane, packed, marks = lane_of(event.body), pack((event.epoch, event.seq)), self._writer.marks
        while self._writer.last[lane] < packed and not packed <= marks.get(CURSOR + sink, 0) < pack(UNSERVED):
            await self._writer.changed.wait()

    async def wait(self, lane: Lane, after: Position) -> None:
        """Return when `rows` has something past `after`."""
        while not self.has(lane, after):
            await self._writer.changed.wait()

    def has(self, lane: Lane, after: Position) -> bool:
        """Return whether `rows` has something past `after`: what only waits for the disk is offered to nobody."""
        packed = pack(after)
        return self._writer.last[lane] > packed or bool(self._held(lane, packed))

    def last(self, lane: Lane) -> Position:
        """Return the position of the last durable row of a lane."""
        return unpack(self._writer.last[lane])

    def cursor(self, sink: str) -> Position:
        """Return how far a sink has been served; from now on retention waits for it."""
        name = CURSOR + sink
        if name not in self._writer.marks:
            self._move(name, 0)
        return unpack(self._writer.marks[name])

    def move_cursor(self, sink: str, position: Position) -> None:
        """Note that a sink has been served up to `position`. Durable with the next commit, within about 1 s."""
        if self._writer.marks.get(CURSOR + sink) != pack(position):
            self._move(CURSOR + sink, pack(position))

    def serve_only(self, prefix: str, wanted: Collection[str]) -> None:
        """Keep nothing any longer for the sinks of this prefix that are not wanted."""
        for name in list(self._writer.marks):
            if name.startswith(CURSOR + prefix) and name.removeprefix(CURSOR) not in wanted:
                self.move_cursor(name.removeprefix(CURSOR), UNSERVED)

    def depth(self, sink: str, lane: Lane) -> int:
        """Return how many rows of a lane lie past a sink's cursor, as of the last commit."""
        if lane not in lanes_of(sink):
            return 0
        writer = self._writer
        served = writer.served.get((sink, lane), 0)
        return max(0, writer.ordinals[lane] - served) + writer.pending.count(lane)

    async def standing(self) -> list[Event]:
        """Return the events a restart needs, in order: see gateway/core/standing.py."""
        known = await self._writer.upkeep.remembered(self._writer.store)
        restored, after, more = Restored(), 0, True
        if known is not None:
            restored, after = Restored(known.events), known.until
        while more:
            chunk = await self._chunk(Lane.URGENT, after, CHUNK)
            for event in chunk.events:
                restored.follow(event)
            after, more = chunk.until, chunk.more
        return restored.events()

    async def newest(self) -> float:
        """Return the time of day of the newest row that has one to be trusted, seconds since 1970; 0 where none has.

        A life may have ended before its clock was set, so rows without are passed over, if they are not too many.
        """
        found = 0.0
        for lane in Lane:
            if last := await self._ask(partial(statements.last_timed, lane=lane, most=PASSED_OVER)):
                chunk = await self._from_disk(lane, last - 1, 1)
                found = max([found, *(event.time for event in chunk.events if event.clock is Clock.SYNCED)])
        return found

    async def export(self, since: float, until: float) -> AsyncIterator[Event]:
        """Yield every event stamped from `since` up to `until` (seconds since 1970), in order."""
        after, more = pack(START), True
        while more:
            chunks = {lane: await self._chunk(lane, after, CHUNK) for lane in Lane}
            events, after = reading.merged(chunks)
            more = any(chunk.more for chunk in chunks.values())
            for event in events:
                if since <= event.time < until:
                    yield event

    def statistics(self) -> JournalStatistics:
        """Return how the journal is doing."""
        writer = self._writer
        return JournalStatistics(
            epoch=self.epoch,
            rows=writer.upkeep.rows,
            bytes=writer.upkeep.bytes,
            commits=writer.commits,
            last_commit_s=writer.last_commit_s,
            failing=writer.failing,
            held=writer.pending.count(Lane.URGENT),
            thinned=writer.pending.thinned,
            damaged=self._damaged,
            reserve=writer.reserve.held,
            lost=dict(writer.upkeep.lost),
            depth={f"{sink}/{lane.table}": self.depth(sink, lane) for sink, lane in writer.served},
        )

    def _held(self, lane: Lane, after: int) -> list[Row]:
        """Return what is offered from memory: all while the disk refuses, and what a sink may know from then on."""
        writer = self._writer
        if lane is not Lane.URGENT:
            return []
        until = writer.offered_until() if writer.failing else self._offered
        return [row for row in writer.pending.held(lane, after) if row.position <= until]

    def _move(self, name: str, value: int) -> None:
        writer = self._writer
        quiet = writer.pending.due() == float("inf")
        writer.marks[name] = value
        writer.pending.mark(name, value, asyncio.get_running_loop().time())
        if quiet:
            writer.kick()

    async def _from_disk(self, lane: Lane, after: int, limit: int) -> Chunk:
        while True:
            chunk = await self._chunk(lane, after, limit)
            if chunk.events or not chunk.more:
                return chunk
            after = chunk.until

    async def _chunk(self, lane: Lane, after: int, limit: int) -> Chunk:
        """Read some rows; tell of what is damaged."""
        chunk = await self._ask(partial(reading.read_chunk, lane=lane, after=after, limit=limit))
        self._tell(lane, chunk)
        return chunk

    async def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Return what the file has to say, waiting while it cannot be read."""
        while True:
            await self._writer.ready.wait()
            try:
                return await self._writer.store.call(question)
            except sqlite3.Error as error:
                if not self._writer.running:
                    await self._mend(error)
                    continue
                self._writer.suspect(error)
                await self._writer.changed.wait()

    async def _mend(self, error: sqlite3.Error) -> None:
        """Have damage that a start met set aside, once; a large file is not looked through before."""
        if self.salvage is not None or not is_damage(error):
            raise StoreError("read", str(error), "start the gateway again") from error
        await self._writer.mend()
        self.epoch, self.last_seq = self._writer.store.opened.base
        self.last_alert_seq = self._writer.store.opened.last_alert_seq
        if self.salvage is None:
            raise StoreError("read", str(error), "is the disk failing? see dmesg") from error

    def _tell(self, lane: Lane, chunk: Chunk) -> None:
        """Count and report what is wrong with a chunk, once."""
        news = chunk.damaged.keys() - self._told
        missing = chunk.missing if chunk.until not in self._told else 0
        if news or missing:
            self._told |= news | {chunk.until}
            self._damaged += len(news) + missing
            self.report(NoteBody("journal.damaged", reading.describe(lane, chunk)))
