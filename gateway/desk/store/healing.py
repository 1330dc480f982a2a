"""Makes a record that has lost rows work on: what stands open has its work, its incident and its ladder again.

A row that is gone is found in another: what somebody did in the audit trail, an alert in its events, an incident in the
work that names it. Of what nobody can say the louder is taken: open, not acknowledged, the ladder from its beginning. A
double ring is better than none. But where the trail is gone as well, what its sensor has cleared is taken for closed:
the alerts of a year are not rung again.
"""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from gateway.core.events import Change, Place, Words
from gateway.desk.arrivals import RANKS, Arrival, UnreadableError, read
from gateway.desk.grouping import OWN
from gateway.desk.store import care, events, timers, work
from gateway.desk.store.database import Row, Transaction, among, insert
from gateway.desk.workflow import Work

NEEDED: Final = frozenset({"alerts", "work", "incidents", "heads", "timers", "notifications"})
"""Tables by which people are paged."""

_CLOSED: Final = "('resolved', 'false_alarm')"
_SEVERITIES: Final = {rank: severity for severity, rank in RANKS.items()}


class _Trail(msgspec.Struct, frozen=True):
    work: Work


_trail = msgspec.json.Decoder(_Trail)


async def heal(transaction: Transaction, lost: Collection[str], now: float) -> None:
    """Mend what hangs on the rows that these tables have lost."""
    if NEEDED & set(lost):
        rebuilt = [*await _alerts(transaction, now, lost), *await _work(transaction, now)]
        if "audit" in lost:
            await _close(transaction, rebuilt, now)
        await _incidents(transaction)
        await _ladders(transaction, now, all_of_them="notifications" in lost)
    if "events" in lost:  # what had come is not missing
        await transaction.execute(
            "UPDATE events SET previous = NULL WHERE previous IS NOT NULL AND NOT EXISTS (SELECT 1 FROM events p"
            " WHERE p.gateway = events.gateway AND p.epoch = events.epoch AND p.seq = events.previous)"
        )


async def _alerts(transaction: Transaction, now: float, lost: Collection[str]) -> list[Arrival]:
    """Take in again what came of alerts that are gone and not closed; return those that had no work either."""
    await _from_trail(transaction)
    await _incidents(transaction)
    if "alerts" not in lost:
        return []
    gone = await transaction.fetch(
        "SELECT DISTINCT e.alert AS alert, EXISTS (SELECT 1 FROM work w WHERE w.alert = e.alert) AS known"
        f" FROM events e WHERE e.gateway NOT LIKE '{OWN}%'"
        " AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.alert = e.alert)"
        f" AND NOT EXISTS (SELECT 1 FROM work w WHERE w.alert = e.alert AND w.state IN {_CLOSED})"
    )
    newest: list[Arrival] = []
    for row in gone:
        came = await _came(transaction, row["alert"])
        if came:
            await transaction.execute("DELETE FROM events WHERE alert = $1", row["alert"])
            await events.ingest(transaction, came, now)
            newest += [] if row["known"] else [came[-1]]
    return newest


async def _work(transaction: Transaction, now: float) -> list[Arrival]:
    """Begin the work of alerts that have none; return them."""
    rows = await transaction.fetch(
        "SELECT a.* FROM alerts a WHERE NOT EXISTS (SELECT 1 FROM work w WHERE w.alert = a.alert)"
    )
    found = [_arrival(row) for row in rows]
    await events.begin(transaction, found, now)
    return found


async def _close(transaction: Transaction, begun: Iterable[Arrival], now: float) -> None:
    """Close what was begun for want of a trail, where its sensor has cleared it."""
    for each in begun:
        if each.change is Change.CLEARED:
            await transaction.execute(
                "UPDATE work SET state = 'resolved', closed_by = $2, closed_at = $3 WHERE alert = $1",
                each.alert,
                OWN,
                now,
            )


async def _from_trail(transaction: Transaction) -> None:
    """Write work anew as the last step that somebody took has left it."""
    rows = await transaction.fetch(
        "SELECT subject, detail FROM audit WHERE id IN"
        """ (SELECT max(id) FROM audit WHERE detail LIKE '{"work":{%' GROUP BY subject)"""
        " AND NOT EXISTS (SELECT 1 FROM work w WHERE w.alert = subject)"
        " AND (EXISTS (SELECT 1 FROM alerts a WHERE a.alert = subject)"
        "   OR EXISTS (SELECT 1 FROM events e WHERE e.alert = subject))"
    )
    found: list[Work] = []
    for row in rows:
        with suppress(msgspec.DecodeError, msgspec.ValidationError):  # it has rotted as well
            found.append(_trail.decode(row["detail"]).work)
    await work.write_anew(transaction, found)


async def _incidents(transaction: Transaction) -> None:
    """Write incidents anew that work names; let no number of one be given again."""
    rows = await transaction.fetch(
        "SELECT w.incident AS incident, min(w.opened_at) AS opened_at, max(coalesce(a.rank, 0)) AS rank FROM work w"
        " LEFT JOIN alerts a ON a.alert = w.alert"
        " WHERE NOT EXISTS (SELECT 1 FROM incidents i WHERE i.incident = w.incident) GROUP BY w.incident"
    )
    missing = [(row["incident"], _key(row["incident"])[0], row["opened_at"], row["rank"]) for row in rows]
    await insert(transaction, "INSERT INTO incidents (incident, key, opened_at, rank)", missing)
    highest: dict[str, int] = {}
    for row in await transaction.fetch(
        "SELECT incident FROM incidents UNION SELECT incident FROM timers UNION SELECT incident FROM notifications"
    ):
        key, number = _key(row["incident"])
        highest[key] = max(number, highest.get(key, 0))
    await insert(
        transaction,
        "INSERT INTO heads (key, number, count, last_at)",
        [(key, number, 0, 0.0) for key, number in highest.items() if number],
        "ON CONFLICT (key) DO UPDATE SET number = excluded.number, count = 0, last_at = 0"
        " WHERE heads.number < excluded.number",
    )


async def _ladders(transaction: Transaction, now: float, *, all_of_them: bool) -> None:
    """Have ladders climbed from their beginning that are gone, or whose pages may be gone: under ids never used."""
    rows = await transaction.fetch(
        "SELECT w.incident AS incident, count(*) AS waiting, max(t.round) AS round FROM work w"
        " LEFT JOIN timers t ON t.incident = w.incident WHERE w.state = 'raised' GROUP BY w.incident"
    )
    due = {row["incident"]: row["waiting"] for row in rows if all_of_them or row["round"] is None}
    used = {row["incident"]: row["round"] or 0 for row in rows}
    for row in await among(transaction, "SELECT incident, id FROM notifications WHERE incident", sorted(due)):
        label = row["id"].removeprefix(row["incident"] + "|").partition(".")[0]
        used[row["incident"]] = max(used[row["incident"]], int(label) if label.isdigit() else 0)
    await timers.arm(transaction, due, now)
    for incident in due:
        await transaction.execute(
            "UPDATE timers SET round = $2, step = 0, due_at = $3, set_at = $3 WHERE incident = $1",
            incident,
            used[incident] + 1,
            now,
        )


async def _came(transaction: Transaction, alert: str) -> Sequence[Arrival]:
    """Return the events of an alert as they came, oldest first; none where one of them cannot be read any more."""
    put_away = await care.told(transaction, alert)
    found: list[Arrival] = []
    for row in await events.timeline(transaction, alert):
        body = put_away.get(f"{care.SAID} {row['epoch']}.{row['seq']}", row["body"])
        try:
            found.append(read(row["gateway"], body.encode()))
        except UnreadableError:
            return []
    return found


def _arrival(row: Row) -> Arrival:
    """Return the newest event of an alert, as far as it is known."""
    return Arrival(
        gateway=row["gateway"],
        epoch=row["epoch"],
        seq=row["seq"],
        previous=None,
        alert=row["alert"],
        change=Change(row["change"]),
        time=row["time"],
        kind=row["kind"],
        severity=_SEVERITIES[row["rank"]],
        state=row["state"],
        place=msgspec.json.decode(row["place"], type=Place),
        text=Words(row["zh"], row["en"]),
        first_seen=row["first_seen"],
        count=row["count"],
        body=row["body"],
        device=row["device"],
        shown=row["shown"],
    )


def _key(incident: str) -> tuple[str, int]:
    """Return the key of an incident and its number; 0: it has none, like a weekly test."""
    key, _, number = incident.rpartition("#")
    return (key, int(number)) if number.isdecimal() and key else (incident, 0)
