"""A line in memory with simulated readers at one end and our driver at the other. libosdp keeps real time, so do we."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from drivers import profile
from drivers.api import Device, DeviceReport, LineReport, LineSettings, Presented, Quality, Reading, Report
from drivers.osdp.driver import OsdpDriver
from drivers.sim.faults import NO_FAULTS, Faults
from drivers.sim.memory_line import MemoryLine
from drivers.sim.osdp import SimReader
from drivers.sim.osdp_line import ReaderLine

T = TypeVar("T")
KEY = bytes(range(1, 17))
OTHER_KEY = bytes(range(2, 18))
READER = profile.load("osdp-reader")
CARD = bytes.fromhex("1f3a40c0")


class Rig:
    """What a test plays with. Devices are called r0, r1, ... by their address."""

    def __init__(self, line: ReaderLine, driver: OsdpDriver, reports: list[Report]) -> None:
        self.line, self.driver, self.reports = line, driver, reports
        self.loop = asyncio.get_running_loop()
        self.running = asyncio.create_task(driver.run(), name="driver")

    def reader(self, address: int = 0) -> SimReader:
        return self.line.reader(address)

    def online(self, device: str = "r0") -> bool:
        told = self.told(device)
        return bool(told) and told[-1].online

    def told(self, device: str = "r0") -> list[DeviceReport]:
        return [r for r in self.reports if isinstance(r, DeviceReport) and r.device == device]

    def lines(self) -> list[LineReport]:
        return [r for r in self.reports if isinstance(r, LineReport)]

    def presented(self, device: str = "r0") -> list[Presented]:
        return [r for r in self.reports if isinstance(r, Presented) and r.device == device]

    def state(self, point: str, device: str = "r0") -> tuple[object, Quality] | None:
        """Return what was last told of a point."""
        told = [r for r in self.reports if isinstance(r, Reading) and (r.device, r.point) == (device, point)]
        return (told[-1].value, told[-1].quality) if told else None

    def good(self, point: str) -> object:
        state = self.state(point)
        return state[0] if state is not None and state[1] is Quality.GOOD else None

    async def until(self, condition: Callable[[], object], *, within_s: float = 5.0) -> float:
        """Wait until something is true; return how long that took."""
        begin = self.loop.time()
        while not condition():
            assert self.loop.time() - begin < within_s, f"it never came true; told: {self.reports[-5:]}"
            await asyncio.sleep(0.002)
        return self.loop.time() - begin

    async def settled(self) -> None:
        """Wait until the readers have told what they had kept: from then on cards count."""
        members = self.driver._peripherals.members
        await self.until(lambda: all(member.identity and not member.draining for member in members))

    async def act(self, action: str, device: str = "r0", *, within_s: float = 3.0, **numbers: float) -> str:
        done = await self.driver.act(device, action, numbers, deadline=self.loop.time() + within_s)
        return done.detail

    async def end(self) -> None:
        """Stop the driver."""
        self.running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.running


def on_line(
    scenario: Callable[[Rig], Awaitable[T]],
    *readers: SimReader,
    keys: Mapping[int, bytes | None] | None = None,
    baud: int = 115200,
    faults: Faults = NO_FAULTS,
    up: bool = True,
) -> T:
    """Play a scenario with these readers; `keys` are those the gateway has, where they are not KEY."""

    async def main() -> T:
        loop = asyncio.get_running_loop()
        settings = LineSettings("door", "memory", baud=baud)
        line = ReaderLine(settings, readers, faults=faults, seed=7)
        known = {reader.address: KEY for reader in readers} | dict(keys or {})
        devices = [Device(f"r{address}", READER, address, key) for address, key in known.items()]
        seen: list[Report] = []
        driver = OsdpDriver(
            settings, devices, seen.append, clock=loop.time, open_stream=MemoryLine(line).open
        )
        rig = Rig(line, driver, seen)
        try:
            if up:
                for device in devices:
                    await rig.until(lambda device=device: rig.online(device.name))  # type: ignore[misc]
                await rig.settled()
            return await scenario(rig)
        finally:
            await rig.end()
            line.close()

    return asyncio.run(main(), debug=True)
