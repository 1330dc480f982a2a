"""Lists of alerts for the pages: what sensors say and what people did in one row, and the files of each."""

from collections.abc import Sequence
from typing import Final

from gateway.desk.store.database import Row, Transaction, among
from gateway.desk.workflow import CLOSED, OPEN

SELECT: Final = (
    "SELECT a.alert AS alert, a.kind AS kind, a.rank AS rank, a.change AS change, a.place AS place, a.time AS time,"
    " a.first_seen AS first_seen, a.count AS count, a.zh AS zh, a.en AS en, a.body AS body,"
    " w.incident AS incident, w.state AS work_state, w.version AS version, w.opened_at AS opened_at,"
    " w.acknowledged_by AS acknowledged_by, w.acknowledged_at AS acknowledged_at, w.assignee AS assignee,"
    " w.arrived_at AS arrived_at, w.closed_by AS closed_by, w.closed_at AS closed_at, w.cause AS cause, w.note AS note,"
    " a.shown AS shown"
    " FROM work w JOIN alerts a ON a.alert = w.alert"
)
_OPEN: Final = ", ".join(f"'{state}'" for state in OPEN)
_CLOSED: Final = ", ".join(f"'{state}'" for state in CLOSED)


async def opened(transaction: Transaction, most: int) -> Sequence[Row]:
    """Return the alerts that are not closed, the worst first, then who has waited longest."""
    return await transaction.fetch(
        f"{SELECT} WHERE w.state IN ({_OPEN}) ORDER BY a.rank DESC, w.opened_at, a.alert LIMIT {int(most)}"
    )


async def closed(transaction: Transaction, before: float, most: int, than: str = "") -> Sequence[Row]:
    """Return alerts that were closed before a time, the latest first; at that very time, those below `than`."""
    return await transaction.fetch(
        f"{SELECT} WHERE w.state IN ({_CLOSED}) AND (w.closed_at, w.alert) < ($1, $2)"
        f" ORDER BY w.closed_at DESC, w.alert DESC LIMIT {int(most)}",
        before,
        than,
    )


async def these(transaction: Transaction, alerts: Sequence[str]) -> Sequence[Row]:
    """Return the rows of these alerts, as far as there are any."""
    return await among(transaction, f"{SELECT} WHERE a.alert", alerts)


async def of_incident(transaction: Transaction, incident: str, most: int) -> Sequence[Row]:
    """Return the alerts of one incident, the oldest first."""
    return await transaction.fetch(
        f"{SELECT} WHERE w.incident = $1 ORDER BY w.opened_at, a.alert LIMIT {int(most)}", incident
    )


async def files(transaction: Transaction, alerts: Sequence[str]) -> Sequence[Row]:
    """Return the files of these alerts that can be had: (alert, sha256, kind, at).

    They come as they were named, a still before the clip: it tells at a glance, and a clip is to be played.
    """
    rows = await among(
        transaction,
        "SELECT t.alert AS alert, t.sha256 AS sha256, f.kind AS kind, t.at AS at FROM attachments t"
        " JOIN files f ON f.sha256 = t.sha256 WHERE f.gone_at IS NULL AND t.alert",
        alerts,
    )
    return sorted(rows, key=lambda row: (row["at"], row["kind"] == "clip", row["sha256"]))


async def alerts_of_file(transaction: Transaction, sha256: str) -> Sequence[Row]:
    """Return alert, place and `shown` of all alerts that a file belongs to.

    A gateway names the evidence of its alerts; naming a file of another's, or a person's, makes it none of its own.
    """
    return await transaction.fetch(
        "SELECT a.alert AS alert, a.place AS place, a.shown AS shown"
        " FROM attachments t JOIN alerts a ON a.alert = t.alert JOIN files f ON f.sha256 = t.sha256 WHERE t.sha256 = $1"
        " AND (f.made_by = a.gateway OR (f.kind = 'photo' AND t.who <> a.gateway))",
        sha256,
    )
