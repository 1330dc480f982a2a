"""Cursors: how far each sink has been served, and how many rows lie beyond.

A sink's name ends in the lane it follows (`uplink.readings`); one without such an ending follows both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.runtime.journal import statements
from gateway.runtime.journal.rows import Lane, Position
from gateway.runtime.journal.statements import Batch, Connection, Probe

CURSOR: Final = "cursor/"
"""Mark per sink: the position of the last row it was served."""

UNSERVED: Final[Position] = (1 << 20, 0)
"""Where the cursor of a sink stands that is gone for good: past everything, so that nothing is kept for it."""


def lanes_of(sink: str) -> tuple[Lane, ...]:
    """Return the lanes a sink follows."""
    return tuple(lane for lane in Lane if sink.endswith("." + lane.table)) or tuple(Lane)


@dataclass(frozen=True, slots=True)
class Written:
    """Where the lanes of a batch stand now that it is written, and where its cursors: both by ordinal."""

    ordinals: Mapping[Lane, int]
    served: Mapping[tuple[str, Lane], int]


def write(connection: Connection, batch: Batch, probe: Probe) -> Written:
    """Write a batch; return what the file came to."""
    ordinals = statements.write(connection, batch, probe)
    cursors = {name: value for name, value in batch.marks.items() if name.startswith(CURSOR)}
    sinks = {name.removeprefix(CURSOR): value for name, value in cursors.items()}
    return Written(ordinals, served(connection, sinks))


def served(connection: Connection, sinks: Mapping[str, int]) -> dict[tuple[str, Lane], int]:
    """Return per sink and lane the ordinal of the last row not past its cursor."""
    return {
        (sink, lane): statements.ordinal_at(connection, lane, position)
        for sink, position in sinks.items()
        for lane in lanes_of(sink)
    }
