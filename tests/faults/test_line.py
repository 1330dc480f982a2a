"""Every fault a line can have, all at once, for a long time: a value that is reported is the device's own.

Each register of each device holds a number that nothing else on the line holds, and the blocks of a device
look alike on the wire (same function, same length), so a late, foreign, torn or flipped reply that is
believed shows at once. 40,000 exchanges in CI, a million with EXCHANGES=1000000. 1 to 3 flipped bits a frame
are always found by the CRC, so the number of wrong values is not small but none.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

import pytest

from drivers import profile
from drivers.api import Device, LineSettings, Profile, Quality, Reading, Report
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.wire import Register
from drivers.sim.faults import Faults
from drivers.sim.line import SimLine
from drivers.sim.memory_line import MemoryLine
from drivers.sim.modbus import SimDevice
from tests import virtual

EXCHANGES = int(os.environ.get("EXCHANGES", "40000"))
DEVICES = 6

EVERYTHING = Faults(
    request_lose=0.01, request_flip=0.02,
    silent=0.01, delay=0.05, late=0.03, lose=0.02, flip=0.05, wrong_function=0.01, wrong_count=0.01,
    wrong_address=0.01,
    chop=0.05, noise_before=0.03, noise_after=0.03, header_noise=0.02, idle_noise=0.03,
)  # fmt: skip

# Four blocks that look alike on the wire, one of bits, and one whose request begins like a reply.
PRODUCT = """
[profile]
driver = "modbus"
category = "input"
title = { zh = "试验品", en = "Trial" }
sources = ["a product for this test"]

[modbus]
bridge = false

[[point]]
name = "a"
holding = 0

[[point]]
name = "b"
holding = 10

[[point]]
name = "c"
holding = 0x0200

[[point]]
name = "d"
input = 0

[[point]]
name = "e"
holding = 20
type = "u32"

[[point]]
name = "f"
input = 40
type = "u32"

[[point]]
name = "g"
discrete = 3
"""


@pytest.fixture(scope="module")
def campaigns() -> Iterator[Mapping[str, Future[Counter[str]]]]:
    """Have the two long campaigns run side by side, each on a core of its own."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield {
            "worst": pool.submit(play, EVERYTHING, EXCHANGES // 2, 1),
            "echo": pool.submit(play, replace(EVERYTHING, echo=1.0), EXCHANGES // 2, 2),
        }


def play(faults: Faults, exchanges: int, seed: int) -> Counter[str]:
    """Play one campaign in virtual time and return what was seen."""
    return virtual.run(_campaign(faults, exchanges, seed=seed))


def test_no_wrong_value_is_accepted_over_the_worst_line(
    campaigns: Mapping[str, Future[Counter[str]]],
) -> None:
    seen = campaigns["worst"].result()
    assert seen["exchanges"] >= EXCHANGES // 2
    assert seen["wrong"] == 0
    assert seen["good"] > seen["exchanges"] / 2
    assert all(seen[name] for name in ("late", "crc_errors", "timeouts", "noise"))


def test_no_wrong_value_is_accepted_when_the_adapter_echoes(
    campaigns: Mapping[str, Future[Counter[str]]],
) -> None:
    seen = campaigns["echo"].result()
    assert seen["exchanges"] >= EXCHANGES // 2
    assert seen["wrong"] == 0
    assert seen["good"] > seen["exchanges"] / 2


@pytest.mark.parametrize(
    "fault",
    ["silent", "delay", "late", "lose", "flip", "wrong_function", "wrong_count", "wrong_address", "chop",
     "noise_before", "noise_after", "header_noise", "idle_noise", "request_lose", "request_flip", "echo"],
)  # fmt: skip
def test_no_wrong_value_is_accepted_with_one_fault_in_five(fault: str) -> None:
    chances: dict[str, Any] = {fault: 0.2}
    seen = virtual.run(_campaign(Faults(**chances), 3000, seed=3))
    assert seen["wrong"] == 0
    assert seen["good"] > seen["exchanges"] / 3


async def _campaign(faults: Faults, exchanges: int, *, seed: int) -> Counter[str]:
    """Poll until so many exchanges were made; return what was seen."""
    loop = asyncio.get_running_loop()
    product = _product()
    settings = LineSettings("worst", "memory", baud=115200)
    sims = [SimDevice(product, address) for address in range(1, DEVICES + 1)]
    wanted = {
        (f"d{sim.address}", point.name): _mark(sim, point.name) for sim in sims for point in product.points
    }
    seen: Counter[str] = Counter()

    def check(report: Report) -> None:
        if isinstance(report, Reading) and report.quality is Quality.GOOD:
            seen["wrong" if report.value != wanted[report.device, report.point] else "right"] += 1

    line = SimLine(settings, sims, faults=faults, seed=seed, turnaround_s=0.002)
    devices = [Device(f"d{sim.address}", product, sim.address) for sim in sims]
    driver = ModbusDriver(settings, devices, check, clock=loop.time, open_stream=MemoryLine(line).open)
    running = asyncio.create_task(driver.run(), name="driver")
    while driver.statistics().polls < exchanges:
        assert not running.done(), running
        await asyncio.sleep(1.0)
    running.cancel()
    return seen + _totals(driver)


def _product() -> Profile:
    """Return the product, polled as fast as the line allows."""
    made = profile.parse(PRODUCT, file="trial.toml")
    return replace(made, points=tuple(replace(point, interval_s=0.0) for point in made.points))


def _mark(sim: SimDevice, point: str) -> int | bool:
    """Give a point a value of its own: every word of it says whose it is and where it stands."""
    register = sim.profile.point(point).wire
    assert isinstance(register, Register)
    if register.table == "discrete":
        value: int | bool = sim.address % 2 == 0
    else:
        word = sim.address << 8 | (ord(point) & 0x0F) << 4
        value = word << 16 | word | 1 if register.count == 2 else word
    sim.set(point, value)
    return value


def _totals(driver: ModbusDriver) -> Counter[str]:
    statistics = driver.statistics()
    totals = Counter(exchanges=statistics.polls, noise=statistics.noise_bytes)
    for device in statistics.devices:
        for name in ("good", "late", "crc_errors", "timeouts", "retries", "exceptions"):
            totals[name] += getattr(device, name)
    return totals
