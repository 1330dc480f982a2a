"""From the tables of gateway.toml to doors, schedules and interlocks; the configuration was checked before."""

from collections.abc import Mapping

import msgspec

from drivers.api import Profile
from gateway.core import schedule
from gateway.core.config import Config, DoorTable
from gateway.core.door_checks import OrderTable, default_kinds
from gateway.core.doors import DoorPlan, Strike
from gateway.core.interlocks import InterlockOrder, InterlockPlan
from gateway.core.schedule import Schedule
from gateway.core.strikes import device_of, part_of, strike_of
from gateway.core.texts import Subject
from gateway.site import place_of

Profiles = Mapping[str, Profile]


def doors_of(config: Config, profiles: Profiles) -> list[DoorPlan]:
    """Return every door as its service runs it."""
    profile_of = {table.name: profiles[table.profile] for bus in config.bus for table in bus.device}
    return [_door(table, config, profile_of) for table in config.door]


def door_subjects_of(config: Config) -> dict[str, Subject]:
    """Return where each door is, for the words of its alerts."""
    return {table.name: Subject(table.name, table.label, place_of(table, config)) for table in config.door}


def schedules_of(config: Config) -> dict[str, Schedule]:
    """Return every schedule by name."""
    offset_h = config.gateway.utc_offset_h
    return {
        table.name: schedule.parse(table.times, table.closed, offset_h=offset_h) for table in config.schedule
    }


def interlocks_of(config: Config) -> list[InterlockPlan]:
    """Return every interlock as its service runs it."""
    return [
        InterlockPlan(
            name=table.name,
            kinds=default_kinds(table),
            level=table.within,
            place=table.place,
            frees=table.free_doors,
            orders=_orders(table.orders),
            after=_orders(table.after),
            sound=_orders(table.sound),
            hush=_orders(table.hush),
            dry_run=table.dry_run,
        )
        for table in config.interlock
    ]


def _orders(tables: list[dict[str, object]]) -> tuple[InterlockOrder, ...]:
    orders = (msgspec.convert(table, OrderTable) for table in tables)
    return tuple(InterlockOrder(each.device, each.action, each.arguments) for each in orders)


def _door(table: DoorTable, config: Config, profiles: Profiles) -> DoorPlan:
    strike = strike_of(table.strike, profiles[device_of(table.strike)])
    assert isinstance(strike, Strike)
    return DoorPlan(
        name=table.name,
        strike=strike,
        label=table.label,
        place=place_of(table, config),
        contact=part_of(table.contact) if table.contact else None,
        exit=part_of(table.exit) if table.exit else None,
        tamper=tuple(part_of(text) for text in table.tamper),
        readers=tuple(table.readers),
        fail=table.fail,
        unlock_s=table.unlock_s,
        shunt_s=table.shunt_s,
        held_s=table.held_s,
        schedule=table.unlocked,
        entry=table.entry,
    )
