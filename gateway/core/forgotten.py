"""Alerts of what the configuration does not name any more: nothing can find or clear them. Pure."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.core import doors
from gateway.core.events import AlertBody
from gateway.core.kinds import Kinds
from gateway.core.rules import Watched

ITS_OWN: Final = frozenset({"storage", "heat", "power", "room", "card", "clock", "update", "desk"})
"""What goes wrong with the gateway itself, or its desk, and is told under its id."""


@dataclass(frozen=True, slots=True)
class Configured:
    """What the configuration names. `uplink` is the name under which messages go upstream, "" where none go.

    `guards` are the keys of what rules find, `neighbours` of what several detectors find together.
    """

    kinds: Kinds
    devices: Mapping[str, Watched]
    cameras: Container[str]
    doors: Container[str]
    guards: Container[str]
    neighbours: Container[str]
    gateway: str
    uplink: str

    def forgets(self, body: AlertBody) -> bool:
        """Return whether nothing in the configuration can find or clear an alert any more."""
        if body.point is not None:
            return body.key not in self.guards
        kind, _, name = body.key.partition("/")
        links = self.kinds.by_link
        if kind.partition(".")[0] == links["camera"].family:
            return name not in self.cameras
        if kind in doors.KINDS:
            return name not in self.doors
        if kind == links["command"].name:
            return name not in self.devices and name not in self.doors
        if body.devices and body.device is None:
            return body.key not in self.neighbours
        if kind == links["uplink"].name:
            return name != self.uplink
        if kind in {links[each].name for each in ITS_OWN}:
            return name != self.gateway
        if kind == links["bus"].name:
            return name not in {device.bus for device in self.devices.values()}
        return kind == links["device"].name and name not in self.devices
