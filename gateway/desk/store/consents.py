"""Consent given, changed and taken back, at once for all that is there already; and what is due to be thrown away."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from gateway.core.events import Place
from gateway.core.places import cut
from gateway.desk.consent import FORGOTTEN, Consent, Key, shown_of
from gateway.desk.masking import reworded
from gateway.desk.store import care, news
from gateway.desk.store.database import Row, Transaction, insert, places
from gateway.desk.store.files import CLOSED
from gateway.desk.store.forgetting import MOST, gone, lock

DAY_S: Final = 86_400.0
TABLES: Final = ("care", "care_told", "consents")
"""Where everything stands that is known of residents."""


async def replace(transaction: Transaction, fresh: Iterable[Consent], now: float) -> list[Key]:
    """Put these in the place of all there were; return whose changed.

    Whoever is not among them any more has taken it back: what is known of them goes as soon as each alert is closed.
    """
    wanted = {each.key: each for each in fresh}
    before = await care.consents(transaction)
    changed = sorted(key for key in {**before, **wanted} if before.get(key) != wanted.get(key))
    if not changed:
        return []
    await transaction.execute("DELETE FROM consents")
    rows = [
        (each.gateway, each.code, msgspec.json.encode(each.see).decode(), each.shown, each.keep_days, each.name,
         each.note)
        for each in wanted.values()
    ]  # fmt: skip
    if rows:
        await insert(
            transaction, "INSERT INTO consents (gateway, code, see, shown, keep_days, name, note)", rows
        )
    for key in changed:
        if key not in wanted:
            await transaction.execute("UPDATE care SET withdrawn = 1 WHERE gateway = $1 AND code = $2", *key)
        await _reword(transaction, key, shown_of(wanted.get(key)), now)
    return changed


async def forget(transaction: Transaction, now: float, keep_days: float, *, even: bool = True) -> int:
    """Throw away what is known of some closed alerts whose consent was taken back, or whose time is over.

    `even`: the clock is one to go by; else none is thrown away for its age.
    A number in the statistics is left: what it was, in which compound, and who saw to it when.
    """
    rows = await transaction.fetch(
        "SELECT c.alert AS alert, a.kind AS kind, a.change AS change, a.place AS place FROM care c"
        " JOIN work w ON w.alert = c.alert JOIN alerts a ON a.alert = c.alert"
        " LEFT JOIN consents k ON k.gateway = c.gateway AND k.code = c.code"
        f" WHERE w.state IN {CLOSED} AND (c.withdrawn = 1"
        f" OR {int(even)} = 1 AND w.closed_at < $1 - coalesce(k.keep_days, $2) * {DAY_S})"
        f" ORDER BY c.alert LIMIT {MOST}"
        f" {lock(transaction, 'w')}",
        now,
        keep_days,
    )
    if rows:
        names = [row["alert"] for row in rows]
        these = places(1, len(names))
        await transaction.execute(gone(len(names)), *names, now)
        for table in ("attachments", "care", "care_told"):
            await transaction.execute(f"DELETE FROM {table} WHERE alert IN {these}", *names)
        await _show(transaction, rows, FORGOTTEN, now, whole=False)
    return len(rows)


async def forget_devices(transaction: Transaction, before: float) -> int:
    """Forget devices that watched over somebody and are long gone; return how many. Others stay in the ledger."""
    rows = await transaction.fetch(
        "SELECT asset, reported FROM assets WHERE gone_at < $1 AND reported LIKE '%\"resident\":%'", before
    )
    for row in rows:
        await transaction.execute("DELETE FROM assets WHERE asset = $1", row["asset"])
    return len(rows)


async def _reword(transaction: Transaction, key: Key, shown: str, now: float) -> None:
    """Have everybody see as much of a resident's alerts as they agree to now."""
    rows = await transaction.fetch(
        "SELECT a.alert AS alert, a.kind AS kind, a.change AS change, a.place AS place FROM care c"
        " JOIN alerts a ON a.alert = c.alert WHERE c.gateway = $1 AND c.code = $2",
        *key,
    )
    await _show(transaction, rows, shown, now, whole=True)


async def _show(
    transaction: Transaction, rows: Sequence[Row], shown: str, now: float, *, whole: bool
) -> None:
    """Have everybody see these alerts with so much of their place; not `whole`: no more of it is kept either."""
    for row in rows:
        place = msgspec.json.decode(row["place"], type=Place)
        text = reworded(row["kind"], row["change"], place, shown)
        kept = place if whole else cut(place, shown)
        await transaction.execute(
            "UPDATE alerts SET zh = $2, en = $3, shown = $4, place = $5 WHERE alert = $1",
            row["alert"], text.zh, text.en, shown, msgspec.json.encode(kept).decode(),
        )  # fmt: skip
    await news.tell(transaction, "alert", [row["alert"] for row in rows], now)
