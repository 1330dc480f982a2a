"""One poll of every device of a configuration, by the gateway's own drivers, before the gateway itself is started."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Final

from drivers.api import DeviceReport, Profile, Quality, Reading, Report
from drivers.registry import DRIVERS
from gateway import site
from gateway.core.config import Config

PATIENCE_S: Final = 20.0
MORE_S: Final = 1.0  # for the other points of devices that answered one


class Heard:
    """What each device said so far: its last value of each point; `silent` are those that did not answer."""

    def __init__(self, names: set[str]) -> None:
        self.values: dict[str, dict[str, Reading]] = {name: {} for name in names}
        self.silent: set[str] = set()
        self.all = asyncio.Event()

    def __call__(self, report: Report) -> None:
        """Take a driver's report."""
        match report:
            case Reading() if report.quality is Quality.GOOD:
                self.values[report.device][report.point] = report
                self.silent.discard(report.device)
            case DeviceReport() if not report.online:
                self.silent.add(report.device)
        if all(values or name in self.silent for name, values in self.values.items()):
            self.all.set()


async def poll(config: Config, profiles: Mapping[str, Profile], *, patience_s: float = PATIENCE_S) -> Heard:
    """Poll until every device answered or was given up, at most `patience_s`."""
    lines = [(settings, devices) for settings, devices in site.lines_of(config, profiles) if devices]
    heard = Heard({device.name for _, devices in lines for device in devices})
    drivers = [
        DRIVERS[devices[0].profile.driver].open(settings, devices, heard, clock=time.monotonic)
        for settings, devices in lines
    ]
    if not drivers:
        return heard
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each.run(), name="setup.poll") for each in drivers]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await heard.all.wait()
                await asyncio.sleep(MORE_S)
        for task in tasks:
            task.cancel()
    heard.silent |= {name for name, values in heard.values.items() if not values}
    return heard
