"""The doors of all gateways: which there are, how each stood last."""

from collections.abc import Mapping, Sequence

from gateway.desk.doors import Door, Gateway, May, listed
from gateway.desk.store import news
from gateway.desk.store.database import Transaction, insert


async def doors(transaction: Transaction, may: May, *, signs: bool) -> list[Door]:
    """Return the doors of which the asker `may(action, place)` anything; `signs` says whether the desk has a key."""
    states: dict[str, dict[str, str]] = {}
    for row in await transaction.fetch("SELECT gateway, door, body FROM doors"):
        states.setdefault(row["gateway"], {})[row["door"]] = row["body"]
    rows = await transaction.fetch("SELECT gateway, availability, health FROM gateways ORDER BY gateway")
    known = [
        Gateway(
            row["gateway"], row["availability"] != "offline", row["health"], states.get(row["gateway"], {})
        )
        for row in rows
    ]
    return listed(known, may, signs=signs)


async def told(transaction: Transaction, states: Mapping[tuple[str, str], str], now: float) -> Sequence[str]:
    """Keep what gateways told of their doors; return which have changed, as `<gateway>/<door>`."""
    rows = [(gateway, door, body, now) for (gateway, door), body in sorted(states.items())]
    if not rows:
        return []
    changed = await insert(
        transaction,
        "INSERT INTO doors (gateway, door, body, at)",
        rows,
        "ON CONFLICT (gateway, door) DO UPDATE SET body = excluded.body, at = excluded.at"
        " WHERE doors.body <> excluded.body RETURNING gateway, door",
    )
    subjects = [f"{row['gateway']}/{row['door']}" for row in changed]
    if subjects:
        await news.tell(transaction, "door", subjects, now)
    return subjects
