"""A clock that was set back: what waits for a time is moved back with it, so that an hour is not waited twice.

A row that was written in what is now the future tells it, also after a restart. On SQLite only: the desk there is alone
with its clock. Desks that share PostgreSQL have clocks of their own, and one that is wrong must not move what the
others keep.
"""

from typing import Final

from gateway.desk.store.database import Transaction

STEP_S: Final = 60.0  # a smaller step is waited out


async def follow(transaction: Transaction, now: float) -> float:
    """Move all that waits by as much as the clock was set back; return by how much."""
    if transaction.skip_locked:
        return 0.0
    rows = await transaction.fetch("SELECT max(set_at) AS latest FROM timers WHERE due_at IS NOT NULL")
    step = float(rows[0]["latest"] or 0.0) - now
    if step <= STEP_S:
        return 0.0
    await transaction.execute(
        "UPDATE timers SET due_at = due_at - $1, set_at = set_at - $1 WHERE due_at IS NOT NULL", step
    )
    await transaction.execute(
        "UPDATE notifications SET due_at = due_at - $1, leased_until = leased_until - $1 WHERE state = 'waiting'",
        step,
    )
    return step
