"""No request before the silence after the last reply is over, in real time: timers come late and are set early."""

import asyncio
import selectors

from drivers.api import Device, LineSettings
from drivers.modbus.driver import ModbusDriver
from drivers.sim.line import SimLine
from drivers.sim.modbus import SimDevice
from drivers.transport import OnData, OnLost
from tests.drivers.rig import smoke

LINE = LineSettings("riser", "memory", baud=19200)
EXCHANGES = 300
HAIR_S = 2e-6  # by so much two looks at the clock may differ


class Answering:
    """A line that answers at once, and notes when it did and when it was asked."""

    def __init__(self, line: SimLine) -> None:
        self.asked: list[float] = []
        self.answered: list[float] = []
        self.enough = asyncio.Event()
        self._line, self._loop = line, asyncio.get_running_loop()

    async def open(self, _: LineSettings, on_data: OnData, on_lost: OnLost) -> "Answering":
        self._on_data = on_data
        return self

    def write(self, data: bytes) -> None:
        self.asked.append(now := self._loop.time())
        self._line.receive(data, now)
        self._loop.call_soon(self._answer)

    def _answer(self) -> None:
        self.answered.append(now := self._loop.time())
        self._on_data(self._line.take(now + 1.0))
        if len(self.answered) >= EXCHANGES:
            self.enough.set()

    def unsent(self) -> int:
        return 0

    def close(self) -> None:
        return


async def exchanges() -> tuple[list[float], list[float]]:
    """Poll two devices as often as the line allows; return when they were asked, and when they had answered."""
    product = smoke(interval_s=0.0)
    line = SimLine(LINE, [SimDevice(product, address) for address in (1, 2)], paced=False)
    stream = Answering(line)
    devices = [Device(f"d{address}", product, address) for address in (1, 2)]
    loop = asyncio.get_running_loop()
    driver = ModbusDriver(LINE, devices, lambda _: None, clock=loop.time, open_stream=stream.open)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(driver.run(), name="driver")
        await stream.enough.wait()
        running.cancel()
    return stream.asked, stream.answered


def test_no_request_leaves_before_the_silence_is_over_however_early_its_timer_was_set() -> None:
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        asked, answered = runner.run(exchanges())
    silences = [next_ - last for last, next_ in zip(answered, asked[1:], strict=False)]
    assert len(silences) >= EXCHANGES - 2
    assert min(silences) >= LINE.gap_s - HAIR_S
