"""What a desk's record says, read from beside it: while it runs, or after it was killed."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway.desk.store import events, gateways, notices
from gateway.desk.store.database import Transaction
from tests.desk_parts import opened

T = TypeVar("T")


def asked(where: str, question: Callable[[Transaction], Awaitable[T]]) -> T:
    """Return the answer of a record to a question."""

    async def main() -> T:
        async with opened(where) as database, database.transaction() as transaction:
            return await question(transaction)

    return asyncio.run(main())


def stored(where: str) -> Counter[tuple[str, int]]:
    """Return the gateway and number of every event, and how often it is there."""
    rows = asked(where, lambda transaction: transaction.fetch("SELECT gateway, seq FROM events"))
    return Counter((row["gateway"], row["seq"]) for row in rows)


def pages(where: str) -> dict[str, str]:
    """Return the state of every notification by its id."""
    return {row["id"]: row["state"] for row in asked(where, notices.everything)}


def burning(where: str) -> set[str]:
    """Return the lives of the smoke alarms."""
    return {row["alert"] for row in asked(where, events.alerts) if row["kind"] == "fire.smoke"}


def online(where: str) -> bool:
    """Return whether the desk has heard a gateway say that it is there."""
    return any(row["availability"] == "online" for row in asked(where, gateways.everyone))
