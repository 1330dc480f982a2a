"""How every story under a real systemd begins: a Debian booted, the package installed, a compound on its lines."""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.systemd.container import booted, bootstrap
from tests.systemd.place import Place
from tests.systemd.story import Story, until

PYTHON = "/usr/lib/compound-gateway/bin/python3"
SIMULATOR = f"""\
#!/bin/sh
mkdir -p /run/sim; [ -p /run/sim/in ] || mkfifo /run/sim/in
exec <>/run/sim/in >/run/sim/out
exec {PYTHON} -sP -m drivers.sim --link /run/sim --detectors 18 --buildings 1 --covers 2 --doors 1
"""


def asked(description: str) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("package", type=Path)
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--root", type=Path, help="a folder that keeps the bootstrapped Debian")
    return parser.parse_args()


@contextmanager
def begun(options: argparse.Namespace) -> Iterator[Story]:
    """Have a Debian of its own booted, in which nothing is installed yet."""
    with tempfile.TemporaryDirectory(prefix="compound-gateway-story-") as folder:
        kept = options.root or Path(folder) / "kept"
        if not (kept / "usr").exists():
            bootstrap(options.suite, kept)
        root = Path(folder) / "root"
        subprocess.run(["cp", "-a", "--reflink=auto", str(kept), str(root)], check=True)
        with booted(root) as there:
            yield Story(there, options.package)


def install(story: Story) -> str:
    """Install the package as a person would."""
    target = story.there.root / "root" / story.package.name
    target.write_bytes(story.package.read_bytes())
    story.there.out("apt-get", "install", "-y", f"/root/{target.name}")
    target.unlink()
    size = story.there.out("dpkg-query", "-W", "-f", "${Installed-Size}", "compound-gateway")
    return f"nothing asked, {story.package.stat().st_size / 1e6:.0f} MB packed, {int(size) / 1024:.0f} MB installed"


def compound(there: Place) -> list[dict[str, Any]]:
    """Run a simulated compound on ptys, which belong to root and dialout as real ports do; return its lines."""
    (there.root / "usr/local/bin/sim").write_text(SIMULATOR, encoding="utf-8")
    (there.root / "usr/local/bin/sim").chmod(0o755)
    there.out("systemd-run", "--unit=sim", "-p", "User=root", "-p", "Group=dialout", "/usr/local/bin/sim")
    out = "/run/sim/out"
    until(lambda: there.out("head", "-n", "1", out).endswith("}"), "the simulator", 20)
    buses = [bus for bus in json.loads(there.out("head", "-n", "1", out))["bus"] if bus["device"]]
    for bus in buses:
        there.out("sh", "-c", f"chgrp dialout {bus['port']} && chmod 660 {bus['port']}")
    return buses
