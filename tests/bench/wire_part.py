"""The part of `tests.bench.field` that polls: our driver and a bare loop, in turn, on one simulated line.

The limit of the wire for a read of N registers is T = 8c + gap + (5 + 2N)c + gap, c the time of a character, gap
3.5 of them (1.75 ms above 19200 baud): the next request cannot begin before both frames and both silences are
over. The simulator, a process of its own, keeps the time of the wire and adds no turnaround of its own here. How late
it and the machine are is seen from what the bare loop (tests/bench/bare_poller.py) gets: the two poll in turn, a few
seconds each, so that a slow minute meets both.
"""

import asyncio
import contextlib
import dataclasses
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drivers import profile
from drivers.api import Device, LineSettings, Quality, Reading, Report
from drivers.modbus.blocks import register_of
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.exchange import Question
from gateway.runtime import loop
from tests.bench import bare_poller, rig
from tests.bench.bare_poller import Rate

PRODUCT = "sonbest-sm7571b"  # one holding register, read by FC 3: N = 1
DEVICES = 32
WINDOWS = 5  # the median of which counts: these machines have other guests
FIRST_WARM_S = 6.0  # until time-outs are learned and the dead are found dead
WARM_S = 1.0  # what was learned stays, the port is opened anew


@dataclass(frozen=True, slots=True)
class InTurn:
    """What our driver and a bare loop got of one line in the same minutes. `share` is ours of the bare loop's."""

    ours: Rate
    bare: Rate
    share: float


def of_wire(rate: Rate, baud: int) -> float:
    """Return polls a second as a share of what the wire allows."""
    return rate.polls_per_s * poll_s(LineSettings("bench", "", baud))


def poll_s(settings: LineSettings, turnaround_s: float = 0.0) -> float:
    """Return the least time one poll of one register takes."""
    return (8 + 5 + 2) * settings.char_s + max(turnaround_s, settings.gap_s) + settings.gap_s


def questions(count: int) -> list[Question]:
    """Return what the first devices of a line are asked."""
    request = register_of(profile.load(PRODUCT).points[0]).request
    return [Question(address, request) for address in range(1, count + 1)]


def healthy(baud: int, seconds: float) -> InTurn:
    """Poll as fast as the line allows for so long, and as long by the bare loop, in turn."""
    window_s = seconds / WINDOWS
    ours: list[Rate] = []
    bare: list[Rate] = []
    gap_s = LineSettings("bench", "", baud).gap_s
    with _line(baud, dead=0) as port:
        driver = _Ours(port, baud)
        for number in range(WINDOWS):
            ours += loop.run(driver.poll(WARM_S if number else FIRST_WARM_S, [window_s]))
            bare.append(bare_poller.poll(port, questions(DEVICES), gap_s, window_s))
    share = statistics.median(our.polls_per_s / its.polls_per_s for our, its in zip(ours, bare, strict=True))
    return InTurn(_median(ours), _median(bare), share)


def beside_dead(baud: int, seconds: float, dead: int) -> Rate:
    """Poll a line on which the last devices are dead."""
    with _line(baud, dead=dead) as port:
        return _median(loop.run(_Ours(port, baud).poll(FIRST_WARM_S, [seconds / WINDOWS] * WINDOWS)))


@contextlib.contextmanager
def _line(baud: int, *, dead: int) -> Iterator[str]:
    """Have a line that adds nothing to the time of the wire."""
    arguments = ["--profile", PRODUCT, "--devices", str(DEVICES), "--dead", str(dead)]
    arguments += ["--baud", str(baud), "--turnaround-ms", "0", "--spin"]
    with rig.simulator(*arguments) as sim:
        yield next(iter(sim.ports.values()))


class _Ours:
    """Our driver, which counts what it reports. What it has learned of the line stays from one `poll` to the next."""

    def __init__(self, port: str, baud: int) -> None:
        product = profile.load(PRODUCT)
        eager = dataclasses.replace(
            product, points=tuple(dataclasses.replace(point, interval_s=0.0) for point in product.points)
        )
        devices = [Device(f"smoke-{address}", eager, address) for address in range(1, DEVICES + 1)]
        self._good: Counter[bool] = Counter()
        self._driver = ModbusDriver(LineSettings("bench", port, baud), devices, self._count)

    async def poll(self, warm_s: float, windows_s: Sequence[float]) -> list[Rate]:
        """Open the port and poll; return what came of each window."""
        polling = asyncio.create_task(self._driver.run(), name="polling")
        await asyncio.sleep(warm_s)
        rates = [await self._window(seconds) for seconds in windows_s]
        polling.cancel()
        await asyncio.wait([polling])
        return rates

    async def _window(self, seconds: float) -> Rate:
        self._good.clear()
        began, cpu_began = time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        took_s, cpu_s = time.monotonic() - began, time.process_time() - cpu_began
        return Rate(self._good[True] / took_s, cpu_s / max(1, self._good[True]))

    def _count(self, told: Report) -> None:
        if isinstance(told, Reading):
            self._good[told.quality is Quality.GOOD] += 1


def _median(rates: Sequence[Rate]) -> Rate:
    return Rate(
        statistics.median(each.polls_per_s for each in rates), statistics.median(each.cpu_s for each in rates)
    )
