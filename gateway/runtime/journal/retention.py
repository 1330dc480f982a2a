"""What leaves the journal, and in which order: by age what every sink has, by need what hurts least.

In small steps, each one transaction, so that an alert never waits behind a long delete. By age nothing goes that
a sink has not had. When the room is used up the order is: readings, oldest first; urgent rows that all sinks
have had; urgent rows that are no alerts; alerts. What a sink had not had is counted as lost, by kind.
The last row of a lane stays, whatever its age: numbering goes on from it.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.runtime.journal.rows import Lane
from gateway.runtime.journal.statements import Connection, last, raise_mark, transaction

STEP: Final = 200
CUT: Final = "cut/"
"""Mark per lane: every row up to here was removed or is protected."""
HOLES: Final = "holes/"
"""Mark per lane: up to here rows may be missing for a known reason."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What must stay: per lane the rows past `sent`, and single rows by key."""

    sent: dict[Lane, int]
    rows: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Gone:
    """What one step removed: how many rows, and by kind those that no sink will ever have."""

    rows: int = 0
    lost: Counter[str] = field(default_factory=Counter)


def by_age(connection: Connection, lane: Lane, *, before: float, kept: Kept, cut: int) -> Gone:
    """Remove up to STEP rows older than `before` (seconds since 1970) that all sinks have had.

    Rows stamped by a clock that could not be trusted have no age: they go with the first row after them that has.
    """
    until = max(_first_if_old(connection, lane, before, cut), _last_old(connection, lane, before, cut))
    until = min(until, kept.sent[lane])
    return _remove(connection, lane, f"position > {cut} AND position <= {until}", kept, mark=CUT)


def _first_if_old(connection: Connection, lane: Lane, before: float, cut: int) -> int:
    """Return the position of the first row that has an age, if it is old; however many stand before it."""
    rows = connection.execute(
        f"SELECT position FROM {lane.table} WHERE position > ? AND time > 0"  # noqa: S608
        " ORDER BY position LIMIT 1",
        (cut,),
    ).fetchall()
    old = connection.execute(
        f"SELECT position FROM {lane.table} WHERE position = ? AND time < ?",  # noqa: S608
        (rows[0][0] if rows else 0, before),
    ).fetchall()
    return int(str(old[0][0])) if old else 0


def _last_old(connection: Connection, lane: Lane, before: float, cut: int) -> int:
    """Return the position of the last old row before the first young one, in one step's reach."""
    rows = connection.execute(
        f"SELECT position, time FROM {lane.table} WHERE position > ? ORDER BY position LIMIT ?",  # noqa: S608
        (cut, STEP),
    ).fetchall()
    found = 0
    for position, time in rows:
        if not (isinstance(position, int) and isinstance(time, float)) or time >= before:
            break
        if time > 0:
            found = position
    return found


def by_need(
    connection: Connection, kept: Kept, cuts: Mapping[Lane, int], lanes: Collection[Lane] = tuple(Lane)
) -> Gone:
    """Remove up to STEP rows of what hurts least; nothing only when nothing is left that may go."""
    urgent, readings = cuts[Lane.URGENT], cuts[Lane.READINGS]
    sent = kept.sent[Lane.URGENT]
    for lane, which, mark in (
        (Lane.READINGS, f"position > {readings}", CUT),
        (Lane.URGENT, f"position > {urgent} AND position <= {sent}", CUT),
        (Lane.URGENT, f"position > {max(urgent, sent)} AND kind <> 'alert'", HOLES),
        (Lane.URGENT, f"position > {urgent}", CUT),
    ):
        if lane not in lanes:
            continue
        gone = _remove(connection, lane, which, kept, mark=mark)
        if gone.rows:
            return gone
    return Gone()


def no_longer_kept(connection: Connection, lane: Lane, kept: Kept, cut: int) -> Gone:
    """Remove rows that retention had passed over because they were protected then and are not now."""
    return _remove(connection, lane, f"position <= {cut}", kept, mark=HOLES, limit=-1)


def _remove(
    connection: Connection, lane: Lane, which: str, kept: Kept, *, mark: str, limit: int = STEP
) -> Gone:
    """Delete the oldest rows that match, but for those to be kept, and note how far we have been."""
    final, _ = last(connection, lane)
    rows = connection.execute(
        f"SELECT position, kind FROM {lane.table} WHERE {which} AND position < ?"  # noqa: S608
        " ORDER BY position LIMIT ?",
        (final, limit),
    ).fetchall()
    going = [row for row in rows if row[0] not in kept.rows]
    if not going and (mark == HOLES or not rows):
        return Gone()
    with transaction(connection):
        connection.executemany(
            f"DELETE FROM {lane.table} WHERE position = ?",  # noqa: S608
            [(position,) for position, _ in going],
        )
        raise_mark(connection, mark + lane.table, int(str(rows[-1][0])))
    return Gone(len(going), _unsent(going, kept.sent[lane]))


def _unsent(rows: Sequence[tuple[object, ...]], sent: int) -> Counter[str]:
    return Counter(str(kind) for position, kind in rows if isinstance(position, int) and position > sent)
