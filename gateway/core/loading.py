"""gateway.toml, from text to frozen objects, with every fault found in one go. Pure: no files, no profiles.

How a table becomes an object stands in gateway/core/toml_tables.py; what the tables mean together (names,
addresses, profiles) is looked at in gateway/core/consistency.py.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from drivers.api import Text
from gateway.core.config import (
    AccessTable,
    AssetTable,
    BesideTable,
    BusTable,
    CameraTable,
    Config,
    DeviceTable,
    DoorTable,
    FireCentreTable,
    GatewayTable,
    InterlockTable,
    MetricsTable,
    MqttTable,
    OperatorTable,
    ResidentTable,
    ScheduleTable,
    VisionTable,
)
from gateway.core.faults import NOTHING, Fault
from gateway.core.toml_lines import key_lines, line_of
from gateway.core.toml_tables import TABLE, each_of, listed, table_of, tree, unknown

BESIDE: Final = MqttTable(url="desk", confirm="desk")
"""What a desk in the same house is to the uplink: one that confirms with receipts."""


@dataclass(slots=True)
class Parsed:
    """What could be read of a file: every good table with its key, and all faults so far."""

    gateway: GatewayTable | None = None
    mqtt: MqttTable | None = None
    desk: BesideTable | None = None
    vision: VisionTable | None = None
    buses: dict[str, BusTable] = field(default_factory=dict)
    devices: dict[str, DeviceTable] = field(default_factory=dict)  # "bus[0].device[2]" -> table
    cameras: dict[str, CameraTable] = field(default_factory=dict)
    doors: dict[str, DoorTable] = field(default_factory=dict)
    assets: dict[str, AssetTable] = field(default_factory=dict)
    schedules: dict[str, ScheduleTable] = field(default_factory=dict)
    residents: dict[str, ResidentTable] = field(default_factory=dict)
    interlocks: dict[str, InterlockTable] = field(default_factory=dict)
    operators: dict[str, OperatorTable] = field(default_factory=dict)
    access: AccessTable | None = None
    metrics: MetricsTable | None = None
    rules: dict[str, dict[str, object]] = field(default_factory=dict)
    last_resorts: dict[str, dict[str, object]] = field(default_factory=dict)
    fire_centres: dict[str, FireCentreTable] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def config(self) -> Config | None:
        """Return the whole configuration; None while there is a fault that is no warning."""
        if self.gateway is None or any(not fault.warning for fault in self.faults):
            return None
        return Config(
            gateway=self.gateway,
            mqtt=self.mqtt if self.desk is None else BESIDE,
            desk=self.desk,
            bus=tuple(self.buses.values()),
            vision=self.vision or VisionTable(),
            camera=tuple(self.cameras.values()),
            rule=tuple(self.rules.values()),
            door=tuple(self.doors.values()),
            asset=tuple(self.assets.values()),
            schedule=tuple(self.schedules.values()),
            resident=tuple(self.residents.values()),
            interlock=tuple(self.interlocks.values()),
            operator=tuple(self.operators.values()),
            access=self.access,
            last_resort=tuple(self.last_resorts.values()),
            metrics=self.metrics,
            fire_centre=tuple(self.fire_centres.values()),
        )


def parse(text: str) -> Parsed:
    """Return what a configuration says and all that is wrong with it; never raises."""
    parsed = Parsed()
    tables = tree(text, parsed.faults)
    if tables is None:
        return parsed
    unknown(tables, [each.name for each in msgspec.structs.fields(Config)], "", parsed.faults)
    if "gateway" in tables:
        parsed.gateway = table_of(tables["gateway"], GatewayTable, "gateway", parsed.faults)
    else:
        hint = Text('以 [gateway] 和 id = "..." 开头', 'begin with [gateway] and id = "..."')
        parsed.faults.append(Fault("gateway", NOTHING, TABLE, hint))
    if "mqtt" in tables:
        parsed.mqtt = table_of(tables["mqtt"], MqttTable, "mqtt", parsed.faults)
    if "desk" in tables:
        parsed.desk = table_of(tables["desk"], BesideTable, "desk", parsed.faults)
    if "vision" in tables:
        parsed.vision = table_of(tables["vision"], VisionTable, "vision", parsed.faults)
    for key, table in each_of(tables, "bus", "bus", parsed.faults):
        _bus(table, key, parsed)
    if "access" in tables:
        parsed.access = table_of(tables["access"], AccessTable, "access", parsed.faults)
    if "metrics" in tables:
        parsed.metrics = table_of(tables["metrics"], MetricsTable, "metrics", parsed.faults)
    parsed.cameras = listed(tables, "camera", CameraTable, parsed.faults)
    parsed.doors = listed(tables, "door", DoorTable, parsed.faults)
    parsed.assets = listed(tables, "asset", AssetTable, parsed.faults)
    parsed.schedules = listed(tables, "schedule", ScheduleTable, parsed.faults)
    parsed.residents = listed(tables, "resident", ResidentTable, parsed.faults)
    parsed.interlocks = listed(tables, "interlock", InterlockTable, parsed.faults)
    parsed.operators = listed(tables, "operator", OperatorTable, parsed.faults)
    parsed.fire_centres = listed(tables, "fire_centre", FireCentreTable, parsed.faults)
    parsed.rules = dict(each_of(tables, "rule", "rule", parsed.faults))
    parsed.last_resorts = dict(each_of(tables, "last_resort", "last_resort", parsed.faults))
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


def _bus(table: dict[str, Any], key: str, parsed: Parsed) -> None:
    own = {name: value for name, value in table.items() if name != "device"}
    bus = table_of(own, BusTable, key, parsed.faults)
    devices = []
    for device_key, device_table in each_of(table, "device", f"{key}.device", parsed.faults):
        if device := table_of(device_table, DeviceTable, device_key, parsed.faults):
            parsed.devices[device_key] = device
            devices.append(device)
    if bus is not None:
        parsed.buses[key] = msgspec.structs.replace(bus, device=devices)
