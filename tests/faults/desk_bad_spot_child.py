"""Runs inside the disk with a bad spot: opens a duty desk's record and prints how many alerts stand in it."""

import asyncio
import sys

from tests.desk_parts import opened


async def main(where: str) -> None:
    """Count what can be read."""
    async with opened(where) as database, database.transaction() as transaction:
        (row,) = await transaction.fetch("SELECT count(*) AS n FROM alerts")
        print(row["n"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
