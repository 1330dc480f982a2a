"""The same line behind a pty, a TCP port and in memory: bytes go through on time, and unplugging is noticed."""

import asyncio
import selectors
import time
from collections.abc import Coroutine
from pathlib import Path

import pytest

from drivers.api import LineError, LineSettings
from drivers.modbus.codec import ReadRequest, encode_request, mbap_frame, rtu_frame
from drivers.sim.faults import Faults
from drivers.sim.line import Outage, SimLine
from drivers.sim.memory_line import MemoryLine
from drivers.sim.modbus import SimDevice
from drivers.sim.pty_line import PtyLine
from drivers.sim.tcp_line import TcpLine
from drivers.transport import ByteStream, OpenStream, open_stream
from tests import virtual
from tests.drivers.sim.products import number, product

PDU = encode_request(ReadRequest(3, 0, 1))
REQUEST = rtu_frame(1, PDU)
REPLY = bytes.fromhex("01 03 02 00 2A 39 9B")
QUICK = LineSettings("line", "")


def run(main: Coroutine[object, object, None]) -> None:
    """Run on a loop with fine timers, as the simulator does."""
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        runner.run(main)


def line(settings: LineSettings = QUICK, *, paced: bool = False) -> SimLine:
    device = SimDevice(product(number("value", 0)), 1)
    device.set("value", 42)
    return SimLine(settings, [device], paced=paced, turnaround_s=0.0)


class Master:
    """Somebody who opens a port and listens."""

    def __init__(self) -> None:
        self.heard = b""
        self.lost = asyncio.Event()
        self._something = asyncio.Event()

    async def open(self, port: str, opener: OpenStream = open_stream) -> ByteStream:
        return await opener(LineSettings("line", port), self._on_data, lambda _error: self.lost.set())

    async def hears(self, size: int) -> bytes:
        async with asyncio.timeout(5.0):
            while len(self.heard) < size:
                await self._something.wait()
                self._something.clear()
        heard, self.heard = self.heard[:size], self.heard[size:]
        return heard

    def _on_data(self, data: bytes) -> None:
        self.heard += data
        self._something.set()


def test_a_line_in_memory_keeps_the_time_of_the_wire_exactly() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        master = Master()
        stream = await master.open("", MemoryLine(line(paced=True)).open)
        for _ in range(1000):
            stream.write(REQUEST)
            assert await master.hears(7) == REPLY
        assert loop.time() == pytest.approx(1000 * (15 * 10 + 38.5) / 9600)
        assert stream.unsent() == 0

    virtual.run(main())


def test_a_prompt_reply_is_not_held_up_by_a_late_one() -> None:
    async def main() -> None:
        late = line(paced=True)
        late.faults = Faults(late=1.0)
        master = Master()
        stream = await master.open("", MemoryLine(late).open)
        stream.write(REQUEST)
        late.faults = Faults()
        await asyncio.sleep(0.1)
        stream.write(REQUEST)
        await master.hears(7)
        assert asyncio.get_running_loop().time() < 0.2
        await master.hears(7)
        assert asyncio.get_running_loop().time() > 0.3

    virtual.run(main())


def test_outages_by_schedule_reach_whoever_has_the_port_open() -> None:
    async def main() -> None:
        flaky = SimLine(QUICK, [], outages=(Outage("power_cut", 1.0, 1.0), Outage("unplug", 2.0, 1.0)))
        master = Master()
        stream = await master.open("", MemoryLine(flaky).open)
        stream.write(REQUEST)
        await master.lost.wait()
        assert asyncio.get_running_loop().time() == 2.0

    virtual.run(main())


def test_a_line_in_memory_has_one_master_at_a_time() -> None:
    async def main() -> None:
        port = MemoryLine(line())
        first, second = Master(), Master()
        stream = await first.open("memory", port.open)
        with pytest.raises(LineError, match="somebody else"):
            await second.open("memory", port.open)
        stream.write(REQUEST)
        stream.close()
        await asyncio.sleep(1.0)
        stream.write(REQUEST)
        await asyncio.sleep(1.0)
        assert first.heard == b""
        (await second.open("memory", port.open)).write(REQUEST)
        assert (await second.hears(14)) == REPLY + REPLY, "the first master's reply was still on the wire"

    virtual.run(main())


def test_a_line_in_memory_is_lost_when_it_is_unplugged_and_opens_again_when_it_is_back() -> None:
    async def main() -> None:
        port = MemoryLine(line())
        port.line.unplug()
        port.line.plug()
        master = Master()
        stream = await master.open("memory", port.open)
        port.line.unplug()
        assert master.lost.is_set()
        stream.write(REQUEST)
        with pytest.raises(LineError, match="plugged in"):
            await master.open("memory", port.open)
        stream.close()
        port.line.plug()
        (await master.open("memory", port.open)).write(REQUEST)
        assert await master.hears(7) == REPLY

    virtual.run(main())


def test_a_closed_port_in_memory_is_not_lost_again() -> None:
    async def main() -> None:
        port = MemoryLine(line())
        master = Master()
        (await master.open("memory", port.open)).close()
        port.line.unplug()
        assert not master.lost.is_set()

    virtual.run(main())


def test_a_pty_is_a_serial_port(tmp_path: Path) -> None:
    async def main() -> None:
        with PtyLine(line(), link=tmp_path / "ports" / "riser") as port:
            assert port.path == str(tmp_path / "ports" / "riser")
            master = Master()
            stream = await master.open(port.path)
            for _ in range(3):
                stream.write(REQUEST)
                assert await master.hears(7) == REPLY
            stream.close()
            again = Master()
            stream = await again.open(port.path)
            stream.write(REQUEST)
            assert await again.hears(7) == REPLY
            stream.close()
        assert not (tmp_path / "ports" / "riser").is_symlink()

    run(main())


def test_a_pty_keeps_the_time_of_the_wire() -> None:
    async def main() -> None:
        with PtyLine(line(paced=True)) as port:
            assert port.path.startswith("/dev/")
            master = Master()
            stream = await master.open(port.path)
            quickest = 1.0
            for _ in range(5):
                begin = time.monotonic()
                stream.write(REQUEST)
                await master.hears(7)
                quickest = min(quickest, time.monotonic() - begin)
            stream.close()
        assert 0.0196 <= quickest < 0.0296

    run(main())


def test_a_pty_that_is_unplugged_vanishes_and_comes_back_under_its_name(tmp_path: Path) -> None:
    async def main() -> None:
        link = tmp_path / "riser"
        with PtyLine(line(), link=link) as port:
            master = Master()
            stream = await master.open(port.path)
            port.line.unplug()
            async with asyncio.timeout(5.0):
                await master.lost.wait()
            stream.close()
            assert not link.is_symlink()
            with pytest.raises(LineError):
                await master.open(port.path)
            port.line.plug()
            again = Master()
            stream = await again.open(port.path)
            stream.write(REQUEST)
            assert await again.hears(7) == REPLY
            stream.close()
            port.line.unplug()

    run(main())


def test_bytes_for_which_nobody_listens_fall_on_the_floor() -> None:
    async def main() -> None:
        sim = line()
        with PtyLine(sim) as port, Path(port.path).open("r+b", buffering=0) as deaf:
            for _ in range(20_000):
                if sim.counts["unheard"]:
                    break
                await asyncio.to_thread(deaf.write, REQUEST)
        assert sim.counts["unheard"] > 0

    run(main())


def test_a_left_over_link_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    async def main() -> None:
        link = tmp_path / "riser"
        link.symlink_to("/dev/pts/gone")
        with PtyLine(line(), link=link) as port:
            assert link.readlink() == Path(port.path).readlink()
        link.write_text("precious")
        with pytest.raises(FileExistsError), PtyLine(line(), link=link):
            pass
        assert link.read_text() == "precious"

    run(main())


def test_a_converter_carries_rtu_frames_over_tcp() -> None:
    async def main() -> None:
        async with TcpLine(line()) as port:
            assert port.path.startswith("socket://127.0.0.1:")
            master = Master()
            stream = await master.open(port.path)
            stream.write(REQUEST)
            assert await master.hears(7) == REPLY
            stream.close()

    run(main())


def test_a_modbus_tcp_device_answers_with_the_same_transaction() -> None:
    async def main() -> None:
        async with TcpLine(line(LineSettings("line", "tcp://"))) as port:
            assert port.path.startswith("tcp://127.0.0.1:")
            master = Master()
            stream = await master.open(port.path)
            stream.write(mbap_frame(0xBEEF, 1, PDU))
            assert await master.hears(11) == mbap_frame(0xBEEF, 1, REPLY[1:-2])
            stream.close()

    run(main())


def test_a_converter_serves_the_newest_master() -> None:
    async def main() -> None:
        async with TcpLine(line()) as port:
            old, new = Master(), Master()
            await old.open(port.path)
            stream = await new.open(port.path)
            async with asyncio.timeout(5.0):
                await old.lost.wait()
            stream.write(REQUEST)
            assert await new.hears(7) == REPLY
            stream.close()

    run(main())


def test_an_unplugged_converter_drops_whoever_comes_until_it_is_back() -> None:
    async def main() -> None:
        async with TcpLine(line()) as port:
            master, early, late = Master(), Master(), Master()
            stream = await master.open(port.path)
            stream.write(REQUEST)
            await master.hears(7)
            port.line.unplug()
            port.line.unplug()
            await early.open(port.path)
            async with asyncio.timeout(5.0):
                await master.lost.wait()
                await early.lost.wait()
            port.line.plug()
            stream = await late.open(port.path)
            stream.write(REQUEST)
            assert await late.hears(7) == REPLY
            stream.close()

    run(main())


def test_a_reply_for_which_no_master_is_left_goes_nowhere() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with TcpLine(line()) as port:
            port.line.receive(REQUEST, loop.time())
            port.line.on_plug(True)
            master = Master()
            stream = await master.open(port.path)
            stream.write(REQUEST)
            assert await master.hears(7) == REPLY
            assert port.line.counts["replies"] == 2
            assert master.heard == b""
            stream.close()

    run(main())
