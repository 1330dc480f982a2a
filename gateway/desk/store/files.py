"""Stills, clips and photos as rows: which there are, which alerts they belong to, which may be thrown away.

An attachment may stand before its file: an alert names its evidence as soon as it knows the sums, and the bytes come
behind. A file stands only when it is whole on the disk; `gone_at` says that it was thrown away, and the row stays.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from gateway.desk.store.database import Row, Transaction, among, insert

CLOSED: Final = "('resolved', 'false_alarm')"
FRESH_S: Final = 3600.0
"""A photo is there before the step that it belongs to; nothing is thrown away that is younger."""


async def attach(transaction: Transaction, rows: Iterable[tuple[str, str, str]], now: float) -> None:
    """Have files belong to alerts: (alert, sha256, who)."""
    values = [(alert, sha256, now, who) for alert, sha256, who in sorted(set(rows))]
    statement = "INSERT INTO attachments (alert, sha256, at, who)"
    await insert(transaction, statement, values, "ON CONFLICT (alert, sha256) DO NOTHING")


async def named(transaction: Transaction, gateway: str, sha256: str) -> list[str]:
    """Return the alerts of a gateway that name a file."""
    rows = await transaction.fetch(
        "SELECT a.alert AS alert FROM attachments n JOIN alerts a ON a.alert = n.alert"
        " WHERE n.sha256 = $2 AND a.gateway = $1",
        gateway,
        sha256,
    )
    return [row["alert"] for row in rows]


async def add(
    transaction: Transaction, sha256: str, *, kind: str, media: str, size: int, who: str, now: float
) -> None:
    """Write down that a file is on the disk, whole; it may have been there before and thrown away."""
    await transaction.execute(
        "INSERT INTO files (sha256, kind, media, size, made_at, made_by, gone_at) VALUES ($1, $2, $3, $4, $5, $6, NULL)"
        " ON CONFLICT (sha256) DO UPDATE SET gone_at = NULL",
        sha256,
        kind,
        media,
        size,
        now,
        who,
    )


async def find(transaction: Transaction, sha256: str) -> Row | None:
    """Return a file that is there."""
    rows = await transaction.fetch("SELECT * FROM files WHERE sha256 = $1 AND gone_at IS NULL", sha256)
    return rows[0] if rows else None


async def of_alerts(transaction: Transaction, alerts: Sequence[str]) -> Sequence[Row]:
    """Return the files that are there and belong to these alerts, oldest first: alert, who, and all of the file."""
    rows = await among(
        transaction,
        "SELECT n.alert AS alert, n.who AS who, f.* FROM attachments n JOIN files f ON f.sha256 = n.sha256"
        " WHERE f.gone_at IS NULL AND n.alert",
        alerts,
    )
    return sorted(rows, key=lambda row: (row["made_at"], row["sha256"]))


async def alerts_of(transaction: Transaction, sha256: str) -> list[str]:
    """Return the alerts that a file belongs to."""
    rows = await transaction.fetch("SELECT alert FROM attachments WHERE sha256 = $1", sha256)
    return [row["alert"] for row in rows]


async def owner(transaction: Transaction, sha256: str) -> str | None:
    """Return a gateway whose alert names the file."""
    rows = await transaction.fetch(
        "SELECT a.gateway AS gateway FROM attachments n JOIN alerts a ON a.alert = n.alert WHERE n.sha256 = $1 LIMIT 1",
        sha256,
    )
    return rows[0]["gateway"] if rows else None


async def known(transaction: Transaction, sums: Sequence[str]) -> set[str]:
    """Return those of the files that are there by the record."""
    rows = await among(transaction, "SELECT sha256 FROM files WHERE gone_at IS NULL AND sha256", sums)
    return {row["sha256"] for row in rows}


async def size(transaction: Transaction) -> int:
    """Return how many bytes all files have."""
    rows = await transaction.fetch("SELECT sum(size) AS size FROM files WHERE gone_at IS NULL")
    return int(rows[0]["size"] or 0)


async def throw_away(transaction: Transaction, excess: int, now: float, most: int = 200) -> list[str]:
    """Mark files of `excess` bytes together as gone and return them: clips before what is small, the oldest first.

    Never one of an alert that is open, nor one so fresh that the step it belongs to may be on its way.
    """
    rows = await transaction.fetch(
        "SELECT sha256, size FROM files f WHERE gone_at IS NULL AND made_at < $1 AND NOT EXISTS ("
        "  SELECT 1 FROM attachments n JOIN work w ON w.alert = n.alert"
        f"  WHERE n.sha256 = f.sha256 AND w.state NOT IN {CLOSED})"
        f" ORDER BY CASE kind WHEN 'clip' THEN 0 ELSE 1 END, made_at, sha256 LIMIT {int(most)}",
        now - FRESH_S,
    )
    found: list[str] = []
    for row in rows:
        if excess <= 0:
            break
        found.append(row["sha256"])
        excess -= row["size"]
    for sha256 in found:
        await transaction.execute("UPDATE files SET gone_at = $2 WHERE sha256 = $1", sha256, now)
    return found


async def gone_since(transaction: Transaction, since: float) -> list[str]:
    """Return the files that were thrown away since then, by any desk."""
    rows = await transaction.fetch("SELECT sha256 FROM files WHERE gone_at >= $1", since)
    return [row["sha256"] for row in rows]
