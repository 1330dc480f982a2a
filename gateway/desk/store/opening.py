"""Open the database that a desk's configuration names: a file's path, or `postgresql://...`."""

from pathlib import Path

from gateway.desk.store.database import Record
from gateway.desk.store.postgres import open_postgres
from gateway.desk.store.sqlite import open_sqlite


async def open_database(where: str, password: str | None = None) -> Record:
    """Return the database with its tables brought up to date; raises StoreError."""
    if where.startswith(("postgresql://", "postgres://")):
        return await open_postgres(where, password)
    return await open_sqlite(Path(where))
