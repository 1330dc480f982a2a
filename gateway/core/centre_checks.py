"""What `[[fire_centre]]` means: addresses of both ends, patience, which device is which component. Pure.

What its table says about kinds and products is looked at where it is put together, in gateway/fire_centre_making.py.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

from drivers.api import Text
from gateway.core.config import FireCentreTable
from gateway.core.faults import Fault, near, shown

ADDRESSES: Final = 1 << 48
COMPONENT: Final = re.compile(r"(\d{1,5})\.(\d{1,5})")
_ID: Final = re.compile(r"[a-z0-9-]{1,32}")
_URL: Final = re.compile(r"tcp://(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.\-]+):(?P<port>[0-9]{1,5})")
_RANGES: Final = {
    "address": (0, ADDRESSES - 1),
    "centre_address": (0, ADDRESSES - 1),
    "system_address": (0, 255),
    "user_version": (0, 255),
    "operator": (0, 255),
    "timeout_s": (0.5, 10.0),
    "resends": (0, 10),
}
"""Limits of numbers; a time-out of at most 10 s is the standard's own (6.5)."""

Faults = Iterator[Fault]


def check(tables: Mapping[str, FireCentreTable], devices: Mapping[str, object]) -> Faults:
    """Yield what does not go together. `devices` are those of the configuration, by name."""
    taken: dict[str, str] = {}
    for key, table in tables.items():
        if not _ID.fullmatch(table.name):
            yield Fault(
                f"{key}.name",
                shown(table.name),
                Text("1 到 32 个小写字母、数字或连字符", "1 to 32 of a-z, 0-9 and -"),
            )
        if table.name in taken:
            wanted = Text("没有被用过的名字", "a name that is not taken")
            yield Fault(f"{key}.name", shown(table.name), wanted)
        taken[table.name] = key
        yield from _addresses(key, table)
        yield from _numbers(key, table)
        yield from _components(key, table, devices)


def endpoints(table: FireCentreTable) -> tuple[tuple[str, int], ...]:
    """Return (host, port) of every address, in the order they are tried; those that are none are left out."""
    found = (_URL.fullmatch(each) for each in _urls(table))
    return tuple((each["host"].strip("[]"), int(each["port"])) for each in found if each is not None)


def component_of(text: str) -> tuple[int, int] | None:
    """Return zone and number of "10.2"; None where it is no such thing or out of range."""
    parts = COMPONENT.fullmatch(text)
    if parts is None or max(int(parts[1]), int(parts[2])) > 65535:
        return None
    return int(parts[1]), int(parts[2])


def _urls(table: FireCentreTable) -> list[str]:
    return [table.url] if isinstance(table.url, str) else table.url


def _addresses(key: str, table: FireCentreTable) -> Faults:
    wanted = Text("形如 tcp://10.8.0.1:5000 的地址", "an address like tcp://10.8.0.1:5000")
    if not _urls(table):
        yield Fault(f"{key}.url", shown([]), wanted)
    for number, url in enumerate(_urls(table)):
        where = f"{key}.url" if isinstance(table.url, str) else f"{key}.url[{number}]"
        parts = _URL.fullmatch(url)
        if parts is None:
            hint = Text(
                "国标没有加密：走专线或 VPN", "the standard knows no TLS: use a private line or a VPN"
            )
            yield Fault(where, shown(url), wanted, hint)
        elif not 1 <= int(parts["port"]) <= 65535:
            yield Fault(where, shown(url), Text("端口 1 到 65535", "a port from 1 to 65535"))
    if table.address == table.centre_address:
        found = Text("两端地址相同", "the same address at both ends")
        wanted = Text("监控中心给本装置的地址", "the address the centre has given this device")
        yield Fault(f"{key}.address", found, wanted)


def _numbers(key: str, table: FireCentreTable) -> Faults:
    for name, (least, most) in _RANGES.items():
        value = getattr(table, name)
        if not (math.isfinite(value) and least <= value <= most):
            yield Fault(
                f"{key}.{name}", shown(value), Text(f"{least:g} 到 {most:g}", f"{least:g} to {most:g}")
            )
    beat = table.heartbeat_s
    if not (math.isfinite(beat) and (beat == 0 or 5 <= beat <= 600)):
        wanted = Text("5 到 600 秒，或 0（不发）", "5 to 600 s, or 0 for none")
        yield Fault(f"{key}.heartbeat_s", shown(beat), wanted)


def _components(key: str, table: FireCentreTable, devices: Mapping[str, object]) -> Faults:
    for name, at in table.components.items():
        where = f'{key}.components."{name}"'
        if name not in devices:
            wanted = Text("一台设备的名字", "the name of a device")
            yield Fault(where, shown(name), wanted, near(name, devices))
        if component_of(at) is None:
            wanted = Text(
                '"区号.位号"，各 0 到 65535，如 "201.3005"', '"zone.number" like "201.3005", each 0 to 65535'
            )
            yield Fault(where, shown(at), wanted)
