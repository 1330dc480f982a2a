"""A ledger's file: CSV and XLSX read, XLSX written, bounded against what a file may hide.

CSV goes out as gateway/core/csv_text.py writes it, and comes in as that, UTF-16 or GB18030. A cell that begins like a
formula goes out behind an apostrophe, as a spreadsheet itself marks text, and loses it when it comes back.

An XLSX is a ZIP of XML: how large it becomes is looked at before anything is unpacked, and openpyxl reads the XML
through defusedxml.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Final

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils.exceptions import InvalidFileException

from drivers.api import Text
from gateway.core.access_file import decode
from gateway.core.csv_text import FORMULA
from gateway.core.faults import Fault, same
from gateway.core.ledger_columns import Cell
from gateway.desk.registry.ledger import MOST_COLUMNS, MOST_ROWS

MOST_BYTES: Final = 2 * 1024 * 1024
MOST_UNPACKED: Final = 32 * 1024 * 1024
MOST_PARTS: Final = 200
LAST_ROW: Final = MOST_ROWS * 4  # empty rows in between are forgiven up to here
ZIP: Final = b"PK\x03\x04"
WANTED: Final = Text("CSV（UTF-8 或 GBK）或 XLSX 文件", "a CSV in UTF-8 or GBK, or an XLSX")


class SheetError(Exception):
    """A file that no rows can be read from."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def rows_of(data: bytes) -> list[Sequence[Cell]]:
    """Return the rows of a file, by what it begins with; raises SheetError."""
    if len(data) > MOST_BYTES:
        raise _refused(
            Text("更大", "more"), Text(f"至多 {MOST_BYTES >> 20} MB", f"at most {MOST_BYTES >> 20} MB")
        )
    return list(_xlsx_rows(data) if data.startswith(ZIP) else _csv_rows(data))


def to_xlsx(rows: Iterable[Sequence[Cell]], title: str) -> bytes:
    """Return rows as a workbook of one sheet; days are days, and nothing is a formula."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "C2"
    for column in range(1, 21):
        sheet.column_dimensions[chr(64 + column)].width = 14
    for number, row in enumerate(rows):
        sheet.append([_written(sheet, cell, bold=number == 0) for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _csv_rows(data: bytes) -> Iterator[Sequence[Cell]]:
    try:
        text = decode(data).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        found = Text(f"第 {error.start} 字节不成文字", f"a byte that is no text, at {error.start}")
        raise _refused(found, WANTED) from error
    if "\x00" in text:
        raise _refused(Text("不是文字", "no text"), WANTED)
    head = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    try:
        for number, row in enumerate(reader):
            if number > LAST_ROW:
                raise _too_long()
            yield [_plain(cell) for cell in row]
    except csv.Error as error:
        raise SheetError(Fault("file", same(str(error)), WANTED, line=reader.line_num)) from error


def _xlsx_rows(data: bytes) -> list[Sequence[Cell]]:
    _measure(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        rows = list(islice(sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS), LAST_ROW + 1))
    except Exception as error:  # openpyxl raises anything at a file that is not what it says; told as a fault
        why = error.__cause__ or error.__context__ or error
        raise _refused(same(f"{type(why).__name__}: {why}"[:200]), WANTED) from error
    if len(rows) > LAST_ROW:
        raise _too_long()
    return [_trimmed([_plain(cell) for cell in row]) for row in rows]


def _measure(data: bytes) -> None:
    """Raise SheetError for an archive that is none, or that unpacks to more than it may."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, InvalidFileException, ValueError) as error:
        raise _refused(same(str(error)[:200]), WANTED) from error
    size = sum(part.file_size for part in parts)
    if size > MOST_UNPACKED or len(parts) > MOST_PARTS:
        found = Text(f"解压后 {size} 字节，{len(parts)} 个文件", f"{size} bytes unpacked, {len(parts)} parts")
        raise _refused(found, Text(f"至多 {MOST_UNPACKED >> 20} MB", f"at most {MOST_UNPACKED >> 20} MB"))
    if any(part.flag_bits & 1 for part in parts):
        raise _refused(Text("有密码", "a password"), Text("没有密码的文件", "a file without one"))


def _trimmed(row: list[Cell]) -> list[Cell]:
    """Return a row without the empty cells behind its last."""
    while row and row[-1] is None:
        row.pop()
    return row


def _plain(cell: object) -> Cell:
    """Return a cell as a ledger takes it."""
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, int):
        return float(cell)
    if cell is None or isinstance(cell, float | date):
        return cell
    text = str(cell)
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA) else text


def _written(sheet: object, cell: Cell, *, bold: bool) -> WriteOnlyCell:
    made = WriteOnlyCell(sheet, value=cell)
    if isinstance(cell, str):
        made.data_type = "s"
    elif isinstance(cell, date):
        made.number_format = "yyyy-mm-dd"
    if bold:
        made.font = Font(bold=True)
    return made


def _too_long() -> SheetError:
    return _refused(Text("更多行", "more rows"), Text(f"至多 {MOST_ROWS} 行", f"at most {MOST_ROWS} rows"))


def _refused(found: Text, wanted: Text) -> SheetError:
    return SheetError(Fault("file", found, wanted))
