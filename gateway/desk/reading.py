"""desk.toml, from text to frozen objects, with every fault found in one go: file, key, found, wanted. Pure."""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from drivers.api import Text
from gateway.core.config import MqttTable
from gateway.core.faults import NOTHING, Fault, near, one_of, shown
from gateway.core.toml_tables import TABLE, WANTED, each_of, listed, table_of, tree, unknown
from gateway.desk.channels import KINDS, ChannelTable
from gateway.desk.tables import (
    DeskConfig,
    DeskTable,
    DutyTable,
    LadderTable,
    PersonTable,
    ResidentTable,
    WebTable,
)

_WANTED: Final = WANTED | {
    list[tuple[str, str]]: Text(
        '形如 [["ntfy", "主题"]] 的列表', 'a list like [["ntfy", "topic"]]: channel and address'
    ),
    dict[str, object]: Text("形如 { errcode = 0 } 的表", "a table like { errcode = 0 }"),
    list[dict[str, object]]: Text(
        '形如 [{ after_minutes = 0, to = "first" }] 的列表',
        'a list like [{ after_minutes = 0, to = "first" }]',
    ),
}


@dataclass(slots=True)
class Read:
    """What could be read: every good table with its key, and all faults."""

    desk: DeskTable | None = None
    mqtt: MqttTable | None = None
    web: WebTable | None = None
    channels: dict[str, ChannelTable] = field(default_factory=dict)
    people: dict[str, PersonTable] = field(default_factory=dict)
    duties: dict[str, DutyTable] = field(default_factory=dict)
    ladders: dict[str, LadderTable] = field(default_factory=dict)
    residents: dict[str, ResidentTable] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def config(self) -> DeskConfig | None:
        """Return the whole configuration; None while there is a fault that is no warning."""
        if self.desk is None or any(not fault.warning for fault in self.faults):
            return None
        return DeskConfig(
            desk=self.desk,
            mqtt=self.mqtt,
            web=self.web,
            channel=tuple(self.channels.values()),
            person=tuple(self.people.values()),
            duty=tuple(self.duties.values()),
            ladder=tuple(self.ladders.values()),
            resident=tuple(self.residents.values()),
        )


def parse(text: str) -> Read:
    """Return what a desk.toml says and what is wrong with its tables, one by one; never raises."""
    read = Read()
    tables = tree(text, read.faults)
    if tables is None:
        return read
    unknown(tables, [each.name for each in msgspec.structs.fields(DeskConfig)], "", read.faults)
    if "desk" in tables:
        read.desk = table_of(tables["desk"], DeskTable, "desk", read.faults, _WANTED)
    else:
        hint = Text('以 [desk] 和 name = "..." 开头', 'begin with [desk] and name = "..."')
        read.faults.append(Fault("desk", NOTHING, TABLE, hint))
    if "mqtt" in tables:
        read.mqtt = table_of(tables["mqtt"], MqttTable, "mqtt", read.faults, _WANTED)
    if "web" in tables:
        read.web = table_of(tables["web"], WebTable, "web", read.faults, _WANTED)
    read.channels = _channels(tables, read.faults)
    read.people = listed(tables, "person", PersonTable, read.faults, _WANTED)
    read.duties = listed(tables, "duty", DutyTable, read.faults, _WANTED)
    read.ladders = listed(tables, "ladder", LadderTable, read.faults, _WANTED)
    read.residents = listed(tables, "resident", ResidentTable, read.faults, _WANTED)
    return read


def _channels(tables: dict[str, Any], faults: list[Fault]) -> dict[str, ChannelTable]:
    """Return the channels with their keys, each read as its kind has it."""
    read: dict[str, ChannelTable] = {}
    for key, each in each_of(tables, "channel", "channel", faults):
        kind = each.get("kind")
        table = KINDS.get(kind) if isinstance(kind, str) else None
        if table is None:
            found = NOTHING if kind is None else shown(kind)
            hint = near(kind, KINDS) if isinstance(kind, str) else None
            faults.append(Fault(f"{key}.kind", found, one_of(KINDS), hint))
            each, table = {"name": each.get("name"), "kind": str(kind)}, ChannelTable  # noqa: PLW2901 - its name is known
        made = table_of(each, table, key, faults, _WANTED)
        if made is not None:
            read[key] = made
    return read
