"""What the gateway's processor time is measured against: pymodbus' async client, asking as much of the same devices.

    echo '[{"port": ..., "per_s": 33.5, "reads": [[address, function, first, count], ...]}]' |
        python -m tests.bench.pymodbus_poller

Asks each line's questions in turn, so many a second, until its input ends; then prints how many were answered and how
many were not. Nothing is done with the values: they are not decoded, judged, stored or sent.
"""

import asyncio
import dataclasses
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException

from tests.bench.rig import ENVIRONMENT, START_S, cpu_of

Read = tuple[int, int, int, int]  # address of the device, function, first register, count
PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is read of one line, one after the other, and how often a second one of them."""

    port: str
    per_s: float
    reads: Sequence[Read]


class PymodbusProcess:
    """The client as a process of its own."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        command = [sys.executable, "-m", "tests.bench.pymodbus_poller"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([dataclasses.asdict(plan) for plan in plans]) + "\n")
        self._process.stdin.flush()

    def cpu_s(self) -> float:
        """Return the processor time used so far."""
        return cpu_of(self._process.pid)

    def close(self) -> None:
        """End it; AssertionError if it was not answered, for then its figures say nothing."""
        told, _ = self._process.communicate(timeout=START_S)
        good, failed = json.loads(told)
        assert good > 100 * failed, f"pymodbus had {good} answers, and {failed} times none"


@contextmanager
def pymodbus(plans: Sequence[Plan]) -> Iterator[PymodbusProcess]:
    """Have the client poll while the block lasts."""
    running = PymodbusProcess(plans)
    try:
        yield running
    finally:
        running.close()


async def main() -> None:
    """Poll all lines until the input ends."""
    plans = [Plan(**plan) for plan in json.loads(sys.stdin.readline())]
    counts, ended = {True: 0, False: 0}, asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for each in plans:
            group.create_task(_poll(each, counts, ended), name=each.port)
        await asyncio.to_thread(sys.stdin.read)
        ended.set()
    print(json.dumps([counts[True], counts[False]]))


async def _poll(plan: Plan, counts: dict[bool, int], ended: asyncio.Event) -> None:
    client = AsyncModbusSerialClient(plan.port, baudrate=9600, timeout=PATIENCE_S, retries=0)
    await client.connect()
    ask = {
        1: client.read_coils,
        2: client.read_discrete_inputs,
        3: client.read_holding_registers,
        4: client.read_input_registers,
    }
    due, every_s = time.monotonic(), 1 / plan.per_s
    for address, function, first, count in itertools.cycle(plan.reads):
        due = max(due + every_s, time.monotonic() - every_s)  # what is lost is not made up for in a rush
        await asyncio.sleep(due - time.monotonic())
        if ended.is_set():
            break
        try:
            reply = await ask[function](first, count=count, device_id=address)
        except ModbusException:
            counts[False] += 1
        else:
            counts[not reply.isError()] += 1
    client.close()


if __name__ == "__main__":
    asyncio.run(main())
