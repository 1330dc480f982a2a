"""The uplink's half of the journal bench: a storm on a slow disk and a long backlog, through a real mosquitto.

    .venv/bin/python -m tests.bench.uplink_part [--quick]

The gateway's half (stream, journal, uplink) runs in a process of its own, in the storm with an fsync that is 20 ms
slower. mosquitto_sub listens in another process and stamps what arrives, so that it takes no time from ours. A
fire is confirmed upstream when the cursor has passed it: when the gateway itself would say so.
"""

import argparse
import asyncio
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from gateway.core.config import MqttTable
from gateway.core.events import Clock, Event, Severity
from gateway.runtime.journal import Journal, Lane, Position
from gateway.runtime.loop import run
from gateway.runtime.stream import Stamp, Stream
from gateway.services.uplink import Uplink
from gateway.services.uplink.session import URGENT_SINK
from tests.broker import mosquitto, until
from tests.faults.slowsync import environment
from tests.uplink_parts import GATEWAY, alert_body, first_seen_order

SLOW_MS = 20.0
FIRE_EVERY = 50  # one alert in so many is a fire
ALERT_TOPIC = f"compound/v1/{GATEWAY}/alert"
ROOMY = ("max_queued_messages 0", "max_inflight_messages 200", "set_tcp_nodelay true", "log_type subscribe")


def main() -> None:
    """Measure and print one JSON object; or be the gateway's half of a measurement."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.uplink_part")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--gateway", choices=["storm", "drain"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", default=".", help="a folder on the disk to measure")
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--alerts", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=0.0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.gateway:
        work = storm if options.gateway == "storm" else drain
        print(json.dumps(run(work(Path(options.folder), options.port, options.alerts, options.seconds))))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        print(json.dumps(measure(Path(name), scale=0.1 if options.quick else 1.0)))


def measure(folder: Path, *, scale: float = 1.0) -> dict[str, float]:
    """Return the keys `storm_fire_p99_ms`, `lost`, `disordered`, `drain_per_s` and some beside them."""
    slow = environment(folder, SLOW_MS)
    storm_keys = through_mosquitto(folder, "storm", int(10_000 * scale), 60.0 * scale, slow)
    drain_keys = through_mosquitto(folder, "drain", int(20_000 * scale), 0.0, os.environ)
    lost = storm_keys.pop("lost") + drain_keys.pop("lost")
    return {"lost": lost} | storm_keys | drain_keys


def through_mosquitto(
    folder: Path, work: str, alerts: int, seconds: float, variables: Mapping[str, str]
) -> dict[str, float]:
    """Run one measurement with its own broker and listener; compare what was sent with what arrived."""
    heard = folder / f"{work}.heard"
    state = folder / work
    state.mkdir()
    listen = ["mosquitto_sub", "-V", "5", "-q", "1", "-t", ALERT_TOPIC, "-h", "127.0.0.1", "-F", "%U %p"]
    with mosquitto(folder, *ROOMY) as broker, heard.open("wb") as sink:
        ears = subprocess.Popen([*listen, "-p", str(broker.port)], stdout=sink)
        try:
            until(lambda: ALERT_TOPIC in broker.log.read_text(), what="the subscription")
            arguments = ["--gateway", work, "--folder", str(state), "--port", str(broker.port)]
            command = [sys.executable, "-m", "tests.bench.uplink_part", *arguments]
            command += ["--alerts", str(alerts), "--seconds", str(seconds)]
            done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
            keys: dict[str, float] = json.loads(done.stdout)
            sent = set((state / "sent").read_text().split())
            until(lambda: lines(heard) >= len(sent) or not grows(heard), within_s=60, what="the last alert")
        finally:
            ears.terminate()
            ears.wait()
    arrived, late_s = ids(heard), live_fires_s(heard)
    early = fires(heard)
    order = [one for one in first_seen_order(arrived) if one not in early]
    if late_s:
        keys[f"{work}_fire_arrival_p99_ms"] = percentile(late_s, 0.99) * 1e3
    keys["lost"] = len(sent - set(arrived))
    keys[f"{work}_duplicates"] = len(arrived) - len(set(arrived))
    keys[f"{work}_disordered"] = sum(number(a) > number(b) for a, b in pairwise(order))
    return keys


async def storm(folder: Path, port: int, alerts: int, seconds: float) -> dict[str, float]:
    """Submit alerts at an even pace, some of them fires; return how long fires took to be confirmed upstream."""
    async with gateway(folder, port) as house:
        clock, began = time.monotonic, time.monotonic()
        for count in range(alerts):
            await asyncio.sleep(max(0.0, began + count * seconds / alerts - clock()))
            house.submit(count, fire=count % FIRE_EVERY == FIRE_EVERY - 1)
        await house.drained()
        latencies = house.fire_latencies_s()
        return {
            "storm_fire_p99_ms": percentile(latencies, 0.99) * 1e3,
            "storm_fire_p50_ms": percentile(latencies, 0.50) * 1e3,
            "storm_fires": len(latencies),
        }


async def drain(folder: Path, port: int, alerts: int, _seconds: float) -> dict[str, float]:
    """Fill the journal while there is no uplink, then let it go up while fires break out; return the pace."""
    async with gateway(folder, 0) as house:
        for count in range(alerts):
            house.submit(count, fire=False)
        while house.journal.last(Lane.URGENT)[1] < alerts:
            await asyncio.sleep(0.01)
    async with gateway(folder, port) as house:
        began = time.monotonic()
        depth = house.journal.depth(URGENT_SINK, Lane.URGENT)
        ahead = []
        while house.journal.depth(URGENT_SINK, Lane.URGENT) > depth // 10:
            await asyncio.sleep(0.1)
            ahead.append(house.submit(0, fire=True))
        await house.drained()
        took_s = max(house.confirmed.values()) - began
        return {
            "drain_per_s": alerts / took_s,
            "drain_live_fires": len(ahead),
        }


class House:
    """A stream, a journal and an uplink; as the uplink's journal it notes when the cursor passed each row."""

    def __init__(self, journal: Journal, sent: TextIO) -> None:
        self.journal = journal
        self.confirmed: dict[Position, float] = {}
        self._submitted: dict[Position, float] = {}
        self._fires: list[Position] = []
        self._cursor = journal.cursor(URGENT_SINK)
        self._sent = sent
        self.stream = Stream(
            epoch=journal.epoch,
            last_seq=journal.last_seq,
            last_alert_seq=journal.last_alert_seq,
            now=lambda: Stamp(time.time(), time.monotonic(), Clock.SYNCED),
        )
        self.stream.follow("journal", journal.append)

    def submit(self, count: int, *, fire: bool) -> Event:
        """Submit one alert."""
        body = alert_body(count, kind="fire.smoke", severity=Severity.CRITICAL) if fire else alert_body(count)
        event = self.stream.submit(body)
        self._submitted[event.epoch, event.seq] = time.monotonic()
        self._sent.write(f"{event.id}\n")
        if fire:
            self._fires.append((event.epoch, event.seq))
        return event

    def fire_latencies_s(self) -> list[float]:
        """Return how long each fire took from being submitted until the cursor had passed it."""
        return sorted(self.confirmed[position] - self._submitted[position] for position in self._fires)

    async def drained(self) -> None:
        """Wait until everything submitted is confirmed."""
        async with asyncio.timeout(120):
            while not self._submitted.keys() <= self.confirmed.keys() or self.journal.depth(
                URGENT_SINK, Lane.URGENT
            ):
                await asyncio.sleep(0.05)

    async def rows(self, lane: Lane, after: Position, limit: int) -> list[Event]:
        """Pass on."""
        return await self.journal.rows(lane, after, limit)

    async def wait(self, lane: Lane, after: Position) -> None:
        """Pass on."""
        await self.journal.wait(lane, after)

    def has(self, lane: Lane, after: Position) -> bool:
        """Pass on."""
        return self.journal.has(lane, after)

    def last(self, lane: Lane) -> Position:
        """Pass on."""
        return self.journal.last(lane)

    def cursor(self, sink: str) -> Position:
        """Pass on."""
        return self.journal.cursor(sink)

    def depth(self, sink: str, lane: Lane) -> int:
        """Pass on."""
        return self.journal.depth(sink, lane)

    def move_cursor(self, sink: str, position: Position) -> None:
        """Note the time and pass on."""
        if sink == URGENT_SINK:
            now = time.monotonic()
            for seq in range(self._cursor[1] + 1, position[1] + 1):
                self.confirmed[position[0], seq] = now
            self._cursor = position
        self.journal.move_cursor(sink, position)


@asynccontextmanager
async def gateway(folder: Path, port: int) -> AsyncIterator[House]:
    """Run a journal, and an uplink where there is a broker's port; the ids of what is submitted go into a file."""
    journal = await Journal.open(folder / "journal.db")
    with (folder / "sent").open("a") as sent:
        house = House(journal, sent)
        uplink = Uplink(
            MqttTable(url=f"mqtt://127.0.0.1:{port}"),
            GATEWAY,
            journal=house,
            states=lambda _device: b"{}",
            health=lambda: b"{}",
            submit=house.stream.submit,
        )
        tasks = [asyncio.create_task(journal.run(), name="journal")]
        if port:
            tasks.append(asyncio.create_task(uplink.run(), name="uplink"))
        try:
            yield house
        finally:
            for task in reversed(tasks):
                task.cancel()
                await asyncio.wait([task])


def documents(heard: Path) -> list[dict[str, object]]:
    """Return the alerts that arrived, in order."""
    return [
        json.loads(line.split(" ", 1)[1]) for line in heard.read_text().splitlines() if line.endswith("}")
    ]


def ids(heard: Path) -> list[str]:
    """Return the ids that arrived, in order."""
    return [str(document["id"]) for document in documents(heard)]


def fires(heard: Path) -> set[str]:
    """Return the ids of the fires that arrived."""
    return {
        str(document["id"]) for document in documents(heard) if '"critical"' in json.dumps(document["data"])
    }


def live_fires_s(heard: Path) -> list[float]:
    """Return how long each fire took from being numbered to its first arrival, shortest first."""
    found: dict[str, float] = {}
    for line in heard.read_text().splitlines():
        at, _, text = line.partition(" ")
        if '"severity":"critical"' in text:
            document = json.loads(text)
            found.setdefault(document["id"], float(at) - datetime.fromisoformat(document["time"]).timestamp())
    return sorted(found.values())


def lines(path: Path) -> int:
    """Return how many lines a file has."""
    return path.read_bytes().count(b"\n")


def grows(path: Path) -> bool:
    """Return whether something is written to a file within a second."""
    before = path.stat().st_size
    time.sleep(1.0)
    return path.stat().st_size > before


def number(identifier: str) -> int:
    """Return the seq of an id."""
    return int(identifier.split(".")[1])


def percentile(ordered: list[float], share: float) -> float:
    """Return the value below which `share` of them lie."""
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


if __name__ == "__main__":
    main()
