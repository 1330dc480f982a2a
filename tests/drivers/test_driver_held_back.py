"""An order that stays on this side of the wire is forgotten there: a converter is away, and back a minute later."""

import asyncio
import contextlib

import pytest

from drivers import profile
from drivers.api import Device, DriverError, LineError, LineSettings, Reading, Report
from drivers.modbus.codec import WriteSingle, encode_request, rtu_frame
from drivers.modbus.driver import ModbusDriver
from drivers.osdp.driver import OsdpDriver
from drivers.sim.line import SimLine
from drivers.sim.memory_line import MemoryLine
from drivers.sim.modbus import SimDevice
from drivers.sim.osdp import SimReader
from drivers.sim.osdp_line import ReaderLine
from drivers.sim.shell import Wire
from drivers.transport import ByteStream, OnData, OnLost
from tests import virtual
from tests.drivers.osdp import rig as osdp

DOOR = profile.load("waveshare-door")
UNLOCK = rtu_frame(1, encode_request(WriteSingle(5, 0x0200, 50)))


class Network:
    """What lies between a driver and a line: cut, it keeps what is written, as the kernel does."""

    def __init__(self, line: Wire) -> None:
        self.cut = False
        self.streams: list[Held] = []
        self._memory = MemoryLine(line)

    async def open(self, settings: LineSettings, on_data: OnData, on_lost: OnLost) -> "Held":
        self.streams.append(Held(self, await self._memory.open(settings, on_data, on_lost)))
        return self.streams[-1]


class Held:
    """A connection through it."""

    def __init__(self, network: Network, stream: ByteStream) -> None:
        self.kept = b""
        self.is_open = True
        self._network, self._stream = network, stream

    def write(self, data: bytes) -> None:
        if self._network.cut:
            self.kept += data
        else:
            self._stream.write(data)

    def unsent(self) -> int:
        return len(self.kept)

    def close(self) -> None:
        self.is_open = False
        self._stream.close()


def test_an_order_that_was_not_taken_is_gone_with_its_connection_when_it_is_told_as_failed() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        settings = LineSettings("yard", "memory")
        network = Network(SimLine(settings, [SimDevice(DOOR, 1)]))
        reports: list[Report] = []
        driver = ModbusDriver(
            settings, [Device("d1", DOOR, 1)], reports.append, clock=loop.time, open_stream=network.open
        )
        running = asyncio.create_task(driver.run(), name="driver")
        await asyncio.sleep(5)
        assert any(isinstance(each, Reading) for each in reports)
        network.cut = True
        with pytest.raises(LineError):
            await driver.act("d1", "unlock", {"seconds": 5.0}, deadline=loop.time() + 2.0)
        ordered = [stream for stream in network.streams if UNLOCK in stream.kept]
        assert ordered
        assert not any(stream.is_open for stream in ordered)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    virtual.run(main())


def test_neither_is_one_to_a_reader_which_would_still_take_it_for_seconds() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        settings = LineSettings("door", "memory", baud=115200)
        line = ReaderLine(settings, [SimReader(0, osdp.KEY)])
        network = Network(line)
        reports: list[Report] = []
        driver = OsdpDriver(
            settings,
            [Device("r0", osdp.READER, 0, osdp.KEY)],
            reports.append,
            clock=loop.time,
            open_stream=network.open,
        )
        rig = osdp.Rig(line, driver, reports)
        await rig.until(rig.online)
        await rig.settled()
        network.cut = True
        with pytest.raises(DriverError):
            await rig.act("unlock")
        assert network.streams[0].kept
        assert not network.streams[0].is_open
        await rig.end()
        line.close()

    asyncio.run(main())
