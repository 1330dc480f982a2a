"""The whole daemon with 100 devices: start to first poll, resident memory, growth, share of a core.

Keys: start_to_first_poll_s, rss_mb, rss_growth_mb, cpu_share. Limits: 48 MB, no growth over the last half,
5 % of one core. The load is a simulated compound of 80 detectors, 12 covers and 8 doors on 4 paced lines at
9600 baud, where something happens every few seconds, against a real broker; ten minutes unless --minutes.
"""

import argparse
import itertools
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import rig
from tests.bench.table import Figure, at_most, present
from tests.broker import listener, mosquitto

DEVICES = ("--buildings", "3", "--detectors", "80", "--covers", "12", "--doors", "8", "--lines", "4")
DEEDS = ("enter door-1-1", "lift cover-03", "put_back cover-03", "enter door-2-2", "smoke smoke-1-1-2",
         "clear_smoke smoke-1-1-2", "lift cover-07", "put_back cover-07")  # fmt: skip
EVERY_S = 5.0


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
        ],
        figures,
    )


def measure(folder: Path, minutes: float) -> dict[str, float]:
    """Return the figures."""
    with mosquitto(folder) as broker, rig.simulator(*DEVICES) as sim, listener(broker.port):
        text = rig.configuration(sim.bus, broker_url=broker.url, state_dir=folder / "state")
        with rig.gateway(folder, text) as gateway:
            first_poll_s = wait_for_first_poll(gateway, sim)
            half_s = minutes * 30
            load(sim, half_s)
            middle_mb, cpu_s, began = gateway.rss_mb(), gateway.cpu_s(), time.monotonic()
            load(sim, half_s)
            return {
                "start_to_first_poll_s": round(first_poll_s, 3),
                "rss_mb": round(gateway.rss_mb(), 2),
                "rss_growth_mb": round(gateway.rss_mb() - middle_mb, 2),
                "cpu_share": round((gateway.cpu_s() - cpu_s) / (time.monotonic() - began), 4),
                "bare_rss_mb": bare_rss_mb(),
                "minutes": minutes,
            }


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
