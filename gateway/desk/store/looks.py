"""Who looked at what only some may see: written once, changed by nobody, read by whoever keeps an eye on it."""

from collections.abc import Sequence
from typing import Final

from gateway.desk.store.database import Row, Transaction

ONCE_S: Final = 60.0
"""A page that asks again so soon, because something changed, is one look."""

KEPT_S: Final = 3 * 365 * 86_400.0
"""The record cannot be shortened before (the triggers of 003.sql), whoever tries."""


async def write(
    transaction: Transaction,
    *,
    alert: str,
    kind: str,
    place: str,
    who: str,
    phone: str,
    what: str,
    now: float,
) -> None:
    """Write down that somebody looks at an alert: `what` is place, details or picture; `place` as everybody sees it."""
    known = await transaction.fetch(
        "SELECT id FROM looks WHERE alert = $1 AND who = $2 AND phone = $3 AND what = $4 AND at > $5 AND at <= $6",
        alert, who, phone, what, now - ONCE_S, now,
    )  # fmt: skip
    if not known:
        await transaction.execute(
            "INSERT INTO looks (alert, kind, place, at, who, phone, what) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            alert, kind, place, now, who, phone, what,
        )  # fmt: skip


async def before(transaction: Transaction, last: int, most: int) -> Sequence[Row]:
    """Return looks, the latest first, with a smaller number than `last`."""
    return await transaction.fetch(
        f"SELECT * FROM looks WHERE id < $1 ORDER BY id DESC LIMIT {int(most)}", last
    )


async def forget(transaction: Transaction, now: float, most: int = 500) -> int:
    """Forget some of what is older than anybody asks for; return how many."""
    rows = await transaction.fetch(
        f"DELETE FROM looks WHERE id IN (SELECT id FROM looks WHERE at < $1 ORDER BY id LIMIT {int(most)})"
        " RETURNING id",
        now - KEPT_S - 86_400.0,
    )
    return len(rows)
