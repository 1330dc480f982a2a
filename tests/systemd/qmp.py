"""What only somebody outside an emulated machine can do and see: plugs pulled, the chip that resets it (QMP)."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Monitor:
    """A machine's monitor, spoken to in JSON."""

    def __init__(self, line: socket.socket) -> None:
        self._stream = line.makefile("rwb")
        self._stream.readline()  # its greeting
        self.ask("qmp_capabilities")

    def ask(self, execute: str, **arguments: str) -> None:
        """Have something done; raises RuntimeError with what qemu says against it."""
        self._stream.write(json.dumps({"execute": execute, "arguments": arguments}).encode() + b"\n")
        self._stream.flush()
        while "event" in (answer := json.loads(self._stream.readline())):
            pass
        if "error" in answer:
            raise RuntimeError(f"{execute} {arguments}: {answer['error']['desc']}")

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what happens to the machine (`event`, `data`, `timestamp`), until qemu has ended."""
        for line in self._stream:
            yield json.loads(line)


@contextlib.contextmanager
def monitor(path: Path, timeout_s: float | None = None) -> Iterator[Monitor]:
    """Have the monitor of a machine that is just starting; TimeoutError after so long a silence."""
    with socket.socket(socket.AF_UNIX) as line:
        for _ in range(100):
            try:
                line.connect(str(path))
                break
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.1)
        line.settimeout(timeout_s)
        yield Monitor(line)
