"""Lines that were never right: nobody answers, or what answers speaks no Modbus, or only half of a device does."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from drivers import profile
from drivers.api import (
    Device,
    DeviceReport,
    LineReport,
    LineSettings,
    Priority,
    Profile,
    Quality,
    Reading,
    Report,
)
from drivers.modbus.codec import ReadRequest, WriteSingle
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.wire import ModbusWire, Register
from drivers.sim.faults import Faults
from drivers.sim.framing import Question
from drivers.sim.line import SimLine
from drivers.sim.memory_line import MemoryLine
from drivers.sim.modbus import SimDevice
from drivers.transport import ByteStream, OnData, OnLost
from tests import virtual
from tests.drivers.rig import Rig, on_line, smoke
from tests.drivers.test_driver_answers import BEATING

HTTP = b"HTTP/1.1 400 Bad Request\r\n\r\n"
NO_MODBUS = "lost: what comes is no Modbus TCP"


@pytest.mark.parametrize("count", [10, 60, 100, 247])
def test_a_line_on_which_nobody_ever_answered_is_told_however_many_hang_on_it(count: int) -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(count)  # two rounds, and a third of a second for each question
        await rig.until(rig.line_reports, within_s=10.0)
        await asyncio.sleep(300)
        told = [LineReport("riser", False, "every device is silent", rig.line_reports()[0].at)]
        assert rig.line_reports() == told
        assert rig.device_reports() == []
        assert rig.driver.statistics().reopened >= 1, "some adapters hang until that is done"
        for address in range(1, count + 1):
            rig.sim(address).alive = True
        await rig.until(lambda: rig.line_reports()[-1].up, within_s=5.0)

    on_line(scenario, [], absent=[smoke()] * count)


def test_who_lives_at_the_far_end_of_a_line_is_found_though_the_near_half_never_answered() -> None:
    async def scenario(rig: Rig) -> None:
        for address in range(1, 119):
            rig.sim(address).alive = False
        await rig.until(lambda: len(rig.device_reports()) == 2, within_s=60.0)
        assert [(report.device, report.online) for report in rig.device_reports()] == [
            ("d119", True),
            ("d120", True),
        ]

    on_line(scenario, [smoke()] * 120)


def test_one_device_that_is_back_at_the_far_end_tells_a_line_that_was_down_as_up() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(rig.line_reports, within_s=200.0)
        rig.sim(200).alive = True
        await rig.until(lambda: rig.line_reports()[-1].up, within_s=100.0)

    on_line(scenario, [], absent=[smoke()] * 200)


class Server:
    """A TCP server that may speak another protocol: then it has the same words for whatever it is sent."""

    def __init__(self, count: int) -> None:
        self.foreign = True
        self.confused: dict[int, bytes] = {}  # units whose answers a converter wraps wrongly, and how
        self.opened: list[float] = []
        self.reports: list[Report] = []
        self._loop = asyncio.get_running_loop()
        self._settings = LineSettings("riser", "tcp://10.0.0.7:502")
        sims = [SimDevice(smoke(), address) for address in range(1, count + 1)]
        self._memory = MemoryLine(SimLine(self._settings, sims, turnaround_s=0.005))
        devices = [Device(f"d{sim.address}", sim.profile, sim.address) for sim in sims]
        self.driver = ModbusDriver(
            self._settings, devices, self.reports.append, clock=self._loop.time, open_stream=self._open
        )

    def told(self) -> list[LineReport]:
        return [each for each in self.reports if isinstance(each, LineReport)]

    def came_and_went(self, device: str) -> list[tuple[bool, str]]:
        told = [each for each in self.reports if isinstance(each, DeviceReport) and each.device == device]
        return [(each.online, each.reason) for each in told]

    def read(self, device: str, since: float = 0.0) -> list[float]:
        good = [each for each in self.reports if isinstance(each, Reading) and each.quality is Quality.GOOD]
        return [each.at for each in good if each.device == device and each.at >= since]

    async def _open(self, settings: LineSettings, on_data: OnData, on_lost: OnLost) -> "Connection":
        self.opened.append(self._loop.time())
        await asyncio.sleep(0.005)
        return Connection(self, await self._memory.open(settings, on_data, on_lost), on_data)


class Connection:
    """A connection to it."""

    def __init__(self, server: Server, modbus: ByteStream, on_data: OnData) -> None:
        self._server, self._modbus, self._on_data = server, modbus, on_data
        self._is_open = True

    def write(self, data: bytes) -> None:
        answer = HTTP if self._server.foreign else self._server.confused.get(data[6])
        if answer is not None:
            asyncio.get_running_loop().call_later(0.01, self._say, data[:2] * (answer is not HTTP) + answer)
        else:
            self._modbus.write(data)

    def _say(self, data: bytes) -> None:
        if self._is_open:
            self._on_data(data)

    def unsent(self) -> int:
        return 0

    def close(self) -> None:
        self._is_open = False
        self._modbus.close()


def with_server(scenario: Callable[[Server], Awaitable[None]], count: int) -> None:
    """Play a scenario with a server that we take for `count` devices behind Modbus TCP."""

    async def main() -> None:
        server = Server(count)
        running = asyncio.create_task(server.driver.run(), name="driver")
        try:
            await scenario(server)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    virtual.run(main())


@pytest.mark.parametrize("count", [1, 3])
def test_what_speaks_no_modbus_tcp_is_told_as_a_line_that_is_down_and_not_asked_in_haste(count: int) -> None:
    async def scenario(server: Server) -> None:
        await asyncio.sleep(600)
        [told] = server.told()
        assert not told.up
        assert NO_MODBUS in told.reason
        assert told.at < 1.0
        assert len(server.opened) < 150
        server.foreign = False
        await asyncio.sleep(6)
        assert [report.up for report in server.told()] == [False, True]

    with_server(scenario, count)


def test_one_header_that_is_broken_tells_no_line_as_down() -> None:
    async def scenario(server: Server) -> None:
        server.foreign = False
        await asyncio.sleep(10)
        for _ in range(3):
            server.foreign = True
            opened = len(server.opened)
            while len(server.opened) == opened:
                await asyncio.sleep(0.001)
            server.foreign = False
            await asyncio.sleep(10)
        assert [report.up for report in server.told()] == [True]
        assert len(server.opened) == 4
        assert [r.at for r in server.reports if isinstance(r, Reading)][-1] > server.opened[-1]

    with_server(scenario, 2)


CONFUSED = {  # what stands behind the transaction
    "protocol": bytes.fromhex("0001 0005 02 03 02 0079"),
    "none": bytes.fromhex("0000 0000"),
    "short": bytes.fromhex("0000 0003 02 03 02 0079"),
    "long": bytes.fromhex("0000 00fd 02 03 02 0079"),
}


@pytest.mark.parametrize("header", CONFUSED)
@pytest.mark.parametrize("bad", [{1}, {2}, {3}, {1, 2}, {1, 3}, {2, 3}])
def test_a_unit_whose_headers_are_broken_keeps_nobody_else_from_being_read(
    bad: set[int], header: str
) -> None:
    async def scenario(server: Server) -> None:
        server.foreign = False
        server.confused = dict.fromkeys(bad, CONFUSED[header])
        await asyncio.sleep(600)
        assert [report.up for report in server.told()] == [True]
        for unit in range(1, 4):
            read = [0.0, *server.read(f"d{unit}"), 600.0]
            if unit in bad:
                assert server.came_and_went(f"d{unit}") == [(False, "broken")]
            else:
                assert server.came_and_went(f"d{unit}") == [(True, "answers")]
                assert max(after - before for before, after in pairwise(read)) < 1.5
        assert len(server.opened) < 200 * len(bad), "one probe in 4.5 s"
        server.confused.clear()
        await asyncio.sleep(5)
        assert all(server.came_and_went(f"d{unit}")[-1] == (True, "answers") for unit in bad)

    with_server(scenario, 3)


def test_a_unit_whose_headers_become_broken_is_told_as_away() -> None:
    async def scenario(server: Server) -> None:
        server.foreign = False
        await asyncio.sleep(60)
        server.confused[2] = CONFUSED["protocol"]
        await asyncio.sleep(4)
        assert server.came_and_went("d2") == [(True, "answers"), (False, "broken")]
        await asyncio.sleep(60)
        server.confused.clear()
        await asyncio.sleep(5)
        assert [report.up for report in server.told()] == [True]
        assert server.came_and_went("d2") == [(True, "answers"), (False, "broken"), (True, "answers")]

    with_server(scenario, 3)


def test_behind_a_port_that_speaks_modbus_at_last_one_unit_that_does_not_hides_no_other() -> None:
    async def scenario(server: Server) -> None:
        server.confused[1] = CONFUSED["protocol"]
        await asyncio.sleep(600)
        [told] = server.told()
        assert NO_MODBUS in told.reason
        server.foreign = False
        await asyncio.sleep(30)
        assert [report.up for report in server.told()] == [False, True]
        assert server.read("d2", since=629.0)
        assert server.read("d3", since=629.0)
        assert server.came_and_went("d1") == [(False, "broken")]

    with_server(scenario, 3)


# --- half of a device -----------------------------------------------------------------------------

FIRST, SECOND = 1, 100  # registers


def twofold(interval_s: float, second_s: float | None = None) -> Profile:
    """Return a product that is asked for two registers, each by itself."""
    shipped = smoke(interval_s=interval_s, priority=Priority.TELEMETRY)
    assert isinstance(shipped.wire, ModbusWire)
    first, second = (
        replace(shipped.points[0], name=name, wire=Register("holding", at), interval_s=each_s)
        for name, at, each_s in (("first", FIRST, interval_s), ("second", SECOND, second_s or interval_s))
    )
    return replace(shipped, points=(first, second), wire=replace(shipped.wire, bridge=False))


def silence(rig: Rig, register: int) -> None:
    """Let device 1 say nothing when it is asked for this register."""
    sim, answer = rig.sim(1), rig.sim(1).answer
    sim.answer = lambda question, now: (  # type: ignore[method-assign]
        None if isinstance(question, ReadRequest) and question.address == register else answer(question, now)
    )


@pytest.mark.parametrize("interval_s", [5.0, 30.0, 600.0])
@pytest.mark.parametrize("register", [FIRST, SECOND])
@pytest.mark.parametrize("neighbours", [0, 2])
def test_a_device_that_is_seldom_asked_does_not_come_and_go_for_one_silent_block(
    interval_s: float, register: int, neighbours: int
) -> None:
    async def scenario(rig: Rig) -> None:
        silence(rig, register)
        await asyncio.sleep(4000)
        assert [report.online for report in rig.device_reports("d1")] == [True]
        silent = "first" if register == FIRST else "second"
        last = {reading.point: reading.quality for reading in rig.readings("d1")}
        assert last.pop(silent) is Quality.STALE
        assert list(last.values()) == [Quality.GOOD]

    on_line(scenario, [twofold(interval_s), *[smoke()] * neighbours])


def test_a_device_with_a_silent_block_that_dies_is_told_all_the_same() -> None:
    async def scenario(rig: Rig) -> None:
        silence(rig, FIRST)
        await asyncio.sleep(300)
        rig.sim(1).alive = False
        await rig.until(lambda: not rig.device_reports("d1")[-1].online, within_s=40.0)
        rig.sim(1).alive = True
        await rig.until(lambda: rig.device_reports("d1")[-1].online, within_s=21.0)

    on_line(scenario, [twofold(30.0), smoke()])


def test_a_line_that_dies_is_told_at_once_though_one_block_was_silent_before() -> None:
    async def scenario(rig: Rig) -> None:
        silence(rig, FIRST)
        await asyncio.sleep(300)
        rig.sim(1).alive = rig.sim(2).alive = False
        await rig.until(lambda: not rig.line_reports()[-1].up, within_s=10.0)
        assert rig.device_reports("d2")[-1].online

    on_line(scenario, [twofold(600.0), smoke()])


def test_a_block_that_falls_silent_as_the_last_that_was_heard_does_not_hide_the_rest() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(lambda: [r for r in rig.readings("d1") if r.at > 15 and r.point == "first"])
        silence(rig, FIRST)
        at = rig.loop.time()
        await asyncio.sleep(120)
        second = [r for r in rig.readings("d1", since=at) if r.point == "second"]
        assert len([r for r in second if r.quality is Quality.GOOD]) > 10
        assert rig.device_reports("d1")[-1].online

    on_line(scenario, [twofold(5.0, 7.0), smoke()])


@pytest.mark.parametrize("echo", [0.0, 1.0])
@pytest.mark.parametrize("code", [2, 6])
def test_a_board_that_refuses_its_first_read_opens_the_door_all_the_same(code: int, echo: float) -> None:
    """The port was just opened, and the order is the first that goes out: what it tells of an echo is enough."""

    async def scenario(rig: Rig) -> None:
        rig.sim(1).alive = False  # asked first, and teaches nothing
        answer, written = rig.sim(2).answer, list[WriteSingle]()

        def refuse(question: Question, now: float) -> bytes | None:
            if isinstance(question, WriteSingle):
                written.append(question)
            return answer(question, now) if written else bytes((0x81, code))

        rig.sim(2).answer = refuse  # type: ignore[method-assign]
        await rig.driver.act("d2", "unlock", {"seconds": 5.0}, deadline=rig.loop.time() + 2.0)
        assert rig.sim(2).get("strike") is True
        assert rig.driver.statistics().echo is (echo == 1.0)

    on_line(scenario, [smoke(), profile.load("waveshare-door")], faults=Faults(echo=echo))


@pytest.mark.parametrize("how", ["dead", "unplugged"])
def test_a_value_that_nobody_could_read_for_a_while_was_not_frozen_in_that_time(how: str) -> None:
    async def scenario(rig: Rig) -> None:
        sim = rig.sim(1)
        await asyncio.sleep(30)
        sim.frozen = True
        await asyncio.sleep(4)
        if how == "dead":
            sim.alive = False
        else:
            rig.line.unplug()
        await asyncio.sleep(60)
        if how == "dead":
            sim.alive = True
        else:
            rig.line.plug()
        await rig.until(lambda: rig.readings("d1")[-1].quality is Quality.GOOD)
        assert rig.device_reports("d1")[-1].online
        await asyncio.sleep(4)
        assert rig.device_reports("d1")[-1].online, "eight of ten seconds are seen"
        await rig.until(lambda: not rig.device_reports("d1")[-1].online, within_s=5.0)
        assert rig.device_reports("d1")[-1].reason == "frozen"

    on_line(scenario, [profile.parse(BEATING, file="beating.toml"), smoke()])
