"""Damaged files of the record that were set aside, until people have been told."""

from collections.abc import Sequence

from gateway.desk.store.database import Row, Transaction


async def untold(transaction: Transaction) -> Sequence[Row]:
    """Return what nobody was told of yet: at, aside, lost."""
    return await transaction.fetch("SELECT at, aside, lost FROM salvages WHERE told = 0 ORDER BY at")


async def told(transaction: Transaction) -> None:
    """Note that people are told, in the transaction that tells them."""
    await transaction.execute("UPDATE salvages SET told = 1 WHERE told = 0")


async def open_alerts(transaction: Transaction, kind: str) -> Sequence[Row]:
    """Return the words of those alerts of a kind that nobody has closed: zh, en."""
    return await transaction.fetch(
        "SELECT a.zh AS zh, a.en AS en FROM alerts a JOIN work w ON w.alert = a.alert"
        " WHERE a.kind = $1 AND w.state NOT IN ('resolved', 'false_alarm') ORDER BY a.first_seen",
        kind,
    )
