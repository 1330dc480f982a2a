"""Serial adapters pulled, moved and mixed up under a real kernel, real udev, our rules and the gateway.

    sudo .venv/bin/python -m tests.systemd.usb [--root FOLDER] [--uv .tools/bin/uv]

A Debian boots under qemu (virtual_machine.py) with emulated FTDI adapters, which its kernel drives as real ones: one
with a serial number, two with the "0001" of makers who number nothing. Behind each hangs a line of the simulator, which
lives out here, on the wire's own time. What happens in the machine is in usb_inside.py; what it wants done with a plug
it says on its console, and it is done here. Prints a table and, in the last line, JSON; ends with 1 when anything was
not as it should be. `--root` keeps the Debian for the next time.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from tests.bench import rig
from tests.bench.table import Figure, present
from tests.systemd import report_disk, virtual_machine
from tests.systemd.qmp import Monitor, monitor
from tests.systemd.virtual_machine import ROOT, SITE

RULES: Final = "60-compound-gateway.rules"
LINES: Final = 3
COMPOUND: Final = ("--buildings", "3", "--detectors", "9", "--covers", "0", "--doors", "0", "--lines", "4")
ORDER: Final = re.compile(rb"@(plug|unplug|burn|quench) (\w+) ?(\w*) ?(\w*)@")


def main() -> int:
    """Do everything and show it."""
    parser = argparse.ArgumentParser(prog="python -m tests.systemd.usb")
    parser.add_argument("--root", type=Path, help="where the bootstrapped Debian is kept")
    parser.add_argument("--uv", default=".tools/bin/uv")
    parser.add_argument("--minutes", type=float, default=40.0, help="longest time in the machine")
    options = parser.parse_args()
    if why := virtual_machine.missing():
        parser.error(why)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = options.root or folder / "root"
        if not (root / "usr").exists():
            virtual_machine.bootstrap(root)
        virtual_machine.install(root, str(Path(options.uv).absolute()))
        shutil.copy(ROOT / "systemd" / RULES, root / "usr/lib/udev/rules.d" / RULES)
        with rig.simulator(*COMPOUND) as sim:
            steps = inside(root, folder, sim, options.minutes * 60)
    return show(steps)


def inside(root: Path, folder: Path, sim: rig.Simulator, timeout_s: float) -> list[dict[str, Any]]:
    """Run the part in the machine, and do what it asks for; return its steps."""
    buses = sim.bus[:LINES]
    (root / SITE / "usb.json").write_text(json.dumps(buses), encoding="utf-8")
    disks = [folder / "system.img", folder / "report.img"]
    virtual_machine.image(root, disks[0], "-m tests.systemd.usb_inside")
    report_disk.blank(disks[1], megabytes=1)
    console = folder / "console.log"
    command = [*virtual_machine.command(root, disks), "-device", "qemu-xhci,id=usb"]
    command += ["-qmp", f"unix:{folder / 'qmp'},server=on,wait=off"]
    for bus in buses:
        command += ["-chardev", f"serial,id={bus['name']},path={bus['port']}"]
    with console.open("wb") as output:
        machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            with monitor(folder / "qmp") as hands:
                _obey(machine, console, Hands(hands, sim), timeout_s)
        finally:
            machine.kill()
            machine.wait()
    if (told := report_disk.read(disks[1])) is None:
        raise RuntimeError(console.read_text(errors="replace")[-3000:])
    steps: list[dict[str, Any]] = told
    return steps


class Hands:
    """Whoever stands before the box: plugs an adapter in, pulls it out, holds a lighter under a detector."""

    def __init__(self, machine: Monitor, sim: rig.Simulator) -> None:
        self._machine, self._sim = machine, sim

    def do(self, deed: str, what: str, where: str, number: str) -> None:
        """Do what the machine asks for."""
        match deed:
            case "plug":
                self._machine.ask(
                    "device_add", driver="usb-serial", id=f"adapter-{what}", chardev=f"riser-{what}",
                    bus="usb.0", port=where, serial=number,
                )  # fmt: skip
            case "unplug":
                self._machine.ask("device_del", id=f"adapter-{what}")
            case "burn" | "quench":
                self._sim.tell(f"set {what.replace('_', '-')} smoke {900 if deed == 'burn' else 30}")


def _obey(machine: subprocess.Popen[bytes], console: Path, hands: Hands, timeout_s: float) -> None:
    """Do each order on the console as it comes, until the machine has powered off."""
    done, until = 0, time.monotonic() + timeout_s
    while machine.poll() is None and time.monotonic() < until:
        orders = ORDER.findall(console.read_bytes())
        for order in orders[done:]:
            hands.do(*(word.decode() for word in order))
            print(f"  {b' '.join(order).decode()}", file=sys.stderr, flush=True)
        done = len(orders)
        time.sleep(0.2)


def show(steps: list[dict[str, Any]]) -> int:
    """Print what came of it; return the exit code."""
    figures = [Figure(each["name"], each["told"], met=each["ok"]) for each in steps]
    present("adapters under a real kernel and udev", figures, {"steps": steps})
    return 0 if steps and all(each["ok"] for each in steps) else 1


if __name__ == "__main__":
    sys.exit(main())
