"""mbpoll, a master not written by us (over libmodbus), reads and writes our pretend devices over ptys and TCP."""

import asyncio
import re
import selectors
import shutil
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from drivers import profile as profiles
from drivers.api import LineSettings
from drivers.sim.line import SimLine
from drivers.sim.modbus import SimDevice
from drivers.sim.pty_line import PtyLine
from drivers.sim.tcp_line import TcpLine
from tests.drivers.sim.products import bit, number, product

pytestmark = pytest.mark.skipif(shutil.which("mbpoll") is None, reason="mbpoll is not installed")

T = TypeVar("T")

EVERYTHING = product(
    *(bit(f"coil_{n}", n, table="coil") for n in range(12)),
    *(bit(f"input_{n}", n) for n in range(12)),
    *(number(f"holding_{n}", 100 + n) for n in range(6)),
    number("wide", 110, type="s32"),
    number("float", 112, type="f32"),
    *(number(f"measured_{n}", n, table="input") for n in range(4)),
)


def run(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        return runner.run(main)


async def mbpoll(port: str, *arguments: str) -> tuple[int, str]:
    """Run mbpoll once; return its code and what it printed."""
    common = ("-0", "-1", "-o", "1.0")
    if port.startswith("tcp://"):
        host, number = port.removeprefix("tcp://").split(":")
        command = ("mbpoll", "-m", "tcp", "-p", number, *common, *arguments)
        where = [host]
    else:
        command = ("mbpoll", "-m", "rtu", "-b", "9600", "-P", "none", *common, *arguments)
        where = [port]
    if "--" in command:  # values to write stand behind the port
        at = command.index("--")
        command, where = command[:at], [*where, *command[at + 1 :]]
    process = await asyncio.create_subprocess_exec(
        *command, *where, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(30):
        printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode()


def values(printed: str) -> dict[int, str]:
    """Return the values mbpoll printed, by their reference."""
    return {int(at): value for at, value in re.findall(r"^\[(\d+)\]:\s+(\S+)", printed, re.MULTILINE)}


def ask(device: SimDevice, *arguments: str) -> tuple[int, str]:
    """Let mbpoll speak to one device on a paced line."""

    async def main() -> tuple[int, str]:
        with PtyLine(SimLine(LineSettings("line", ""), [device])) as port:
            return await mbpoll(port.path, "-a", str(device.address), *arguments)

    return run(main())


@pytest.mark.parametrize(
    ("kind", "points", "first"),
    [
        ("0", [f"coil_{n}" for n in range(12)], 0),
        ("1", [f"input_{n}" for n in range(12)], 0),
        ("4", [f"holding_{n}" for n in range(6)], 100),
        ("3", [f"measured_{n}" for n in range(4)], 0),
    ],
)
def test_it_reads_each_table(kind: str, points: list[str], first: int) -> None:
    device = SimDevice(EVERYTHING, 17)
    wanted = {}
    for index, point in enumerate(points):
        value = index % 3 % 2 if kind in "01" else 1000 + index
        device.set(point, bool(value) if kind in "01" else value)
        wanted[first + index] = str(value)
    code, printed = ask(device, "-t", kind, "-r", str(first), "-c", str(len(points)))
    assert code == 0, printed
    assert values(printed) == wanted


def test_it_reads_wide_numbers_as_we_mean_them() -> None:
    device = SimDevice(EVERYTHING, 1)
    device.set("wide", -123_456)
    device.set("float", 21.5)
    assert values(ask(device, "-t", "4:int", "-B", "-r", "110", "-c", "1")[1]) == {110: "-123456"}
    assert values(ask(device, "-t", "4:float", "-B", "-r", "112", "-c", "1")[1]) == {112: "21.5"}


def test_it_writes_one_coil_and_several() -> None:
    device = SimDevice(EVERYTHING, 1)
    code, printed = ask(device, "-t", "0", "-r", "3", "--", "1")
    assert code == 0, printed
    code, printed = ask(device, "-t", "0", "-r", "8", "--", "1", "0", "1", "1")
    assert code == 0, printed
    assert [n for n in range(12) if device.get(f"coil_{n}")] == [3, 8, 10, 11]


def test_it_writes_one_register_and_several() -> None:
    device = SimDevice(EVERYTHING, 1)
    code, printed = ask(device, "-t", "4", "-r", "100", "--", "4242")
    assert code == 0, printed
    code, printed = ask(device, "-t", "4", "-r", "101", "--", "1", "2", "65535")
    assert code == 0, printed
    assert [device.get(f"holding_{n}") for n in range(6)] == [4242, 1, 2, 65535, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-t", "4", "-r", "900"), "Illegal data address"),
        (
            ("-t", "4", "-r", "110", "--", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"),
            "Illegal data address",
        ),
        (("-t", "0", "-r", "900", "--", "1"), "Illegal data address"),
    ],
)
def test_it_is_refused_what_is_not_there(arguments: tuple[str, ...], said: str) -> None:
    code, printed = ask(SimDevice(EVERYTHING, 1), *arguments)
    assert code != 0
    assert said in printed


def test_it_is_refused_a_function_the_product_does_not_have_and_more_than_it_gives() -> None:
    detector = SimDevice(profiles.load("rielta-brshs-rk"), 1)
    code, printed = ask(detector, "-t", "3", "-r", "0", "-c", "2")
    assert code != 0
    assert "Illegal data value" in printed
    code, printed = ask(SimDevice(profiles.load("sonbest-sm7571b"), 1), "-t", "1", "-r", "0")
    assert code != 0
    assert "Illegal function" in printed


def test_it_reads_several_devices_of_a_compound_on_one_line() -> None:
    async def main() -> str:
        detectors = [SimDevice(profiles.load("sonbest-sm7571b"), address) for address in (1, 2, 30, 247)]
        for detector in detectors:
            detector.set("smoke", 100 + detector.address)
        with PtyLine(SimLine(LineSettings("line", ""), detectors)) as port:
            return (await mbpoll(port.path, "-a", "1,2,30,247", "-t", "4", "-r", "0"))[1]

    assert re.findall(r"^\[0\]:\s+(\d+)", run(main()), re.MULTILINE) == ["101", "102", "130", "347"]


def test_it_gets_no_answer_from_the_dead() -> None:
    detector = SimDevice(profiles.load("sonbest-sm7571b"), 1)
    detector.alive = False
    code, printed = ask(detector, "-t", "4", "-r", "0")
    assert code != 0
    assert "timed out" in printed


def test_it_reads_and_writes_over_modbus_tcp() -> None:
    device = SimDevice(EVERYTHING, 5)
    device.set("holding_0", 77)

    async def main() -> tuple[str, str]:
        async with TcpLine(SimLine(LineSettings("line", "tcp://"), [device])) as port:
            _, read = await mbpoll(port.path, "-a", "5", "-t", "4", "-r", "100", "-c", "2")
            _, written = await mbpoll(port.path, "-a", "5", "-t", "4", "-r", "101", "--", "88")
            return read, written

    read, _ = run(main())
    assert values(read) == {100: "77", 101: "0"}
    assert device.get("holding_1") == 88


def test_a_pty_has_the_link_an_installer_asked_for(tmp_path: Path) -> None:
    async def main() -> tuple[int, str]:
        device = SimDevice(EVERYTHING, 1)
        with PtyLine(SimLine(LineSettings("line", ""), [device]), link=tmp_path / "riser") as port:
            return await mbpoll(port.path, "-a", "1", "-t", "4", "-r", "100")

    code, printed = run(main())
    assert code == 0, printed
