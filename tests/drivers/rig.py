"""A line in memory with pretend devices at one end and our driver at the other, in virtual time."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from drivers import profile
from drivers.api import Device, DeviceReport, LineReport, LineSettings, Priority, Profile, Reading, Report
from drivers.modbus.driver import ModbusDriver
from drivers.sim.faults import NO_FAULTS, Faults
from drivers.sim.framing import Question
from drivers.sim.line import SimLine
from drivers.sim.memory_line import MemoryLine
from drivers.sim.modbus import SimDevice
from tests import virtual

T = TypeVar("T")


def smoke(
    *, interval_s: float = 1.0, priority: Priority = Priority.FIRE, name: str = "sonbest-sm7571b"
) -> Profile:
    """Return a product with one holding register."""
    shipped = profile.load(name)
    points = tuple(replace(point, interval_s=interval_s, priority=priority) for point in shipped.points)
    return replace(shipped, points=points)


class Rig:
    """What a test plays with. Devices are called d1, d2, ... by their address."""

    def __init__(
        self, line: SimLine, driver: ModbusDriver, reports: list[Report], sims: list[SimDevice]
    ) -> None:
        self.line, self.driver, self.reports = line, driver, reports
        self.loop = asyncio.get_running_loop()
        self._sims = {sim.address: sim for sim in sims}

    def sim(self, address: int) -> SimDevice:
        return self._sims[address]

    def readings(self, device: str, since: float = 0.0) -> list[Reading]:
        return [r for r in self.reports if isinstance(r, Reading) and r.device == device and r.at >= since]

    def device_reports(self, device: str | None = None) -> list[DeviceReport]:
        return [r for r in self.reports if isinstance(r, DeviceReport) and device in {None, r.device}]

    def line_reports(self) -> list[LineReport]:
        return [r for r in self.reports if isinstance(r, LineReport)]

    def asked(self, address: int) -> list[float]:
        """Return a list that grows by the time of each question the device hears from now on."""
        times: list[float] = []
        sim = self._sims[address]
        answer = sim.answer

        def note(question: Question, now: float) -> bytes | None:
            times.append(now)
            return answer(question, now)

        sim.answer = note  # type: ignore[method-assign]
        return times

    def polls(self, address: int) -> int:
        return next(d.polls for d in self.driver.statistics().devices if d.address == address)

    async def until(self, condition: Callable[[], object], *, within_s: float = 60.0) -> float:
        """Wait until something is true; return when. Fails if it takes too long."""
        end = self.loop.time() + within_s
        while not condition():
            assert self.loop.time() < end, "it never came true"
            await asyncio.sleep(0.01)
        return self.loop.time()


def on_line(
    scenario: Callable[[Rig], Awaitable[T]],
    profiles: Sequence[Profile],
    *,
    baud: int = 9600,
    absent: Sequence[Profile] = (),
    faults: Faults = NO_FAULTS,
    seed: int = 1,
    turnaround_s: float = 0.005,
    reports: list[Report] | None = None,
) -> T:
    """Play a scenario on a line with these devices at addresses 1, 2, ...; `absent` ones follow, unplugged."""

    async def main() -> T:
        loop = asyncio.get_running_loop()
        settings = LineSettings("riser", "memory", baud=baud)
        sims = [SimDevice(each, address) for address, each in enumerate([*profiles, *absent], start=1)]
        for sim in sims[len(profiles) :]:
            sim.alive = False
        line = SimLine(settings, sims, faults=faults, seed=seed, turnaround_s=turnaround_s)
        devices = [Device(f"d{sim.address}", sim.profile, sim.address) for sim in sims]
        seen: list[Report] = [] if reports is None else reports
        driver = ModbusDriver(
            settings, devices, seen.append, clock=loop.time, open_stream=MemoryLine(line).open
        )
        running = asyncio.create_task(driver.run(), name="driver")
        try:
            return await scenario(Rig(line, driver, seen, sims))
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    return virtual.run(main())
