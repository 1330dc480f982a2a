"""Bench of the journal: speed against raw sqlite3, a storm on a slow disk, bytes written to the device.

    .venv/bin/python -m tests.bench.journal [--quick] [--seconds 60]

Raw sqlite3 stores the very same events in the same rows with the same pragmas and the same number of rows per
transaction, on the same disk, in turns with ours: a plain loop of encode, BEGIN, INSERT, COMMIT. What the ratio
shows is the price of the queue, the thread and the event loop. The storm runs in a process of its own whose
fsync is 20 ms slower, like that of an ordinary SD card.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gateway.core.events import Event
from gateway.runtime.journal import Journal, JournalSettings, Lane, statements
from gateway.runtime.journal.opening import open_file
from gateway.runtime.journal.reserve import Reserve
from gateway.runtime.journal.rows import Row, encode
from gateway.runtime.loop import run
from tests.bench import uplink_part
from tests.bench.disk import Disk, disk, process_bytes
from tests.bench.table import Figure, at_least, at_most, present
from tests.events import alert
from tests.faults.slowsync import environment

SINK = "uplink.urgent"
SLOW_MS = 20.0
ROUNDS = 7
QUICK = JournalSettings(reserve_bytes=1 << 20, cursor_delay_s=0.02)


def main() -> None:
    """Measure everything and print it."""
    options = arguments()
    if options.child:
        part = slow_lone if options.child == "lone" else storm
        print(json.dumps(part(Path(options.folder), options.alerts, options.seconds)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as name, disk(Path(name)) as device:
        found = measure(Path(name), device, options)
        keys: dict[str, object] = {**found, "bytes_counted_by": device.counted_by}
    ratio, batch = (
        "durable alerts/s against raw sqlite3, offered",
        f"({found['storm_batch']:.0f} to a commit)",
    )
    figures = [
        at_least(
            f"{ratio} singly ({found['singly_batch']:.1f} to a commit)", found["ratio_to_raw_singly"], 0.7
        ),
        at_least(f"{ratio} in a storm {batch}", found["ratio_to_raw_storm"], 0.7),
        at_least(
            "... each only when the last is durable, flush + 20 ms", found["ratio_to_raw_lone_slow"], 0.7
        ),
        Figure("... the same on this disk: two thread switches each", f"{found['ratio_to_raw_lone']:.2f}"),
        Figure("durable alerts/s, in a storm", f"{found['alerts_per_s_storm']:,.0f}"),
        at_most("storm, flush + 20 ms: accepted to durable, p99", found["storm_durable_p99_ms"], 250, " ms"),
        Figure("... p50", f"{found['storm_durable_p50_ms']:.1f} ms"),
        at_most("bytes to the device per lone alert", found["bytes_per_lone_alert"], 30_000),
        at_most("... per alert in the storm", found["bytes_per_storm_alert"], 2_000),
        Figure("... counted by", device.counted_by),
        at_most(
            "fire in a storm, flush + 20 ms: confirmed upstream, p99", found["storm_fire_p99_ms"], 1000, " ms"
        ),
        at_most("lost", found["lost"], 0),
        at_least("backlog drained through a broker, alerts/s", found["drain_per_s"], 2000),
    ]
    present("journal", figures, keys)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.journal")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the storm")
    parser.add_argument("--folder", default=".", help="a folder on the disk to measure")
    parser.add_argument("--alerts", type=int, default=10_000, help="alerts in the storm")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.alerts = options.seconds / 10, options.alerts // 10
    return options


def measure(tools: Path, device: Disk, options: argparse.Namespace) -> dict[str, float]:
    """Return all figures: of the journal alone, then through the uplink and a real broker."""
    found = against_raw(device.folder, 40 if options.quick else 200)
    found |= on_slow_disk("lone", tools, device.folder / "slow", 100, 0)
    before, lone = device.written(), 100 if options.quick else 400
    run(lone_alerts(device.folder / "lone", lone))
    found["bytes_per_lone_alert"] = round((device.written() - before) / lone)
    # The files of an empty journal are made once: they are no part of what an alert costs.
    run(lone_alerts(device.folder / "storm", 10))
    before = device.written()
    found |= on_slow_disk("storm", tools, device.folder / "storm", options.alerts, options.seconds)
    written = device.written() - before if device.by_device else found["process_bytes"]
    found["bytes_per_storm_alert"] = round(written / options.alerts)
    found.pop("process_bytes")
    through = tools / "uplink"
    through.mkdir()
    return found | uplink_part.measure(through, scale=0.1 if options.quick else 1.0)


def against_raw(folder: Path, count: int) -> dict[str, float]:
    """Return the ratios to raw sqlite3 at the batch size ours came to, as medians of rounds taken in turns."""
    ways = {"lone": (run_lone, count), "singly": (run_singly, count * 20), "storm": (run_storm, count * 50)}
    found: dict[str, float] = {}
    for name, (ours, number) in ways.items():
        rounds = []
        for turn in range(ROUNDS):
            place = folder / f"{name}-{turn}"
            rate, batch = ours(place / "ours", number)
            rounds.append((rate / raw(place / "raw", number, batch=max(1, round(batch))), rate, batch))
            shutil.rmtree(place)
        ratio, rate, batch = (statistics.median(column) for column in zip(*rounds, strict=True))
        found |= {f"ratio_to_raw_{name}": round(ratio, 3), f"alerts_per_s_{name}": round(rate)}
        found[f"{name}_batch"] = round(batch, 1)
    found["ratio_to_raw"] = min(found["ratio_to_raw_singly"], found["ratio_to_raw_storm"])
    return found


def run_lone(folder: Path, count: int) -> tuple[float, float]:
    """Return alerts/s and batch size when each is offered only as the one before it is durable."""
    return run(offered(folder, count, producers=1, wait=True))


def run_singly(folder: Path, count: int) -> tuple[float, float]:
    """Return the same when one producer offers one alert at a time and gives the loop a turn after each."""
    return run(offered(folder, count, producers=1, wait=False))


def run_storm(folder: Path, count: int) -> tuple[float, float]:
    """Return the same when fifty producers do so."""
    return run(offered(folder, count, producers=50, wait=False))


async def opened(folder: Path, settings: JournalSettings = QUICK) -> Journal:
    """Return the journal in a folder, a fresh one where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    return await Journal.open(folder / "journal.db", settings=settings)


async def offered(folder: Path, count: int, *, producers: int, wait: bool) -> tuple[float, float]:
    """Offer alerts and return how many a second became durable, and how many one commit had."""
    journal = await opened(folder)
    events = iter([alert(journal.last_seq + n) for n in range(1, count + 1)])
    last = (journal.epoch, journal.last_seq + count - 1)

    async def produce() -> None:
        for event in events:
            journal.append(event)
            await (journal.wait(Lane.URGENT, (event.epoch, event.seq - 1)) if wait else asyncio.sleep(0))

    async with asyncio.TaskGroup() as group:
        writer = group.create_task(journal.run(), name="journal")
        started, commits = time.perf_counter(), journal.statistics().commits
        async with asyncio.TaskGroup() as turns:
            for number in range(producers):
                turns.create_task(produce(), name=f"producer {number}")
        await journal.wait(Lane.URGENT, last)
        took = time.perf_counter() - started
        commits = journal.statistics().commits - commits
        writer.cancel()
    return count / took, count / commits


def raw(folder: Path, count: int, *, batch: int) -> float:
    """Return rows/s of plain sqlite3 with the same pragmas, rows and batch size."""
    folder.mkdir(parents=True)
    path = folder / "journal.db"
    reserve = Reserve(path.with_name("reserve"), 0)
    connection = open_file(path, QUICK, reserve, lambda _point: None).connection
    events = [alert(number) for number in range(1, count + 1)]
    statement = "INSERT INTO urgent VALUES (?, ?, ?, ?, ?, ?)"
    connection.execute(f"PRAGMA wal_autocheckpoint={statements.CHECKPOINT_PAGES}")
    started = time.perf_counter()
    for start in range(0, count, batch):
        connection.execute("BEGIN IMMEDIATE")
        rows = [_columns(event.seq, encode(event)) for event in events[start : start + batch]]
        connection.executemany(statement, rows)
        connection.execute("COMMIT")
    took = time.perf_counter() - started
    connection.close()
    return count / took


def _columns(number: int, row: Row) -> tuple[object, ...]:
    return row.position, number, row.kind, row.time, row.checksum, row.body


async def lone_alerts(folder: Path, count: int) -> None:
    """Store alerts one at a time, each confirmed by its sink, and the cursor committed, before the next comes."""
    journal = await opened(folder)
    journal.cursor(SINK)
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(journal.run(), name="journal")
        for number in range(1, count + 1):
            event = alert(journal.last_seq + number)
            journal.append(event)
            await journal.wait(Lane.URGENT, (event.epoch, event.seq - 1))
            journal.move_cursor(SINK, (event.epoch, event.seq))
            while journal.depth(SINK, Lane.URGENT):
                await asyncio.sleep(0.002)
        writer.cancel()


def on_slow_disk(part: str, tools: Path, folder: Path, alerts: int, seconds: float) -> dict[str, float]:
    """Run a part in a process whose flushes are slower; return what it measured."""
    command = [sys.executable, "-m", "tests.bench.journal", "--child", part, "--folder", str(folder)]
    command += ["--alerts", str(alerts), "--seconds", str(seconds)]
    output = subprocess.check_output(command, env=environment(tools, SLOW_MS), text=True)
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return found


def slow_lone(folder: Path, count: int, _seconds: float) -> dict[str, float]:
    """Return the ratio to raw sqlite3 for alerts one at a time."""
    ours, _ = run_lone(folder / "ours", count)
    return {"ratio_to_raw_lone_slow": round(ours / raw(folder / "raw", count, batch=1), 3)}


def storm(folder: Path, count: int, seconds: float) -> dict[str, float]:
    """Offer `count` alerts evenly over `seconds`, whatever the disk does; return latencies to durable."""
    before, waits = process_bytes(), run(storm_waits(folder, count, seconds))
    return {
        "storm_durable_p50_ms": round(waits[len(waits) // 2] * 1000, 1),
        "storm_durable_p99_ms": round(waits[len(waits) * 99 // 100] * 1000, 1),
        "process_bytes": process_bytes() - before,
    }


async def storm_waits(folder: Path, count: int, seconds: float) -> list[float]:
    """Return how long each alert of a storm waited to be durable, shortest first."""
    journal = await opened(folder, JournalSettings(reserve_bytes=1 << 20))
    events = [alert(journal.last_seq + n) for n in range(1, count + 1)]
    accepted: dict[int, float] = {}
    waits: list[float] = []
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(journal.run(), name="journal")
        confirmed = group.create_task(_confirm(journal, accepted, waits, count), name="confirm")
        await _offer(journal, events, seconds, accepted)
        await confirmed
        writer.cancel()
    return sorted(waits)


async def _offer(journal: Journal, events: list[Event], seconds: float, accepted: dict[int, float]) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    for number, event in enumerate(events):
        due = started + number * seconds / len(events)
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        accepted[event.seq] = due
        journal.append(event)


async def _confirm(journal: Journal, accepted: dict[int, float], waits: list[float], count: int) -> None:
    """Note when each alert became durable, and move the cursor as an uplink would."""
    loop = asyncio.get_running_loop()
    after = (journal.epoch, journal.last_seq)
    while len(waits) < count:
        await journal.wait(Lane.URGENT, after)
        now, after = loop.time(), journal.last(Lane.URGENT)
        for seq in [seq for seq in accepted if seq <= after[1]]:
            waits.append(now - accepted.pop(seq))
        journal.move_cursor(SINK, after)


if __name__ == "__main__":
    main()
