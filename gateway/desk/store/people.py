"""Who there is, what they are and when they are on duty; and what is silenced."""

from collections.abc import Sequence

import msgspec

from gateway.core.events import Place
from gateway.desk.routing import Directory, Duty, Person, Role
from gateway.desk.silences import Silence
from gateway.desk.store import news
from gateway.desk.store.database import Row, Transaction, insert


async def replace(transaction: Transaction, fresh: Directory) -> bool:
    """Put these people, roles and duties in the place of all there were; return whether anything is different now.

    If so, open pages are to be looked at anew: news of the topic `people` has all of them come back.
    """
    before = await directory(transaction)
    if _same(before, fresh):
        return False
    for table in ("people", "roles", "roster"):
        await transaction.execute(f"DELETE FROM {table}")
    people = [
        (each.name, position, each.language, _json(each.channels), each.phone)
        for position, each in enumerate(fresh.people.values())
    ]
    roles = [(each.person, each.role, _json(each.place)) for each in fresh.roles]
    roster = [
        (number, position, person, _json(duty.place), _json(duty.kinds), _json(duty.times))
        for number, duty in enumerate(fresh.duties)
        for position, person in enumerate(duty.people)
    ]
    if people:
        await insert(transaction, "INSERT INTO people (person, position, language, channels, phone)", people)
    if roles:
        text = "INSERT INTO roles (person, role, place)"
        await insert(transaction, text, sorted(set(roles)))
    if roster:
        text = "INSERT INTO roster (duty, position, person, place, kinds, times)"
        await insert(transaction, text, roster)
    return True


def _same(one: Directory, other: Directory) -> bool:
    return (list(one.people.items()), set(one.roles), one.duties) == (
        list(other.people.items()),
        set(other.roles),
        other.duties,
    )


async def directory(transaction: Transaction) -> Directory:
    """Return everybody."""
    people = await transaction.fetch("SELECT * FROM people ORDER BY position")
    roles = await transaction.fetch("SELECT * FROM roles ORDER BY person, role, place")
    roster = await transaction.fetch("SELECT * FROM roster ORDER BY duty, position")
    duties: dict[int, Duty] = {}
    for row in roster:
        known = duties.get(row["duty"])
        duties[row["duty"]] = Duty(
            place=msgspec.json.decode(row["place"], type=Place),
            kinds=tuple(msgspec.json.decode(row["kinds"])),
            times=tuple(msgspec.json.decode(row["times"])),
            people=(*(known.people if known else ()), row["person"]),
        )
    return Directory(
        people={
            row["person"]: Person(
                row["person"],
                row["language"],
                tuple((name, address) for name, address in msgspec.json.decode(row["channels"])),
                row["phone"],
            )
            for row in people
        },
        roles=tuple(
            Role(row["person"], row["role"], msgspec.json.decode(row["place"], type=Place)) for row in roles
        ),
        duties=tuple(duties.values()),
    )


async def silence(transaction: Transaction, made: Silence, now: float) -> None:
    """Put a silence in force; the same id again changes nothing."""
    await news.tell(transaction, "silence", [made.id], now)
    await transaction.execute(
        "INSERT INTO silences (id, place, kind, until, reason, who, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (id) DO NOTHING",
        made.id,
        _json(made.place),
        made.kind,
        made.until,
        made.reason,
        made.who,
        now,
    )


async def end_silence(transaction: Transaction, name: str, now: float) -> None:
    """End a silence now, and let the ladders that waited for its end go on."""
    await news.tell(transaction, "silence", [name], now)
    await transaction.execute(
        "UPDATE timers SET due_at = $1 WHERE due_at IN (SELECT until FROM silences WHERE until > $1)",
        now,
    )
    await transaction.execute("UPDATE silences SET until = $2 WHERE id = $1 AND until > $2", name, now)


async def silences(transaction: Transaction, now: float) -> Sequence[Silence]:
    """Return the silences in force."""
    rows = await transaction.fetch("SELECT * FROM silences WHERE until > $1 ORDER BY until", now)
    return [_silence(row) for row in rows]


async def find_silence(transaction: Transaction, name: str) -> Silence | None:
    """Return a silence, in force or over."""
    rows = await transaction.fetch("SELECT * FROM silences WHERE id = $1", name)
    return _silence(rows[0]) if rows else None


def _silence(row: Row) -> Silence:
    return Silence(
        id=row["id"],
        place=msgspec.json.decode(row["place"], type=Place),
        kind=row["kind"],
        until=row["until"],
        reason=row["reason"],
        who=row["who"],
    )


def _json(told: object) -> str:
    return msgspec.json.encode(told).decode()
