"""An installer's list of what hangs behind one panel: a CSV with the panel's address of each detector and where it is.

    address,label,building,unit,floor
    004-017,东侧走廊,2,1,3
    004-018,消防水泵房,2,,B1

Columns may stand in any order and be called in Chinese; the address, as the panel prints it, is needed. A row becomes
what a `[[bus.device]]` is; without a name it is called after its line and address. Taken as Chinese Excel writes it:
with or without BOM, UTF-16, GBK, commas, semicolons or tabs.
"""

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from drivers.api import Text
from gateway.core.config import DeviceTable
from gateway.core.events import Place
from gateway.core.faults import NOTHING, Fault, near, one_of, same, shown
from gateway.core.ledger_columns import CellError, day

MOST_ROWS: Final = 2_000
MOST_FAULTS: Final = 100
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "address": ("地址", "编码", "二次码", "回路地址"),
    "name": ("名称", "设备名", "编号"),
    "label": ("位置", "说明", "安装位置", "备注"),
    "building": ("楼栋", "楼号", "栋"),
    "unit": ("单元",),
    "floor": ("楼层", "层"),
    "serial": ("序列号", "出厂编号"),
    "installed_on": ("安装日期",),
}
_LIST: Final = Text("一个带表头的 CSV", "a CSV with a header")


@dataclass(slots=True)
class PointList:
    """The good rows as devices, and every fault."""

    devices: list[DeviceTable] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read(
    text: str, *, line: str, profile: str, address_of: Callable[[str], int | None], file: str
) -> PointList:
    """Return what a list says; never raises. `line` is the bus its rows are on, `profile` the product that prints."""
    lines = text.removeprefix("\ufeff").splitlines()
    head = next((each for each in lines if each.strip()), "")
    rows = csv.reader((each + "\n" for each in lines), delimiter=max(",;\t", key=head.count), strict=True)
    reading = _Reading(line, profile, address_of, file)
    try:
        for row in rows:
            if not reading.take([cell.strip() for cell in row], rows.line_num):
                break
    except csv.Error as error:
        reading.fault("file", same(str(error)), _LIST, rows.line_num)
    if not reading.columns:
        reading.fault("file", NOTHING, _LIST, None)
    return reading.found


class _Reading:
    """One list while it is read."""

    def __init__(self, line: str, profile: str, address_of: Callable[[str], int | None], file: str) -> None:
        self.found = PointList()
        self.columns: list[str | None] = []
        self._line, self._profile, self._address_of, self._file = line, profile, address_of, file
        self._first: dict[object, int] = {}  # address or name -> the row that had it

    def take(self, row: list[str], number: int) -> bool:
        """Take a row; return whether to go on."""
        if not any(row):
            return True
        if not self.columns:
            self._head(row, number)
            return not self.found.faults
        if len(self.found.devices) >= MOST_ROWS:
            wanted = Text(f"至多 {MOST_ROWS} 行", f"at most {MOST_ROWS} rows")
            self.fault("file", Text("更多", "more"), wanted, number)
            return False
        cells = {name: cell for name, cell in zip(self.columns, row, strict=False) if name and cell}
        self._device(cells, number)
        return len(self.found.faults) < MOST_FAULTS

    def fault(
        self, key: str, found: Text, wanted: Text, number: int | None, hint: Text | None = None
    ) -> None:
        """Note what is wrong."""
        self.found.faults.append(Fault(key, found, wanted, hint, file=self._file, line=number))

    def _head(self, row: list[str], number: int) -> None:
        known = {also.lower(): name for name, others in COLUMNS.items() for also in (name, *others)}
        self.columns = [known.get(cell.lower()) for cell in row]
        for cell, name in zip(row, self.columns, strict=True):
            if cell and name is None:
                self.fault("header", shown(cell), one_of(COLUMNS), number, near(cell.lower(), known))
        if "address" not in self.columns:
            wanted = Text("一列地址", "a column of addresses")
            self.fault("header", NOTHING, wanted, number, same("address, 地址"))

    def _device(self, cells: Mapping[str, str], number: int) -> None:
        told = cells.get("address", "")
        address = self._address_of(told)
        if address is None:
            wanted = Text("主机打印的地址，如 004-017", "an address as the panel prints it, like 004-017")
            self.fault("address", shown(told) if told else NOTHING, wanted, number)
            return
        name = cells.get("name") or re.sub(r"[^A-Za-z0-9]+", "-", f"{self._line}-{told}").strip("-")
        for what, key in (("address", address), ("name", name)):
            if (first := self._first.setdefault(key, number)) != number:
                wanted = Text(f"只出现一次（第 {first} 行已有）", f"it once, row {first} has it")
                self.fault(what, shown(told if what == "address" else name), wanted, number)
        place = Place(**{level: cells.get(level, "") for level in ("building", "unit", "floor")})
        installed_on = self._day(cells.get("installed_on", ""), number)
        self.found.devices.append(
            DeviceTable(
                name=name,
                profile=self._profile,
                address=address,
                place=place,
                label=cells.get("label", ""),
                serial=cells.get("serial", ""),
                installed_on=installed_on,
            )
        )

    def _day(self, told: str, number: int) -> date | None:
        try:
            return day(told) if told else None
        except CellError:
            self.fault(
                "installed_on", shown(told), Text("日期，如 2026-03-05", "a day, like 2026-03-05"), number
            )
            return None
