"""The timers of escalation as rows: armed when an incident begins or grows, taken by whoever is there when due.

A timer is claimed, acted upon and set anew in one transaction: what it does is write rows, so a desk that dies in
the middle has done nothing, and another takes the same timer at once. `SKIP LOCKED` has desks share the timers that
are due. What goes out into the world (notifications) cannot be undone and has leases instead; see notices.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.desk.grouping import next_news
from gateway.desk.store.database import Row, Transaction, insert

HURRIED: Final = 5
"""Rungs that may be climbed ahead of time."""

_ARM: Final = (
    "INSERT INTO timers (incident, round, step, due_at, news_at, next_news, again, set_at)",
    # An incident has reached the size at which it is told again when the next such size is a greater one.
    """ON CONFLICT (incident) DO UPDATE SET
  round = CASE WHEN timers.due_at IS NULL THEN timers.round + 1 ELSE timers.round END,
  step = CASE WHEN timers.due_at IS NULL THEN 0 ELSE timers.step END,
  next_news = CASE WHEN timers.due_at IS NULL THEN excluded.next_news ELSE timers.next_news END,
  news_at = CASE WHEN timers.due_at IS NOT NULL AND timers.next_news < excluded.next_news THEN excluded.due_at
    ELSE timers.news_at END,
  set_at = CASE WHEN timers.due_at IS NULL THEN excluded.set_at ELSE timers.set_at END,
  due_at = CASE WHEN timers.due_at IS NULL THEN excluded.due_at ELSE timers.due_at END""",
)


@dataclass(frozen=True, slots=True)
class Timer:
    """One incident's place on its ladder. `news`: it has grown."""

    incident: str
    round: int
    step: int
    due_at: float | None
    news: bool
    again: bool


async def arm(transaction: Transaction, counts: Mapping[str, int], now: float) -> None:
    """Start the ladders of incidents that have so many alerts; one that is being climbed has news instead."""
    rows = [(incident, 1, 0, now, None, next_news(counts[incident]), 0, now) for incident in sorted(counts)]
    await insert(transaction, _ARM[0], rows, _ARM[1])


async def again(transaction: Transaction, incident: str, now: float) -> None:
    """Start the ladder anew: it has become worse."""
    await transaction.execute(
        "UPDATE timers SET round = round + 1, step = 0, due_at = $2, set_at = $2, again = 1 WHERE incident = $1",
        incident,
        now,
    )


async def rearm(transaction: Transaction, incident: str, now: float) -> None:
    """Start the ladder anew if it is not being climbed: somebody reopened an alert, or a silence ended."""
    await transaction.execute(
        "UPDATE timers SET round = round + 1, step = 0, due_at = $2, set_at = $2"
        " WHERE incident = $1 AND due_at IS NULL",
        incident,
        now,
    )


async def rest(transaction: Transaction, incident: str) -> None:
    """Leave the ladder where nobody waits any more, so that the next alert begins it anew at once."""
    await transaction.execute(
        "UPDATE timers SET due_at = NULL, news_at = NULL WHERE incident = $1 AND again = 0 AND NOT EXISTS"
        " (SELECT 1 FROM work w WHERE w.incident = timers.incident AND w.state = 'raised')",
        incident,
    )


async def hurry(transaction: Transaction, incident: str, now: float) -> None:
    """Have the next rung climbed now, because this one reached nobody; not for ever, or it would go round and round."""
    await transaction.execute(
        "UPDATE timers SET due_at = $2, set_at = $2 WHERE incident = $1 AND due_at > $2 AND step < $3",
        incident,
        now,
        HURRIED,
    )


async def claim(transaction: Transaction, now: float, most: int) -> Sequence[Timer]:
    """Return timers that are due and that nobody else is at; they are ours until the transaction ends."""
    rows = await transaction.fetch(
        "SELECT * FROM timers WHERE (due_at IS NOT NULL AND due_at <= $1) OR (news_at IS NOT NULL AND news_at <= $1)"
        f" ORDER BY due_at LIMIT {int(most)} {transaction.skip_locked}",
        now,
    )
    return [_timer(row, now) for row in rows]


async def move(
    transaction: Transaction,
    timer: Timer,
    *,
    step: int,
    due_at: float | None,
    count: int,
    now: float,
    again: bool = False,
) -> None:
    """Set a claimed timer to its next step; people know of `count` alerts now."""
    await transaction.execute(
        "UPDATE timers SET step = $2, due_at = $3, news_at = NULL, next_news = $4, set_at = $5, again = $6"
        " WHERE incident = $1",
        timer.incident,
        step,
        due_at,
        next_news(count),
        now,
        int(again),
    )


async def next_due(transaction: Transaction) -> float | None:
    """Return when the next timer is due."""
    rows = await transaction.fetch("SELECT min(due_at) AS due FROM timers WHERE due_at IS NOT NULL")
    due: float | None = rows[0]["due"]
    return due


def _timer(row: Row, now: float) -> Timer:
    due: float | None = row["due_at"]
    news = row["news_at"] is not None and (due is None or due > now)
    return Timer(row["incident"], row["round"], row["step"], due, news, bool(row["again"]))
