"""Tables of a TOML file into frozen objects, with every fault found in one go. Pure: no files.

msgspec stops at the first error, and a person who mends a file wants all of them. So each value of each table
is converted alone; a table with a fault does not hide the faults of the next one.
"""

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec

from drivers.api import Text
from gateway.core.events import Place
from gateway.core.faults import NOTHING, Fault, near, same, shown

Table = TypeVar("Table", bound=msgspec.Struct)

_SECRET = re.compile(r"(?i)(password|secret|token)\s*=.*")

TABLE = Text("一个表", "a table")
TABLES = Text("表的列表", "a list of tables")
PRINTABLE = Text("没有控制字符的一行文字", "one line of text without control characters")
FINITE = Text("有限的数，不是 nan 或 inf", "a finite number, neither nan nor inf")
POINTS = Text("点的列表，如 [[0.1, 0.2], [0.9, 0.2]]", "a list of points like [[0.1, 0.2], [0.9, 0.2]]")

WANTED: dict[object, Text] = {
    str: Text("带引号的文字", "a text in quotes"),
    int: Text("整数", "a whole number"),
    float: Text("数字", "a number"),
    bool: Text("true 或 false", "true or false"),
    bool | None: Text("true 或 false", "true or false"),
    str | list[str]: Text("一个地址，或地址的列表", "one address, or a list of them"),
    list[str]: Text("带引号文字的列表", 'a list of texts like ["a", "b"]'),
    list[Place]: Text('地点的列表，如 [{ building = "2" }]', 'a list of places like [{ building = "2" }]'),
    list[dict[str, object]]: Text(
        '形如 [{ device = "...", action = "..." }] 的列表',
        'a list like [{ device = "...", action = "..." }]',
    ),
    dict[str, object]: Text('形如 { level = "设备.测点" } 的表', 'a table like { level = "device.point" }'),
    dict[str, str]: Text('形如 { open = "设备:通道" } 的表', 'a table like { open = "device:channel" }'),
    dict[str, dict[str, object]]: Text("由表组成的表", "a table of tables"),
    dict[str, str]: Text('文字的表，如 { x = "1.2" }', 'a table of texts like { x = "1.2" }'),
    dict[str, float]: Text("数字的表，如 { roll = 0.5 }", "a table of numbers like { roll = 0.5 }"),
    list[tuple[float, float]]: POINTS,
    list[list[tuple[float, float]]]: Text("由点列组成的列表", "a list of such lists of points"),
    list[dict[str, float]]: Text(
        "形如 [{ y = 912, floor = 1 }] 的列表", "a list like [{ y = 912, floor = 1 }]"
    ),
}

Words = Mapping[object, Text]
"""What is wanted of each type of value, in words."""


def tree(text: str, faults: list[Fault]) -> dict[str, Any] | None:
    """Return what a TOML text says; None if it is none, and why among the faults."""
    wanted = Text("有效的 TOML", "valid TOML")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told = str(error)
        at = re.search(r"at line (\d+)", told)
        line = int(at[1]) if at else text.count("\n") + 1
        source = _SECRET.sub(r"\1 = ...", "".join(text.splitlines()[line - 1 : line]))
        faults.append(Fault("file", shown(source), wanted, same(told), line=line))
    except (RecursionError, ValueError) as error:  # nested a thousand deep; a number of thousands of digits
        faults.append(Fault("file", same(type(error).__name__), wanted))
    return None


def listed(
    tables: dict[str, Any], name: str, kind: type[Table], faults: list[Fault], words: Words = WANTED
) -> dict[str, Table]:
    """Return the good tables of `[[name]]` with their keys."""
    read = {
        key: table_of(each, kind, key, faults, words) for key, each in each_of(tables, name, name, faults)
    }
    return {key: made for key, made in read.items() if made is not None}


def each_of(
    tables: dict[str, Any], name: str, key: str, faults: list[Fault]
) -> list[tuple[str, dict[str, Any]]]:
    """Return the tables of `[[name]]` with their keys."""
    several = tables.get(name, [])
    if not isinstance(several, list):
        header = re.sub(r"\[\d+\]", "", key)
        hint = Text(f"写成 [[{header}]]，用双方括号", f"write [[{header}]] in double brackets")
        faults.append(Fault(key, shown(several), TABLES, hint))
        return []
    good = []
    for index, one in enumerate(several):
        if isinstance(one, dict):
            good.append((f"{key}[{index}]", one))
        else:
            faults.append(Fault(f"{key}[{index}]", shown(one), TABLE))
    return good


def table_of(
    value: object, kind: type[Table], key: str, faults: list[Fault], words: Words = WANTED
) -> Table | None:
    """Return one table as an object; None if a value without which it means nothing is wrong or missing."""
    if not isinstance(value, dict):
        faults.append(Fault(key, shown(value), TABLE))
        return None
    fields = _fields(kind)
    unknown(value, list(fields), f"{key}.", faults)
    values = {}
    complete = True
    for name, each in fields.items():
        if name not in value:
            if each.required:
                faults.append(Fault(f"{key}.{name}", NOTHING, words.get(each.type, TABLE)))
                complete = False
            continue
        made = _value(value[name], each.type, f"{key}.{name}", faults, words)
        if made is not None:
            values[name] = made
        complete = complete and (made is not None or not each.required)
    return kind(**values) if complete else None


@cache  # a compound has hundreds of tables of a kind, and the fields are worked out from its hints
def _fields(kind: type[msgspec.Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    return {each.name: each for each in msgspec.structs.fields(kind)}


def _value(value: object, kind: Any, key: str, faults: list[Fault], words: Words) -> Any | None:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return table_of(value, kind, key, faults, words)
    if isinstance(value, str) and not value.isprintable():
        faults.append(Fault(key, shown(value), PRINTABLE))
        return None
    if not _is_finite(value):  # TOML has nan and inf: a limit or a rest position that is one never alarms
        faults.append(Fault(key, shown(value), FINITE))
        return None
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError):
        faults.append(Fault(key, shown(value), words.get(kind, TABLE), _quotes(value, kind)))
        return None


def _is_finite(value: object) -> bool:
    """Return whether no number in a value, however deep, is nan or inf."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return not (isinstance(value, float) and not math.isfinite(value)) and all(map(_is_finite, inside))


def _quotes(value: object, kind: object) -> Text | None:
    """Return the hint for the commonest slip: a number in quotes, or a text without."""
    if kind in {int, float} and isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return Text(f"去掉引号：{value}", f"without quotes: {value}")
    if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
        return Text(f'加上引号："{shown(value).zh}"', f'in quotes: "{shown(value).en}"')
    return None


def unknown(found: Mapping[str, Any], known: Sequence[str], prefix: str, faults: list[Fault]) -> None:
    """Tell every key of a table that nobody knows."""
    wanted = Text("已知的键：" + "、".join(known), "a key it knows: " + ", ".join(known))
    for name in found:
        if name not in known:
            faults.append(
                Fault(
                    f"{prefix}{shown(name).en[1:-1]}",
                    Text("未知的键", "an unknown key"),
                    wanted,
                    near(name, known),
                )
            )
