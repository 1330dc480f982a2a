"""The health document: one shape for `status`, the control socket and the retained MQTT topic. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from drivers.figures import LineStatistics
from gateway.core.advice import advice
from gateway.core.events import AlertBody, Clock


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this gateway is, this boot. `started` is wall seconds since 1970."""

    id: str
    name: str
    version: str
    boot: str
    epoch: int
    started: float


def document(
    identity: Identity,
    *,
    clock: Clock,
    uptime_s: float,
    faults: int,
    buses: Sequence[LineStatistics],
    cameras: Sequence[object] = (),
    evidence: object | None = None,
    doors: Sequence[object] = (),
    interlocks: Sequence[object] = (),
    access: object | None = None,
    orders: object | None = None,
    board: Mapping[str, Any] | None = None,
    last_resort: object | None = None,
    fire_centres: Sequence[object] = (),
    uplink: object | None,
    journal: object,
    alerts: Iterable[AlertBody],
    services: Mapping[str, object],
    now: float,
    wall: float = 0.0,
) -> dict[str, Any]:
    """Return the document as plain dicts and lists.

    `now` is monotonic and `wall` seconds since 1970, to tell ages instead of stamps; `faults` counts events that a
    part of the gateway failed on.
    `advice` says of all this what is wrong in words, and what to do.
    """
    told = {
        "gateway": _gateway(identity, clock, uptime_s, faults),
        "buses": [_line(line, now) for line in buses],
        "cameras": [msgspec.to_builtins(camera) for camera in cameras],
        "evidence": None if evidence is None else msgspec.to_builtins(evidence),
        "doors": [msgspec.to_builtins(door) for door in doors],
        "interlocks": [msgspec.to_builtins(interlock) for interlock in interlocks],
        "access": None if access is None else msgspec.to_builtins(access),
        "orders": None if orders is None else msgspec.to_builtins(orders),
        "last_resort": None if last_resort is None else msgspec.to_builtins(last_resort),
        "fire_centres": [_centre(centre, now) for centre in fire_centres],
        "uplink": None if uplink is None else _uplink(uplink, wall),
        "journal": msgspec.to_builtins(journal),
        "alerts": dict(Counter(alert.severity.value for alert in alerts)),
        "services": {name: msgspec.to_builtins(state) for name, state in services.items()},
        "board": dict(board or {}),
    }
    return {**told, "advice": msgspec.to_builtins(advice(told))}


def _gateway(identity: Identity, clock: Clock, uptime_s: float, faults: int) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(identity)
    return {**told, "clock": clock.value, "uptime_s": round(uptime_s, 1), "faults": faults}


def _uplink(statistics: object, wall: float) -> dict[str, Any]:
    """Return the uplink's statistics; the end of its certificate becomes the days that are left."""
    told: dict[str, Any] = msgspec.to_builtins(statistics)
    until = told.pop("certificate_until", None)
    return told if until is None else {**told, "certificate_days": round((until - wall) / 86_400, 2)}


def _centre(statistics: object, now: float) -> dict[str, Any]:
    """Return a fire centre's statistics; `last_confirmed_at` of this boot's clock becomes an age."""
    told: dict[str, Any] = msgspec.to_builtins(statistics)
    at = told.pop("last_confirmed_at")
    return {**told, "last_confirmed_ago_s": None if at is None else round(now - at, 1)}


def _line(line: LineStatistics, now: float) -> dict[str, Any]:
    """Return a line's statistics; `last_good_at` of this boot's clock becomes an age anybody can read."""
    told: dict[str, Any] = msgspec.to_builtins(line)
    for device in told["devices"]:
        at = device.pop("last_good_at")
        device["last_good_ago_s"] = None if at is None else round(now - at, 3)
    return told
