"""Measure how long a half-open link goes unnoticed; run inside a network namespace of its own (`unshare -n`).

Prints one JSON object: seconds until the uplink noticed, with an alert in flight and on an idle line.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from gateway.core.config import MqttTable
from gateway.runtime.loop import run
from gateway.services.uplink import Uplink
from tests.broker import Mosquitto, listener, mosquitto
from tests.uplink_parts import GATEWAY, MemoryJournal, alert_body, until


async def unnoticed_s(broker: Mosquitto, *, in_flight: bool) -> float:
    """Cut the line in silence and return how long the uplink believes in it."""
    journal = MemoryJournal()
    uplink = Uplink(
        MqttTable(url=broker.url),
        GATEWAY,
        journal=journal,
        states=lambda _device: None,
        health=lambda: b"{}",
        submit=journal.submit,
    )
    task = asyncio.create_task(uplink.run(), name="uplink")
    clock = asyncio.get_running_loop().time
    try:
        await until(lambda: uplink.statistics().connected and uplink.statistics().flying == 0)
        cut(broker.port, "-I")
        began = clock()
        if in_flight:
            journal.submit(alert_body())
        await until(lambda: not uplink.statistics().connected, within_s=60)
        noticed = clock() - began
        cut(broker.port, "-D")
        journal.submit(alert_body())
        await until(lambda: uplink.statistics().waiting == 0 and uplink.statistics().confirmed, within_s=60)
        return noticed
    finally:
        task.cancel()
        await asyncio.wait([task])


def cut(port: int, change: str) -> None:
    """Drop every packet of the broker's connections, both ways, or no longer."""
    for way in ("--dport", "--sport"):
        rule = ["INPUT", "-p", "tcp", way, str(port), "-j", "DROP"]
        subprocess.run(["iptables", "-w", change, *rule], check=True, capture_output=True)


def main() -> None:
    """Measure both cases."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        mosquitto(Path(directory)) as broker,
        listener(broker.port),
    ):
        found = {
            name: run(unnoticed_s(broker, in_flight=in_flight))
            for name, in_flight in (("in_flight", True), ("idle", False))
        }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
