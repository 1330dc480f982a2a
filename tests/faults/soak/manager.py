"""A service manager in miniature: what systemd does for the gateway's unit, for a process that no systemd runs here.

Type=notify, WatchdogSec, Restart=always, RestartSec: the same words on the same socket. `tick` is called often.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

RESTART_S = 0.3


class Manager:
    """Keeps one process running. `lives` counts its starts, `starved` how often its watchdog ran out."""

    def __init__(
        self, command: Sequence[str], folder: Path, *, watchdog_s: float, environment: Mapping[str, str]
    ) -> None:
        self.lives = self.starved = 0
        self.ready = False
        self.started_at = 0.0
        self.ended: list[int] = []  # how each life ended, as subprocess tells it
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "gateway.log"
        self._command, self._watchdog_s = list(command), watchdog_s
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "notify"))
        self._socket.setblocking(False)
        told = {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": str(int(watchdog_s * 1e6))}
        self._environment = {**environment, **told}
        self._fed_at = self._start_at = 0.0

    @property
    def pid(self) -> int:
        """Return the number of the process; 0 between two lives."""
        return 0 if self.process is None or self.process.poll() is not None else self.process.pid

    def tick(self) -> None:
        """Hear what the process says, start it when it is not there, kill it when it starves."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self.ended.append(self.process.returncode)
            self.process, self.ready, self._start_at = None, False, now + RESTART_S
        if self.process is None and now >= self._start_at:
            self._start(now)
        self._hear(now)
        if self.ready and now - self._fed_at > self._watchdog_s:
            self.starved += 1
            self.ready = False  # one that is slow to die starves once
            self.kill()

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal."""
        if self.pid:
            os.kill(self.pid, number)

    def stop(self, within_s: float = 60.0) -> int:
        """Stop it in order and for good; return its exit code, that of a kill when it does not stop."""
        assert self.process is not None
        self.process.terminate()
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self._socket.close()

    def _start(self, now: float) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environment)
        self.lives += 1
        self.started_at = self._fed_at = now
        self.ready = False

    def _hear(self, now: float) -> None:
        while True:
            try:
                said = self._socket.recv(4096).decode()
            except BlockingIOError:
                return
            if "READY=1" in said or "WATCHDOG=1" in said:
                self.ready, self._fed_at = True, now
            elif "RELOADING=1" in said:
                self._fed_at = now
