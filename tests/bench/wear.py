"""What a card has to take: bytes to the device on a quiet day, for a lone alert, in a storm; and the years it lasts.

    sudo .venv/bin/python -m tests.bench.wear [--minutes 15] [--alerts 30] [--desk]

The real daemon with 100 devices, readings thinned, on an ext4 of its own on a loop device, whose own counter of sectors
(/sys/block/loopN/stat) sees journal and metadata as well. With `--desk` a duty desk stands beside it on the same card.

A quiet day is not waited for. Whatever returns by the clock does so every 15 minutes or more often (readings told
again; upkeep; the desk's look-round), so 15 minutes, after two of settling, times 96 are a day: but for what the hour
brings, retention, which writes nothing where nothing is old. The compound's values tremble meanwhile as real ones do.

The least that could be written: the rows themselves, rounded up to a page of the file system (4096 bytes) once for each
batch, a batch being what comes within the five seconds that readings may wait, or one alert.
"""

import argparse
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.core.board import DAY_S, YEAR_D
from gateway.runtime.journal import JournalSettings, Lane, statements
from gateway.runtime.journal.rows import decode, verify
from tests.bench import door_rig, rig
from tests.bench.disk import disk
from tests.bench.process import DEVICES
from tests.bench.table import Figure, present
from tests.broker import Listener, listener, mosquitto, until
from tests.desk_service import paging
from tests.faults.power_house import DESK

SETTLE_S: Final = 120.0
PAGE: Final = 4096
ROW_HEAD: Final = 60  # what SQLite and the columns beside the body take, roughly
CARD_TBW: Final = 30.0  # of an ordinary 32 GB card: a thousand times its room
WANTED_YEARS: Final = 10.0


@dataclass(frozen=True)
class Rows:
    """What the journal got in a time: rows, their bytes, and the least bytes of pages that takes."""

    rows: int
    bytes: int
    least: int


def main() -> None:
    """Measure and show it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.wear")
    parser.add_argument("--minutes", type=float, default=15.0, help="of quiet (default 15)")
    parser.add_argument("--alerts", type=int, default=30, help="lone ones (default 30)")
    parser.add_argument("--desk", action="store_true", help="a duty desk on the same card")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name), options)
    a_day, least = found["quiet_bytes_per_day"], found["quiet_least_bytes_per_day"]
    years = CARD_TBW * 1e12 / (a_day * YEAR_D)
    present(
        f"wear: 100 devices{' and the desk' if options.desk else ''} on ext4",
        [
            Figure("a quiet day", f"{a_day / 1e6:,.1f} MB", f"least {least / 1e6:,.1f} MB"),
            Figure("... rows of the journal", f"{found['quiet_rows_per_day']:,.0f}"),
            Figure("a lone alert, to its end", f"{found['bytes_per_lone_alert']:,.0f} bytes"),
            Figure("... an event of it", f"{found['bytes_per_lone_event']:,.0f} bytes", f"least {PAGE}"),
            Figure("an event of a storm", f"{found['bytes_per_storm_event']:,.0f} bytes"),
            Figure("one start", f"{found['bytes_per_start'] / 1e6:,.1f} MB"),
            Figure(f"years of a card that endures {CARD_TBW:g} TB, quiet days", f"{years:,.0f}", f">= {WANTED_YEARS:g}",
                   years >= WANTED_YEARS),
        ],
        {**found, "years": round(years, 1), "minutes": options.minutes, "desk": options.desk},
    )  # fmt: skip


def measure(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Return the figures."""
    with (
        disk(folder) as card,
        mosquitto(folder) as broker,
        rig.simulator(*DEVICES) as sim,
        listener(broker.port) as heard,
        paging() as pager,
    ):
        assert card.by_device, "needs root: the bytes that reach a device are its own to count"
        home = card.folder / "gateway"
        text = rig.configuration(sim.bus, broker_url=broker.url, state_dir=home / "state") + door_rig.doors(
            sim.bus
        )
        if options.desk:
            (card.folder / "desk.toml").write_text(DESK.format(port=broker.port, pager=pager.url))
        before = card.written()
        with rig.gateway(home, text):
            desk = _desk(card.folder) if options.desk else None
            try:
                until(lambda: heard.on("/health"), within_s=60, what="the gateway")
                time.sleep(SETTLE_S)
                found = {"bytes_per_start": float(card.written() - before)}
                return found | during(card.written, home / "state", sim, heard, options)
            finally:
                if desk is not None:
                    desk.terminate()
                    desk.wait(20)


def during(
    written: Callable[[], int], state: Path, sim: rig.Simulator, heard: Listener, options: argparse.Namespace
) -> dict[str, float]:  # fmt: skip
    """Return what quiet, lone alerts and a storm cost."""
    began, before = time.time(), written()
    time.sleep(options.minutes * 60)
    quiet_s, quiet = time.time() - began, written() - before
    rows = _rows(state / "journal.db", began)
    rate = quiet / quiet_s
    detectors = [
        each["name"] for bus in sim.bus for each in bus["device"] if each["profile"] == "sonbest-sm7571b"
    ]
    lone, lone_events, alerts = _lone(written, rate, sim, heard, detectors[: options.alerts])
    storm, storm_events = _storm(written, rate, sim, heard, detectors)
    return {
        "quiet_bytes_per_day": round(rate * DAY_S),
        "quiet_least_bytes_per_day": round(rows.least / quiet_s * DAY_S),
        "quiet_rows_per_day": round(rows.rows / quiet_s * DAY_S),
        "quiet_row_bytes_per_day": round(rows.bytes / quiet_s * DAY_S),
        "bytes_per_lone_alert": round(lone / alerts),
        "bytes_per_lone_event": round(lone / lone_events),
        "bytes_per_storm_event": round(storm / storm_events),
    }


def _lone(
    written: Callable[[], int], rate: float, sim: rig.Simulator, heard: Listener, names: list[str]
) -> tuple[float, int, int]:
    """Return the bytes of alerts that come one by one, the events of them, and their number."""
    before, began, first = written(), time.time(), len(heard.on("/alert"))
    for name in names:
        count = len(heard.on("/alert"))
        sim.tell(f"set {name} smoke 900")
        until(lambda count=count: len(heard.on("/alert")) > count, within_s=60, what=name)  # type: ignore[misc]
        time.sleep(1.0)
        sim.tell(f"set {name} smoke 20")
        until(lambda count=count: len(heard.on("/alert")) > count + 1, within_s=60, what=name)  # type: ignore[misc]
        time.sleep(2.0)
    return written() - before - rate * (time.time() - began), len(heard.on("/alert")) - first, len(names)


def _storm(
    written: Callable[[], int], rate: float, sim: rig.Simulator, heard: Listener, names: list[str]
) -> tuple[float, int]:
    """Return the bytes of all detectors' going on and off together, five times, and the events of them."""
    before, began, first = written(), time.time(), len(heard.on("/alert"))
    for value in (900, 20) * 5:
        for name in names:
            sim.tell(f"set {name} smoke {value}")
        time.sleep(6.0)
    return written() - before - rate * (time.time() - began), len(heard.on("/alert")) - first


def _desk(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "desk.log").open("wb") as log:
        command = [sys.executable, "-m", "gateway", "desk", "-c", str(folder / "desk.toml")]
        return subprocess.Popen(command, stdout=log, stderr=log, env=rig.ENVIRONMENT)


def _rows(database: Path, since: float) -> Rows:
    """Return what the journal got since then, read from a copy: the file itself is the daemon's alone."""
    with tempfile.TemporaryDirectory() as name:
        for file in database.parent.glob(database.name + "*"):
            if file.name.endswith((".db", "-wal")):
                shutil.copy(file, name)
        with closing(sqlite3.connect(Path(name, database.name))) as connection:
            found = [
                (decode(row).time, len(row.body) + ROW_HEAD)
                for lane in Lane
                for row in (verify(lane, columns) for *columns, _ in statements.read(connection, lane, 0, -1))
            ]
    recent = [(at, size) for at, size in found if at >= since]
    batches: dict[int, int] = {}
    for at, size in recent:
        batch = int(at / JournalSettings().readings_delay_s)
        batches[batch] = batches.get(batch, 0) + size
    least = sum(-(-size // PAGE) * PAGE for size in batches.values())
    return Rows(len(recent), sum(size for _, size in recent), least)


if __name__ == "__main__":
    main()
