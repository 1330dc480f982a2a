"""A flood of orders: 10,000 a second for ten seconds over a real broker, while a simulated compound is polled.

    python -m tests.bench.doors_flood [--seconds 10] [--per-second 10000] [--kind rubbish|replay|forged]

Prints one JSON object. The two figures that matter are ratios within one run: how many polls the lines made, and how
long an alarm took from the detector to the far end, during the flood over before it. `backlog_s` is for how long the
broker still had some to hand over afterwards: here it throws nothing away. `rubbish` is no order at all,
`replay` is a good order again and again, `forged` has a live nonce and a signature of somebody else's: the dear one.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.rig import ENVIRONMENT, GatewayProcess
from tests.broker import until
from tests.orders import DESK, STRANGER
from tests.whole.orders import COMMAND, Afar, afar_of

COMPOUND = ("--buildings", "2", "--detectors", "24", "--covers", "2", "--doors", "2", "--lines", "2")
ALARMS = 8


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--per-second", type=int, default=10_000)
    parser.add_argument("--kind", choices=("rubbish", "replay", "forged"), default="replay")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measured(Path(folder), told.kind, told.per_second, told.seconds), indent=2))


def measured(folder: Path, kind: str, per_second: int, seconds: float) -> dict[str, Any]:
    """Run the whole thing once."""
    heard = tuple(
        f"compound/v1/+/{what}" for what in ("alert", "state/#", "nonce", "outcome", "availability")
    )
    with afar_of(folder, *COMPOUND, topics=heard) as far, far.street.gateway() as gateway:
        until(lambda: far.street.state("door-1-1").get("online"), what="the door online")
        detectors = [
            device["name"]
            for bus in far.street.sim.bus
            for device in bus["device"]
            if device["profile"] == "sonbest-sm7571b"
        ]
        far.order(DESK, arguments={"seconds": 0.5})
        until(lambda: not far.strike(), what="the strike falls")
        quiet = phase(far, gateway, detectors[:ALARMS], seconds)
        before = counted(gateway)
        flooder = flood(folder, far, kind, per_second, seconds)
        loud = phase(far, gateway, detectors[ALARMS : 2 * ALARMS], seconds - 1.0)
        opened = far.strike()
        sent = json.loads(flooder.communicate(timeout=60)[0])
        ended = time.monotonic()
        until(lambda: counted(gateway) - before >= sent["sent"], within_s=60, what="the end of the backlog")
        drained_s = time.monotonic() - ended
        good = far.order(DESK, arguments={"seconds": 0.5})
        return {
            "kind": kind,
            "sent": sent["sent"],
            "sent_per_second": round(sent["sent"] / sent["seconds"]),
            "refused": counted(gateway) - before,
            "backlog_s": round(drained_s, 1),
            "opened": opened,
            "lines_written": len(far.outcomes()),
            "polls_ratio": round(loud["polls_per_second"] / quiet["polls_per_second"], 3),
            "alarm_p50_ratio": round(loud["alarm_p50_ms"] / quiet["alarm_p50_ms"], 2),
            "quiet": quiet,
            "flood": loud,
            "a_good_order_afterwards": good["data"]["result"],
        }


def phase(far: Afar, gateway: GatewayProcess, detectors: list[str], seconds: float) -> dict[str, float]:
    """Watch for some seconds: polls, processor time, and alarms from end to end."""
    polls, cpu, began = polled(gateway), gateway.cpu_s(), time.monotonic()
    took = [alarm_ms(far, name) for name in spread(detectors, seconds)]
    while time.monotonic() - began < seconds:
        time.sleep(0.05)
    spent = time.monotonic() - began
    return {
        "polls_per_second": round((polled(gateway) - polls) / spent, 1),
        "cpu_share": round((gateway.cpu_s() - cpu) / spent, 2),
        "alarm_p50_ms": round(statistics.median(took), 1),
        "alarm_max_ms": round(max(took), 1),
    }


def spread(names: list[str], seconds: float) -> Any:
    """Yield names over the time there is."""
    for name in names:
        yield name
        time.sleep(seconds / len(names) / 4)


def alarm_ms(far: Afar, name: str) -> float:
    """Set a detector on fire and return how long it took to be heard at the far end."""
    at = far.street.sim.tell(f"set {name} smoke 900")["at"]
    return (heard_at(far, name) - float(at)) * 1000


def heard_at(far: Afar, name: str) -> float:
    def found() -> list[float]:
        return [
            heard.at
            for heard in far.street.far_end.on("/alert")
            if (event := json.loads(heard.content))["type"].endswith("raised")
            and event["data"]["kind"] == "fire.smoke"
            and event["data"]["device"] == name
        ]

    until(found, within_s=60, what=f"the alarm of {name}")
    return found()[0]


def counted(gateway: GatewayProcess) -> int:
    return int(gateway.ask("status")["orders"]["refused"])


def polled(gateway: GatewayProcess) -> int:
    return sum(bus["polls"] for bus in gateway.ask("status")["buses"])


def flood(folder: Path, far: Afar, kind: str, per_second: int, seconds: float) -> "subprocess.Popen[str]":
    """Start a process that publishes one order again and again, QoS 0, as fast as it is told."""
    made: dict[str, Callable[[], bytes]] = {
        "rubbish": lambda: b"x" * 400,
        "replay": lambda: DESK.sign(far.claims(DESK, nonce="x" * 22)),
        "forged": lambda: STRANGER.sign(far.claims(DESK), kid="desk"),
    }
    file = folder / "order"
    file.write_bytes(made[kind]())
    command = [sys.executable, "-m", "tests.bench.flooder", str(far.street.broker.port), COMMAND, str(file),
               str(per_second), str(seconds)]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)


if __name__ == "__main__":
    main()
