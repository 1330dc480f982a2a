"""The whole daemon with 100 devices: start to first poll, resident memory, growth, share of a core.

Keys: start_to_first_poll_s, rss_mb, rss_growth_mb, cpu_share, cpu_ms_per_request; pymodbus_cpu_share,
pymodbus_cpu_ms_per_request, cpu_times_pymodbus. Limits: 48 MB, no growth over the last half, 5 % of one core, and
1.1 times what pymodbus takes for a request. The load is a simulated compound of 80 detectors, 12 covers and 8 doors on
4 paced lines at 9600 baud, where something happens every few seconds, against a real broker; ten minutes unless
--minutes.

A share of a core depends on the core, and on what else it does that day. So over the last half pymodbus' async client
(tests/bench/pymodbus_poller.py) polls a second compound of the same kind beside the gateway, by the same reads, as many
a second. It asks and throws away; we also decide whose turn it is, decode, judge every reading, publish and write down.
"""

import argparse
import itertools
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drivers import profile
from drivers.api import LineSettings
from drivers.modbus.blocks import plan
from drivers.modbus.wire import ModbusWire
from tests.bench import rig
from tests.bench.pymodbus_poller import Plan, Read, pymodbus
from tests.bench.table import Figure, at_most, present
from tests.broker import listener, mosquitto

DEVICES = ("--buildings", "3", "--detectors", "80", "--covers", "12", "--doors", "8", "--lines", "4")
DEEDS = ("enter door-1-1", "lift cover-03", "put_back cover-03", "enter door-2-2", "smoke smoke-1-1-2",
         "clear_smoke smoke-1-1-2", "lift cover-07", "put_back cover-07")  # fmt: skip
EVERY_S = 5.0
WARM_S = 3.0
MOST_TIMES = 1.1  # of pymodbus' processor time


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of load (default 10)")
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as name:
        figures = measure(Path(name), minutes)
    present(
        "process: 100 devices on 4 lines at 9600 baud",
        [
            Figure(
                "start to first poll", f"{figures['start_to_first_poll_s']:.2f} s", "peers 1.45 s, 3.25 s"
            ),
            Figure("bare interpreter with asyncio", f"{figures['bare_rss_mb']:.1f} MB"),
            at_most("resident memory at the end", figures["rss_mb"], 48, " MB"),
            at_most("growth over the last half", figures["rss_growth_mb"], 0.5, " MB"),
            at_most("share of one core", figures["cpu_share"] * 100, 5, " %"),
            Figure("  pymodbus beside it, same requests", f"{figures['pymodbus_cpu_share']:.2%}"),
            Figure("processor time a request", per_request(figures)),
            at_most("  ours, times pymodbus'", figures["cpu_times_pymodbus"], MOST_TIMES),
        ],
        figures,
    )


def per_request(figures: dict[str, float]) -> str:
    """Return what a request costs either of them, for people."""
    ours, theirs = figures["cpu_ms_per_request"], figures["pymodbus_cpu_ms_per_request"]
    return f"{ours:.3f} ms, pymodbus {theirs:.3f} ms"


def measure(folder: Path, minutes: float) -> dict[str, float]:
    """Return the figures."""
    with mosquitto(folder) as broker, rig.simulator(*DEVICES) as sim, listener(broker.port):
        text = rig.configuration(sim.bus, broker_url=broker.url, state_dir=folder / "state")
        with rig.gateway(folder, text) as gateway:
            first_poll_s = wait_for_first_poll(gateway, sim)
            half_s = minutes * 30
            seen, began = sim.requests(), time.monotonic()
            load(sim, half_s)
            took_s = time.monotonic() - began
            per_s = {line: (count - seen[line]) / took_s for line, count in sim.requests().items()}
            middle_mb = gateway.rss_mb()
            costs = beside_pymodbus(sim, gateway, per_s, half_s)
            return {
                "start_to_first_poll_s": round(first_poll_s, 3),
                "rss_mb": round(gateway.rss_mb(), 2),
                "rss_growth_mb": round(gateway.rss_mb() - middle_mb, 2),
                **costs,
                "bare_rss_mb": bare_rss_mb(),
                "minutes": minutes,
            }


def beside_pymodbus(
    sim: rig.Simulator, gateway: rig.GatewayProcess, per_s: dict[str, float], seconds: float
) -> dict[str, float]:
    """Let things happen for so long while pymodbus polls a compound of its own; return what either took."""
    with rig.simulator(*DEVICES) as other, pymodbus(plans(other, per_s)) as peer:
        time.sleep(WARM_S)
        ours, theirs = Cost(gateway.cpu_s, sim), Cost(peer.cpu_s, other)
        load(sim, seconds)
        (share, each_ms), (peer_share, peer_each_ms) = ours.so_far(), theirs.so_far()
    return {
        "cpu_share": round(share, 4),
        "cpu_ms_per_request": round(each_ms, 4),
        "pymodbus_cpu_share": round(peer_share, 4),
        "pymodbus_cpu_ms_per_request": round(peer_each_ms, 4),
        "cpu_times_pymodbus": round(each_ms / peer_each_ms, 3),
    }


class Cost:
    """What a master takes of the processor from now on, and for each request that its simulator sees."""

    def __init__(self, cpu_s: Callable[[], float], sim: rig.Simulator) -> None:
        self._cpu_s, self._sim = cpu_s, sim
        self._from = self._now()

    def so_far(self) -> tuple[float, float]:
        """Return the share of a core, and milliseconds a request."""
        took_s, cpu_s, requests = (now - then for now, then in zip(self._now(), self._from, strict=True))
        return cpu_s / took_s, cpu_s / requests * 1000

    def _now(self) -> tuple[float, float, float]:
        return time.monotonic(), self._cpu_s(), sum(self._sim.requests().values())


def plans(sim: rig.Simulator, per_s: dict[str, float]) -> list[Plan]:
    """Return the reads that the gateway makes of each line, in turn, as many a second as it made."""
    return [Plan(bus["port"], per_s[bus["name"]], reads(bus)) for bus in sim.bus]


def reads(bus: Mapping[str, Any]) -> list[Read]:
    """Return the reads of a `[[bus]]` table's devices."""
    line = LineSettings(bus["name"], bus["port"], bus["baud"])
    made: list[Read] = []
    for device in bus["device"]:
        product = profile.load(device["profile"])
        assert isinstance(product.wire, ModbusWire)
        blocks = plan(
            product.points,
            char_s=line.char_s,
            gap_s=line.gap_s,
            max_read=product.wire.max_read,
            bridge=product.wire.bridge,
        )
        asked = (block.request for block in blocks)
        made += [(device["address"], read.function, read.address, read.count) for read in asked]
    return made


def wait_for_first_poll(gateway: rig.GatewayProcess, sim: rig.Simulator) -> float:
    """Return the seconds from the start of the process to the first request a line has seen."""
    while time.monotonic() - gateway.started_at < rig.START_S:
        if any(sim.requests().values()):
            return time.monotonic() - gateway.started_at
        time.sleep(0.01)
    raise AssertionError(gateway.log.read_text(encoding="utf-8"))


def load(sim: rig.Simulator, seconds: float) -> None:
    """Let things happen in the compound, one every few seconds."""
    end, jitter = time.monotonic() + seconds, random.Random(1)
    for deed in itertools.cycle(DEEDS):
        pause_s = min(EVERY_S * jitter.uniform(0.5, 1.5), end - time.monotonic())
        if pause_s <= 0:
            return
        time.sleep(pause_s)
        sim.tell(deed)


def bare_rss_mb() -> float:
    """Return what an interpreter takes that has imported asyncio and nothing else: the floor."""
    code = (
        "import asyncio; print([l.split()[1] for l in open('/proc/self/status') if l.startswith('VmRSS')][0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout) * 1024 / 1e6


if __name__ == "__main__":
    main()
