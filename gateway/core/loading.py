"""gateway.toml, from text to frozen objects, with every fault found in one go. Pure: no files, no profiles.

msgspec stops at the first error, and a person who mends a file wants all of them. So each value of each table
is converted alone; a table with a fault does not hide the faults of the next one. What the tables mean
together (names, addresses, profiles) is looked at in gateway/core/consistency.py.
"""

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from drivers.api import Text
from gateway.core.config import (
    AccessTable,
    BusTable,
    CameraTable,
    Config,
    DeviceTable,
    DoorTable,
    GatewayTable,
    InterlockTable,
    MqttTable,
    OperatorTable,
    ScheduleTable,
    VisionTable,
)
from gateway.core.events import Place
from gateway.core.faults import NOTHING, Fault, near, same, shown
from gateway.core.toml_lines import key_lines, line_of

Table = TypeVar("Table", bound=msgspec.Struct)

_SECRET = re.compile(r"(?i)(password|secret|token)\s*=.*")

TABLE = Text("一个表", "a table")
TABLES = Text("表的列表", "a list of tables")
PRINTABLE = Text("没有控制字符的一行文字", "one line of text without control characters")
POINTS = Text("点的列表，如 [[0.1, 0.2], [0.9, 0.2]]", "a list of points like [[0.1, 0.2], [0.9, 0.2]]")

WANTED: Mapping[object, Text] = {
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
    dict[str, float]: Text("数字的表，如 { roll = 0.5 }", "a table of numbers like { roll = 0.5 }"),
    list[tuple[float, float]]: POINTS,
    list[list[tuple[float, float]]]: Text("由点列组成的列表", "a list of such lists of points"),
    list[dict[str, float]]: Text(
        "形如 [{ y = 912, floor = 1 }] 的列表", "a list like [{ y = 912, floor = 1 }]"
    ),
}


@dataclass(slots=True)
class Parsed:
    """What could be read of a file: every good table with its key, and all faults so far."""

    gateway: GatewayTable | None = None
    mqtt: MqttTable | None = None
    vision: VisionTable | None = None
    buses: dict[str, BusTable] = field(default_factory=dict)
    devices: dict[str, DeviceTable] = field(default_factory=dict)  # "bus[0].device[2]" -> table
    cameras: dict[str, CameraTable] = field(default_factory=dict)
    doors: dict[str, DoorTable] = field(default_factory=dict)
    schedules: dict[str, ScheduleTable] = field(default_factory=dict)
    interlocks: dict[str, InterlockTable] = field(default_factory=dict)
    operators: dict[str, OperatorTable] = field(default_factory=dict)
    access: AccessTable | None = None
    rules: dict[str, dict[str, object]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def config(self) -> Config | None:
        """Return the whole configuration; None while there is a fault that is no warning."""
        if self.gateway is None or any(not fault.warning for fault in self.faults):
            return None
        return Config(
            gateway=self.gateway,
            mqtt=self.mqtt,
            bus=tuple(self.buses.values()),
            vision=self.vision or VisionTable(),
            camera=tuple(self.cameras.values()),
            rule=tuple(self.rules.values()),
            door=tuple(self.doors.values()),
            schedule=tuple(self.schedules.values()),
            interlock=tuple(self.interlocks.values()),
            operator=tuple(self.operators.values()),
            access=self.access,
        )


def parse(text: str) -> Parsed:
    """Return what a configuration says and all that is wrong with it; never raises."""
    parsed = Parsed()
    tables = _toml(text, parsed.faults)
    if tables is None:
        return parsed
    _unknown(tables, [each.name for each in msgspec.structs.fields(Config)], "", parsed.faults)
    if "gateway" in tables:
        parsed.gateway = _table(tables["gateway"], GatewayTable, "gateway", parsed.faults)
    else:
        hint = Text('以 [gateway] 和 id = "..." 开头', 'begin with [gateway] and id = "..."')
        parsed.faults.append(Fault("gateway", NOTHING, TABLE, hint))
    if "mqtt" in tables:
        parsed.mqtt = _table(tables["mqtt"], MqttTable, "mqtt", parsed.faults)
    if "vision" in tables:
        parsed.vision = _table(tables["vision"], VisionTable, "vision", parsed.faults)
    for key, table in _each(tables, "bus", "bus", parsed.faults):
        _bus(table, key, parsed)
    if "access" in tables:
        parsed.access = _table(tables["access"], AccessTable, "access", parsed.faults)
    parsed.cameras = _list(tables, "camera", CameraTable, parsed.faults)
    parsed.doors = _list(tables, "door", DoorTable, parsed.faults)
    parsed.schedules = _list(tables, "schedule", ScheduleTable, parsed.faults)
    parsed.interlocks = _list(tables, "interlock", InterlockTable, parsed.faults)
    parsed.operators = _list(tables, "operator", OperatorTable, parsed.faults)
    parsed.rules = dict(_each(tables, "rule", "rule", parsed.faults))
    return parsed


def located(faults: list[Fault], text: str, file: str) -> list[Fault]:
    """Return the faults with file and line filled in, in the order of the file, without repeats."""
    lines = key_lines(text)
    told = {
        fault
        if fault.file
        else dataclasses.replace(fault, file=file, line=fault.line or line_of(fault.key, lines))
        for fault in faults
    }
    return sorted(told, key=lambda fault: (fault.file != file, fault.file, fault.line or 0, fault.key))


def _toml(text: str, faults: list[Fault]) -> dict[str, Any] | None:
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


def _bus(table: dict[str, Any], key: str, parsed: Parsed) -> None:
    own = {name: value for name, value in table.items() if name != "device"}
    bus = _table(own, BusTable, key, parsed.faults)
    devices = []
    for device_key, device_table in _each(table, "device", f"{key}.device", parsed.faults):
        if device := _table(device_table, DeviceTable, device_key, parsed.faults):
            parsed.devices[device_key] = device
            devices.append(device)
    if bus is not None:
        parsed.buses[key] = msgspec.structs.replace(bus, device=devices)


def _list(tables: dict[str, Any], name: str, kind: type[Table], faults: list[Fault]) -> dict[str, Table]:
    """Return the good tables of `[[name]]` with their keys."""
    read = {key: _table(table, kind, key, faults) for key, table in _each(tables, name, name, faults)}
    return {key: table for key, table in read.items() if table is not None}


def _each(
    tables: dict[str, Any], name: str, key: str, faults: list[Fault]
) -> list[tuple[str, dict[str, Any]]]:
    """Return the tables of `[[name]]` with their keys."""
    listed = tables.get(name, [])
    if not isinstance(listed, list):
        header = re.sub(r"\[\d+\]", "", key)
        hint = Text(f"写成 [[{header}]]，用双方括号", f"write [[{header}]] in double brackets")
        faults.append(Fault(key, shown(listed), TABLES, hint))
        return []
    good = []
    for index, table in enumerate(listed):
        if isinstance(table, dict):
            good.append((f"{key}[{index}]", table))
        else:
            faults.append(Fault(f"{key}[{index}]", shown(table), TABLE))
    return good


def _table(table: object, kind: type[Table], key: str, faults: list[Fault]) -> Table | None:
    """Return one table as an object; None if a value without which it means nothing is wrong or missing."""
    if not isinstance(table, dict):
        faults.append(Fault(key, shown(table), TABLE))
        return None
    fields = {each.name: each for each in msgspec.structs.fields(kind)}
    _unknown(table, list(fields), f"{key}.", faults)
    values = {}
    complete = True
    for name, each in fields.items():
        if name not in table:
            if each.required:
                faults.append(Fault(f"{key}.{name}", NOTHING, _wanted(each.type)))
                complete = False
            continue
        value = _value(table[name], each.type, f"{key}.{name}", faults)
        if value is not None:
            values[name] = value
        complete = complete and (value is not None or not each.required)
    return kind(**values) if complete else None


def _value(value: object, kind: Any, key: str, faults: list[Fault]) -> Any | None:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _table(value, kind, key, faults)
    if isinstance(value, str) and not value.isprintable():
        faults.append(Fault(key, shown(value), PRINTABLE))
        return None
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError):
        faults.append(Fault(key, shown(value), _wanted(kind), _quotes(value, kind)))
        return None


def _wanted(kind: object) -> Text:
    return WANTED.get(kind, TABLE)


def _quotes(value: object, kind: object) -> Text | None:
    """Return the hint for the commonest slip: a number in quotes, or a text without."""
    if kind in {int, float} and isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return Text(f"去掉引号：{value}", f"without quotes: {value}")
    if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
        return Text(f'加上引号："{shown(value).zh}"', f'in quotes: "{shown(value).en}"')
    return None


def _unknown(table: dict[str, Any], known: list[str], prefix: str, faults: list[Fault]) -> None:
    wanted = Text("已知的键：" + "、".join(known), "a key it knows: " + ", ".join(known))
    for name in table:
        if name not in known:
            faults.append(
                Fault(
                    f"{prefix}{shown(name).en[1:-1]}",
                    Text("未知的键", "an unknown key"),
                    wanted,
                    near(name, known),
                )
            )
