"""What may be forgotten, a handful at a time: closed alerts and all that hangs on them, in an order that keeps no half.

Nothing here touches an alert that is open, nor the newest event of a gateway, by which the next one is known to follow.
"""

from collections.abc import Sequence
from typing import Final

from gateway.desk.store.database import Row, Transaction, places
from gateway.desk.store.files import CLOSED

MOST: Final = 50
"""Alerts of one transaction: ingest waits for no more than that."""

_OF_NONE: Final = (
    "created_at < $1 AND state <> 'waiting'"
    " AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.incident = notifications.incident)"
)


async def alerts(transaction: Transaction, before: float, now: float) -> int:
    """Forget alerts that were closed and last changed before then, with their events; return how many."""
    rows = await transaction.fetch(
        "SELECT w.alert AS alert, a.gateway AS gateway FROM work w JOIN alerts a ON a.alert = w.alert"
        f" WHERE w.state IN {CLOSED} AND w.closed_at < $1 AND a.time < $1 ORDER BY w.closed_at, w.alert"
        f" LIMIT {MOST} {lock(transaction, 'w')}",
        before,
    )
    if not rows:
        return 0
    names = [row["alert"] for row in rows]
    these = places(1, len(names))
    await transaction.execute(gone(len(names)), *names, now)
    for table in ("attachments", "work", "alerts", "care", "care_told"):
        await transaction.execute(f"DELETE FROM {table} WHERE alert IN {these}", *names)
    await _events(transaction, rows, these)
    return len(names)


async def incidents(transaction: Transaction) -> int:
    """Forget incidents that have no alert left, with their timers and notifications; return how many."""
    rows = await transaction.fetch(
        "SELECT i.incident AS incident FROM incidents i WHERE NOT EXISTS"
        f" (SELECT 1 FROM work w WHERE w.incident = i.incident) LIMIT {MOST} {lock(transaction, 'i')}"
    )
    names = [row["incident"] for row in rows]
    if names:
        these = places(1, len(names))
        await transaction.execute(
            f"DELETE FROM notifications WHERE incident IN {these} AND state <> 'waiting'", *names
        )
        for table in ("timers", "incidents"):
            await transaction.execute(f"DELETE FROM {table} WHERE incident IN {these}", *names)
    return len(names)


async def finished(transaction: Transaction, before: float) -> int:
    """Forget what is over and hangs on no alert; return how many rows.

    Silences, orders, phones that were sent away, files that were thrown away, pages about no incident (tests).
    """
    count = 0
    for table, key, over in (
        ("silences", "id", "until < $1"),
        ("orders", "id", "made_at < $1 AND state NOT IN ('waiting', 'sent')"),
        ("phones", "phone", "revoked_at < $1"),
        ("files", "sha256", "gone_at < $1"),
        ("notifications", "id", _OF_NONE),
    ):
        count += await _some(transaction, table, key, over, before)
    return count


async def pairings(transaction: Transaction, before: float) -> int:
    """Forget words that let nobody in any more."""
    return await _some(transaction, "pairings", "hash", "until < $1", before)


async def audit(transaction: Transaction, before: float) -> int:
    """Forget what people did before then."""
    return await _some(transaction, "audit", "id", "at < $1", before)


async def _some(transaction: Transaction, table: str, key: str, over: str, before: float) -> int:
    rows = await transaction.fetch(
        f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {over} LIMIT {MOST * 10})"
        f" RETURNING {key}",
        before,
    )
    return len(rows)


async def _events(transaction: Transaction, rows: Sequence[Row], these: str) -> None:
    """Forget the events of these alerts, but for the newest of each gateway."""
    await transaction.execute(
        f"DELETE FROM events WHERE alert IN {these} AND EXISTS (SELECT 1 FROM events n"
        " WHERE n.gateway = events.gateway AND (n.epoch > events.epoch"
        " OR (n.epoch = events.epoch AND n.seq > events.seq)))",
        *(row["alert"] for row in rows),
    )


def gone(count: int) -> str:
    """Return the statement that gives up the files of so many alerts, unless another alert has them too."""
    these = places(1, count)
    return (
        f"UPDATE files SET gone_at = ${count + 1} WHERE gone_at IS NULL"
        f" AND sha256 IN (SELECT sha256 FROM attachments WHERE alert IN {these})"
        f" AND NOT EXISTS (SELECT 1 FROM attachments n WHERE n.sha256 = files.sha256 AND n.alert NOT IN {these})"
    )


def lock(transaction: Transaction, table: str) -> str:
    """Have several desks share the work, and nobody open again meanwhile what goes."""
    return f"FOR UPDATE OF {table} SKIP LOCKED" if transaction.skip_locked else ""
