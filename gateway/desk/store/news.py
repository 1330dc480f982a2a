"""What has changed, in order, as rows: written with the change itself, read by whoever keeps a page up to date.

A row says only that something about a subject is different; what it is now is read where it stands. So rows may come
twice, and a reader loses nothing by looking again.

An id is given when a row is written and seen when its transaction is committed, and on PostgreSQL these are two
orders: a reader who was told of 10 may find 9 later. `since` therefore looks back a while before the id it is given
and returns those rows again; `among_ids` is for a reader that stays and waits for the ids it has not seen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.core.chunks import chunks
from gateway.desk.store.database import CHUNK, Row, Transaction, insert, places

LOOK_BACK_S: Final = 30.0
"""Longer than a transaction of ours takes; what waits longer for a lock finds its page by the next reload."""

MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class News:
    """Something about `subject` has changed. Topics: alert, gateway, silence, asset, order, door, phone."""

    id: int
    topic: str
    subject: str


async def tell(transaction: Transaction, topic: str, subjects: Iterable[str], now: float) -> None:
    """Write down that something about these subjects has changed, in the transaction that changes it."""
    rows = [(now, topic, subject) for subject in subjects]
    await insert(transaction, "INSERT INTO news (at, topic, subject)", rows)


async def latest(transaction: Transaction) -> int:
    """Return the newest id; 0 when nothing has ever been told. A page made after asking resumes from here."""
    rows = await transaction.fetch("SELECT max(id) AS id FROM news")
    return rows[0]["id"] or 0


async def after(transaction: Transaction, last: int, most: int = MOST) -> list[News]:
    """Return the first rows with a greater id, in order."""
    statement = f"SELECT id, topic, subject FROM news WHERE id > $1 ORDER BY id LIMIT {int(most)}"
    return _news(await transaction.fetch(statement, last))


async def among_ids(transaction: Transaction, ids: Iterable[int]) -> list[News]:
    """Return those of the rows that are there by now, in order."""
    found: list[Row] = []
    for chunk in chunks(ids, CHUNK):
        statement = f"SELECT id, topic, subject FROM news WHERE id IN {places(1, len(chunk))}"
        found += await transaction.fetch(statement, *chunk)
    return sorted(_news(found), key=lambda each: each.id)


async def since(transaction: Transaction, last: int, most: int = MOST) -> list[News] | None:
    """Return what a reader told up to `last` may have missed, some of it again; None: too much, or forgotten."""
    if last:
        rows = await transaction.fetch("SELECT at FROM news WHERE id = $1", last)
        if not rows:
            return None
        began = rows[0]["at"] - LOOK_BACK_S
        statement = "SELECT id, topic, subject FROM news WHERE id > $1 OR at >= $2"
        found = await transaction.fetch(f"{statement} ORDER BY id LIMIT {int(most) + 1}", last, began)
    else:
        found = await transaction.fetch(
            f"SELECT id, topic, subject FROM news ORDER BY id LIMIT {int(most) + 1}"
        )
        if found and found[0]["id"] != 1:
            return None
    return _news(found) if len(found) <= most else None


async def forget(transaction: Transaction, before: float, most: int = MOST) -> int:
    """Forget up to `most` rows older than that and return how many; the newest stays, for pages that resume from it."""
    rows = await transaction.fetch(
        "DELETE FROM news WHERE id IN (SELECT id FROM news WHERE at < $1 AND id < (SELECT max(id) FROM news)"
        f" ORDER BY at LIMIT {int(most)}) RETURNING id",
        before,
    )
    return len(rows)


def _news(rows: Sequence[Row]) -> list[News]:
    return [News(row["id"], row["topic"], row["subject"]) for row in rows]
