"""A ledger is read whole or not at all: headers in two languages, days as Excel has them, faults by row and column."""

from datetime import date, datetime
from typing import Any, get_args

import pytest

from gateway.core.events import Place
from gateway.core.installed import KINDS, Asset, Reported, Written
from gateway.core.ledger_columns import COLUMNS, KIND_NAMES
from gateway.desk.registry import ledger

HEAD = ("网关", "设备", "安装日期", "备注")
KNOWN = Asset(
    "hxtp-01",
    "smoke-1",
    Written(installed_on=date(2020, 1, 2), note="换过电池", service_years=10.0),
    Reported("smoke", "renke-rs-yg-n01", "走廊", Place(compound="红星亭坡 1 号院", building="2", floor="3")),
)


def one(head: tuple[str, ...], *cells: Any) -> ledger.Line:
    """Return the one line of a ledger without faults."""
    read = ledger.read([head, cells])
    assert read.faults == []
    (line,) = read.lines
    return line


@pytest.mark.parametrize(
    "head", [HEAD, ("Gateway", "DEVICE", "Installed on", "note"), ("gateway", "name", "installed", "remark")]
)
def test_columns_are_known_in_chinese_and_english(head: tuple[str, ...]) -> None:
    line = one(head, "hxtp-01", "smoke-1", "2021-05-06", "新")
    assert line.name == "hxtp-01/smoke-1"
    assert line.told["installed_on"] == date(2021, 5, 6)


@pytest.mark.parametrize(
    "cell",
    ["2021-05-06", "2021/5/6", "2021.5.6", "2021年5月6日", "20210506", "2021/5/6 0:00", 44322.0, 44322.75,
     date(2021, 5, 6), datetime(2021, 5, 6, 12, 30)],  # noqa: DTZ001 - Excel has no zone
)  # fmt: skip
def test_a_day_is_read_however_excel_or_a_person_writes_it(cell: Any) -> None:
    assert one(HEAD, "hxtp-01", "smoke-1", cell, "").told["installed_on"] == date(2021, 5, 6)


@pytest.mark.parametrize("cell", ["2021-13-01", "5/6/21", "明年", "0", 12.0, 1e9])
def test_what_is_no_day_is_named_with_its_row_and_column(cell: Any) -> None:
    read = ledger.read([HEAD, ("hxtp-01", "smoke-2", "2021-05-06", ""), ("hxtp-01", "smoke-1", cell, "")])
    (fault,) = read.faults
    assert fault.line == 3
    assert fault.key == "安装日期 / installed on"
    assert fault.found.zh == str(int(cell) if isinstance(cell, float) else cell)
    assert "2026-03-05" in fault.wanted.zh


def test_every_fault_is_found_in_one_go() -> None:
    head = ("网关", "设备", "类型", "使用年限")
    rows = [
        head,
        ("HXTP", "smoke-1", "", ""),
        ("hxtp-01", "a/b", "烟", ""),
        ("hxtp-01", "", "烟感", "-3"),
        ("", "", "", ""),
    ]
    found = [(fault.line, fault.key.partition(" ")[0]) for fault in ledger.read(rows).faults]
    assert found == [(2, "网关"), (3, "设备"), (3, "类型"), (4, "使用年限")]


def test_an_unknown_column_is_refused_with_the_nearest_name() -> None:
    (fault,) = ledger.read([(*HEAD, "安装日其")]).faults
    assert "安装日期" in str(fault.hint)


def test_a_ledger_without_its_devices_or_without_anything_is_refused() -> None:
    assert ledger.read([("网关", "备注"), ("hxtp-01", "x")]).faults[0].key == "设备 / device"
    assert ledger.read([]).faults[0].key == "file"


def test_a_device_that_stands_there_twice_is_refused() -> None:
    (fault,) = ledger.read([HEAD, ("g", "d", "", ""), ("g", "d", "", "")]).faults
    assert (fault.line, "第 2 行" in fault.found.zh) == (3, True)


def test_a_cell_too_many_is_a_fault_and_not_lost() -> None:
    (fault,) = ledger.read([HEAD, ("g", "d", "", "", "多余")]).faults
    assert (fault.line, fault.found.zh) == (2, "多余")


def test_more_rows_than_a_ledger_may_have_are_refused() -> None:
    rows = [HEAD, *((("hxtp-01", f"d{number}", "", "")) for number in range(ledger.MOST_ROWS + 1))]
    (fault,) = ledger.read(rows).faults
    assert fault.line == ledger.MOST_ROWS + 2


def test_an_empty_cell_leaves_alone_and_a_dash_empties() -> None:
    after = ledger.applied(KNOWN, one(HEAD, "hxtp-01", "smoke-1", "", "-"))
    assert after.written == Written(installed_on=date(2020, 1, 2), service_years=10.0)
    assert ledger.changes(KNOWN, after) == (ledger.Change("note", "换过电池", ""),)


def test_what_is_written_out_and_read_in_again_changes_nothing() -> None:
    for language in ("zh", "en"):
        read = ledger.read(ledger.table([KNOWN], language))
        assert read.faults == []
        assert ledger.applied(KNOWN, read.lines[0]) == KNOWN


def test_a_place_is_written_only_where_it_differs_from_what_is_reported() -> None:
    line = one(("网关", "设备", "小区", "楼栋", "楼层"), "hxtp-01", "smoke-1", "红星亭坡 1 号院", "2", 4.0)
    assert ledger.applied(KNOWN, line).written.place == Place(floor="4")


def test_every_kind_has_a_name_in_both_languages_and_every_column_one_name() -> None:
    from gateway.desk.web import api_devices

    assert tuple(KIND_NAMES) == KINDS
    assert set(get_args(api_devices.Kind)) == {"", *KINDS}
    names = [name.lower() for each in COLUMNS for name in {each.name, each.head("en"), each.zh, *each.also}]
    assert len(names) == len(set(names))
