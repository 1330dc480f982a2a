"""How soon an alert is on every open phone: a real desk, and as many streams of events as are asked for.

    .venv/bin/python -m tests.bench.desk_fanout [--phones 10000] [--alerts 10]

The time begins with the transaction that stores the alert (`received` in the record) and ends when a phone's process
has read the event from its socket. Desk, broker, and the processes that are the phones share the cores of the machine.
"""

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from gateway.core.events import Place
from gateway.desk.store import phones
from tests.bench.rig import ENVIRONMENT
from tests.bench.table import Figure, at_most, present
from tests.broker import free_port, mosquitto, until
from tests.desk_parts import opened
from tests.desk_service import paging
from tests.faults.desk_rig import Desk, Gateway

CLIENTS = 2  # processes that the phones share
SPARE_FILES = 1_000


@dataclass(frozen=True, slots=True)
class FanOut:
    """What came out. Times of phones are from the commit of an alert; `opening_s` is of all phones at once."""

    phones: int
    p50_ms: float
    p99_ms: float
    last_ms: float
    opening_s: float
    desk_mb: float
    kb_per_phone: float
    missing: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.desk_fanout")
    parser.add_argument("--phones", type=int, default=10_000)
    parser.add_argument("--alerts", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name), options.phones, options.alerts)
    present(
        "desk: open phones",
        figures(found),
        {"sse_fanout_p99_ms": round(found.p99_ms), "phones": found.phones},
    )


def figures(found: FanOut) -> list[Figure]:
    """Return the lines of the table."""
    return [
        Figure(f"{found.phones:,} open phones: from commit to phone, p50", f"{found.p50_ms:,.0f} ms"),
        at_most("... p99", found.p99_ms, 1_000, " ms"),
        Figure("... the last", f"{found.last_ms:,.0f} ms"),
        Figure("... all of them let in at once", f"{found.opening_s:,.1f} s"),
        Figure("... memory of the desk", f"{found.desk_mb:,.0f} MB", f"{found.kb_per_phone:.0f} kB a phone"),
        at_most("... events that did not come", found.missing, 0),
    ]


def measure(folder: Path, count: int, alerts: int) -> FanOut:
    """Open so many phones and tell them so many alerts, one after the other."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    count = min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES)
    where, port = str(folder / "phones.db"), free_port()
    cookies = asyncio.run(let_in(where, count))
    with mosquitto(folder) as broker, ExitStack() as stack:
        pager = stack.enter_context(paging())
        desk = Desk(folder, "phones", where, broker.port, pager.url, web=port)
        stack.callback(desk.kill)
        desk.start()
        before = desk.memory_mb
        began = time.monotonic()
        clients = [
            _Client(folder / f"phones-{each}", port, cookies[each::CLIENTS]) for each in range(CLIENTS)
        ]
        for client in clients:
            stack.callback(client.kill)
        opened_ones = sum(client.wait() for client in clients)
        opening_s = time.monotonic() - began
        memory = desk.memory_mb
        gateway = Gateway(broker.port, "hxtp-01")
        stack.callback(gateway.close)
        for number in range(1, alerts + 1):
            gateway.send(1, random.Random(number))
            until(lambda number=number: len(gateway.receipts) == number, what="a receipt")  # type: ignore[misc]
            time.sleep(1.0 + count / 2_500)  # the phones have all of it, and a beat comes in between
        heard = [client.finish() for client in clients]
        desk.stop()
    times = asyncio.run(delays(where, heard))
    return FanOut(
        phones=opened_ones,
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[int(len(times) * 0.99)] * 1000,
        last_ms=times[-1] * 1000,
        opening_s=opening_s,
        desk_mb=memory,
        kb_per_phone=(memory - before) * 1000 / max(1, opened_ones),
        missing=count * alerts - len(times),
    )


async def let_in(where: str, count: int) -> list[str]:
    """Let so many phones in, of people in places of four sizes; return their cookies."""
    people = ("warden-1", "duty-room")
    cookies: list[str] = []
    async with opened(where) as database, database.transaction() as transaction:
        for number in range(count):
            who = people[number % len(people)]
            token, _ = await phones.offer(
                transaction, person=who, place=Place(), label=str(number), by="bench", now=time.time()
            )
            cookie = await phones.pair(transaction, token, "", time.time())
            assert cookie is not None
            cookies.append(cookie)
    return cookies


async def delays(where: str, heard: list[dict[str, list[float]]]) -> list[float]:
    """Return how long after the desk began to store it each phone had each alert, in order."""
    async with opened(where) as database, database.transaction() as transaction:
        rows = await transaction.fetch("SELECT alert, min(received) AS at FROM events GROUP BY alert")
    began = {row["alert"]: row["at"] for row in rows}
    return sorted(at - began[alert] for each in heard for alert, times in each.items() for at in times)


class _Client:
    """A process that is many phones."""

    def __init__(self, file: Path, port: int, cookies: list[str]) -> None:
        self._result = file.with_suffix(".json")
        file.write_text("\n".join(cookies), encoding="ascii")
        command = [sys.executable, "-m", "tests.bench.open_phones", str(port), str(file), str(self._result)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
        )

    def wait(self) -> int:
        """Wait until all its phones are open; return how many."""
        assert self._process.stdout is not None
        return int(self._process.stdout.readline().split()[1])

    def finish(self) -> dict[str, list[float]]:
        """End it; return when each alert came to its phones."""
        self._process.communicate(timeout=60)
        heard: dict[str, list[float]] = json.loads(self._result.read_text(encoding="ascii"))["heard"]
        return heard

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()


if __name__ == "__main__":
    main()
