"""Our discovery held against Home Assistant itself: its own MQTT integration, at a real broker, says what it is.

No part of the suite: Home Assistant pins a hundred packages and one Python. It wants mosquitto, and a virtual
environment of its own outside of this repository, with the newest Home Assistant its Python takes and what ours needs:

    python3.13 -m venv ha
    ha/bin/pip install homeassistant==2025.4.4 paho-mqtt==2.1.0 msgspec pyserial
    PYTHONPATH=. ha/bin/python -m tests.interop.home_assistant

Every point of every shipped product, of every kind of asset, and a door are told as the gateway tells them, then their
states. What Home Assistant warns of is a fault, and so is an entity that is missing or shows another value or unit than
was sent: once with good values, once with values that are not good, once with the devices away, once taken back. The
last line is one JSON object; the exit status is 1 where anything was wrong.
"""

import asyncio
import json
import logging
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from homeassistant import bootstrap, config_entries, core, loader
from homeassistant.const import __version__ as release
from homeassistant.helpers import entity_registry
from paho.mqtt import publish

from drivers import profile
from drivers.api import Profile, Quality, Value
from gateway.core import home_assistant as ours
from gateway.core import payload
from gateway.core.assets import kinds
from gateway.core.events import DoorBody
from gateway.core.payload import PointState

GATEWAY = "hxtp-01"
LONGEST_S = 60.0
DOOR = {"closed": "off", "open": "on", "held": "on", "forced": "on", "unknown": "unknown"}


@dataclass(frozen=True, slots=True)
class Told:
    """A point as we tell it."""

    device: str
    point: str
    value: Value
    unit: str | None

    @property
    def unique_id(self) -> str:
        """Return by what Home Assistant knows it."""
        return f"{GATEWAY}_{self.device}_{self.point}"


Devices = Mapping[str, list[Told]]


class Warnings(logging.Handler):
    """Keeps what Home Assistant complains of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what is about messages and what was made of them."""
        if record.name.startswith(("homeassistant.components.", "homeassistant.helpers.template")):
            self.told.append(f"{record.name}: {record.getMessage()}")


def everything() -> dict[str, list[Told]]:
    """Return all points by device: every product, and every kind of asset, as a device of its name.

    A bit is true, a number 21.5; of the points of an asset those with a unit are numbers.
    """
    found = {name: points_of(profile.load(name)) for name in profile.names()}
    for kind in kinds.built_in().values():
        name = f"asset-{kind.name}"
        points = [each for each in kind.point if not each.get("inner")]
        found[name] = [_derived(name, each) for each in points]
    return {device: points for device, points in found.items() if points}


def points_of(product: Profile) -> list[Told]:
    """Return a value for every point of a product."""
    return [Told(product.name, each.name, _value(each.wire), each.unit) for each in product.points]


def _derived(asset: str, point: Mapping[str, object]) -> Told:
    unit = str(point.get("unit", "")) or None
    return Told(asset, str(point["name"]), 21.5 if unit else True, unit)


def _value(wire: object) -> Value:
    kind = getattr(wire, "type", "")
    is_bit = kind == "bit" or bool(getattr(wire, "equals", ())) or kind == ""
    return True if is_bit else 21.5


async def main() -> int:
    """Tell everything, and look at what became of it."""
    began = time.monotonic()
    devices = everything()
    told = [each for points in devices.values() for each in points]
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name, broker(Path(name)) as port:
        warnings = Warnings()
        logging.getLogger().addHandler(warnings)
        hass = await house(name, port)
        topics = {device: config_of(device, points) for device, points in devices.items()}
        topics["gate-1"] = ours.door(GATEWAY, "gate-1", name="单元门", area="", version="1")
        send(port, {ours.topic(GATEWAY, device): content for device, content in topics.items()})
        send(port, {payload.topic(GATEWAY, "availability"): b"online"})
        wanted = {each.unique_id for each in told} | {f"{GATEWAY}_gate-1_door"}
        await until(lambda: wanted <= known(hass).keys())
        faults += [f"{each}: no entity was made of it" for each in sorted(wanted - known(hass).keys())]
        send(port, states(devices, Quality.GOOD))
        await until(lambda: not wrong(hass, told, shown))
        faults += wrong(hass, told, shown)
        send(port, states(devices, Quality.STALE))
        await until(lambda: not wrong(hass, told, lambda _: "unknown"))
        faults += wrong(hass, told, lambda _: "unknown")
        send(port, states(devices, Quality.GOOD, online=False))
        await until(lambda: not wrong(hass, told, lambda _: "unavailable"))
        faults += wrong(hass, told, lambda _: "unavailable")
        faults += await doors(hass, port)
        send(port, {ours.topic(GATEWAY, device): b"" for device in topics})
        await until(lambda: not known(hass).keys() & wanted)
        faults += [f"{each}: it stays though it was taken back" for each in known(hass).keys() & wanted]
        await hass.async_stop(force=True)
    faults += warnings.told
    for fault in faults:
        print(fault)
    figures = {"home_assistant": release, "devices": len(devices), "points": len(told), "faults": len(faults)}
    print(json.dumps({**figures, "seconds": round(time.monotonic() - began, 1)}))
    return 1 if faults else 0


def config_of(device: str, points: list[Told]) -> bytes:
    """Return the discovery of a device with all its points."""
    told = {each.point: (each.value, each.unit) for each in points}
    about = {"name": f"2 栋 {device}", "model": device, "area": "红星亭坡 1 号院", "version": "1"}
    return ours.config(GATEWAY, device, told, **about)


def states(devices: Devices, quality: Quality, *, online: bool = True) -> dict[str, bytes]:
    """Return the states of all devices, as the gateway sends them."""
    return {
        payload.topic(GATEWAY, "state", device): payload.state(
            device,
            [PointState(each.point, each.value, quality, 1.0, each.unit) for each in points],
            online=online,
        )
        for device, points in devices.items()
    }


async def doors(hass: core.HomeAssistant, port: int) -> list[str]:
    """Return where a door is not shown as it stands."""
    faults = []
    for state, word in DOOR.items():
        told = payload.door_state(DoorBody("gate-1", state, "secured", ""), 1.0)
        send(port, {payload.topic(GATEWAY, "state", "gate-1"): told})
        await until(partial(shows_as, hass, "gate-1_door", word))
        if shows(hass, "gate-1_door") != word:
            faults.append(f"gate-1: a door that is {state} is shown as {shows(hass, 'gate-1_door')}")
    return faults


def shows(hass: core.HomeAssistant, point: str) -> str:
    """Return the state of one entity."""
    found = hass.states.get(known(hass).get(f"{GATEWAY}_{point}", "sensor.none"))
    return "nothing" if found is None else str(found.state)


def shows_as(hass: core.HomeAssistant, point: str, word: str) -> bool:
    """Return whether an entity shows this."""
    return shows(hass, point) == word


def shown(point: Told) -> str:
    """Return what a good value is to be shown as."""
    return ("on" if point.value else "off") if isinstance(point.value, bool) else f"{point.value:g}"


def wrong(hass: core.HomeAssistant, told: list[Told], word: Callable[[Told], str]) -> list[str]:
    """Return every entity that does not show what it is to, or another unit than was sent."""
    faults = []
    entities = known(hass)
    for each in told:
        found = hass.states.get(entities.get(each.unique_id, "sensor.none"))
        if found is None or found.state != word(each):
            seen = "nothing" if found is None else found.state
            faults.append(f"{each.unique_id}: shows {seen}, wanted {word(each)}")
        elif found.attributes.get("unit_of_measurement") != each.unit:
            faults.append(
                f"{each.unique_id}: {found.attributes.get('unit_of_measurement')}, wanted {each.unit}"
            )
    return faults


def known(hass: core.HomeAssistant) -> dict[str, str]:
    """Return the entities there are: unique id -> entity id."""
    entities = entity_registry.async_get(hass).entities.values()
    return {each.unique_id: each.entity_id for each in entities if hass.states.get(each.entity_id)}


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition as long as anything here may take."""
    end = time.monotonic() + LONGEST_S
    while not condition() and time.monotonic() < end:
        await asyncio.sleep(0.1)


async def house(folder: str, port: int) -> core.HomeAssistant:
    """Return a Home Assistant with nothing in it but its MQTT integration, connected to the broker."""
    hass = core.HomeAssistant(folder)
    (Path(folder) / "configuration.yaml").write_text("", encoding="utf-8")
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    hass.config.components |= {"http", "file_upload"}  # the pages on which one would set it up
    hass.set_state(core.CoreState.running)
    entry = config_entries.ConfigEntry(
        domain="mqtt",
        title="mqtt",
        data={"broker": "127.0.0.1", "port": port, "protocol": "5", "discovery": True},
        options={},
        source="user",
        unique_id=None,
        version=1,
        minor_version=2,
        discovery_keys=MappingProxyType({}),
        subentries_data=(),
    )
    await hass.config_entries.async_add(entry)
    assert entry.state is config_entries.ConfigEntryState.LOADED, entry.reason
    return hass


def send(port: int, messages: dict[str, bytes]) -> None:
    """Publish retained messages."""
    told: list[Any] = [(topic, content, 1, True) for topic, content in messages.items()]
    publish.multiple(told, hostname="127.0.0.1", port=port)


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """Run mosquitto on a free port."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert program is not None, "mosquitto is not installed"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    file = folder / "mosquitto.conf"
    lines = (f"listener {port} 127.0.0.1", "allow_anonymous true", "max_queued_messages 0", "")
    file.write_text("\n".join(lines), encoding="utf-8")
    with subprocess.Popen([program, "-c", str(file)], stderr=subprocess.DEVNULL) as process:
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert process.poll() is None, "mosquitto ended"
                    time.sleep(0.05)
            yield port
        finally:
            process.terminate()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
