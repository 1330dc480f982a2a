"""The real package under a real systemd and a kernel of its own: limits that bite, a chip that resets, a lost clock.

    sudo .venv/bin/python -m tests.systemd.machine build/deb/*_arm64.deb [--architecture arm64] [--root FOLDER]

An emulated Debian (virtual_machine.py) with a watchdog chip (Intel 6300ESB) and no network lives three lives on one
disk. What happens in each is in machine_inside.py. The first ends when process 1 is made to hang, the second when the
kernel is: the chip must reset the machine both times, which qemu tells from outside. The third is given a clock that
begins in 1970. Prints a table and, in the last line, JSON; ends with 1 when anything was not as it should be.
`--root` keeps the bootstrapped Debian for the next time.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.bench.table import Figure, present
from tests.systemd import report_disk, virtual_machine
from tests.systemd.place import ENVIRONMENT
from tests.systemd.qmp import monitor
from tests.systemd.virtual_machine import PROCESSORS, SITE

CHIP: Final = ("-device", "i6300esb", "-action", "watchdog=reset")
# Twenty times slower, on a host that may be busy: how long the unit itself may take is looked at in real.py.
SLOWLY: Final = "[Service]\nTimeoutStartSec=1h\nWatchdogSec=10min\n"
DROP_IN: Final = "etc/systemd/system/compound-gateway.service.d/emulated.conf"
FEEDING_S: Final = 14.0  # systemd/watchdog.conf


@dataclass(frozen=True, slots=True)
class Life:
    """From power on to the end: what the machine is like, and whether the chip has to end it."""

    by_the_chip: str
    qemu: tuple[str, ...] = ()


LIVES: Final = (
    Life("systemd hangs: the chip resets the machine"),
    Life("the kernel hangs: the chip resets the machine"),
    Life("", qemu=("-rtc", "base=1970-01-01T00:00:10")),
)


def main() -> int:
    """Do everything and show it."""
    parser = argparse.ArgumentParser(prog="python -m tests.systemd.machine")
    parser.add_argument("package", type=Path)
    parser.add_argument("--architecture", choices=sorted(PROCESSORS), default="amd64")
    parser.add_argument("--root", type=Path, help="where the bootstrapped Debian is kept")
    parser.add_argument(
        "--before", action="store_true", help="install it before the first boot, which is quicker"
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="longest time for each life")
    options = parser.parse_args()
    if why := virtual_machine.missing(options.architecture):
        parser.error(why)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = options.root or folder / "root"
        if not (root / "usr").exists():
            virtual_machine.bootstrap(root, architecture=options.architecture)
        if (found := virtual_machine.architecture(root)) != options.architecture:
            parser.error(f"{root}: found a Debian of {found}, wanted one of {options.architecture}")
        debian = folder / "debian"
        subprocess.run(["cp", "-a", "--reflink=auto", str(root), str(debian)], check=True)
        steps = [] if not options.before else [installed(debian, options.package)]
        steps += lived(debian, folder, None if options.before else options.package, options.minutes * 60)
    return show(options.architecture, steps)


def installed(debian: Path, package: Path) -> dict[str, Any]:
    """Have apt install the package in a Debian that is not running, as for the image of a card."""
    began = time.time()
    shutil.copy(package, debian / "root")
    apt = ["chroot", str(debian), "apt-get", "install", "-y", f"/root/{package.name}"]
    done = subprocess.run(
        apt, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env=ENVIRONMENT,
    )  # fmt: skip
    (debian / "root" / package.name).unlink()
    said = "before the first boot" if done.returncode == 0 else done.stdout[-1000:]
    return step("installed by apt", said, time.time() - began, good=done.returncode == 0)


def lived(debian: Path, folder: Path, package: Path | None, timeout_s: float) -> list[dict[str, Any]]:
    """Have the machine live its lives, with a package to install or one that is; return what was seen in and out."""
    shutil.rmtree(debian / SITE, ignore_errors=True)
    virtual_machine.take_tests(debian)
    if package is not None:
        shutil.copy(package, debian / SITE)
    (debian / DROP_IN).parent.mkdir(parents=True, exist_ok=True)
    (debian / DROP_IN).write_text(SLOWLY, encoding="ascii")
    system, report, console = (folder / name for name in ("system.img", "report.img", "console.log"))
    virtual_machine.image(debian, system, "-m tests.systemd.machine_inside")
    report_disk.blank(report, megabytes=1)
    outside: list[dict[str, Any]] = []
    for number, life in enumerate(LIVES):
        began = time.time()
        # panic=0: a kernel that panics stays as it is, and only the chip can help
        words = (f"story.life={number}", f"story.now={began:.0f}", "panic=0")
        command = [*virtual_machine.command(debian, [system, report], *words), *CHIP, *life.qemu]
        events = live(command, console, timeout_s)
        told = report_disk.read(report)
        if told is None:
            raise RuntimeError(console.read_text(errors="replace")[-3000:])
        if life.by_the_chip:
            outside.append(chip_did(life.by_the_chip, events, told.get("hung_at"), time.time() - began))
        elif not any(each["event"] == "SHUTDOWN" for each in events):
            outside.append(step("powers off in order", f"{events}", time.time() - began, good=False))
    return [*told["steps"], *outside]


def live(command: Sequence[str], console: Path, timeout_s: float) -> list[dict[str, Any]]:
    """Run the machine until it has powered off or was reset; return what qemu told of it."""
    qmp = console.with_name("qmp")
    qmp.unlink(missing_ok=True)
    whole = [*command, "-qmp", f"unix:{qmp},server=on,wait=off"]
    with console.open("ab") as output:
        machine = subprocess.Popen(whole, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            with monitor(qmp, timeout_s) as line:
                return list(line.events())
        finally:
            machine.kill()
            machine.wait()


def chip_did(
    what: str, events: Sequence[dict[str, Any]], hung_at: float | None, seconds: float
) -> dict[str, Any]:
    """Judge the end of a life that the chip had to end."""
    fired = [each["timestamp"]["seconds"] for each in events if each["event"] == "WATCHDOG"]
    if not fired or hung_at is None:
        names = ", ".join(each["event"] for each in events)
        return step(what, f"hung: {hung_at}, told from outside: {names}", seconds, good=False)
    took = fired[0] - hung_at
    good = took <= FEEDING_S * 2
    return step(what, f"{took:.0f} s after it hung, as qemu told", seconds, good=good)


def step(what: str, detail: str, seconds: float, *, good: bool) -> dict[str, Any]:
    """Return something seen from outside, as those inside are."""
    return {"what": what, "good": good, "detail": detail, "seconds": round(seconds, 1)}


def show(architecture: str, steps: Sequence[dict[str, Any]]) -> int:
    """Print what came of it; return the exit code."""
    figures = [
        Figure(each["what"], f"{each['seconds']:.0f} s: {each['detail']}", met=each["good"]) for each in steps
    ]
    present(
        f"a real systemd with a kernel of its own, {architecture}, emulated",
        figures,
        {"architecture": architecture, "steps": list(steps)},
    )
    return 0 if all(each["good"] for each in steps) else 1


if __name__ == "__main__":
    sys.exit(main())
