"""A line in memory with pretend framed devices at one end and our driver at the other, in virtual time."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from drivers import profile
from drivers.api import Device, DeviceReport, LineReport, LineSettings, Profile, Reading, Report
from drivers.framed.driver import FramedDriver
from drivers.framed.wire import FramedWire
from drivers.sim.faults import NO_FAULTS, Faults
from drivers.sim.framed import FramedLine, SimUnit
from drivers.sim.memory_line import MemoryLine
from tests import virtual

T = TypeVar("T")


class Rig:
    """What a test plays with. Devices are called d1, d2, ... in order."""

    def __init__(self, line: FramedLine, driver: FramedDriver, reports: list[Report]) -> None:
        self.line, self.driver, self.reports = line, driver, reports
        self.units = line.units
        self._loop = asyncio.get_running_loop()

    @property
    def now(self) -> float:
        """Return the virtual time."""
        return self._loop.time()

    def readings(self, point: str, device: str = "d1", since: float = 0.0) -> list[Reading]:
        """Return every reading of a point so far."""
        return [
            r
            for r in self.reports
            if isinstance(r, Reading) and (r.device, r.point) == (device, point) and r.at >= since
        ]

    def last(self, point: str, device: str = "d1") -> Reading | None:
        """Return the last reading of a point."""
        return next(reversed(self.readings(point, device)), None)

    def links(self, device: str = "d1") -> list[tuple[bool, str]]:
        """Return how a device came and went."""
        return [
            (r.online, r.reason) for r in self.reports if isinstance(r, DeviceReport) and r.device == device
        ]

    def ups(self) -> list[bool]:
        """Return how the line came and went."""
        return [r.up for r in self.reports if isinstance(r, LineReport)]

    async def until(self, condition: Callable[[], object], *, within_s: float = 60.0) -> float:
        """Wait until something is true; return how long it took. Fails if it takes too long."""
        began = self.now
        while not condition():
            assert self.now < began + within_s, "it never came true"
            await asyncio.sleep(0.01)
        return self.now - began


def on_line(
    scenario: Callable[[Rig], Awaitable[T]],
    product: str | Profile,
    *,
    addresses: Sequence[int] = (1,),
    faults: Faults = NO_FAULTS,
    seed: int = 1,
) -> T:
    """Play a scenario on a line with a device of this product at each address."""
    made = profile.load(product) if isinstance(product, str) else product
    assert isinstance(made.wire, FramedWire)
    baud = made.wire.baud

    async def main() -> T:
        loop = asyncio.get_running_loop()
        settings = LineSettings("ward", "memory", baud=baud)
        units = [SimUnit(made, address) for address in addresses]
        line = FramedLine(settings, units, faults=faults, seed=seed)
        devices = [Device(f"d{n}", made, unit.address) for n, unit in enumerate(units, 1)]
        seen: list[Report] = []
        driver = FramedDriver(
            settings, devices, seen.append, clock=loop.time, open_stream=MemoryLine(line).open
        )
        running = asyncio.create_task(driver.run(), name="driver")
        try:
            return await scenario(Rig(line, driver, seen))
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    return virtual.run(main())
