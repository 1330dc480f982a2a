"""From the tables of gateway.toml to what the services run on: lines, devices, cameras, watched things, deadbands."""

from collections.abc import Mapping
from pathlib import Path

from drivers.api import Device, LineSettings, Profile
from gateway.core import residents
from gateway.core.assets import kinds as asset_kinds
from gateway.core.assets.plans import Assembled
from gateway.core.config import BusTable, CameraTable, Config, DeviceTable, DoorTable
from gateway.core.doors import FORCED_KIND, HELD_KIND, Part
from gateway.core.events import Place
from gateway.core.kinds import Kinds
from gateway.core.places import over
from gateway.core.residents import Privacy
from gateway.core.rule_tables import compile_rules
from gateway.core.rules import Deviates, Rule, Watched
from gateway.core.strikes import part_of
from gateway.core.texts import Subject, where
from gateway.services.clearing import Latch
from gateway.surroundings import device_key
from gateway.vision.child import Begin, own
from gateway.vision.distant import nursery
from gateway.vision.messages import Setup
from gateway.vision.service import Camera

MB = 1024 * 1024
NO_ASSETS = Assembled()

Profiles = Mapping[str, Profile]


def lines_of(config: Config, profiles: Profiles) -> list[tuple[LineSettings, list[Device]]]:
    """Return each line with the devices on it."""
    return [(line_of(bus), [_device(table, profiles) for table in bus.device]) for bus in config.bus]


def watched_of(
    config: Config, profiles: Profiles, kinds: Kinds, made: Assembled = NO_ASSETS
) -> dict[str, Watched]:
    """Return every device as alerting sees it, its rules compiled; the configuration was checked before.

    `made` are the assets: which points say something of a person, only they know.

    What is the contact of a door is judged by the door, which knows of cards and orders, not by the board's rules.
    """
    contacts = {part_of(table.contact) for table in config.door if table.contact}
    privacy = privacy_of(config, profiles, kinds, made)
    return {
        table.name: _watched(
            table,
            bus.name,
            f"bus[{i}].device[{j}]",
            config,
            profiles=profiles,
            kinds=kinds,
            contacts=contacts,
            privacy=privacy,
        )
        for i, bus in enumerate(config.bus)
        for j, table in enumerate(bus.device)
    }


def latches_of(watched: Mapping[str, Watched], profiles: Profiles) -> list[Latch]:
    """Return every latched input that raises an alert, and what clears it."""
    found = []
    for device in watched.values():
        points = (
            {point.name: point for point in profiles[device.profile].points}
            if device.profile in profiles
            else {}
        )
        for rule in device.rules:
            for name in rule.points:
                if name in points and (clearing := points[name].cleared_by) is not None:
                    found.append(Latch(f"{device.name}/{rule.name}", device.name, name, clearing))
    return found


def cameras_of(config: Config) -> list[Camera]:
    """Return every camera as the vision service runs it."""
    return [Camera(_setup(table, config), table.password_file) for table in config.camera]


def nursery_of(socket: Path | None) -> Begin:
    """Return what starts the cameras' processes: the nursery that listens there, or without one we ourselves."""
    return own() if socket is None else nursery(socket)


def subjects_of(config: Config) -> dict[str, Subject]:
    """Return where each camera looks, for the words of its alerts."""
    return {table.name: Subject(table.name, place=place_of(table, config)) for table in config.camera}


def evidence_dir(config: Config) -> Path:
    """Return the folder of stills and clips."""
    return Path(config.vision.evidence_dir or Path(config.gateway.state_dir) / "evidence")


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


def place_of(table: DeviceTable | CameraTable | DoorTable, config: Config) -> Place:
    """Return where a device is or a camera looks: its own table over the gateway's."""
    return over(table.place, config.gateway.place)


def _setup(table: CameraTable, config: Config) -> Setup:
    vision = config.vision
    return Setup(
        camera=table.name,
        url=table.url,
        password="",
        watch=tuple(table.watch),
        ignore=tuple(tuple(polygon) for polygon in table.ignore),
        floors=tuple((each["y"], each["floor"]) for each in table.floors),
        marked_in=table.marked_in,
        evidence_dir=str(evidence_dir(config)),
        room=0,
        title=where(Subject(table.name, place=place_of(table, config))).en,
        privacy=vision.privacy if table.privacy is None else table.privacy,
        memory_max_bytes=int(vision.memory_max_mb * MB),
        max_falls_per_minute=vision.max_falls_per_minute,
    )


def line_of(bus: BusTable) -> LineSettings:
    """Return a line as its driver runs it."""
    return LineSettings(bus.name, bus.port, bus.baud, bus.parity, bus.stop_bits, bus.rs485)


def _device(table: DeviceTable, profiles: Profiles) -> Device:
    key = device_key(table.key_file) if table.key_file else None
    return Device(table.name, profiles[table.profile], table.address, key)


def _watched(
    table: DeviceTable,
    bus: str,
    where: str,
    config: Config,
    *,
    profiles: Profiles,
    kinds: Kinds,
    contacts: set[Part],
    privacy: Privacy,
) -> Watched:
    profile = profiles[table.profile]
    compiled = compile_rules(
        profile.rules,
        (*config.rule, *residents.buttons(config.resident, table.name, profile.points)),
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
        profile=table.profile,
        rules=tuple(
            rule
            for rule in compiled.rules
            if not _is_of_door(rule, table.name, contacts) and privacy.allows(table.name, rule)
        ),
        baseline=table.baseline,
        elsewhere={
            point.name: Subject(table.name, each.code, over(each.place, config.gateway.place))
            for point in profile.points
            if (each := privacy.resident(table.name, point.name)) is not None
        },
        private=frozenset(
            point.name for point in profile.points if not privacy.sends(table.name, point.name)
        ),
        resident=privacy.whose(table.name, ""),
    )


def privacy_of(config: Config, profiles: Profiles, kinds: Kinds, made: Assembled = NO_ASSETS) -> Privacy:
    """Return what residents agreed to; `made` is as in `watched_of`."""
    products = {each.name: profiles[each.profile] for bus in config.bus for each in bus.device}
    assets = residents.care_assets(config.asset, asset_kinds.wanted(config.asset))
    care = residents.care_devices(products, kinds) | assets
    parts = residents.personal_parts(config.resident, made.personal, products)
    return Privacy(config.resident, care, parts, made.discreet)


def _is_of_door(rule: Rule, device: str, contacts: set[Part]) -> bool:
    return rule.kind.name in {FORCED_KIND, HELD_KIND} and any(
        (device, name) in contacts for name in rule.points
    )
