"""Neighbours: two fire detectors of one building within a minute are one critical alert that names both.

One detector may be steam from a kitchen; two at once seldom are. Their own alerts stay. The minute lies between
the first readings of the two. Later ones of the same building join while the common alert stands; it is over
when the alerts of all that took part are over.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core.alert_list import AlertList
from gateway.core.detection import Guard
from gateway.core.events import Clock
from gateway.core.found import Found
from gateway.core.kinds import Kind, Kinds
from gateway.core.rules import Watched
from gateway.core.texts import Facts, Subject, common_place

WITHIN_S = 60.0


@dataclass(slots=True)
class Neighbours:
    """The detectors of one building: when each went into alarm, and who makes up the common alert."""

    guards: Sequence[Guard]
    kind: Kind
    seen: dict[str, float] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)

    def alarm(self, device: str, at: float) -> bool:
        """Take note of a detector in alarm since `at`; return whether the common alert begins or gains one."""
        self.seen[device] = at
        joining: Iterable[str] = [device]
        if not self.members:
            near = [other for other, seen in self.seen.items() if abs(at - seen) <= WITHIN_S]
            joining = near if len(near) > 1 else ()
        new = [each for each in joining if each not in self.members]
        self.members += new
        return bool(new)

    @property
    def active(self) -> bool:
        """Return whether one of those that made the common alert is in alarm still."""
        return any(guard.active for guard in self.guards if guard.device.name in self.members)


class Neighbourhood:
    """All buildings. Tells the alert list what detectors find together."""

    def __init__(
        self, devices: Mapping[str, Watched], kinds: Kinds, guards: Mapping[str, Guard], alerts: AlertList
    ) -> None:
        self._devices = devices
        self._alerts = alerts
        together: dict[str, list[Guard]] = {}
        for guard in guards.values():
            if key := _key(guard):
                together.setdefault(key, []).append(guard)
        self._buildings = {
            key: Neighbours(mine, kinds[mine[0].rule.kind.joins]) for key, mine in together.items()
        }

    def __contains__(self, key: object) -> bool:
        """Return whether there are detectors that make the alert of this key."""
        return key in self._buildings

    def alarm(self, guard: Guard, since: float, now: float, clock: Clock) -> None:
        """A detector went into alarm `since`: with a neighbour it makes one alert for both."""
        key = _key(guard)
        building = self._buildings.get(key)
        if building is None:
            return
        if building.alarm(guard.device.name, since) or (building.members and not self._alerts.is_true(key)):
            self._alerts.worse(key, self._found(building, clock), now)

    def settle(self, now: float, by: str = "") -> None:
        """End what detectors made together when none is in alarm, and when the alerts of all of them are over."""
        for key, building in self._buildings.items():
            if not building.seen and not building.members:
                continue
            open_ = {
                guard.device.name for guard in building.guards if self._alerts.standing(guard.key) is not None
            }
            building.seen = {device: at for device, at in building.seen.items() if device in open_}
            if not building.active:
                self._alerts.gone(key, now)
            if not open_ & set(building.members):
                self._alerts.reset([key], by, now)
                building.members.clear()

    def restore(self, *, now: float, wall: float) -> None:
        """Take up the alerts that stood when the gateway stopped."""
        for key, building in self._buildings.items():
            for guard in building.guards:
                alert = self._alerts.standing(guard.key)
                if alert is not None:
                    building.seen[guard.device.name] = now - (wall - alert.first_seen)
            common = self._alerts.standing(key)
            if common is not None:
                building.members = list(common.devices)
        self.settle(now)

    def _found(self, building: Neighbours, clock: Clock) -> Found:
        watched = [self._devices[name] for name in building.members if name in self._devices]
        mine = [self._alerts.standing(guard.key) for guard in building.guards]
        kind, count = building.kind, len(building.members)
        place = common_place([device.place for device in watched])
        return Found(
            kind=kind,
            severity=kind.severity,
            certainty=kind.certainty,
            facts=Facts(Subject(place=place), count=count, others=[device.subject for device in watched]),
            first_seen=min(body.first_seen for body in mine if body and body.device in building.members),
            clock=clock,
            devices=tuple(building.members),
            latch=True,
            count=count,
        )


def _key(guard: Guard) -> str:
    """Return the key of the alert this detector makes with its neighbours; empty if it makes none."""
    place, joins = guard.device.place, guard.rule.kind.joins
    return f"{joins}/{place.compound}/{place.building}" if joins and place.building else ""
