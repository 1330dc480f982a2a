"""From nothing to the first alert: the wizard over a simulated compound, then the gateway, then a fire.

    python -m tests.bench.setup [--lines 3 --detectors 40 --covers 12 --doors 6]

Nobody types: the seconds are the machine's, to which a person adds their reading and their stairs. The lines keep the
time of the wire at 9600 baud, and every address up to 247 is asked.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gateway.core.toml_text import toml
from tests.bench.rig import ENVIRONMENT, GatewayProcess, Simulator, simulator
from tests.broker import listener, mosquitto, until

FLOORS = 7
SCAN_S = 900.0


def main() -> int:
    """Print how long each part took."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("lines", 3), ("detectors", 40), ("covers", 12), ("doors", 6)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = vars(parser.parse_args())
    arguments = [word for name, count in given.items() for word in (f"--{name}", str(count))]
    with (
        tempfile.TemporaryDirectory(prefix="compound-gateway-setup-") as name,
        mosquitto(Path(name)) as broker,
        simulator(*arguments, "--link", name) as sim,
        listener(broker.port, "compound/#") as far_end,
    ):
        folder, began = Path(name), time.monotonic()
        installed = wizard(folder, sim, broker.url)
        told("the wizard: lines scanned, devices named, broker tried, file written, each device read", began)
        text = (folder / "gateway.toml").read_text(encoding="utf-8")
        running = GatewayProcess(folder, text)
        try:
            until(lambda: any(heard.content == b"online" for heard in far_end.heard), what="the gateway")
            told("the gateway is online at the broker", began)
            sim.tell("set smoke-1-1-1 smoke 900")
            until(
                lambda: any(b"fire.smoke" in heard.content for heard in far_end.on("/alert")),
                what="the alert",
            )
            told(f"the first alert is at the broker; {installed} devices", began)
        finally:
            running.stop()
    return 0


def wizard(folder: Path, sim: Simulator, broker: str) -> int:
    """Play the wizard; return how many devices it put into the file."""
    answers = {
        "name": "红星亭坡 1 号院",
        "id": "hxtp-01",
        "lines": " ".join(sim.ports.values()),
        "line": list(sim.ports),
        **devices(sim),
        "broker": broker,
    }
    file = folder / "answers.toml"
    file.write_text(
        "".join(f"{toml(key)} = {toml(value)}\n" for key, value in answers.items()), encoding="utf-8"
    )
    command = [sys.executable, "-m", "gateway", "setup", "-o", str(folder / "gateway.toml")]
    done = subprocess.run(
        [*command, "--answers", str(file)], check=False, capture_output=True, text=True, env=ENVIRONMENT,
        timeout=SCAN_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return (folder / "gateway.toml").read_text(encoding="utf-8").count("[[bus.device]]")


def devices(sim: Simulator) -> dict[str, str]:
    """Return the answers about every device: which product it is, and where."""
    answers = {}
    for bus in sim.bus:
        for each in bus["device"]:
            at = f"{bus['port']}:{each['address']}"
            parts = each["name"].split("-")[1:]
            answers[f"product:{at}"] = each["profile"]
            answers[f"place:{at}"] = "/".join(parts) if each["name"].startswith(("smoke", "door")) else "."
    return answers


def told(what: str, began: float) -> None:
    """Print a step and when it was done."""
    sys.stdout.write(f"{time.monotonic() - began:7.1f} s  {what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
