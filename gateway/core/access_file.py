"""The access list as people write it: a CSV with a header, all its faults at once, nothing taken unless all is good.

    card,pin,holder,doors,schedule,valid_from,valid_until,blocked,note
    0012345678,,2-1-301 住户 A,building=2/unit=1 gate-east,,,,,
    "12,34567",482913,物业 保洁 B,*,workdays,2026-01-01,2026-12-31,no,

Columns may stand in any order and be called in Chinese; holder, doors and a card or a PIN are needed. How a card is
written: gateway/core/cards.py. `doors` and `schedule` take several words, with blanks, "|" or "、" between them; a
place of several parts has "/" between these. A day as `valid_until` counts whole. Taken as Chinese Excel writes it:
with or without BOM, GBK, UTF-16, commas, semicolons or tabs, 2026/1/5 for a day.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from drivers.api import Text
from gateway.core.access_cells import Cells, shown_text
from gateway.core.cards import Card
from gateway.core.faults import NOTHING, Fault, near, one_of, same

MOST_ENTRIES: Final = 50_000
MOST_BYTES: Final = 32 * 1024 * 1024
MOST_WITH_ONE_PIN: Final = 32  # a household, a shift; more would make a PIN that guards nothing
MOST_FAULTS: Final = 1000

COLUMNS: Final[Mapping[str, str]] = {
    "card": "卡号",
    "pin": "密码",
    "holder": "持卡人",
    "doors": "门",
    "schedule": "时段",
    "valid_from": "生效",
    "valid_until": "失效",
    "blocked": "停用",
    "note": "备注",
}
ALIASES: Final = {chinese: name for name, chinese in COLUMNS.items()}
NEEDED: Final = ("holder", "doors")
FILE_WANTED = Text("一个带表头的 CSV", "a CSV with a header")


class Row(msgspec.Struct, frozen=True, gc=False):
    """One good line. Card and PIN are in no repr. Fifty thousand of them are nothing the collector has to look at."""

    line: int
    card: Card | None
    pin: str | None
    holder: str
    doors: tuple[str, ...]
    schedules: tuple[str, ...] = ()
    valid_from: float | None = None
    valid_until: float | None = None
    blocked: bool = False
    note: str = ""

    def __repr__(self) -> str:
        return f"Row({self.line}, {self.holder!r}, {self.card!r})"


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says: the good lines, and every fault."""

    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]


def decode(data: bytes) -> str:
    """Return the text of a file as UTF-8, UTF-16 with BOM, or GBK; UnicodeDecodeError if it is none of them."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")


def read_bytes(data: bytes, *, offset_h: float = 8.0) -> Read:
    """Return what the bytes of a file say; never raises."""
    if len(data) > MOST_BYTES:
        found = Text(f"{len(data)} 字节", f"{len(data)} bytes")
        return _none(Fault("file", found, Text(f"至多 {MOST_BYTES} 字节", f"at most {MOST_BYTES} bytes")))
    try:
        return read(decode(data), offset_h=offset_h)
    except UnicodeDecodeError as error:
        found = Text(f"第 {error.start} 字节不成文字", f"a byte that is no text, at {error.start}")
        return _none(Fault("file", found, Text("UTF-8 或 GBK 的 CSV", "a CSV in UTF-8 or GBK")))


def read(text: str, *, offset_h: float = 8.0) -> Read:
    """Return what a text says; never raises. `offset_h` is local time minus UTC, for the days in it."""
    lines = text.removeprefix("﻿").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    head = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t", key=head.count)
    cells = csv.reader((line + "\n" for line in lines), delimiter=delimiter, strict=True)
    reading = _Reading(offset_h)
    try:
        for row in cells:
            if not reading.take(row, cells.line_num):
                break
    except csv.Error as error:
        reading.faults.append(Fault("file", same(str(error)), FILE_WANTED, line=cells.line_num))
    return reading.end()


def _none(fault: Fault) -> Read:
    return Read((), (fault,))


class _Reading:
    """A file being read, line by line."""

    def __init__(self, offset_h: float) -> None:
        self.faults: list[Fault] = []
        self._offset_h = offset_h
        self._columns: list[str] | None = None
        self._rows: list[Row] = []
        self._cards: dict[Card, int] = {}
        self._pins: dict[str, list[int]] = {}
        self._kept: dict[str, str] = {}  # the same words over and over, kept once

    def take(self, cells: list[str], line: int) -> bool:
        """Take one line; return whether the next is worth reading."""
        told = [cell.strip() for cell in cells]
        if not any(told):
            return True
        if self._columns is None:
            self._columns = _header(told, line, self.faults)
            return not self.faults
        if len(self._rows) >= MOST_ENTRIES:
            found = Text(f"超过 {MOST_ENTRIES} 行", f"more than {MOST_ENTRIES} lines")
            self.faults.append(
                Fault("file", found, Text(f"至多 {MOST_ENTRIES} 行", f"at most {MOST_ENTRIES}"), line=line)
            )
            return False
        before = len(self.faults)
        self.faults += _width(told, self._columns, line)
        row = self._row(dict(zip(self._columns, told, strict=False)), line)
        if len(self.faults) == before:
            self._rows.append(row)
        return len(self.faults) < MOST_FAULTS

    def end(self) -> Read:
        """Return what was read."""
        if self._columns is None and not self.faults:
            self.faults.append(Fault("file", Text("空的文件", "an empty file"), FILE_WANTED))
        return Read(tuple(self._rows), tuple(self.faults))

    def _row(self, cells: Mapping[str, str], line: int) -> Row:
        cell = Cells(cells, line, self.faults)
        card, pin = cell.card(), cell.pin()
        if card is None and pin is None and not cells.get("card") and not cells.get("pin"):
            cell.fault("card", NOTHING, Text("卡号或密码", "a card or a PIN"))
        self._only_once(cell, card, pin, line)
        return Row(
            line,
            card,
            pin,
            cell.text("holder", needed=True),
            cell.doors(self._kept),
            cell.names(self._kept),
            cell.moment("valid_from", self._offset_h),
            cell.moment("valid_until", self._offset_h),
            cell.flag("blocked"),
            cell.text("note"),
        )

    def _only_once(self, cell: "Cells", card: Card | None, pin: str | None, line: int) -> None:
        if card is not None and (first := self._cards.setdefault(card, line)) != line:
            found = Text(f"…{card.tail}，第 {first} 行已有", f"…{card.tail}, as in line {first} already")
            cell.fault("card", found, Text("每张卡一行", "one line for each card"))
        if pin is None:
            return
        others = self._pins.setdefault(pin, [])
        if card is None and others:
            found = Text(f"与第 {others[0]} 行相同的密码", f"the PIN of line {others[0]}")
            cell.fault(
                "pin",
                found,
                Text("没有卡的人，密码要与别人不同", "one of their own for people without a card"),
            )
        elif len(others) == MOST_WITH_ONE_PIN:
            found = Text(
                f"{MOST_WITH_ONE_PIN} 人以上共用的密码", f"a PIN that more than {MOST_WITH_ONE_PIN} share"
            )
            cell.fault("pin", found, Text("较少人共用的密码", "one that fewer share"))
        others.append(line)


def _header(told: list[str], line: int, faults: list[Fault]) -> list[str]:
    """Return the columns by their names; faults for what is unknown, there twice, or missing."""
    columns = [ALIASES.get(name, name.lower()) for name in told]
    wanted = one_of(COLUMNS)
    for place, name in enumerate(columns):
        if name and name not in COLUMNS:
            unknown = Text(f"未知的列 {shown_text(name)}", f"an unknown column {shown_text(name)}")
            faults.append(Fault("header", unknown, wanted, near(name, COLUMNS), line=line))
        elif name and name in columns[:place]:
            faults.append(Fault("header", Text(f"{name} 有两列", f"{name} twice"), wanted, line=line))
    missing = [name for name in NEEDED if name not in columns]
    missing += [] if {"card", "pin"} & set(columns) else ["card"]
    for name in missing:
        found = Text(f"没有 {name} 列", f"no column {name}")
        faults.append(Fault("header", found, Text(f"{name}（或 {COLUMNS[name]}）", name), line=line))
    return columns


def _width(told: list[str], columns: list[str], line: int) -> Iterator[Fault]:
    extra = [cell for cell in told[len(columns) :] if cell]
    extra += [cell for name, cell in zip(columns, told, strict=False) if cell and not name]
    if extra:
        found = Text(f"{len(told)} 格", f"{len(told)} cells")
        hint = Text('含逗号的格子要加引号："12,34567"', 'put quotes around a cell with a comma: "12,34567"')
        yield Fault("line", found, Text(f"{len(columns)} 格", f"{len(columns)}"), hint, line=line)
