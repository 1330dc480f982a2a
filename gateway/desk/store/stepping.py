"""A clock that was set back: what waits for a time is moved back with it, so that an hour is not waited twice.

Ladders, pages, and silences: one that was made for an hour by a clock a year ahead would keep pages back for that year.
A row that was written in what is now the future tells it, also after a restart. On SQLite only: the desk there is alone
with its clock. Desks that share PostgreSQL have clocks of their own, and one that is wrong must not move what the
others keep.
"""

from typing import Final

from gateway.desk.store.database import Transaction

STEP_S: Final = 60.0  # a smaller step is waited out

_LATEST: Final = """
SELECT max(at) AS latest FROM (
  SELECT max(set_at) AS at FROM timers WHERE due_at IS NOT NULL
  UNION ALL SELECT max(created_at) FROM notifications WHERE state = 'waiting'
  UNION ALL SELECT max(made_at) FROM silences WHERE until > $1
)
"""


async def follow(transaction: Transaction, now: float) -> float:
    """Move all that waits by as much as the clock was set back; return by how much."""
    if transaction.skip_locked:
        return 0.0
    rows = await transaction.fetch(_LATEST, now)
    step = float(rows[0]["latest"] or 0.0) - now
    if step <= STEP_S:
        return 0.0
    await transaction.execute(
        "UPDATE timers SET due_at = due_at - $1, set_at = set_at - $1 WHERE due_at IS NOT NULL", step
    )
    await transaction.execute(
        "UPDATE notifications SET created_at = created_at - $1, due_at = due_at - $1,"
        " leased_until = leased_until - $1 WHERE state = 'waiting'",
        step,
    )
    await transaction.execute(
        "UPDATE silences SET until = until - $1, made_at = made_at - $1 WHERE until > $2", step, now
    )
    return step
