"""Reads rows back and looks at each of them: what is not whole is never handed on.

Two things are noticed: a row whose checksum is wrong, and a row that is not there, because the ordinals of its
neighbours leave a gap that retention does not explain.
"""

from dataclasses import dataclass, field
from typing import Final

from gateway.core.events import Event
from gateway.runtime.journal import statements
from gateway.runtime.journal.retention import CUT, HOLES
from gateway.runtime.journal.rows import Lane, RowError, decode, pack, unpack, verify
from gateway.runtime.journal.statements import Connection

CHUNK: Final = 500


@dataclass(slots=True)
class Chunk:
    """Some rows of a lane: the whole ones, what is wrong with the others by position, and how far we read."""

    events: list[Event] = field(default_factory=list)
    damaged: dict[int, str] = field(default_factory=dict)
    missing: int = 0  # rows that should be there by the ordinals of the others
    until: int = 0
    more: bool = False


def read_chunk(connection: Connection, lane: Lane, after: int, limit: int) -> Chunk:
    """Read up to `limit` rows past `after`; the damaged ones are told of and left where they are."""
    chunk = Chunk(until=after)
    rows = statements.read(connection, lane, after, limit)
    chunk.more = len(rows) == limit
    gaps: dict[int, int] = {}
    previous: int | None = None
    for *columns, ordinal in rows:
        position = columns[0] if isinstance(columns[0], int) else chunk.until + 1
        chunk.until = position
        try:
            chunk.events.append(decode(verify(lane, columns)))
        except RowError as error:
            chunk.damaged[position] = str(error)
        if isinstance(ordinal, int):
            if previous is not None and ordinal > previous + 1:
                gaps[position] = ordinal - previous - 1
            previous = ordinal
    if gaps:
        explained = _explained(connection, lane)
        chunk.missing = sum(missing for position, missing in gaps.items() if position > explained)
    return chunk


def merged(chunks: dict[Lane, Chunk]) -> tuple[list[Event], int]:
    """Return the events of both lanes in one order, up to where both were read; and that place."""
    ends = [chunk.until for chunk in chunks.values() if chunk.more]
    until = min(ends) if ends else max(chunk.until for chunk in chunks.values())
    events = [event for chunk in chunks.values() for event in chunk.events]
    within = [event for event in events if pack((event.epoch, event.seq)) <= until]
    return sorted(within, key=lambda event: (event.epoch, event.seq)), until


def describe(lane: Lane, chunk: Chunk) -> str:
    """Return in words what is wrong with a chunk."""
    bad = [f"{'.'.join(map(str, unpack(position)))}: {reason}" for position, reason in chunk.damaged.items()]
    if chunk.missing:
        bad.append(f"{chunk.missing} rows before {'.'.join(map(str, unpack(chunk.until)))} are not there")
    return f"{lane.table}: " + "; ".join(bad[:5]) + (f"; and {len(bad) - 5} more" if len(bad) > 5 else "")


def _explained(connection: Connection, lane: Lane) -> int:
    marks = statements.marks(connection)
    return max(marks.get(CUT + lane.table, 0), marks.get(HOLES + lane.table, 0))
