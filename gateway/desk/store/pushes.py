"""The browsers that take Web Push, by person: written when somebody allows it, forgotten when the service says so."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from gateway.desk.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Push:
    """A browser: where its push service takes messages for it, and its keys (p256dh, auth)."""

    endpoint: str
    keys: Mapping[str, str]


async def remember(transaction: Transaction, push: Push, *, phone: str, person: str, now: float) -> None:
    """Have a person's pages sent to a browser as well; the same again renews it."""
    await transaction.execute(
        "INSERT INTO pushes (endpoint, phone, person, keys, made_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (endpoint) DO UPDATE SET phone = excluded.phone, person = excluded.person,"
        " keys = excluded.keys, made_at = excluded.made_at",
        push.endpoint,
        phone,
        person,
        msgspec.json.encode(dict(push.keys)).decode(),
        now,
    )


async def of_person(transaction: Transaction, person: str) -> list[Push]:
    """Return a person's browsers, the newest first."""
    rows = await transaction.fetch(
        "SELECT endpoint, keys FROM pushes WHERE person = $1 ORDER BY made_at DESC, endpoint", person
    )
    return [Push(row["endpoint"], msgspec.json.decode(row["keys"], type=dict[str, str])) for row in rows]


async def find(transaction: Transaction, endpoint: str) -> str | None:
    """Return whose a browser is."""
    rows = await transaction.fetch("SELECT person FROM pushes WHERE endpoint = $1", endpoint)
    return rows[0]["person"] if rows else None


async def forget(transaction: Transaction, endpoint: str) -> None:
    """Forget a browser: its service says that it is gone."""
    await transaction.execute("DELETE FROM pushes WHERE endpoint = $1", endpoint)
