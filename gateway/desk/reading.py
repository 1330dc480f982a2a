"""desk.toml, from text to frozen objects, with every fault found in one go: file, key, found, wanted. Pure.

msgspec stops at the first error, and a person who mends a file wants all of them, so each value is converted alone.
"""

import re
import tomllib
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec

from drivers.api import Text
from gateway.core.config import MqttTable
from gateway.core.events import Place
from gateway.core.faults import NOTHING, Fault, near, same, shown
from gateway.core.loading import TABLE, TABLES, WANTED
from gateway.desk.tables import ChannelTable, DeskConfig, DeskTable, DutyTable, LadderTable, PersonTable

T = TypeVar("T", bound=msgspec.Struct)

_OWN: Final = {
    list[tuple[str, str]]: Text(
        '形如 [["ntfy", "主题"]] 的列表', 'a list like [["ntfy", "topic"]]: channel and address'
    ),
    dict[str, object]: Text("形如 { errcode = 0 } 的表", "a table like { errcode = 0 }"),
    list[dict[str, object]]: Text(
        '形如 [{ after_minutes = 0, to = "first" }] 的列表',
        'a list like [{ after_minutes = 0, to = "first" }]',
    ),
}
_SECRET = re.compile(r"(?i)(password|secret|token)\s*=.*")


@dataclass(slots=True)
class Read:
    """What could be read: every good table with its key, and all faults."""

    desk: DeskTable | None = None
    mqtt: MqttTable | None = None
    channels: dict[str, ChannelTable] = field(default_factory=dict)
    people: dict[str, PersonTable] = field(default_factory=dict)
    duties: dict[str, DutyTable] = field(default_factory=dict)
    ladders: dict[str, LadderTable] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def config(self) -> DeskConfig | None:
        """Return the whole configuration; None while there is a fault that is no warning."""
        if self.desk is None or any(not fault.warning for fault in self.faults):
            return None
        return DeskConfig(
            desk=self.desk,
            mqtt=self.mqtt,
            channel=tuple(self.channels.values()),
            person=tuple(self.people.values()),
            duty=tuple(self.duties.values()),
            ladder=tuple(self.ladders.values()),
        )


def parse(text: str) -> Read:
    """Return what a desk.toml says and what is wrong with its tables, one by one; never raises."""
    read = Read()
    tables = _toml(text, read.faults)
    if tables is None:
        return read
    _unknown(tables, [each.name for each in msgspec.structs.fields(DeskConfig)], "", read.faults)
    if "desk" in tables:
        read.desk = _table(tables["desk"], DeskTable, "desk", read.faults)
    else:
        hint = Text('以 [desk] 和 name = "..." 开头', 'begin with [desk] and name = "..."')
        read.faults.append(Fault("desk", NOTHING, TABLE, hint))
    if "mqtt" in tables:
        read.mqtt = _table(tables["mqtt"], MqttTable, "mqtt", read.faults)
    read.channels = _list(tables, "channel", ChannelTable, read.faults)
    read.people = _list(tables, "person", PersonTable, read.faults)
    read.duties = _list(tables, "duty", DutyTable, read.faults)
    read.ladders = _list(tables, "ladder", LadderTable, read.faults)
    return read


def _toml(text: str, faults: list[Fault]) -> dict[str, Any] | None:
    wanted = Text("有效的 TOML", "valid TOML")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else text.count("\n") + 1
        source = _SECRET.sub(r"\1 = ...", "".join(text.splitlines()[line - 1 : line]))
        faults.append(Fault("file", shown(source), wanted, same(str(error)), line=line))
    except (RecursionError, ValueError) as error:
        faults.append(Fault("file", same(type(error).__name__), wanted))
    return None


def _list(tables: dict[str, Any], name: str, kind: type[T], faults: list[Fault]) -> dict[str, T]:
    """Return the good tables of `[[name]]` by their keys."""
    listed = tables.get(name, [])
    if not isinstance(listed, list):
        hint = Text(f"写成 [[{name}]]，用双方括号", f"write [[{name}]] in double brackets")
        faults.append(Fault(name, shown(listed), TABLES, hint))
        return {}
    read = {f"{name}[{index}]": each for index, each in enumerate(listed)}
    made = {key: _table(each, kind, key, faults) for key, each in read.items()}
    return {key: table for key, table in made.items() if table is not None}


def _table(table: object, kind: type[T], key: str, faults: list[Fault]) -> T | None:
    """Return one table as an object; None if a value without which it means nothing is wrong or missing."""
    if not isinstance(table, dict):
        faults.append(Fault(key, shown(table), TABLE))
        return None
    fields = {each.name: each for each in msgspec.structs.fields(kind)}
    _unknown(table, list(fields), f"{key}.", faults)
    values: dict[str, Any] = {}
    complete = True
    for name, each in fields.items():
        if name in table:
            value = _value(table[name], each.type, f"{key}.{name}", faults)
            complete = complete and (value is not None or not each.required)
            values |= {} if value is None else {name: value}
        elif each.required:
            faults.append(Fault(f"{key}.{name}", NOTHING, _wanted(each.type)))
            complete = False
    return kind(**values) if complete else None


def _value(value: object, kind: Any, key: str, faults: list[Fault]) -> Any | None:
    if kind is Place:
        return _table(value, Place, key, faults)
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError):
        faults.append(Fault(key, shown(value), _wanted(kind)))
        return None


def _wanted(kind: object) -> Text:
    return _OWN.get(kind) or WANTED.get(kind, TABLE)  # type: ignore[call-overload]


def _unknown(table: dict[str, Any], known: list[str], prefix: str, faults: list[Fault]) -> None:
    wanted = Text("已知的键：" + "、".join(known), "a key it knows: " + ", ".join(known))
    found = Text("未知的键", "an unknown key")
    faults += [
        Fault(f"{prefix}{shown(name).en[1:-1]}", found, wanted, near(name, known))
        for name in table
        if name not in known
    ]
