"""The field: one driver a line; what they report becomes events, what is asked of a device finds its line."""

import time
from collections.abc import Callable, Mapping, Sequence

from drivers.api import (
    Action,
    Device,
    DeviceReport,
    Done,
    Driver,
    Identified,
    LineReport,
    LineSettings,
    Presented,
    Reading,
    Report,
    Said,
)
from drivers.figures import LineStatistics
from drivers.registry import DRIVERS, DriverKind
from gateway.core.events import Body, Event, LinkBody, ReadingBody, SaidBody

PATIENCE_S = 150.0  # what a device refuses is asked for again after 60 s; this is no matter of a slow line


class Field:
    """Owns the drivers. `lines` pairs each line with the devices on it; all of one line speak one protocol.

    What people present to readers goes to `presented` alone: no card number ever becomes an event. What units say of
    themselves goes to `identified`, who knows whether it is news.
    """

    def __init__(
        self,
        lines: Sequence[tuple[LineSettings, Sequence[Device]]],
        *,
        submit: Callable[[Body], Event],
        presented: Callable[[Presented], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        drivers: Mapping[str, DriverKind] = DRIVERS,
    ) -> None:
        self._submit, self._presented = submit, presented
        self.identified: Callable[[Identified], None] = lambda _: None
        self.devices = {device.name: device for _, devices in lines for device in devices}
        self._driver_of: dict[str, Driver] = {}
        self.drivers: dict[str, Driver] = {}
        self.pulses: dict[str, LinePulse] = {}
        for settings, devices in lines:
            if not devices:
                continue
            kind = drivers[devices[0].profile.driver]
            driver = kind.open(settings, devices, self._report, clock=clock)
            self.drivers[settings.name] = driver
            self._driver_of.update((device.name, driver) for device in devices)
            self.pulses[settings.name] = LinePulse(driver, devices)

    def actions(self, device: str) -> tuple[Action, ...]:
        """Return all actions of a device; KeyError if there is no such device."""
        return self.devices[device].profile.actions

    def read_soon(self, device: str, point: str) -> None:
        """Have a point read again at once."""
        self._driver_of[device].read_soon(device, point)

    async def act(self, device: str, action: str, arguments: Mapping[str, float], deadline: float) -> Done:
        """Have a device do something before `deadline` (monotonic) or not at all; raises DriverError."""
        return await self._driver_of[device].act(device, action, arguments, deadline=deadline)

    def statistics(self) -> tuple[LineStatistics, ...]:
        """Return what each line did so far."""
        return tuple(driver.statistics() for driver in self.drivers.values())

    def _report(self, report: Report) -> None:
        if isinstance(report, Reading):  # nearly all are
            self._submit(ReadingBody(*report))
        elif isinstance(report, Presented):
            self._presented(report)
        elif isinstance(report, Identified):
            self.identified(report)
        else:
            self._submit(body_of(report))


class LinePulse:
    """When a line last sent something, seen from outside: a line that is up has something to ask, always."""

    def __init__(self, driver: Driver, devices: Sequence[Device]) -> None:
        intervals = (point.interval_s for device in devices for point in device.profile.points)
        self.patience_s = PATIENCE_S + min(intervals, default=0.0)
        self._driver = driver
        self._seen = (0, 0)
        self._at = 0.0

    def __call__(self, now: float) -> float:
        """Return when the line last got on; `now` if it does at this moment, or is down and waits for its port."""
        statistics = self._driver.statistics()
        seen = (statistics.polls, statistics.reopened)
        if seen != self._seen or not statistics.up:
            self._seen, self._at = seen, now
        return self._at


def body_of(report: Reading | DeviceReport | LineReport | Said) -> Body:
    """Return the event body of what a driver reported."""
    match report:
        case Reading():
            return ReadingBody(*report)
        case Said(device, text, _, points, more, unknown):
            return SaidBody(device, text, points, more, unknown)
        case DeviceReport():
            return LinkBody(what="device", name=report.device, up=report.online, reason=report.reason)
        case LineReport():
            return LinkBody(what="bus", name=report.line, up=report.up, reason=report.reason)
