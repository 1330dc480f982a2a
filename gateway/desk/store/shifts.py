"""What a shift hands over: alerts, silences and duties of a span of time, each list bounded."""

from collections.abc import Sequence
from typing import Final

from gateway.desk.store.database import Row, Transaction
from gateway.desk.store.lists import SELECT

MOST: Final = 1_000
LAST_STEPS: Final = 5_000  # of the audit trail, among which duties are looked for


async def happened(transaction: Transaction, since: float, until: float) -> Sequence[Row]:
    """Return the alerts that began in the span, and those that were closed in it, oldest first."""
    return await transaction.fetch(
        f"{SELECT} WHERE (w.opened_at >= $1 AND w.opened_at <= $2) OR (w.closed_at >= $1 AND w.closed_at <= $2)"
        f" ORDER BY w.opened_at, a.alert LIMIT {MOST + 1}",
        since,
        until,
    )


async def silences(transaction: Transaction, since: float, until: float) -> Sequence[Row]:
    """Return the silences that were in force at some time of the span."""
    return await transaction.fetch(
        f"SELECT * FROM silences WHERE made_at <= $2 AND until > $1 ORDER BY made_at LIMIT {MOST}",
        since,
        until,
    )


async def duties(transaction: Transaction, since: float, until: float) -> Sequence[Row]:
    """Return who began and ended a duty in the span: (at, who, step)."""
    return await transaction.fetch(
        "SELECT at, who, step FROM (SELECT id, at, who, step FROM audit"
        f" ORDER BY id DESC LIMIT {LAST_STEPS}) AS last_ones"
        " WHERE step IN ('begins duty', 'ends duty') AND at >= $1 AND at <= $2 ORDER BY id",
        since,
        until,
    )


async def gone_quiet(transaction: Transaction) -> Sequence[Row]:
    """Return the gateways that are not heard now."""
    return await transaction.fetch("SELECT * FROM gateways WHERE quiet_since IS NOT NULL ORDER BY gateway")
