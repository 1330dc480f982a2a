"""A broker for the demo: an installed mosquitto on a free loopback port, else amqtt, which is fit for a demo only.

It can be lost and found again, because a gateway is best seen when its broker is away. Nothing here is for
production: anybody on this machine may connect, and nothing is kept on disk.
"""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

_CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
log_type error
"""


class Broker(Protocol):
    """Something that speaks MQTT on a loopback port."""

    name: str

    async def start(self) -> None:
        """Listen; OSError when it does not come up."""

    async def stop(self) -> None:
        """Go away, as a broker does whose machine lost its power."""


class Mosquitto:
    """Debian's mosquitto as a child process."""

    def __init__(self, program: str, port: int, folder: Path) -> None:
        self.name = f"mosquitto, port {port}"
        self._program, self._port = program, port
        self._config = folder / "mosquitto.conf"
        self._config.write_text(_CONFIG.format(port=port), encoding="ascii")
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the process and wait until it answers; nothing happens when it is running."""
        if self._process is not None:
            return
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            "-c",
            str(self._config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the demo, which then stops us
        )
        await _wait_for_port(self._port)

    async def stop(self) -> None:
        """Kill the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


class Amqtt:
    """The amqtt library in this process. MQTT 3.1.1 only."""

    def __init__(self, port: int) -> None:
        self.name = f"amqtt, port {port}"
        self._port = port
        self._broker: Any = None

    async def start(self) -> None:
        """Start listening; nothing happens when it does."""
        if self._broker is not None:
            return
        from amqtt.broker import Broker as AmqttBroker

        listeners = {"default": {"type": "tcp", "bind": f"127.0.0.1:{self._port}"}}
        plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        self._broker = AmqttBroker({"listeners": listeners, "plugins": plugins})
        await self._broker.start()

    async def stop(self) -> None:
        """Stop listening."""
        broker, self._broker = self._broker, None
        if broker is not None:
            await broker.shutdown()


@contextlib.asynccontextmanager
async def running_broker(folder: Path) -> AsyncIterator[tuple[Broker, str]]:
    """Yield a running broker and its URL; stop it in the end."""
    port = free_port()
    program = find_mosquitto()
    broker: Broker = Mosquitto(program, port, folder) if program else Amqtt(port)
    await broker.start()
    try:
        yield broker, f"mqtt://127.0.0.1:{port}"
    finally:
        await broker.stop()


def find_mosquitto() -> str | None:
    """Return the path of an installed mosquitto; Debian keeps it in /usr/sbin, which is not on everybody's PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """Return a TCP port nobody on loopback listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _wait_for_port(port: int, timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while True:
            with contextlib.suppress(ConnectionError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)
