"""The gateway's unit: stopped while its lines are looked at, started again whatever happens, and set going."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from gateway.terminal.errors import ToolError

UNIT: Final = "compound-gateway.service"
BOOTED: Final = Path("/run/systemd/system")
SYSTEMCTL_S: Final = 330.0  # the unit may take five minutes to be ready, where a journal has to be saved
INTERRUPTIONS: Final = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)

Systemctl = Callable[[Sequence[str]], subprocess.CompletedProcess[str]]


def systemctl(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run systemctl."""
    return subprocess.run(
        ["systemctl", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=SYSTEMCTL_S,
    )  # fmt: skip


class Unit:
    """What this person may do to the unit: all of it as root on a machine that has it, else nothing."""

    def __init__(
        self, run: Systemctl = systemctl, *, root: bool | None = None, booted: Path = BOOTED
    ) -> None:
        self._run = run
        may = os.geteuid() == 0 if root is None else root
        self.there = may and booted.is_dir() and run(["cat", UNIT]).returncode == 0

    @property
    def active(self) -> bool:
        """Return whether the gateway runs."""
        return self.there and self._run(["is-active", "--quiet", UNIT]).returncode == 0

    @contextlib.contextmanager
    def stopped(self, *, wanted: bool) -> Iterator[None]:
        """Have the gateway stopped while the block lasts, if it is wanted; it is started again also after Ctrl-C."""
        if not wanted:
            yield
            return
        try:
            self._must("stop", UNIT)  # whoever interrupts it has only stopped waiting: systemd goes on
            yield
        finally:
            with _undisturbed():
                self._run(["start", "--no-block", UNIT])

    def take_up(self) -> None:
        """Have the gateway run on its new file, now and at every boot; ToolError when it will not."""
        self._must("enable", UNIT)
        self._must("restart", UNIT)

    def _must(self, *arguments: str) -> None:
        done = self._run(arguments)
        if done.returncode:
            raise ToolError(
                "setup.unit", what=" ".join(arguments), reason=done.stderr.strip() or done.returncode
            )


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Hear no second Ctrl-C, nor let the program that is started hear one: the gateway is not to stay stopped."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in INTERRUPTIONS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
