"""The work flow in the database: one step in one transaction, its answer kept, so that a repeat gets the first."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

import msgspec

from gateway.desk.store import acknowledging, care, news, notices, timers
from gateway.desk.store.database import Row, Transaction, Value, insert
from gateway.desk.workflow import Command, Outcome, State, Step, Work, advance

_COLUMNS: Final = (
    "alert", "incident", "opened_at", "state", "version", "assignee", "acknowledged_by", "acknowledged_at",
    "arrived_at", "closed_by", "closed_at", "cause", "note",
)  # fmt: skip
_CHANGING: Final = _COLUMNS[3:]
_UPDATE: Final = (
    "UPDATE work SET "
    + ", ".join(f"{name} = ${index}" for index, name in enumerate(_CHANGING, start=2))
    + " WHERE alert = $1"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a step, and the work as it was then."""

    outcome: Outcome
    work: Work | None


async def take_step(
    transaction: Transaction, command: Command, now: float, *, at_gateway: bool = False
) -> Answer:
    """Carry out `command` once; the same `id` again returns the first answer and changes nothing.

    `at_gateway`: it was made there; else the gateway is told when an alert is seen to.
    """
    lock = "FOR UPDATE" if transaction.skip_locked else ""
    rows = await transaction.fetch(f"SELECT * FROM work WHERE alert = $1 {lock}", command.alert)
    if not rows:
        return Answer(Outcome.UNKNOWN, None)
    if first := await answered(transaction, command.id):
        return first
    command = await _public(transaction, command)
    outcome, work = advance(_work(rows[0]), command, now)
    if outcome is Outcome.DONE:
        values: list[Value] = [getattr(work, name) for name in _CHANGING]
        await transaction.execute(_UPDATE, work.alert, *values)
        if command.step is Step.REOPEN:
            await timers.rearm(transaction, work.incident, now)
        elif command.step is not Step.NOTE:
            await timers.rest(transaction, work.incident)
            await notices.withdraw(transaction, work.incident, now)
            if not at_gateway:
                await acknowledging.pass_on(transaction, work.alert, command.who, work.version, now)
        await news.tell(transaction, "alert", [work.alert], now)
    detail = {
        "work": asdict(work),
        **{name: told for name in ("to", "cause", "note", "phone") if (told := getattr(command, name))},
    }
    await write_down(
        transaction,
        command.alert,
        now,
        command.who,
        command.step,
        outcome=outcome,
        detail=detail,
        command=command.id,
    )
    return Answer(outcome, work)


async def find(transaction: Transaction, alert: str) -> Work | None:
    """Return what people have done about an alert."""
    rows = await transaction.fetch("SELECT * FROM work WHERE alert = $1", alert)
    return _work(rows[0]) if rows else None


async def write_down(
    transaction: Transaction,
    subject: str,
    now: float,
    who: str,
    step: str,
    *,
    outcome: str = Outcome.DONE,
    detail: object = None,
    command: str | None = None,
) -> None:
    """Write a line of the audit trail."""
    await transaction.execute(
        "INSERT INTO audit (subject, at, who, step, outcome, detail, command) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        subject,
        now,
        who,
        step,
        outcome,
        msgspec.json.encode(detail or {}).decode(),
        command,
    )


async def write_anew(transaction: Transaction, found: Sequence[Work]) -> None:
    """Write work whose rows are gone."""
    rows = [[getattr(each, name) for name in _COLUMNS] for each in found]
    await insert(transaction, f"INSERT INTO work ({', '.join(_COLUMNS)})", rows, "ON CONFLICT DO NOTHING")


async def trail(transaction: Transaction, subject: str) -> Sequence[Row]:
    """Return the audit trail of an alert or an incident, oldest first."""
    return await transaction.fetch("SELECT * FROM audit WHERE subject = $1 ORDER BY id", subject)


async def _public(transaction: Transaction, command: Command) -> Command:
    """Return a step as everybody may see it: what is written of a resident is put away, but for the verdict."""
    if not command.note and not command.cause:
        return command
    if not await care.write_words(transaction, command.alert, command.id, command.cause, command.note):
        return command
    return replace(command, cause=command.cause.partition(": ")[0], note="")


async def answered(transaction: Transaction, command: str) -> Answer | None:
    """Return what came of the command with this id; None where it never came."""
    rows = await transaction.fetch("SELECT outcome, detail FROM audit WHERE command = $1", command)
    if not rows:
        return None
    detail = msgspec.json.decode(rows[0]["detail"])
    return Answer(Outcome(rows[0]["outcome"]), msgspec.convert(detail["work"], Work))


def _work(row: Row) -> Work:
    values = {name: row[name] for name in _COLUMNS}
    return Work(**{**values, "state": State(values["state"])})
