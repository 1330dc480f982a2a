"""What the benches stand on: a simulated compound and a gateway, each in a process of its own, and a listener.

The simulator keeps the time of the wire and stamps every change with CLOCK_MONOTONIC, which is one clock for
all processes of a machine, so a latency is a subtraction.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# An installed gateway has its bytecode beside it; one that must compile itself first takes 10 MB more.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
ENVIRONMENT |= {"ORT_DISABLE_TELEMETRY": "1", "PYTHONUNBUFFERED": "1"}
START_S = 30.0


class Simulator:
    """`python -m drivers.sim` with its first line read: `bus` holds the tables for gateway.toml."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "drivers.sim", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        self._asking = threading.Lock()
        self._facts: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        first = self._facts.get(timeout=START_S)
        self.bus: list[dict[str, Any]] = first["bus"]
        self.ports: dict[str, str] = first["ports"]

    def tell(self, command: str) -> dict[str, Any]:
        """Give a command and return its answer; `at` is the moment it took effect."""
        assert self._process.stdin is not None
        with self._asking:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
            while (fact := self._facts.get(timeout=START_S)).get("command") != command:
                pass
        assert "error" not in fact, fact
        return fact

    def requests(self) -> dict[str, int]:
        """Return how many requests each line has seen."""
        counts = self.tell("counts")["counts"]
        return {line: int(each.get("requests", 0)) for line, each in counts.items()}

    def next_change(self) -> dict[str, Any]:
        """Return the next thing that changed at a device, when it has: `device`, `point`, `value`, `at`."""
        while "point" not in (fact := self._facts.get(timeout=START_S)):
            pass
        return fact

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=START_S)
        self._reader.join(timeout=START_S)
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._facts.put(json.loads(line))


class GatewayProcess:
    """`compound-gateway run` as its own process, and what /proc says of it."""

    def __init__(self, folder: Path, text: str, environment: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "gateway.toml"
        self.file.write_text(text, encoding="utf-8")
        self.log = folder / "gateway.log"
        self.started_at = time.monotonic()
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "gateway", "run", "-c", str(self.file)]
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**ENVIRONMENT, **(environment or {})}
            )

    def ask(self, *arguments: str) -> Any:
        """Run a command of the tool against this gateway and return its JSON."""
        command = [sys.executable, "-m", "gateway", *arguments, "-c", str(self.file), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
        return json.loads(done.stdout)

    def rss_mb(self) -> float:
        """Return the resident memory in MB (10^6 bytes)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
        return int(kilobytes) * 1024 / 1e6

    def cpu_s(self) -> float:
        """Return the processor time used so far, user and system."""
        return cpu_of(self.process.pid)

    def stop(self) -> float:
        """Stop by SIGTERM and return how long it took."""
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(timeout=START_S)
        assert self.process.returncode == 0, self.log.read_text(encoding="utf-8")
        return time.monotonic() - began


def cpu_of(pid: int) -> float:
    """Return the processor time a process has used, all its threads, user and system, to the microsecond."""
    return time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3), which Python does not have


@contextlib.contextmanager
def simulator(*arguments: str) -> Iterator[Simulator]:
    """Have a simulated compound while the block lasts."""
    running = Simulator(*arguments)
    try:
        yield running
    finally:
        running.close()


@contextlib.contextmanager
def gateway(
    folder: Path, text: str, environment: Mapping[str, str] | None = None
) -> Iterator[GatewayProcess]:
    """Have a gateway while the block lasts; `environment` is added to its own."""
    running = GatewayProcess(folder, text, environment)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()


def configuration(buses: Sequence[Mapping[str, Any]], *, broker_url: str, state_dir: Path) -> str:
    """Return the text of a gateway.toml for the simulator's lines."""
    lines = ["[gateway]", 'id = "bench"', f"state_dir = {_toml(str(state_dir))}", ""]
    lines += ["[mqtt]", f"url = {_toml(broker_url)}", ""]
    for bus in buses:
        lines += [
            "[[bus]]",
            *(f"{key} = {_toml(value)}" for key, value in bus.items() if key != "device"),
            "",
        ]
        for device in bus["device"]:
            lines += ["[[bus.device]]", *(f"{key} = {_toml(value)}" for key, value in device.items()), ""]
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
