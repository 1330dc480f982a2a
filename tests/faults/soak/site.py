"""The place of the soak: a compound on two lines, a broker, a desk, and the unmodified gateway on a small disk.

The gateway runs under a manager as under systemd, where that is wanted with its own clock (libfaketime's file), and
with `confirm = "desk"`: an alert is delivered when the desk has committed it, whatever the broker said.
"""

import asyncio
import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from gateway.desk.store.database import Row
from gateway.terminal.client import Client
from gateway.terminal.errors import ToolError
from tests.bench.rig import ENVIRONMENT, Simulator, configuration, simulator
from tests.broker import Heard, listener, mosquitto
from tests.desk_parts import opened
from tests.desk_service import paging
from tests.faults.desk_rig import Desk
from tests.faults.disk import Disk, disk
from tests.faults.soak.ledger import Arrival
from tests.faults.soak.manager import Manager

PERSISTENT = ("persistence true", "autosave_interval 1", "autosave_on_changes true", "max_queued_messages 0",
              "max_inflight_messages 200")  # fmt: skip
COMPOUND = "--buildings 2 --detectors 24 --covers 4 --doors 3 --lines 3"
FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


class Site:
    """Everything that stands around one gateway, and the gateway. Made by `site`."""

    def __init__(
        self, folder: Path, stack: ExitStack, *, watchdog_s: float, compound: str, own_clock: bool
    ) -> None:
        self.folder = folder
        self._story = folder / "story.txt"
        self.disk: Disk = stack.enter_context(disk(folder / "card"))
        places = (*PERSISTENT, f"persistence_location {folder}/")
        self.broker = stack.enter_context(mosquitto(folder, *places))
        self.sim: Simulator = stack.enter_context(
            simulator(*compound.split(), "--link", str(folder / "ports"))
        )
        pager = stack.enter_context(paging())
        self.far_end = stack.enter_context(listener(self.broker.port, "compound/v1/+/alert", name="far-end"))
        self.heard_at = time.time() - time.monotonic()  # of the listener's clock, on the ledger's
        self.record = str(folder / "desk.db")
        self.desk = Desk(folder, "street", self.record, self.broker.port, pager.url)
        stack.callback(self.desk.kill)
        self.desk_wanted = True
        self.desk.launch()
        self.file = folder / "gateway.toml"
        text = configuration(self.sim.bus, broker_url=self.broker.url, state_dir=folder / "card" / "state")
        self.text = text.replace("[mqtt]\n", '[mqtt]\nconfirm = "desk"\n')
        self.file.write_text(self.text, encoding="utf-8")
        self.clock = folder / "clock"
        self.clock.write_text("+0\n", encoding="ascii")
        (folder / "run").mkdir()
        self.gateway = Manager(
            [sys.executable, "-m", "gateway", "run", "-c", str(self.file)],
            folder,
            watchdog_s=watchdog_s,
            environment={
                **ENVIRONMENT,
                **(_fake_clock(self.clock) if own_clock else {}),
                "RUNTIME_DIRECTORY": str(folder / "run"),
            },
        )
        stack.callback(self._end)

    @property
    def lines(self) -> list[str]:
        """Return the names of the lines."""
        return [str(bus["name"]) for bus in self.sim.bus]

    def devices(self, profile: str) -> list[str]:
        """Return the devices of a product."""
        there = (device for bus in self.sim.bus for device in bus["device"])
        return [str(device["name"]) for device in there if device["profile"] == profile]

    def line_of(self, device: str) -> str:
        """Return on which line a device hangs."""
        return str(
            next(bus["name"] for bus in self.sim.bus if any(d["name"] == device for d in bus["device"]))
        )

    def tick(self) -> None:
        """Keep the gateway and the desk running."""
        self.gateway.tick()
        if self.desk_wanted and not self.desk.runs:
            self.desk.launch()

    def ask(self, op: str, **fields: object) -> dict[str, Any] | None:
        """Ask the gateway over its control socket; None when it does not answer, or says no."""
        try:
            return Client([self.folder / "run" / "control.sock"]).ask(op, **fields)
        except (ToolError, OSError):
            return None

    def heard(self) -> list[Arrival]:
        """Return what came over the broker so far."""
        return self.heard_from(0)

    def heard_from(self, index: int) -> list[Arrival]:
        """Return what came over the broker from the `index`-th on."""
        return [arrival_of(each, self.heard_at) for each in self.far_end.heard[index:]]

    def recorded(self) -> list[Arrival]:
        """Return what the desk has committed. The desk must have stopped: its file is its own."""
        return [_arrival(row) for row in asyncio.run(_rows(self.record))]

    @property
    def forgetful(self) -> bool:
        """Return whether the disk takes nothing just now."""
        return self.disk.broken or self.disk.stalled or self.disk.full

    def note(self, what: str, name: str) -> None:
        """Write a line of what the soak did, with the moment on the clock that events carry."""
        with self._story.open("a", encoding="utf-8") as story:
            story.write(f"{time.monotonic():.3f} {time.time():.1f} {what} {name}\n")

    def keep_record(self) -> None:
        """Copy the journal beside everything else: the card goes with its mount."""
        shutil.copytree(self.folder / "card" / "state", self.folder / "state", dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("*.sock", "*.reserve"))  # fmt: skip

    def _end(self) -> None:
        self.disk.resume()
        if self.gateway.process is not None:
            self.gateway.process.kill()
            self.gateway.process.wait()


@contextlib.contextmanager
def site(
    folder: Path, *, watchdog_s: float = 10.0, compound: str = COMPOUND, own_clock: bool = True
) -> Iterator[Site]:
    """Have such a place; its gateway starts with the first `tick`.

    A clock of its own costs a gateway many times the work: without faults of the clock it may have the machine's.
    """
    with ExitStack() as stack:
        yield Site(folder, stack, watchdog_s=watchdog_s, compound=compound, own_clock=own_clock)


def arrival_of(heard: Heard, wall_minus_monotonic: float) -> Arrival:
    """Return an alert event as the ledger wants it."""
    event = json.loads(heard.content)
    previous = _number(event["previous"]) if "previous" in event else None
    data = event["data"]
    return Arrival(
        _number(event["id"]), previous, event["subject"], data["kind"], data["device"],
        heard.at + wall_minus_monotonic, heard.content,
    )  # fmt: skip


async def _rows(where: str) -> Sequence[Row]:
    wanted = "SELECT epoch, seq, previous, alert, received, body FROM events WHERE gateway = 'bench'"
    async with opened(where) as database, database.transaction() as transaction:
        return await transaction.fetch(wanted)


def _arrival(row: Row) -> Arrival:
    data = json.loads(row["body"])
    data = data.get("data", data)
    previous = None if row["previous"] is None else (row["epoch"], row["previous"])
    life = row["alert"].partition("/")[2]
    return Arrival(
        (row["epoch"], row["seq"]), previous, life, data["kind"], data.get("device"), row["received"]
    )


def _number(text: str) -> tuple[int, int]:
    epoch, _, seq = text.partition(".")
    return int(epoch), int(seq)


def _fake_clock(file: Path) -> dict[str, str]:
    """Return what gives a process the clock that a file says; nothing where libfaketime is not installed."""
    if FAKETIME is None:
        return {}
    return {
        "LD_PRELOAD": os.fspath(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
