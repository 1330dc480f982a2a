"""A device ledger as rows: read into what is to change, all of it or, with the faults of every cell, nothing. Pure.

An empty cell leaves alone what stands in the registry and `-` empties it, so a ledger of three columns is as good as
one of twenty, and a forgotten cell costs nobody a note.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from drivers.api import Text
from gateway.core.faults import NOTHING, Fault, near, same
from gateway.core.installed import Asset
from gateway.core.ledger_columns import CLEAR, COLUMNS, FOREIGN, PLACE, Cell, CellError, Column, aliases

MOST_ROWS: Final = 5_000
MOST_COLUMNS: Final = 64
MOST_FAULTS: Final = 200
KEYS: Final = ("gateway", "device")
ALIEN: Final = {name.replace("_", " ") for name in FOREIGN} | set(FOREIGN.values())


@dataclass(frozen=True, slots=True)
class Line:
    """What one row says of one device. `told`: column -> value, None to empty it."""

    number: int
    gateway: str
    device: str
    told: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return the device's name in the registry."""
        return f"{self.gateway}/{self.device}"


@dataclass(slots=True)
class Ledger:
    """The good rows, and everything that is wrong."""

    lines: list[Line] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class Change(msgspec.Struct, frozen=True):
    """One thing that an import changes, as people write it."""

    column: str
    before: str
    after: str


def read(rows: Iterable[Sequence[Cell]]) -> Ledger:
    """Return what rows say; the first that is not empty has the names of the columns. Never raises."""
    ledger, columns = Ledger(), None
    first: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        if not any(_is_told(cell) for cell in row):
            continue
        if columns is None:
            columns = _header(row, number, ledger.faults)
        elif len(ledger.lines) >= MOST_ROWS:
            wanted = Text(f"至多 {MOST_ROWS} 行", f"at most {MOST_ROWS} rows")
            ledger.faults.append(Fault("file", Text("更多", "more"), wanted, line=number))
            break
        elif (line := _line(row, columns, number, ledger.faults)) is not None:
            _once(line, first, ledger.faults)
            ledger.lines.append(line)
        if len(ledger.faults) >= MOST_FAULTS:
            break
    if columns is None:
        ledger.faults.append(Fault("file", NOTHING, Text("一行表头", "a row with the names of the columns")))
    return ledger


def applied(asset: Asset, line: Line) -> Asset:
    """Return a device as a row leaves it. What is so already, or is reported so, is not written."""
    written, facts = asset.written, asset.facts
    for column in COLUMNS:
        if column.name not in line.told or column.name in KEYS:
            continue
        value = line.told[column.name]
        if column.name in PLACE:
            if (value or "") != getattr(facts.place, column.name):
                place = msgspec.structs.replace(written.place, **{column.name: value or ""})
                written = msgspec.structs.replace(written, place=place)
        elif value != (column.show(asset) or None):
            empty = getattr(type(written)(), column.name)
            written = msgspec.structs.replace(written, **{column.name: empty if value is None else value})
    return msgspec.structs.replace(asset, written=written)


def changes(before: Asset, after: Asset) -> tuple[Change, ...]:
    """Return what differs between two states of a device, by columns."""
    pairs = [
        (each.name, _shown(each.show(before)), _shown(each.show(after))) for each in COLUMNS if each.read
    ]
    return tuple(Change(*each) for each in pairs if each[1] != each[2])


def table(assets: Iterable[Asset], language: str) -> list[list[Cell]]:
    """Return devices as rows, the names of the columns first; what was read from it changes nothing."""
    head: list[Cell] = [column.head(language) for column in COLUMNS]
    return [head, *([_cell(column.show(each)) for column in COLUMNS] for each in assets)]


def _header(row: Sequence[Cell], number: int, faults: list[Fault]) -> list[Column | None]:
    known = aliases()
    found: list[Column | None] = []
    for cell in row[:MOST_COLUMNS]:
        name = _shown(cell)
        column = known.get(name.lower())
        if name and column is None and name.lower() not in ALIEN:
            unknown = Text(f"未知的列 {name[:60]}", f"an unknown column {name[:60]}")
            hint = near(name.lower(), known)
            faults.append(Fault("header", unknown, _names(), hint, line=number))
        elif column is not None and column in found:
            faults.append(Fault(name, Text("有两列", "twice"), Text("一列", "once"), line=number))
        found.append(column)
    for column in COLUMNS:
        if column.name in KEYS and column not in found:
            faults.append(Fault(f"{column.zh} / {column.head('en')}", NOTHING, column.wanted, line=number))
    return found


def _line(
    row: Sequence[Cell], columns: Sequence[Column | None], number: int, faults: list[Fault]
) -> Line | None:
    """Return what a row says; None, with faults, if it is not to be trusted."""
    told: dict[str, Any] = {}
    before = len(faults)
    for column, cell in zip(columns, row, strict=False):
        if column is None or column.read is None or not _is_told(cell):
            continue
        if cell == CLEAR and column.name not in KEYS:
            told[column.name] = None
            continue
        try:
            told[column.name] = column.read(cell)
        except CellError:
            faults.append(_fault(column, _shown(cell)[:60], number))
    extra = next((_shown(each) for each in row[len(columns) :] if _is_told(each)), "")
    if extra:
        faults.append(
            Fault(
                "row",
                same(extra[:60]),
                Text("不超过表头的列数", "no more cells than the header"),
                line=number,
            )
        )
    for column in COLUMNS:
        if column.name in KEYS and column.name not in told and len(faults) == before:
            faults.append(Fault(f"{column.zh} / {column.head('en')}", NOTHING, column.wanted, line=number))
    if len(faults) > before:
        return None
    return Line(number, told["gateway"], told["device"], told)


def _once(line: Line, first: dict[str, int], faults: list[Fault]) -> None:
    if line.name in first:
        row = first[line.name]
        found = Text(f"{line.name}，第 {row} 行已有", f"{line.name}, in row {row} already")
        faults.append(Fault("row", found, Text("每台设备一行", "one row a device"), line=line.number))
    first.setdefault(line.name, line.number)


def _fault(column: Column, found: str, number: int) -> Fault:
    return Fault(f"{column.zh} / {column.head('en')}", same(found), column.wanted, line=number)


def _names() -> Text:
    return Text("、".join(each.zh for each in COLUMNS), ", ".join(each.head("en") for each in COLUMNS))


def _is_told(cell: Cell) -> bool:
    return cell is not None and _shown(cell) != ""


def _shown(value: object) -> str:
    """Return a value as people write it."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()


def _cell(value: Any) -> Cell:
    return (
        value
        if value is None or isinstance(value, str | float) or hasattr(value, "isoformat")
        else str(value)
    )
