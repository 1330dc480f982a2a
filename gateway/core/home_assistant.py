"""Home Assistant device discovery: one retained message a device, that says which of its values are what. Pure.

The format is that of MQTT device discovery (Home Assistant since 2024.11): `dev`, `o`, `cmps`, `avty`. Nothing here
takes an order: there are sensors and binary sensors only, and a door is one of these, so nobody opens it from there.
"""

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import msgspec

from drivers.api import Value
from gateway.core import payload

ORIGIN: Final = "compound-gateway"
DOOR_OPEN: Final = ("open", "held", "forced")
_DOOR: Final = (
    "{% set s = value_json.state %}{{ 'ON' if s in "
    + str(DOOR_OPEN)
    + " else None if s == 'unknown' else 'OFF' }}"
)


def topic(gateway_id: str, device: str) -> str:
    """Return where the discovery of a device is retained."""
    return f"homeassistant/device/{gateway_id}_{device}/config"


def config(
    gateway_id: str,
    device: str,
    points: Mapping[str, tuple[Value | None, str | None]],
    *,
    name: str,
    model: str,
    area: str,
    version: str,
) -> bytes:
    """Return the discovery of a device; `points` are its values and units as they were last told."""
    cmps = {
        point: _component(gateway_id, device, point, value, unit) for point, (value, unit) in points.items()
    }
    online = "{{ 'online' if value_json.online else 'offline' }}"
    return _message(
        gateway_id, device, cmps, name=name, model=model, area=area, version=version, online=online
    )


def door(gateway_id: str, device: str, *, name: str, area: str, version: str) -> bytes:
    """Return the discovery of a door: one binary sensor that says whether it stands open."""
    seen = {
        "p": "binary_sensor",
        "unique_id": f"{gateway_id}_{device}_door",
        "name": _named("door"),
        "qos": 1,
        "device_class": "door",
        "value_template": _DOOR,
    }
    return _message(gateway_id, device, {"door": seen}, name=name, model="door", area=area, version=version)


def _message(
    gateway_id: str,
    device: str,
    cmps: Mapping[str, object],
    *,
    name: str,
    model: str,
    area: str,
    version: str,
    online: str = "",
) -> bytes:
    state = payload.topic(gateway_id, "state", device)
    availability: list[dict[str, str]] = [{"topic": payload.topic(gateway_id, "availability")}]
    if online:
        availability.append({"topic": state, "value_template": online})
    told: dict[str, Any] = {
        "dev": {
            "ids": [f"{gateway_id}_{device}"],
            "name": name,
            "mdl": model,
            **({"sa": area} if area else {}),
        },
        "o": {"name": ORIGIN, "sw": version},
        "avty": availability,
        "avty_mode": "all",
        "state_topic": state,
        "cmps": cmps,
    }
    return msgspec.json.encode(told)


def _component(
    gateway_id: str, device: str, point: str, value: Value | None, unit: str | None
) -> dict[str, object]:
    tables = _tables()
    # 1: Home Assistant does not hand the qos of a device down to its components
    head = {"unique_id": f"{gateway_id}_{device}_{point}", "name": _named(point), "qos": 1}
    seen = "{% set p = value_json.points.get('" + point + "') %}"
    good = "p and p.quality == 'good' and p.value is not none"
    if isinstance(value, bool):
        kind = tables["yes_or_no"].get(point)
        told = seen + "{{ ('ON' if p.value else 'OFF') if " + good + " else None }}"
        classed = {"device_class": kind} if kind else {}
        return {"p": "binary_sensor", **head, **classed, "value_template": told}
    told = seen + "{{ p.value if " + good + " else None }}"
    known = tables["unit"].get(unit or "", {})
    more = {"unit_of_measurement": known.get("unit", unit), "state_class": "measurement"} if unit else {}
    classed = {"device_class": known["class"]} if known else {}
    return {"p": "sensor", **head, **classed, **more, "value_template": told}


def _named(point: str) -> str:
    chinese = _tables()["name"].get(point)
    return f"{chinese} {point}" if chinese else point


@functools.cache
def _tables() -> dict[str, dict[str, Any]]:
    """Return the tables of this release. The file is part of the code: it is read as an import is."""
    text = resources.files("gateway.core").joinpath("home_assistant.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
