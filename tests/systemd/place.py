"""A Debian with a systemd, spoken to by commands: the one this program runs in, unless a subclass knows another way."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

ENVIRONMENT: Final = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
# How many times longer than usual to wait for anything: an emulated processor is twenty times slower.
PATIENCE: Final = float(os.environ.get("STORY_PATIENCE", "1"))


class Place:
    """A Debian that is up; `root` is its root folder as this program sees it."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def way_in(self) -> tuple[str, ...]:
        """Return what stands before a command that is to run there."""
        return ()

    def run(self, *command: str, timeout_s: float = 300.0) -> subprocess.CompletedProcess[str]:
        """Run a command there, with nobody at the keyboard; what it said is in `stdout`, errors too."""
        return subprocess.run(
            [*self.way_in(), *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False, timeout=timeout_s * PATIENCE, env=ENVIRONMENT,
        )  # fmt: skip

    def out(self, *command: str) -> str:
        """Run a command there and return what it said; RuntimeError when it failed."""
        done = self.run(*command)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.returncode}: {done.stdout.strip()}")
        return done.stdout.strip()

    def show(self, unit: str, key: str) -> str:
        """Return one property of a unit."""
        return self.out("systemctl", "show", "--value", "-p", key, unit)

    def gateway(self, op: str) -> Any:
        """Return what the gateway there answers to `status` or `alerts`."""
        return json.loads(self.out("compound-gateway", op, "--json"))
