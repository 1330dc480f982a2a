"""From the tables of gateway.toml to what the services run on: lines, devices, watched things, deadbands."""

from collections.abc import Mapping

from drivers.api import Device, LineSettings, Profile
from gateway.core.config import BusTable, Config, DeviceTable
from gateway.core.events import Place
from gateway.core.kinds import Kinds
from gateway.core.rule_tables import compile_rules
from gateway.core.rules import Deviates, Watched

Profiles = Mapping[str, Profile]


def lines_of(config: Config, profiles: Profiles) -> list[tuple[LineSettings, list[Device]]]:
    """Return each line with the devices on it."""
    return [(_line(bus), [_device(table, profiles) for table in bus.device]) for bus in config.bus]


def watched_of(config: Config, profiles: Profiles, kinds: Kinds) -> dict[str, Watched]:
    """Return every device as alerting sees it, its rules compiled; the configuration was checked before."""
    return {
        table.name: _watched(
            table, bus.name, f"bus[{i}].device[{j}]", config, profile=profiles[table.profile], kinds=kinds
        )
        for i, bus in enumerate(config.bus)
        for j, table in enumerate(bus.device)
    }


def deadbands_of(config: Config, profiles: Profiles) -> dict[tuple[str, str], float]:
    """Return (device, point) -> the change that is worth telling."""
    return {
        (table.name, point.name): point.deadband
        for bus in config.bus
        for table in bus.device
        for point in profiles[table.profile].points
    }


def points_at_rest(watched: Watched) -> set[str]:
    """Return the points of a device that are held against a baseline."""
    return {point for rule in watched.rules if isinstance(rule.test, Deviates) for point in rule.points}


def place_of(table: DeviceTable, config: Config) -> Place:
    """Return where a device is: its own table over the gateway's."""
    names = Place.__struct_fields__
    own, gateway = table.place, config.gateway.place
    return Place(**{name: getattr(own, name) or getattr(gateway, name) for name in names})


def _line(bus: BusTable) -> LineSettings:
    return LineSettings(bus.name, bus.port, bus.baud, bus.parity, bus.stop_bits, bus.rs485)


def _device(table: DeviceTable, profiles: Profiles) -> Device:
    return Device(table.name, profiles[table.profile], table.address)


def _watched(
    table: DeviceTable, bus: str, where: str, config: Config, *, profile: Profile, kinds: Kinds
) -> Watched:
    compiled = compile_rules(
        profile.rules,
        config.rule,
        table.rules,
        device=table.name,
        category=profile.category,
        points=profile.points,
        kinds=kinds,
        where=where,
    )
    return Watched(
        name=table.name,
        label=table.label,
        place=place_of(table, config),
        category=profile.category,
        bus=bus,
        rules=compiled.rules,
        baseline=table.baseline,
    )
