"""Notifications on their way out: written once per step and person, claimed with a lease, settled by what was said.

The id names incident, step and person, so writing the same page twice is impossible, whoever tries. A desk that dies
after it sent and before it said so leaves a lease that runs out, and the page goes out again under the same id: a
double ring is better than none, and a receiver that looks at the id drops the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from gateway.desk.store.database import Row, Transaction, among, insert

_COLUMNS: Final = (
    "INSERT INTO notifications (id, incident, person, language, channels, channel, attempts, rank, zh, en,"
    " created_at, due_at, state, owner, leased_until, answer)"
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One page to one person. `channels` are (channel, address) in the order they are tried."""

    id: str
    incident: str
    person: str
    language: str
    channels: tuple[tuple[str, str], ...]
    rank: int
    zh: str
    en: str
    due_at: float
    channel: int = 0
    attempts: int = 0

    @property
    def text(self) -> str:
        """Return the words in the person's language."""
        return self.zh if self.language == "zh" else self.en

    @property
    def via(self) -> str:
        """Return the channel that is tried now."""
        return self.channels[self.channel][0]


async def write(transaction: Transaction, notices: Sequence[Notice], now: float) -> int:
    """Have these sent; one that was written before is left as it is. Return how many are new."""
    rows = [
        (
            each.id, each.incident, each.person, each.language, msgspec.json.encode(each.channels).decode(), 0, 0,
            each.rank, each.zh, each.en, now, each.due_at, "waiting" if each.channels else "failed", "", 0.0,
            "" if each.channels else "no channel",
        )
        for each in notices
    ]  # fmt: skip
    if not rows:
        return 0
    return len(await insert(transaction, _COLUMNS, rows, "ON CONFLICT (id) DO NOTHING RETURNING id"))


async def withdraw(transaction: Transaction, incident: str, now: float) -> None:
    """Have those not sent that quiet hours put off, where people have seen to all they tell of since."""
    await transaction.execute(
        "DELETE FROM notifications WHERE incident = $1 AND state = 'waiting' AND answer = '' AND due_at > $2"
        " AND NOT EXISTS (SELECT 1 FROM work w WHERE w.incident = notifications.incident"
        "   AND (w.state = 'raised' OR (w.state NOT IN ('resolved', 'false_alarm')"
        "   AND w.acknowledged_at < notifications.created_at)))",
        incident,
        now,
    )


async def claim(
    transaction: Transaction, owner: str, now: float, *, lease_s: float, most: int
) -> list[Notice]:
    """Take notifications that are due and in nobody's hands, the worst first, for `lease_s`."""
    rows = await transaction.fetch(
        "UPDATE notifications SET owner = $1, leased_until = $2 WHERE id IN ("
        "  SELECT id FROM notifications WHERE state = 'waiting' AND due_at <= $3 AND leased_until <= $3"
        f"  ORDER BY rank DESC, due_at, person, id LIMIT {int(most)} {transaction.skip_locked})"
        " RETURNING *",
        owner,
        now + lease_s,
        now,
    )
    found = [_notice(row) for row in rows]
    return sorted(found, key=lambda each: (-each.rank, each.due_at, each.id))


async def let_go(transaction: Transaction, instance: str) -> int:
    """Let go of what a desk of this name held in an earlier life; return how many earlier lives held something.

    `owner` is the instance and its process. Names are unique, so whoever starts under one knows that it is alone.
    """
    rows = await transaction.fetch(
        "SELECT DISTINCT owner FROM notifications WHERE state = 'waiting' AND owner <> ''"
    )
    owners = sorted(row["owner"] for row in rows if row["owner"].rpartition("-")[0] == instance)
    for owner in owners:
        await transaction.execute(
            "UPDATE notifications SET owner = '', leased_until = 0 WHERE owner = $1 AND state = 'waiting'",
            owner,
        )
    return len(owners)


async def delivered(
    transaction: Transaction,
    notice: Notice,
    owner: str,
    *,
    channel: str,
    answer: str,
    now: float,
    into: str = "",
) -> None:
    """Write down that it went out; `into` is the notification whose summary it was part of."""
    await transaction.execute(
        "UPDATE notifications SET state = 'delivered', sent_at = $3, sent_by = $4, answer = $5, merged_into = $6,"
        " owner = '', leased_until = 0 WHERE id = $1 AND owner = $2 AND state = 'waiting'",
        notice.id,
        owner,
        now,
        None if into else channel,
        answer[:500],
        into or None,
    )


async def put_off(
    transaction: Transaction,
    notice: Notice,
    owner: str,
    *,
    due_at: float,
    channel: int,
    attempts: int,
    answer: str,
) -> None:
    """Have it tried again at `due_at` on one of its channels."""
    await transaction.execute(
        "UPDATE notifications SET due_at = $3, channel = $4, attempts = $5, answer = $6, owner = '', leased_until = 0"
        " WHERE id = $1 AND owner = $2 AND state = 'waiting'",
        notice.id,
        owner,
        due_at,
        channel,
        attempts,
        answer[:500],
    )


async def failed(transaction: Transaction, notice: Notice, owner: str, answer: str) -> None:
    """Write down that no channel took it."""
    await transaction.execute(
        "UPDATE notifications SET state = 'failed', answer = $3, owner = '', leased_until = 0"
        " WHERE id = $1 AND owner = $2 AND state = 'waiting'",
        notice.id,
        owner,
        answer[:500],
    )


async def sent_within(transaction: Transaction, span_s: float, now: float) -> dict[str, int]:
    """Return how many messages each channel took within `span_s`, by all desks together.

    What a clock that was ahead wrote long after now is no message of this minute: no channel waits for that time.
    """
    rows = await transaction.fetch(
        "SELECT sent_by, count(*) AS n FROM notifications"
        " WHERE sent_at >= $1 AND sent_at <= $2 AND sent_by IS NOT NULL GROUP BY sent_by",
        now - span_s,
        now + span_s,  # another desk's clock may be a little ahead
    )
    return {row["sent_by"]: row["n"] for row in rows}


async def everything(transaction: Transaction) -> Sequence[Row]:
    """Return all notifications, oldest first."""
    return await transaction.fetch("SELECT * FROM notifications ORDER BY created_at, id")


async def of_incident(transaction: Transaction, incident: str) -> Sequence[Row]:
    """Return the notifications of one incident, oldest first."""
    return await transaction.fetch(
        "SELECT * FROM notifications WHERE incident = $1 ORDER BY created_at, id", incident
    )


async def in_state(transaction: Transaction, state: str, most: int) -> Sequence[Row]:
    """Return the latest notifications in a state; those told as part of another's summary are no trouble."""
    return await transaction.fetch(
        f"SELECT * FROM notifications WHERE state = $1 ORDER BY created_at DESC, id LIMIT {int(most)}", state
    )


async def places_of(transaction: Transaction, incidents: Sequence[str]) -> dict[str, list[str]]:
    """Return where the alerts of each incident lie, as JSON, each place once."""
    rows = await among(
        transaction,
        "SELECT DISTINCT w.incident AS incident, a.place AS place FROM work w JOIN alerts a ON a.alert = w.alert"
        " WHERE w.incident",
        incidents,
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["incident"], []).append(row["place"])
    return found


def _notice(row: Row) -> Notice:
    return Notice(
        id=row["id"],
        incident=row["incident"],
        person=row["person"],
        language=row["language"],
        channels=tuple((name, address) for name, address in msgspec.json.decode(row["channels"])),
        rank=row["rank"],
        zh=row["zh"],
        en=row["en"],
        due_at=row["due_at"],
        channel=row["channel"],
        attempts=row["attempts"],
    )
