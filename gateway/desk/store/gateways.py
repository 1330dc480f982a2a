"""What is known of each gateway: whether it is there, when it was last heard, its health."""

from collections.abc import Mapping, Sequence
from typing import Final

from gateway.desk.store import news
from gateway.desk.store.database import Row, Transaction, among, insert

HEARD_EVERY_S: Final = 5.0
"""So much older a sign of life may look than it is."""

_HEARD: Final = (
    "INSERT INTO gateways (gateway, availability, changed_at, heard_at, health, place, quiet_since)",
    "ON CONFLICT (gateway) DO UPDATE SET heard_at = excluded.heard_at,"
    " place = CASE WHEN excluded.place = '' THEN gateways.place ELSE excluded.place END",
)


async def heard(transaction: Transaction, places: Mapping[str, str], now: float) -> None:
    """Take note that gateways were heard; `places` says where each is, '' where that is not known.

    What is known well enough is not written again: in a storm every desk hears every gateway, and each would wait for
    the rows of the others. A time from a clock that was ahead is put right.
    """
    statement = "SELECT gateway, heard_at, place FROM gateways WHERE gateway"
    known = {row["gateway"]: row for row in await among(transaction, statement, list(places))}
    rows = [
        (gateway, "online", now, now, "", place, None)
        for gateway, place in sorted(places.items())
        if gateway not in known
        or abs(now - known[gateway]["heard_at"]) >= HEARD_EVERY_S
        or place not in {"", known[gateway]["place"]}
    ]
    await insert(transaction, _HEARD[0], rows, _HEARD[1])


async def available(transaction: Transaction, gateway: str, told: str, now: float, *, live: bool) -> None:
    """Take note of what a gateway's availability topic says.

    `offline` is its last will and no sign of life; nor is what the broker kept for us, which is not `live`.
    """
    before = await transaction.fetch("SELECT availability FROM gateways WHERE gateway = $1", gateway)
    if not before or before[0]["availability"] != told:
        await news.tell(transaction, "gateway", [gateway], now)
    await transaction.execute(
        "INSERT INTO gateways (gateway, availability, changed_at, heard_at, health, place, quiet_since)"
        " VALUES ($1, $2, $3, $3, '', '', NULL) ON CONFLICT (gateway) DO UPDATE SET"
        " changed_at = CASE WHEN gateways.availability = excluded.availability THEN gateways.changed_at ELSE $3 END,"
        " heard_at = CASE WHEN $4 = 1 THEN $3 ELSE gateways.heard_at END,"
        " availability = excluded.availability",
        gateway,
        told,
        now,
        int(live and told == "online"),
    )


async def healthy(transaction: Transaction, gateway: str, document: str, now: float, *, live: bool) -> None:
    """Keep a gateway's health document."""
    if live:
        await heard(transaction, {gateway: ""}, now)
    await transaction.execute("UPDATE gateways SET health = $2 WHERE gateway = $1", gateway, document)


async def fallen_quiet(
    transaction: Transaction, *, unheard_since: float, offline_since: float, ahead: float
) -> Sequence[Row]:
    """Return the gateways not yet known as quiet that were not heard, or said to be offline, for so long.

    What was heard after `ahead` was so by a clock that was ahead, and not since it was set.
    """
    return await transaction.fetch(
        "SELECT * FROM gateways WHERE quiet_since IS NULL AND (heard_at < $1 OR heard_at > $3"
        " OR (availability = 'offline' AND (changed_at < $2 OR changed_at > $3))) ORDER BY gateway"
        f" {transaction.skip_locked}",
        unheard_since,
        offline_since,
        ahead,
    )


async def speaking_again(transaction: Transaction, *, heard_since: float) -> Sequence[Row]:
    """Return the gateways known as quiet that are heard again and do not say that they are offline."""
    return await transaction.fetch(
        "SELECT * FROM gateways WHERE quiet_since IS NOT NULL AND heard_at >= $1 AND heard_at <> quiet_since"
        f" AND availability <> 'offline' ORDER BY gateway {transaction.skip_locked}",
        heard_since,
    )


async def mark(transaction: Transaction, gateway: str, quiet_since: float | None, now: float) -> None:
    """Mark a gateway as quiet, when it was last heard, or as heard."""
    await news.tell(transaction, "gateway", [gateway], now)
    await transaction.execute(
        "UPDATE gateways SET quiet_since = $2, heard_at = coalesce($2, heard_at) WHERE gateway = $1",
        gateway,
        quiet_since,
    )


async def place(transaction: Transaction, gateway: str) -> str:
    """Return where a gateway is, as JSON; empty where that is not known."""
    rows = await transaction.fetch("SELECT place FROM gateways WHERE gateway = $1", gateway)
    return rows[0]["place"] if rows else ""


async def everyone(transaction: Transaction) -> Sequence[Row]:
    """Return all gateways."""
    return await transaction.fetch("SELECT * FROM gateways ORDER BY gateway")
