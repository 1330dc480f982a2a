"""The line against the limit of the wire, and how long a fire takes from the register to the broker.

Keys: wire_ratio {baud: ratio}, wire_ratio_dead, latency_over_bound_p99_ms, latency_over_bound_p99_dead_ms,
cpu_s_per_1000_polls. Limits: 97 %, 97 % and 93 % of the wire at 9600, 19200 and 115200 baud; p99 within 15 ms of
the bound.

The limit of the wire for a read of N registers is T = 8c + gap + (5 + 2N)c + gap, c the time of a character, gap
3.5 of them (1.75 ms above 19200 baud): the next request cannot begin before both frames and both silences are
over. The simulator, a process of its own, keeps the time of the wire and adds no turnaround of its own here.

The bound of the latency is what the line cannot avoid: one whole cycle of polls, when the change comes just
after its device was asked, that poll's own time on the wire, and the second read that confirms it. With dead
devices a cycle has in it, besides, one probe that waits as long as the datasheet says.
"""

import argparse
import asyncio
import dataclasses
import json
import random
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from drivers import profile
from drivers.api import Device, LineSettings, Quality, Reading, Report
from drivers.modbus.driver import ModbusDriver
from gateway.runtime import loop
from tests.bench import rig
from tests.bench.table import Figure, at_most, present
from tests.broker import Listener, listener, mosquitto, until

PRODUCT = "sonbest-sm7571b"  # one holding register, read by FC 3: N = 1
BAUDS = (9600, 19200, 115200)
LIMITS = {9600: 0.97, 19200: 0.97, 115200: 0.93}
DEVICES = 32
DEAD = 3
WARM_S = 6.0
WINDOWS = 5  # the median of which counts


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of polling at each speed (default 20)")
    parser.add_argument("--rounds", type=int, default=4, help="of one fire per healthy detector (default 4)")
    options = parser.parse_args()
    wire = {baud: polling(baud, options.seconds, dead=0) for baud in BAUDS}
    dead = polling(9600, options.seconds, dead=DEAD)
    with tempfile.TemporaryDirectory() as name:
        healthy = latencies(Path(name) / "healthy", options.rounds, dead=0)
        beside_dead = latencies(Path(name) / "dead", options.rounds, dead=DEAD)
    figures = {
        "wire_ratio": {str(baud): round(run["ratio"], 4) for baud, run in wire.items()},
        "wire_ratio_dead": round(dead["ratio"], 4),
        "cpu_s_per_1000_polls": round(wire[115200]["cpu_s"] * 1000, 4),
        **latency_figures(healthy, dead=0, suffix=""),
        **latency_figures(beside_dead, dead=DEAD, suffix="_dead"),
    }
    present("field: polls against the wire, and from register to broker", table(wire, dead, figures), figures)


def table(wire: dict[int, Any], dead: dict[str, float], figures: dict[str, Any]) -> list[Figure]:
    """Return the table."""
    told = [
        Figure(
            f"{baud} baud",
            f"{run['ratio']:.1%} ({run['polls_per_s']:.1f} polls/s)",
            f">= {LIMITS[baud]:.0%}",
            run["ratio"] >= LIMITS[baud],
        )
        for baud, run in wire.items()
    ]
    ratio = f"{dead['ratio']:.1%} ({dead['polls_per_s']:.1f} polls/s)"
    told += [
        Figure(f"9600 baud, {DEAD} of {DEVICES} dead", ratio),
        Figure("processor time per 1,000 polls", f"{figures['cpu_s_per_1000_polls']:.3f} s"),
    ]
    for suffix, what in (("", "32 healthy"), ("_dead", f"{DEAD} of 32 dead")):
        p50, p99 = figures[f"latency_p50{suffix}_ms"], figures[f"latency_p99{suffix}_ms"]
        told.append(Figure(f"fire, register to broker, {what}", f"p50 {p50:.0f} ms, p99 {p99:.0f} ms"))
        over, bound = figures[f"latency_over_bound_p99{suffix}_ms"], figures[f"bound{suffix}_ms"]
        told.append(at_most(f"  p99 over the bound of {bound:.0f} ms", over, 15, " ms"))
    return told


# --- polls per second -----------------------------------------------------------------------------


def polling(baud: int, seconds: float, *, dead: int) -> dict[str, float]:
    """Poll for a while as fast as the line allows; return polls/s, ratio to the limit, processor time a poll."""
    arguments = [
        "--profile",
        PRODUCT,
        "--devices",
        str(DEVICES),
        "--baud",
        str(baud),
        "--turnaround-ms",
        "0",
        "--spin",
    ]
    with rig.simulator(*arguments, "--dead", str(dead)) as sim:
        return loop.run(_poll(next(iter(sim.ports.values())), baud, seconds))


async def _poll(port: str, baud: int, seconds: float) -> dict[str, float]:
    product = profile.load(PRODUCT)
    eager = dataclasses.replace(
        product, points=tuple(dataclasses.replace(point, interval_s=0.0) for point in product.points)
    )
    settings = LineSettings("bench", port, baud)
    good: Counter[bool] = Counter()

    def count(told: Report) -> None:
        if isinstance(told, Reading):
            good[told.quality is Quality.GOOD] += 1

    devices = [Device(f"smoke-{address}", eager, address) for address in range(1, DEVICES + 1)]
    driver = ModbusDriver(settings, devices, count)
    polling = asyncio.create_task(driver.run())
    await asyncio.sleep(WARM_S)  # time-outs are learned, the dead are found dead
    windows = [await _window(good, seconds / WINDOWS) for _ in range(WINDOWS)]
    polling.cancel()
    await asyncio.wait([polling])
    per_s = statistics.median(rate for rate, _ in windows)  # these machines have other guests
    cpu_s = statistics.median(cost for _, cost in windows)
    return {"polls_per_s": per_s, "ratio": per_s * poll_s(settings), "cpu_s": cpu_s}


async def _window(good: Counter[bool], seconds: float) -> tuple[float, float]:
    """Return good polls a second, and processor time a poll, of the next seconds."""
    good.clear()
    began, cpu_began = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    took_s, cpu_s = time.monotonic() - began, time.process_time() - cpu_began
    return good[True] / took_s, cpu_s / max(1, good[True])


def poll_s(settings: LineSettings, turnaround_s: float = 0.0) -> float:
    """Return the least time one poll of one register takes."""
    return (8 + 5 + 2) * settings.char_s + max(turnaround_s, settings.gap_s) + settings.gap_s


# --- from register to broker ----------------------------------------------------------------------

TURNAROUND_S = 0.01


def latencies(folder: Path, rounds: int, *, dead: int) -> list[float]:
    """Set each healthy detector on fire at a random moment, one after the other; return the seconds each took."""
    took: list[float] = []
    for number in range(rounds):  # anew each time: a fire stays until a person resets it
        took += _round(folder / str(number), number, dead=dead)
    return took


def _round(folder: Path, seed: int, *, dead: int) -> list[float]:
    chance = random.Random(seed)
    folder.mkdir(parents=True)
    arguments = ["--profile", PRODUCT, "--devices", str(DEVICES), "--turnaround-ms", str(TURNAROUND_S * 1000)]
    with (
        mosquitto(folder) as broker,
        rig.simulator(*arguments, "--dead", str(dead)) as sim,
        listener(broker.port, "compound/v1/+/alert") as far_end,
    ):
        text = rig.configuration(sim.bus, broker_url=broker.url, state_dir=folder / "state")
        with rig.gateway(folder, text) as gateway:
            until(lambda: _settled(gateway, dead), what="every healthy device answers")
            time.sleep(WARM_S)  # until the dead are known to be dead
            names = [device["name"] for device in sim.bus[0]["device"]][: DEVICES - dead]
            chance.shuffle(names)
            return [_fire(sim, far_end, name, chance) for name in names]


def _settled(gateway: rig.GatewayProcess, dead: int) -> bool:
    """Return whether each device has answered, but for those that are known to be dead."""
    try:
        devices = gateway.ask("status")["buses"][0]["devices"]
    except (subprocess.CalledProcessError, json.JSONDecodeError):
        return False
    return sum(bool(device["online"]) for device in devices) == DEVICES - dead


def _fire(sim: rig.Simulator, far_end: Listener, name: str, chance: random.Random) -> float:
    """Set one detector on fire and return how long it took until its alert came out of the broker."""
    time.sleep(chance.uniform(1.2, 2.4))  # the line has forgotten the fire before
    at: float = sim.tell(f"set {name} smoke 900")["at"]
    seen = len(far_end.heard)

    def came() -> list[float]:
        alerts = [(heard.at, json.loads(heard.content)) for heard in far_end.heard[max(0, seen - 3) :]]
        return [
            when
            for when, alert in alerts
            if alert["data"]["device"] == name and alert["type"] == "compound.alert.raised"
            if alert["data"]["kind"] == "fire.smoke"
        ]

    until(came, what=f"the alert of {name}")
    return came()[0] - at


def bound_s(*, dead: int) -> float:
    """Return what the line cannot avoid: a cycle, two reads, and a probe where there is one to be made."""
    product = profile.load(PRODUCT)
    line = LineSettings("bench", "", 9600)
    cycle_s = max(product.points[0].interval_s, (DEVICES - dead) * poll_s(line, TURNAROUND_S))
    probe_s = 8 * line.char_s + product.timing.timeout_s + line.gap_s if dead else 0.0
    return cycle_s + 2 * poll_s(line, TURNAROUND_S) + probe_s


def latency_figures(took: list[float], *, dead: int, suffix: str) -> dict[str, float]:
    """Return median, 99th percentile (nearest rank) and how far that is over the bound, in ms."""
    ordered = sorted(took)
    p99 = ordered[min(len(ordered) - 1, -(-99 * len(ordered) // 100) - 1)]
    bound = bound_s(dead=dead)
    return {
        f"latency_p50{suffix}_ms": round(ordered[len(ordered) // 2] * 1000, 1),
        f"latency_p99{suffix}_ms": round(p99 * 1000, 1),
        f"bound{suffix}_ms": round(bound * 1000, 1),
        f"latency_over_bound_p99{suffix}_ms": round((p99 - bound) * 1000, 1),
        f"fires{suffix}": len(took),
    }


if __name__ == "__main__":
    main()
