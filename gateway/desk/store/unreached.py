"""People whom no channel reached: a row from the first page that was given up until one gets through again."""

from collections.abc import Sequence

from gateway.desk.store.database import Row, Transaction


async def lose(transaction: Transaction, person: str, answer: str, now: float) -> bool:
    """Write down that a person cannot be reached; return whether that is new."""
    rows = await transaction.fetch(
        "INSERT INTO unreached (person, since, answer) VALUES ($1, $2, $3)"
        " ON CONFLICT (person) DO NOTHING RETURNING person",
        person,
        now,
        answer[:500],
    )
    return bool(rows)


async def since(transaction: Transaction, person: str) -> float:
    """Return since when a person could not be reached."""
    rows = await transaction.fetch("SELECT since FROM unreached WHERE person = $1", person)
    return float(rows[0]["since"])


async def find(transaction: Transaction, person: str) -> float | None:
    """Forget that a person could not be reached; return since when, None if that was not so."""
    rows = await transaction.fetch("DELETE FROM unreached WHERE person = $1 RETURNING since", person)
    return rows[0]["since"] if rows else None


async def everybody(transaction: Transaction) -> Sequence[Row]:
    """Return who cannot be reached, the longest first."""
    return await transaction.fetch("SELECT * FROM unreached ORDER BY since, person")
