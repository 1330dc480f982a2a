"""Phones that were let in: paired once with a word that dies, known afterwards by a secret of their own.

Both are random and long, so one plain SHA-256 is all the hiding they need; neither stands in the database.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from gateway.core.events import Place
from gateway.desk.store import news
from gateway.desk.store.database import Row, Transaction

TOKEN_BYTES: Final = 16
SECRET_BYTES: Final = 32
PAIRING_S: Final = 300.0
SEEN_EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone or a browser. `person` None: it is shared, and `acting` says who has it at present."""

    phone: str
    person: str | None
    place: Place
    label: str
    acting: str | None
    acting_since: float | None
    made_by: str
    made_at: float
    seen_at: float

    @property
    def holder(self) -> str:
        """Return who acts with it; '' where nobody has said so."""
        return self.person or self.acting or ""


async def offer(
    transaction: Transaction,
    *,
    person: str | None,
    place: Place,
    label: str,
    by: str,
    now: float,
    lasts_s: float = PAIRING_S,
) -> tuple[str, float]:
    """Make a word that lets one phone in; return it and until when it is good."""
    token, until = secrets.token_urlsafe(TOKEN_BYTES), now + lasts_s
    await transaction.execute(
        "INSERT INTO pairings (hash, person, place, label, made_by, until) VALUES ($1, $2, $3, $4, $5, $6)",
        hashed(token),
        person,
        msgspec.json.encode(place).decode(),
        label,
        by,
        until,
    )
    return token, until


async def pair(transaction: Transaction, token: str, label: str, now: float) -> str | None:
    """Let a phone in by its word, once; return the secret it is known by, None if the word is used, old or unknown."""
    rows = await transaction.fetch(
        "UPDATE pairings SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND until >= $2 RETURNING *",
        hashed(token),
        now,
    )
    if not rows:
        return None
    row, secret = rows[0], secrets.token_urlsafe(SECRET_BYTES)
    await transaction.execute(
        "INSERT INTO phones (phone, hash, person, place, label, made_by, made_at, seen_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        secrets.token_hex(8),
        hashed(secret),
        row["person"],
        row["place"],
        label or row["label"],
        row["made_by"],
        now,
    )
    return secret


async def known(transaction: Transaction, secret: str, now: float) -> Phone | None:
    """Return the phone of a secret, None if there is none or it was sent away; take note that it was seen."""
    found = await transaction.fetch(
        "SELECT * FROM phones WHERE hash = $1 AND revoked_at IS NULL", hashed(secret)
    )
    if not found:
        return None
    phone = _phone(found[0])
    if now - phone.seen_at >= SEEN_EVERY_S:
        await transaction.execute("UPDATE phones SET seen_at = $2 WHERE phone = $1", phone.phone, now)
    return phone


async def find(transaction: Transaction, phone: str) -> Phone | None:
    """Return a phone that is let in, by its name."""
    rows = await transaction.fetch("SELECT * FROM phones WHERE phone = $1 AND revoked_at IS NULL", phone)
    return _phone(rows[0]) if rows else None


async def act(transaction: Transaction, phone: str, person: str, now: float) -> None:
    """Write down who has a shared phone now."""
    await transaction.execute(
        "UPDATE phones SET acting = $2, acting_since = $3 WHERE phone = $1 AND person IS NULL",
        phone,
        person,
        now,
    )
    await news.tell(transaction, "phone", [phone], now)


async def revoke(transaction: Transaction, phone: str, now: float) -> bool:
    """Send a phone away; return whether it was there."""
    rows = await transaction.fetch(
        "UPDATE phones SET revoked_at = $2 WHERE phone = $1 AND revoked_at IS NULL RETURNING phone",
        phone,
        now,
    )
    await transaction.execute("DELETE FROM pushes WHERE phone = $1", phone)
    await news.tell(transaction, "phone", [row["phone"] for row in rows], now)
    return bool(rows)


async def everyone(transaction: Transaction) -> Sequence[Phone]:
    """Return all phones that are let in, who was seen last first."""
    rows = await transaction.fetch(
        "SELECT * FROM phones WHERE revoked_at IS NULL ORDER BY seen_at DESC, phone"
    )
    return [_phone(row) for row in rows]


def hashed(secret: str) -> str:
    """Return what is kept of a word or a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _phone(row: Row) -> Phone:
    return Phone(
        phone=row["phone"],
        person=row["person"],
        place=msgspec.json.decode(row["place"], type=Place),
        label=row["label"],
        acting=row["acting"],
        acting_since=row["acting_since"],
        made_by=row["made_by"],
        made_at=row["made_at"],
        seen_at=row["seen_at"],
    )
