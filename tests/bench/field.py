"""The line against the limit of the wire and a bare loop, and how long a fire takes from the register to the broker.

Keys: wire_ratio {baud: ratio}, bare_wire_ratio {baud: ratio}, share_of_bare {baud: share}, wire_ratio_dead,
latency_over_bound_p99_ms, latency_over_bare_bound_p99_ms and both with _dead, cpu_s_per_1000_polls and
bare_cpu_s_per_1000_polls. Limits: 97 %, 97 % and 93 % of the wire at 9600, 19200 and 115200 baud; 99 % of the bare
loop's polls in the same minutes; p99 within 15 ms of either bound.

How the wire is measured is said in tests/bench/wire_part.py.

The bound of the latency is what the line cannot avoid: one whole cycle of polls, when the change comes just
after its device was asked, that poll's own time on the wire, and the second read that confirms it. With dead
devices a cycle has in it, besides, one probe that waits as long as the datasheet says. The bare bound is the same
with the time that a bare loop needed for a poll of that simulated line just before: what the simulator and the machine
are late by is in it, and what is over it is ours.
"""

import argparse
import json
import random
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers import profile
from drivers.api import LineSettings
from tests.bench import bare_poller, rig, wire_part
from tests.bench.bare_poller import Rate
from tests.bench.table import Figure, at_most, present
from tests.bench.wire_part import DEVICES, PRODUCT, InTurn, of_wire, poll_s, questions
from tests.broker import Listener, listener, mosquitto, until

LIMITS = {9600: 0.97, 19200: 0.97, 115200: 0.93}  # of the wire
OF_BARE = 0.99
OVER_MS = 15
DEAD = 3
WARM_S = 6.0
BARE_S = 3.0
TURNAROUND_S = 0.01
LINE = LineSettings("bench", "", 9600)


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of polling at each speed (default 20)")
    parser.add_argument("--rounds", type=int, default=4, help="of one fire per healthy detector (default 4)")
    options = parser.parse_args()
    wire = {baud: wire_part.healthy(baud, options.seconds) for baud in LIMITS}
    dead = wire_part.beside_dead(9600, options.seconds, DEAD)
    with tempfile.TemporaryDirectory() as name:
        healthy = latencies(Path(name) / "healthy", options.rounds, dead=0)
        beside_dead = latencies(Path(name) / "dead", options.rounds, dead=DEAD)
    figures = {
        **wire_figures(wire, dead),
        **latency_figures(healthy, dead=0, suffix=""),
        **latency_figures(beside_dead, dead=DEAD, suffix="_dead"),
    }
    told = [*wire_table(wire, dead), *latency_table(figures)]
    present("field: polls against the wire, and from register to broker", told, figures)


def wire_figures(wire: dict[int, InTurn], dead: Rate) -> dict[str, Any]:
    """Return the figures of the wire."""
    fast = wire[115200]
    return {
        "wire_ratio": {str(baud): round(of_wire(each.ours, baud), 4) for baud, each in wire.items()},
        "bare_wire_ratio": {str(baud): round(of_wire(each.bare, baud), 4) for baud, each in wire.items()},
        "share_of_bare": {str(baud): round(each.share, 4) for baud, each in wire.items()},
        "wire_ratio_dead": round(of_wire(dead, 9600), 4),
        "cpu_s_per_1000_polls": round(fast.ours.cpu_s * 1000, 4),
        "bare_cpu_s_per_1000_polls": round(fast.bare.cpu_s * 1000, 4),
    }


def wire_table(wire: dict[int, InTurn], dead: Rate) -> list[Figure]:
    """Return the lines of the table that are about the wire."""
    told: list[Figure] = []
    for baud, each in wire.items():
        wanted = LIMITS[baud]
        told += [
            Figure(
                f"{baud} baud", _told(each.ours, baud), f">= {wanted:.0%}", of_wire(each.ours, baud) >= wanted
            ),
            Figure("  a bare loop, in turn with ours", _told(each.bare, baud)),
            Figure(
                "  ours, of the bare loop's", f"{each.share:.1%}", f">= {OF_BARE:.0%}", each.share >= OF_BARE
            ),
        ]
    fast = wire[115200]
    cost = f"{fast.ours.cpu_s * 1000:.3f} s, a bare loop {fast.bare.cpu_s * 1000:.3f} s"
    return [
        *told,
        Figure(f"9600 baud, {DEAD} of {DEVICES} dead", _told(dead, 9600)),
        Figure("processor time per 1,000 polls", cost),
    ]


def _told(rate: Rate, baud: int) -> str:
    return f"{of_wire(rate, baud):.1%} ({rate.polls_per_s:.1f} polls/s)"


def latency_table(figures: dict[str, Any]) -> list[Figure]:
    """Return the lines of the table that are about a fire."""
    told: list[Figure] = []
    for suffix, what in (("", "32 healthy"), ("_dead", f"{DEAD} of 32 dead")):
        p50, p99 = figures[f"latency_p50{suffix}_ms"], figures[f"latency_p99{suffix}_ms"]
        told.append(Figure(f"fire, register to broker, {what}", f"p50 {p50:.0f} ms, p99 {p99:.0f} ms"))
        for bound, whose in (("bound", ""), ("bare_bound", " of a bare loop")):
            over, of_ms = figures[f"latency_over_{bound}_p99{suffix}_ms"], figures[f"{bound}{suffix}_ms"]
            told.append(at_most(f"  p99 over the bound of {of_ms:.0f} ms{whose}", over, OVER_MS, " ms"))
    return told


# --- from register to broker ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Round:
    """The seconds each fire took, and what a bare loop needed for a poll of that line just before."""

    took: list[float]
    bare_poll_s: float


def latencies(folder: Path, rounds: int, *, dead: int) -> list[Round]:
    """Set each healthy detector on fire at a random moment, one after the other, and that as often as `rounds`."""
    # anew each time: a fire stays until a person resets it
    return [_round(folder / str(number), number, dead=dead) for number in range(rounds)]


def _round(folder: Path, seed: int, *, dead: int) -> Round:
    chance = random.Random(seed)
    folder.mkdir(parents=True)
    arguments = ["--profile", PRODUCT, "--devices", str(DEVICES), "--turnaround-ms", str(TURNAROUND_S * 1000)]
    with (
        mosquitto(folder) as broker,
        rig.simulator(*arguments, "--dead", str(dead)) as sim,
        listener(broker.port, "compound/v1/+/alert") as far_end,
    ):
        port = next(iter(sim.ports.values()))
        bare = bare_poller.poll(port, questions(DEVICES - dead), LINE.gap_s, BARE_S)
        text = rig.configuration(sim.bus, broker_url=broker.url, state_dir=folder / "state")
        with rig.gateway(folder, text) as gateway:
            until(lambda: _settled(gateway, dead), what="every healthy device answers")
            time.sleep(WARM_S)  # until the dead are known to be dead
            names = [device["name"] for device in sim.bus[0]["device"]][: DEVICES - dead]
            chance.shuffle(names)
            return Round([_fire(sim, far_end, name, chance) for name in names], 1 / bare.polls_per_s)


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


def bound_s(one_poll_s: float, *, dead: int) -> float:
    """Return what the line cannot avoid: a cycle, two reads, and a probe where there is one to be made."""
    product = profile.load(PRODUCT)
    cycle_s = max(product.points[0].interval_s, (DEVICES - dead) * one_poll_s)
    probe_s = 8 * LINE.char_s + product.timing.timeout_s + LINE.gap_s if dead else 0.0
    return cycle_s + 2 * one_poll_s + probe_s


def latency_figures(rounds: list[Round], *, dead: int, suffix: str) -> dict[str, float]:
    """Return median, 99th percentile (nearest rank) and how far that is over the bounds, in ms."""
    ordered = sorted(took for each in rounds for took in each.took)
    p99 = ordered[min(len(ordered) - 1, -(-99 * len(ordered) // 100) - 1)]
    bound = bound_s(poll_s(LINE, TURNAROUND_S), dead=dead)
    bare_bound = bound_s(statistics.median(each.bare_poll_s for each in rounds), dead=dead)
    return {
        f"latency_p50{suffix}_ms": round(ordered[len(ordered) // 2] * 1000, 1),
        f"latency_p99{suffix}_ms": round(p99 * 1000, 1),
        f"bound{suffix}_ms": round(bound * 1000, 1),
        f"bare_bound{suffix}_ms": round(bare_bound * 1000, 1),
        f"latency_over_bound_p99{suffix}_ms": round((p99 - bound) * 1000, 1),
        f"latency_over_bare_bound_p99{suffix}_ms": round((p99 - bare_bound) * 1000, 1),
        f"fires{suffix}": len(ordered),
    }


if __name__ == "__main__":
    main()
