"""A simulated line behind a TCP port: a transparent converter (RTU frames over TCP) or a Modbus TCP device.

Which of them is the business of the line: settings with a `tcp://` port make it speak Modbus TCP. As in the
cheap converters it stands for, one master is served at a time and a new one takes the place of the old.
Unplugged, it drops whoever is or gets connected.
"""

import asyncio
from types import TracebackType
from typing import cast

from drivers.sim.shell import LineTimer, Wire


class TcpLine:
    """Serves a line on a TCP port while the `async with` block lasts. Port 0 takes a free one."""

    def __init__(self, line: Wire, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.line = line
        self._host, self._port = host, port
        self._scheme = "tcp" if line.settings.port.startswith("tcp://") else "socket"
        self._server: asyncio.Server | None = None
        self._master: asyncio.Transport | None = None
        self._timer = LineTimer(line, self._send)

    @property
    def path(self) -> str:
        """The address as gateway.toml wants it: socket://host:port or tcp://host:port."""
        return f"{self._scheme}://{self._host}:{self._port}"

    async def __aenter__(self) -> "TcpLine":
        self.line.on_plug = self._plugged
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self._timer.arm()  # some devices speak before they are asked
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.stop()
        self._drop()
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def connected(self, transport: asyncio.Transport) -> None:
        """Serve a new master instead of the old one."""
        self._drop()
        if self.line.plugged:
            self._master = transport
        else:
            transport.abort()

    def received(self, transport: asyncio.Transport, data: bytes) -> None:
        """Take bytes from the master, and only from the one that is served."""
        if transport is self._master:
            self._timer.receive(data)

    def _plugged(self, plugged: bool) -> None:
        if not plugged:
            self._drop()
        self._timer.arm()

    def _drop(self) -> None:
        if self._master is not None:
            self._master.abort()
            self._master = None

    def _send(self, data: bytes) -> None:
        if self._master is not None and not self._master.is_closing():
            self._master.write(data)


class _Connection(asyncio.Protocol):
    """One TCP connection of a master."""

    def __init__(self, line: TcpLine) -> None:
        self._line = line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._line.connected(self._transport)

    def data_received(self, data: bytes) -> None:
        self._line.received(self._transport, data)
