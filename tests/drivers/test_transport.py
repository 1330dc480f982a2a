"""Real ports: a pty as a serial line, TCP connections, and what is said when one cannot be had."""

import asyncio
import contextlib
import errno
import os
import socket
import tty
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import serial

from drivers import serial_port
from drivers.api import Device, LineError, LineSettings, Quality, Reading, Report
from drivers.modbus.driver import ModbusDriver
from drivers.sim.line import SimLine
from drivers.sim.modbus import SimDevice
from drivers.sim.tcp_line import TcpLine
from drivers.transport import ByteStream, memory_pair, open_stream, tcp_address
from tests import virtual
from tests.drivers.rig import smoke


class Ears:
    """Hears what a stream says."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.lost: list[Exception | None] = []

    async def open(self, port: str, *, rs485: bool = False) -> ByteStream:
        return await open_stream(LineSettings("line", port, rs485=rs485), self.data.extend, self.lost.append)

    async def until(self, data: bytes) -> None:
        async with asyncio.timeout(5):
            while self.data != data:
                await asyncio.sleep(0.001)

    async def until_lost(self) -> None:
        async with asyncio.timeout(5):
            while not self.lost:
                await asyncio.sleep(0.001)


class Pty:
    """A serial port whose other end is in our hand."""

    def __init__(self) -> None:
        self.far, self._near = os.openpty()
        tty.setraw(self._near)
        os.set_blocking(self.far, False)
        self.path = os.ttyname(self._near)

    def close(self) -> None:
        for descriptor in (self.far, self._near):
            with contextlib.suppress(OSError):
                os.close(descriptor)


@pytest.fixture
def pty() -> Iterator[Pty]:
    made = Pty()
    yield made
    made.close()


# --- serial ---------------------------------------------------------------------------------------


def test_bytes_go_both_ways_over_a_serial_port(pty: Pty) -> None:
    async def main() -> None:
        ears = Ears()
        stream = await ears.open(pty.path)
        stream.write(b"question")
        os.write(pty.far, b"answer")
        await ears.until(b"answer")
        assert os.read(pty.far, 100) == b"question"
        assert stream.unsent() == 0
        stream.close()
        stream.close()
        stream.write(b"nobody")
        assert ears.lost == []

    asyncio.run(main())


def test_more_than_the_port_takes_is_sent_when_there_is_room(pty: Pty) -> None:
    async def main() -> None:
        ears = Ears()
        stream = await ears.open(pty.path)
        sent = bytes(range(256)) * 200
        stream.write(sent)
        stream.write(b"end")
        assert stream.unsent() > 0
        heard = bytearray()
        async with asyncio.timeout(5):
            while len(heard) < len(sent) + 3:
                with contextlib.suppress(BlockingIOError):
                    heard += os.read(pty.far, 4096)
                await asyncio.sleep(0)
        assert heard == sent + b"end"
        stream.close()

    asyncio.run(main())


def test_a_port_that_is_pulled_is_lost_once(pty: Pty) -> None:
    async def main() -> None:
        ears = Ears()
        stream = await ears.open(pty.path)
        pty.close()
        await ears.until_lost()
        stream.write(b"into the void")
        stream.close()
        assert len(ears.lost) == 1
        assert stream.unsent() == 0

    asyncio.run(main())


def test_a_port_in_use_is_not_shared(pty: Pty) -> None:
    async def main() -> None:
        ears = Ears()
        stream = await ears.open(pty.path)
        with pytest.raises(LineError, match="another program"):
            await ears.open(pty.path)
        stream.close()

    asyncio.run(main())


def test_a_missing_port_is_told_with_those_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_id = tmp_path / "by-id"
    monkeypatch.setattr(serial_port, "BY_ID", by_id)
    with pytest.raises(LineError, match="adapter plugged in"):
        asyncio.run(Ears().open(str(tmp_path / "ttyUSB9")))
    by_id.mkdir()
    (by_id / "usb-FTDI_A").touch()
    with pytest.raises(LineError, match="usb-FTDI_A"):
        asyncio.run(Ears().open(str(tmp_path / "ttyUSB9")))


def test_a_file_is_no_serial_port(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LineError, match="no serial port"):
        asyncio.run(Ears().open(str(tmp_path / "file")))


def test_a_port_without_permission_hints_at_the_group(monkeypatch: pytest.MonkeyPatch, pty: Pty) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise serial.SerialException(errno.EACCES, "Permission denied")

    monkeypatch.setattr(serial, "Serial", refuse)  # root may open everything
    with pytest.raises(LineError, match="dialout"):
        asyncio.run(Ears().open(pty.path))


def test_a_port_that_cannot_drive_direction_is_used_without(
    pty: Pty, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        ears = Ears()
        stream = await ears.open(pty.path, rs485=True)
        os.write(pty.far, b"fine")
        await ears.until(b"fine")
        stream.close()

    asyncio.run(main())
    assert "RS-485 direction" in caplog.text


# --- TCP ------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _echoing() -> AsyncIterator[tuple[str, list[asyncio.StreamWriter]]]:
    """A server that sends back what it gets."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}", writers
    finally:
        server.close()
        await server.wait_closed()


def test_bytes_go_both_ways_over_tcp() -> None:
    async def main() -> None:
        ears = Ears()
        async with _echoing() as (port, _):
            stream = await ears.open(port)
            stream.write(b"there and back")
            await ears.until(b"there and back")
            assert stream.unsent() == 0
            stream.close()
            stream.close()
            stream.write(b"nobody")
            await asyncio.sleep(0.01)
            assert ears.lost == []
            assert stream.unsent() == 0

    asyncio.run(main())


def test_a_converter_that_hangs_up_is_lost_once() -> None:
    async def main() -> None:
        ears = Ears()
        async with _echoing() as (port, writers):
            stream = await ears.open(port)
            stream.write(b"x")
            await ears.until(b"x")
            writers[0].close()
            await ears.until_lost()
            stream.close()
            assert len(ears.lost) == 1

    asyncio.run(main())


def test_what_a_converter_has_not_taken_is_not_left_to_it_when_the_line_is_closed() -> None:
    """The kernel would keep it and try on, for a quarter of an hour: a door would open to nobody."""

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stream = await Ears().open(f"socket://127.0.0.1:{server.getsockname()[1]}")
            converter, _ = server.accept()
        stream.write(b"x" * 1_000_000)  # more than it takes while it stands still
        stream.write(b"unlock")
        await asyncio.sleep(0)
        assert stream.unsent() > 0
        stream.close()
        await asyncio.sleep(0)
        taken = b""
        with converter, contextlib.suppress(ConnectionResetError):
            while data := await asyncio.to_thread(converter.recv, 65536):
                taken += data
        assert not taken.endswith(b"unlock")

    asyncio.run(main())


def test_a_converter_that_is_not_there_is_a_line_error() -> None:
    with pytest.raises(LineError, match="address and port right"):
        asyncio.run(Ears().open("socket://127.0.0.1:1"))


@pytest.mark.parametrize(
    "port", ["socket://host", "socket://", "tcp://", "tcp://host:port", "socket://host:99999"]
)
def test_an_address_that_is_none_is_a_line_error(port: str) -> None:
    with pytest.raises(LineError):
        tcp_address(port)


def test_modbus_tcp_has_a_port_of_its_own() -> None:
    assert tcp_address("tcp://10.0.0.7") == ("10.0.0.7", 502)
    assert tcp_address("socket://converter:4001") == ("converter", 4001)


@pytest.mark.parametrize("scheme", ["socket", "tcp"])
def test_devices_behind_tcp_are_polled_lost_and_found(scheme: str) -> None:
    async def main() -> None:
        settings = LineSettings("yard", f"{scheme}://127.0.0.1:0", baud=115200)
        sim = SimDevice(smoke(), 1)
        sim.set("smoke", 55)
        async with TcpLine(SimLine(settings, [sim], turnaround_s=0.001)) as line:
            reports: list[Report] = []
            made = smoke(interval_s=0.05)
            driver = ModbusDriver(
                LineSettings("yard", line.path, baud=115200), [Device("d1", made, 1)], reports.append
            )
            running = asyncio.create_task(driver.run(), name="driver")
            try:
                await _until(lambda: [r for r in reports if isinstance(r, Reading) and r.value == 55])
                line.line.unplug()
                await _until(lambda: not driver.statistics().up)
                assert isinstance(reports[-1], Reading)
                assert reports[-1].quality is Quality.STALE
                line.line.plug()
                await _until(lambda: driver.statistics().up)
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running

    asyncio.run(main())


async def _until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


# --- memory ---------------------------------------------------------------------------------------


def test_a_pair_in_memory_carries_bytes_and_is_lost_at_both_ends() -> None:
    async def main() -> None:
        near, far = memory_pair()
        ears = Ears()
        far.on_data, far.on_lost = ears.data.extend, ears.lost.append
        near.write(b"hello")
        await asyncio.sleep(0)
        assert ears.data == b"hello"
        assert near.unsent() == 0
        near.close()
        near.close()
        far.write(b"nobody")
        assert ears.lost == [None]

    virtual.run(main())
