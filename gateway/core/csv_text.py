"""Rows as a CSV that Excel opens by a double click, and that runs nothing. Pure.

UTF-8 with a byte order mark, or Excel shows Chinese as rubbish. A cell that begins like a formula goes out behind an
apostrophe, as a spreadsheet itself marks text: a note that says `=cmd|...` must not run on the computer of whoever
opens the list.
"""

import csv
from collections.abc import Iterable, Sequence
from typing import Final

from gateway.core.ledger_columns import Cell

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


class _Sheet(list[str]):
    """Takes what a csv writer writes."""

    write = list.append


def to_csv(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return rows as Excel opens them."""
    sheet = _Sheet()
    csv.writer(sheet, lineterminator="\r\n").writerows([_harmless(cell) for cell in row] for row in rows)
    return "".join(sheet).encode("utf-8-sig")


def _harmless(cell: Cell) -> str:
    text = "" if cell is None else str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)
    return f"'{text}" if text.startswith(FORMULA) else text
