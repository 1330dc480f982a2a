"""What rots on a card, done to a desk's record while nobody has it open."""

import os
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path


def roots(path: Path, *names: str) -> list[int]:
    """Return the first pages of tables and indexes."""
    with closing(sqlite3.connect(path)) as record:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        return [record.execute(query, (name,)).fetchone()[0] for name in names]


def leaves(path: Path, table: str) -> list[int]:
    """Return the pages of a table that hold only rows, in the order of the rows."""
    with closing(sqlite3.connect(path)) as record:
        query = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path"
        return [page for (page,) in record.execute(query, (table,))]


def rot(path: Path, pages: Sequence[int]) -> None:
    """Overwrite pages with what a worn cell gives back."""
    with closing(sqlite3.connect(path)) as record:
        (size,) = record.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)


def cut(path: Path) -> None:
    """Lose the second half of a file."""
    os.truncate(path, path.stat().st_size // 2)


def crumb(path: Path) -> None:
    """Lose all of a file but a few bytes that say nothing."""
    path.write_bytes(b"x" * 100)


def scramble(path: Path) -> None:
    """Leave a file that is no database any more."""
    path.write_bytes(random.Random(1).randbytes(path.stat().st_size))


def is_whole(path: Path) -> bool:
    """Return whether tables and indexes of a record agree, page by page."""
    with closing(sqlite3.connect(path)) as record:
        return record.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
