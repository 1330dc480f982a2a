"""Fire centres out of `[[fire_centre]]`: who is a component there, under which address, and what sends to them.

Loaded only where there is one. The address of a component is worked out by the rule of the mapping, or named in
`components`; two devices with one address would be one at the centre, so that is a fault before anything starts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from drivers.api import Profile, Text
from drivers.gb26875 import text
from drivers.gb26875.units import TEXT_BYTES, place_of
from gateway import __version__, states
from gateway.core import texts
from gateway.core.centre_checks import component_of, endpoints
from gateway.core.config import Config, DeviceTable, FireCentreTable, GatewayTable
from gateway.core.events import Place
from gateway.core.faults import Fault, same
from gateway.core.kinds import Kinds
from gateway.core.loading import Parsed
from gateway.core.places import over
from gateway.fire_centre_needs import Around
from gateway.runtime.stream import Stamp
from gateway.services.centre.answers import About, Answers, Moment
from gateway.services.centre.clock import CentreClock
from gateway.services.centre.exchange import Ends, Patience
from gateway.services.centre.facility import Component, Facility
from gateway.services.centre.mapping import Mapped, mapped, number_in
from gateway.services.centre.parts import House, Names
from gateway.services.centre.service import Centre
from gateway.surroundings import readable

MOST_BYTES = 1 << 20


def check(parsed: Parsed, profiles: Mapping[str, Profile], kinds: Kinds) -> Iterator[Fault]:
    """Yield what is wrong with the tables of centres, and with the addresses of their components."""
    home = Place() if parsed.gateway is None else parsed.gateway.place
    for key, table in parsed.fire_centres.items():
        own, unreadable = _own(key, table)
        if unreadable is not None:
            yield unreadable
            continue
        found, faults = mapped(kinds, own, table.table)
        yield from faults
        if found is not None:
            yield from _places(key, table, found, parsed.devices, profiles, home)


def make(config: Config, profiles: Mapping[str, Profile], kinds: Kinds, around: Around) -> list["Reporting"]:
    """Return what reports to each centre; the configuration was checked before."""
    return [_make(table, config, profiles, kinds, around) for table in config.fire_centre]


@dataclass(frozen=True, slots=True)
class Reporting:
    """One centre: what runs, and what must follow the stream for it."""

    name: str
    centre: Centre
    facility: Facility


def _make(
    table: FireCentreTable, config: Config, profiles: Mapping[str, Profile], kinds: Kinds, around: Around
) -> Reporting:
    own, _ = _own("fire_centre", table)
    found, _ = mapped(kinds, own)
    assert found is not None
    devices = [each for bus in config.bus for each in bus.device]
    facility = Facility(
        found,
        dict(_components(table, found, devices, profiles, config.gateway.place)),
        address=table.system_address,
        operator=table.operator,
        standing=around.restored,
    )
    clock = CentreClock(table.take_clock)
    answers = Answers(
        facility, _about(config.gateway), clock, partial(states.readings, around.snapshot, around.watched)
    )
    house = House(
        names=Names(table.name),
        ends=Ends(table.address, table.centre_address, table.user_version),
        patience=Patience(table.timeout_s, table.resends),
        journal=around.journal,
        facility=facility,
        answers=answers,
        submit=around.submit,
        now=lambda: _moment(around.now()),
        probe=around.probe,
        heartbeat_s=table.heartbeat_s,
        analog=table.analog,
    )
    down = f"{kinds.by_link['centre'].name}/{table.name}"
    was_down = any(body.key == down for body in around.alerts)
    centre = Centre(house, endpoints(table), epoch=around.journal.epoch, was_down=was_down)
    return Reporting(table.name, centre, facility)


def _about(gateway: GatewayTable) -> About:
    major, minor, *_ = (int(part) for part in __version__.split(".")[:2])
    title = f"{gateway.name or gateway.id} compound-gateway {__version__}"
    return About(title, (major, minor), gateway.utc_offset_h)


def _moment(stamp: Stamp) -> Moment:
    return Moment(stamp.wall, stamp.clock)


def _own(key: str, table: FireCentreTable) -> tuple[str, Fault | None]:
    """Return a site's own mapping, or what is wrong with its file."""
    if not table.table:
        return "", None
    fault = readable(f"{key}.table", table.table)
    if fault is not None:
        return "", fault
    wanted = Text("UTF-8 的 TOML 文件，不大于 1 MB", "a TOML file in UTF-8, of 1 MB at most")
    data = Path(table.table).read_bytes()
    try:
        if len(data) <= MOST_BYTES:
            return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        return "", Fault(f"{key}.table", same(str(error)), wanted)
    return "", Fault(f"{key}.table", same(f"{len(data)} B"), wanted)


def _components(
    table: FireCentreTable,
    found: Mapped,
    devices: Iterable[DeviceTable],
    profiles: Mapping[str, Profile],
    home: Place,
) -> Iterator[tuple[str, Component]]:
    for device in devices:
        profile = profiles.get(device.profile)
        known = None if profile is None else found.categories.get(profile.category)
        where = _where(table, found, device)
        if known is not None and where is not None:
            subject = texts.Subject(device.name, device.label, over(device.place, home))
            words = text.fill(texts.where(subject).zh, TEXT_BYTES)
            yield device.name, Component(*known, place_of(*where), words)


def _where(table: FireCentreTable, found: Mapped, device: DeviceTable) -> tuple[int, int] | None:
    """Return zone and number of a device at a centre; None where the rule gives no number that fits."""
    if device.name in table.components:
        return component_of(table.components[device.name])
    parts = {name: number_in(name, value) for name, value in msgspec.structs.asdict(device.place).items()}
    parts["address"] = device.address
    zone, number = (
        sum(parts[part] * weight for part, weight in rule.items()) for rule in (found.zone, found.number)
    )
    return (zone, number) if max(zone, number) <= 65535 and min(zone, number) >= 0 else None


def _places(  # noqa: PLR0917 - all of it names one place
    key: str,
    table: FireCentreTable,
    found: Mapped,
    devices: Mapping[str, DeviceTable],
    profiles: Mapping[str, Profile],
    home: Place,
) -> Iterator[Fault]:
    """Yield a fault for each component that has no address of its own."""
    taken: dict[int, str] = {}
    components = dict(_components(table, found, devices.values(), profiles, home))
    hint = Text(
        '在 [[fire_centre]] 里写 components = { "设备名" = "201.3005" }',
        'name it in [[fire_centre]]: components = { "device" = "201.3005" }',
    )
    for where, device in devices.items():
        profile = profiles.get(device.profile)
        if profile is None or profile.category not in found.categories:
            continue
        component = components.get(device.name)
        if component is None:
            wanted = Text("区号和位号各 0 到 65535", "zone and number, 0 to 65535 each")
            yield Fault(where, same(device.name), wanted, hint)
        elif other := taken.get(component.place):
            zone, number = component.place & 0xFFFF, component.place >> 16
            told = Text(
                f"{device.name} 与 {other} 在监控中心同为 {zone} 区 {number} 号",
                f"{device.name} and {other}, both zone {zone} number {number} at the centre",
            )
            yield Fault(f"{key}.components", told, Text("每个部件一个地址", "one address for each"), hint)
        else:
            taken[component.place] = device.name
