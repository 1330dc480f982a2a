"""Places that are known: where an alert has ever been, and where gateways say they are."""

import msgspec

from gateway.core.events import Place
from gateway.desk.store.database import Transaction

MOST = 50_000


async def known(transaction: Transaction) -> list[Place]:
    """Return every place that is known, the wider before those within it."""
    rows = await transaction.fetch(f"SELECT path FROM places ORDER BY path LIMIT {MOST}")
    found = [Place(**dict(msgspec.json.decode(row["path"], type=list[tuple[str, str]]))) for row in rows]
    stated = await transaction.fetch("SELECT place FROM gateways WHERE place <> '' ORDER BY gateway")
    found += [msgspec.json.decode(row["place"], type=Place) for row in stated]
    return list(dict.fromkeys(found))
