"""Epochs that were never given before: for a journal on a new card, and for a copy that lives apart from its file.

`epoch.seq` names an event for ever, and whoever receives a name twice drops the second. A gateway with a new card
knows nothing of the numbers it gave before; were it to begin with epoch 1 again, its first alerts would be taken for
old ones and dropped. So the first epoch is the time of day in quarters of an hour since 2026, about 35,000 a year,
and any one below that where the clock cannot be right.
"""

import secrets
from contextlib import closing, suppress
from pathlib import Path
from sqlite3 import Error
from typing import Final

from gateway.runtime.journal import statements
from gateway.runtime.journal.replacing import connect, remember_epoch, remembered_epoch
from gateway.runtime.journal.rows import pack, unpack

BEGINNING: Final = 1_767_225_600.0  # 2026-01-01T00:00Z
QUARTER_S: Final = 900.0
LEAP: Final = 1 << 14
GREATEST: Final = (1 << 23) - 1  # epoch and number share 63 bits


def first_epoch(wall: float, *, earliest: float) -> int:
    """Return an epoch for a journal that begins now; a clock that stands before `earliest` is not believed."""
    if wall < earliest:
        return 1 + secrets.randbelow(int((earliest - BEGINNING) / QUARTER_S))
    return min(int((wall - BEGINNING) / QUARTER_S), GREATEST - LEAP)


def set_apart(path: Path) -> None:
    """Let a copied journal go on in an epoch that neither its original nor another copy of it will ever use."""
    leap = 1 + secrets.randbelow(LEAP)
    epoch = remembered_epoch(path)
    with suppress(Error), closing(connect(path)) as connection:  # a damaged one is replaced when it is opened
        statements.configure(connection)
        marks = statements.marks(connection)
        epoch = max(epoch, unpack(marks.get("base", 0))[0])
        begin = pack((epoch + leap, 0))
        statements.write(connection, statements.Batch({}, {"base": begin, "closed": begin}), lambda _: None)
    remember_epoch(path, epoch + leap)
