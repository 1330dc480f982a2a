"""Serves a pretend compound: ports for masters, commands in, one JSON line out for each thing that happens.

The first line says where everything is. Every later one has `at`, the time.monotonic() of this machine, which
is one clock for all its processes: a bench in another process can subtract. A change of a number that only
hisses is not told.
"""

import asyncio
import contextlib
import json
import os
import signal
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from drivers.api import Value
from drivers.sim.commands import Commands
from drivers.sim.pty_line import PtyLine
from drivers.sim.tcp_line import TcpLine
from drivers.sim.world import World

STEP_S = 0.1


async def serve(world: World, *, tcp: bool = False, link: Path | None = None) -> None:
    """Serve every line of a world until `quit`, SIGTERM, or the end of an input that was a pipe or a terminal."""
    async with contextlib.AsyncExitStack() as stack:
        ports: dict[str, str] = {}
        for name, line in world.lines.items():
            if tcp:
                ports[name] = (await stack.enter_async_context(TcpLine(line))).path
            else:
                ports[name] = stack.enter_context(PtyLine(line, link=link / name if link else None)).path
        say({"ports": ports, "bus": buses(world, ports), "pid": os.getpid()})
        console = _Console(world)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, console.ended.set)
        with console.listening(sys.stdin.fileno()):
            while not console.ended.is_set():
                world.step(time.monotonic())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STEP_S):
                        await console.ended.wait()


def buses(world: World, ports: Mapping[str, str]) -> list[dict[str, object]]:
    """Return what the `[[bus]]` tables of a gateway.toml say of these lines."""
    return [
        {
            "name": name,
            "port": ports[name],
            "baud": line.settings.baud,
            "parity": line.settings.parity,
            "device": [
                {
                    "name": device.name,
                    "profile": device.profile.name,
                    "address": device.address,
                    "place": dict(world.places.get(device.name, {})),
                    "baseline": dict(world.baselines.get(device.name, {})),
                }
                for device in world.on_line[name]
            ],
        }
        for name, line in world.lines.items()
    ]


def say(fact: Mapping[str, object]) -> None:
    """Print one JSON line at once."""
    sys.stdout.write(json.dumps(fact, ensure_ascii=False) + "\n")
    sys.stdout.flush()


class _Console:
    """Reads commands, answers them, and tells what changes."""

    def __init__(self, world: World) -> None:
        self.ended = asyncio.Event()
        self._commands = Commands(world)
        self._partial = b""
        self._obeying = False
        for device in world.devices.values():
            device.on_change = self._changed

    @contextlib.contextmanager
    def listening(self, fd: int) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.add_reader(fd, self._read, fd)
        try:
            yield
        finally:
            loop.remove_reader(fd)

    def _read(self, fd: int) -> None:
        data = os.read(fd, 4096)
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in filter(None, map(bytes.strip, lines)):
            if not self.ended.is_set():
                self._obey(line.decode("utf-8", "replace"))
        if not data:
            asyncio.get_running_loop().remove_reader(fd)
            if stat.S_ISFIFO(mode := os.fstat(fd).st_mode) or stat.S_ISSOCK(mode) or os.isatty(fd):
                self.ended.set()  # whoever started us is gone; /dev/null and files are no sign of that

    def _obey(self, line: str) -> None:
        if line == "quit":
            self.ended.set()
            return
        self._obeying = True
        at = time.monotonic()
        answer = self._commands.obey(line)
        self._obeying = False
        say({"at": at, "command": line, **answer})

    def _changed(self, device: str, point: str, value: Value | None) -> None:
        if self._obeying or isinstance(value, bool):
            say({"at": time.monotonic(), "device": device, "point": point, "value": value})
