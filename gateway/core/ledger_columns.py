"""The columns of a device ledger: their names in Chinese and English, how cells read and are written. Pure."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from drivers.api import Text
from gateway.core.faults import one_of
from gateway.core.installed import KINDS, Asset
from gateway.core.places import LEVELS

Cell = str | float | date | None
"""What a sheet has in one cell: text, a number, a day, or nothing."""

CLEAR: Final = "-"
"""Written in a cell to empty what stands in the registry; an empty cell changes nothing."""

LONGEST: Final = 120
LONGEST_NOTE: Final = 1_000
KIND_NAMES: Final[Mapping[str, str]] = dict(
    zip(
        KINDS,
        ("烟感", "燃气", "报警主机", "门禁", "读卡器", "开关量", "继电器", "水位", "倾斜", "摄像头", "其他"),
        strict=True,
    )
)
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 80_000  # Excel's own number of a day, 1954 to 2119
_EPOCH = date(1899, 12, 30)
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]0?0:00(?::00)?)?", re.ASCII)
_PLAIN_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_NAME = re.compile(r"[^\x00-\x1f\x7f/+#]{1,128}")
_GATEWAY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class CellError(ValueError):
    """A cell is not what its column wants."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `read` turns a cell that is not empty into a value; `show` gives an asset's value."""

    name: str
    zh: str
    show: Callable[[Asset], Any]
    wanted: Text
    read: Callable[[Cell], Any] | None = None
    """None: it is only shown, and what an import has in it is left alone."""
    also: tuple[str, ...] = field(default=())

    def head(self, language: str) -> str:
        """Return what stands above it."""
        return self.zh if language == "zh" else self.name.replace("_", " ")


def line(longest: int) -> Callable[[Cell], str]:
    """Return a reader of one line of text."""

    def read(cell: Cell) -> str:
        told = " ".join(_text(cell).split())
        if len(told) > longest or not told.isprintable():
            raise CellError
        return told

    return read


def day(cell: Cell) -> date:
    """Return a day, however Excel or a person writes it; raises CellError."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, float | int) and _FIRST_SERIAL <= cell <= _LAST_SERIAL:
        return _EPOCH + timedelta(days=int(cell))
    told = _text(cell)
    match = _DAY.fullmatch(told) or _PLAIN_DAY.fullmatch(told)
    if match is None:
        raise CellError
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as error:
        raise CellError from error


def _text(cell: Cell) -> str:
    """Return a cell as a person sees it: 3 and not 3.0, a day as its day."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _kind(cell: Cell) -> str:
    told = _text(cell)
    known = {zh: name for name, zh in KIND_NAMES.items()} | {name: name for name in KINDS}
    if told.lower() not in known:
        raise CellError
    return known[told.lower()]


def _years(cell: Cell) -> float:
    try:
        years = float(_text(cell).removesuffix("年").strip())
    except ValueError as error:
        raise CellError from error
    if not (math.isfinite(years) and 0 < years <= 100):
        raise CellError
    return years


def _named(pattern: re.Pattern[str]) -> Callable[[Cell], str]:
    def read(cell: Cell) -> str:
        told = _text(cell)
        if not pattern.fullmatch(told):
            raise CellError
        return told

    return read


def _level(level: str, zh: str, *also: str) -> Column:
    def show(asset: Asset) -> str:
        return str(getattr(asset.facts.place, level))

    return Column(level, zh, show, _LINE, line(LONGEST), also)


_LINE: Final = Text(f"一行文字，至多 {LONGEST} 字", f"a line of at most {LONGEST} characters")
_DAY_WANTED: Final = Text("日期，如 2026-03-05", "a day, like 2026-03-05")
_SHOWN: Final = Text("", "")

COLUMNS: Final[tuple[Column, ...]] = (
    Column("gateway", "网关", lambda each: each.gateway, Text("网关编号，如 hxtp-01", "a gateway's id, like hxtp-01"),
           _named(_GATEWAY), ("网关编号",)),
    Column("device", "设备", lambda each: each.device, Text("设备名，不含 / + #", "a device's name without / + #"),
           _named(_NAME), ("设备编号", "设备名称", "名称", "name")),
    Column("kind", "类型", lambda each: each.facts.kind, one_of(KIND_NAMES.values()), _kind,
           ("设备类型", "type", "category")),
    Column("model", "型号", lambda each: each.facts.model, _LINE, line(LONGEST), ("规格型号", "设备型号")),
    _level("community", "社区"),
    _level("grid", "网格"),
    _level("microgrid", "微网格"),
    _level("compound", "小区", "院落", "小区名称"),
    _level("building", "楼栋", "栋", "楼号"),
    _level("unit", "单元"),
    _level("floor", "楼层", "层"),
    Column("serial", "序列号", lambda each: each.written.serial, _LINE, line(LONGEST),
           ("出厂编号", "sn", "serial number")),
    Column("installed_on", "安装日期", lambda each: each.written.installed_on, _DAY_WANTED, day,
           ("安装时间", "install date", "installed")),
    Column("service_years", "使用年限", lambda each: each.years, Text("年数，如 12", "years, like 12"), _years,
           ("寿命", "年限", "service life")),
    Column("tested_on", "上次测试", lambda each: each.written.tested_on, _DAY_WANTED, day,
           ("上次测试日期", "检测日期", "last test")),
    Column("maintain_on", "下次维护", lambda each: each.written.maintain_on, _DAY_WANTED, day,
           ("下次维护日期", "维护日期", "next maintenance")),
    Column("note", "备注", lambda each: each.written.note,
           Text(f"至多 {LONGEST_NOTE} 字", f"at most {LONGEST_NOTE} characters"), line(LONGEST_NOTE),
           ("说明", "remark", "notes")),
    Column("ends_on", "到期日期", lambda each: each.ends_on, _SHOWN),
    Column("online", "在线", lambda each: {True: "yes", False: "no", None: ""}[each.reported.online], _SHOWN),
    Column("gone", "已拆除", lambda each: "" if each.gone_at is None else "yes", _SHOWN),
)  # fmt: skip
PLACE: Final = frozenset(LEVELS)
FOREIGN: Final[Mapping[str, str]] = {
    "line": "线路", "address": "线上地址", "first_seen": "首次见到", "last_seen": "最近见到", "tested_how": "测试方式",
    "due": "该做的事", "firmware": "固件版本", "replaced": "上次更换",
}  # fmt: skip
"""What a gateway's inventory has beside these columns; a ledger that is read may have them, and they say nothing."""


def aliases() -> dict[str, Column]:
    """Return the columns by everything they may be called, in small letters."""
    found: dict[str, Column] = {}
    for column in COLUMNS:
        for name in (column.name, column.head("en"), column.zh, *column.also):
            found[name.lower()] = column
    return found
