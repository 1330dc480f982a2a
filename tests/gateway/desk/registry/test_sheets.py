"""A ledger's file: CSV for Excel, XLSX, and what a file may hide."""

import io
import zipfile
from datetime import date

import pytest
from openpyxl import Workbook, load_workbook

from gateway.core.csv_text import to_csv
from gateway.core.ledger_columns import Cell
from gateway.desk.registry import sheets
from gateway.desk.registry.sheets import SheetError

ROWS: list[list[Cell]] = [
    ["网关", "备注", "安装日期"],
    ["hxtp-01", "走廊", date(2021, 5, 6)],
    ["hxtp-01", None, 12.0],
]
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=cmd|'/c calc'!A0", "%x", "|x"]


def test_excel_opens_the_csv_by_a_double_click() -> None:
    data = to_csv(ROWS)
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.decode("utf-8-sig") == "网关,备注,安装日期\r\nhxtp-01,走廊,2021-05-06\r\nhxtp-01,,12\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_is_read_in_whatever_excel_saved_it(encoding: str, delimiter: str) -> None:
    data = f'网关{delimiter}备注\r\nhxtp-01{delimiter}"走廊\r\n二楼"\r\n'.encode(encoding)
    assert sheets.rows_of(data) == [["网关", "备注"], ["hxtp-01", "走廊\r\n二楼"]]


@pytest.mark.parametrize("cell", FORMULAS)
def test_what_looks_like_a_formula_goes_out_as_text_and_comes_back_as_it_was(cell: str) -> None:
    data = to_csv([["网关", "备注"], ["hxtp-01", cell]])
    assert data.decode("utf-8-sig").splitlines()[1].partition(",")[2].lstrip('"').startswith("'")
    assert sheets.rows_of(data)[1] == ["hxtp-01", cell]
    book = load_workbook(io.BytesIO(sheets.to_xlsx([["备注"], [cell.strip()]], "设备")))
    assert book.worksheets[0]["A2"].data_type == "s"


def test_a_workbook_comes_back_as_it_went_with_days_as_days() -> None:
    rows = sheets.rows_of(sheets.to_xlsx(ROWS, "设备台账"))
    assert [list(row) for row in rows[:1]] == ROWS[:1]
    assert str(rows[1][2])[:10] == "2021-05-06"
    assert rows[2][2] == 12.0


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00",
        b"\x81",
        b"a\x00b",
        b'a,"b\n',
        sheets.ZIP + b"rubbish",
        sheets.to_xlsx(ROWS, "x")[:-30],
        b"x" * (sheets.MOST_BYTES + 1),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_words(data: bytes) -> None:
    with pytest.raises(SheetError) as caught:
        sheets.rows_of(data)
    assert caught.value.fault.found.zh
    assert caught.value.fault.wanted.en


def test_a_zip_bomb_is_refused_before_anything_is_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(sheets.MOST_UNPACKED + 1))
    assert len(out.getvalue()) < 100_000
    with pytest.raises(SheetError, match="unpacked"):
        sheets.rows_of(out.getvalue())


def changed(part: str, old: bytes, new: bytes) -> bytes:
    """Return a good workbook with one part of it changed."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(sheets.to_xlsx(ROWS, "x"))) as good,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for each in good.infolist():
            content = good.read(each)
            bad.writestr(each.filename, content.replace(old, new, 1) if each.filename == part else content)
    return out.getvalue()


def test_xml_that_names_entities_is_refused() -> None:
    entity = b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet'
    with pytest.raises(SheetError, match="Entit"):
        sheets.rows_of(changed("xl/worksheets/sheet1.xml", b"<worksheet", entity))


def test_a_row_far_down_the_sheet_ends_the_reading_instead_of_filling_the_memory() -> None:
    with pytest.raises(SheetError, match="more"):
        sheets.rows_of(changed("xl/worksheets/sheet1.xml", b'r="3"', b'r="999999999999"'))


def test_a_formula_in_a_workbook_is_its_value_and_never_its_words() -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append(["网关", "=1+1"])
    out = io.BytesIO()
    book.save(out)
    assert sheets.rows_of(out.getvalue()) == [["网关"]]
