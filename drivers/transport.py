"""A two-way stream of bytes: a serial port, a TCP connection, or a pair in memory. Nothing here knows a frame.

Whoever opens one gives two callables: `on_data` gets the bytes as they come, `on_lost` is called once when
the line is gone, with the error if there was one. After `close` neither is called again. Writing never
blocks and never raises: a line that cannot be written to is lost, and says so.

    /dev/ttyUSB0, /dev/serial/by-id/...   a serial port (drivers/serial_port.py)
    socket://host:port                    a transparent converter: the bytes of the line over TCP
    tcp://host[:502]                      Modbus TCP; how its frames differ is the driver's affair
"""

import asyncio
import contextlib
import fcntl
import socket
import struct
import sys
import termios
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, cast
from urllib.parse import urlsplit

from drivers.api import LineError, LineSettings
from drivers.serial_port import open_serial_port

OnData: TypeAlias = Callable[[bytes], None]
OnLost: TypeAlias = Callable[[Exception | None], None]

CONNECT_TIMEOUT_S = 5.0
MODBUS_TCP_PORT = 502
# A converter that loses power says nothing; these find it within half a minute even when nobody sends.
KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: a close that forgets what was not sent


class ByteStream(Protocol):
    """An open line."""

    def write(self, data: bytes) -> None:
        """Send bytes; returns before they are on the wire."""

    def unsent(self) -> int:
        """Return how many bytes are known to wait on this side of the wire."""

    def close(self) -> None:
        """Give the line up; may be called twice."""


OpenStream: TypeAlias = Callable[[LineSettings, OnData, OnLost], Awaitable[ByteStream]]


async def open_stream(settings: LineSettings, on_data: OnData, on_lost: OnLost) -> ByteStream:
    """Open the port of a line; LineError with a hint for people if that fails."""
    if settings.port.startswith(("socket://", "tcp://")):
        return await _open_tcp(settings.port, on_data, on_lost)
    return open_serial_port(settings, on_data, on_lost)


class TcpStream(asyncio.Protocol):
    """A TCP connection."""

    def __init__(self, on_data: OnData, on_lost: OnLost) -> None:
        self._on_data, self._on_lost = on_data, on_lost
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio calls this)."""
        self._transport = cast("asyncio.Transport", transport)
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEP_ALIVE:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)

    def data_received(self, data: bytes) -> None:
        """Hand bytes on (asyncio calls this)."""
        if self._transport is not None:
            self._on_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Say that the peer is gone, unless it was we who left (asyncio calls this)."""
        if self._transport is not None:
            self._transport = None
            self._on_lost(error)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if self._transport is not None:
            self._transport.write(data)

    def unsent(self) -> int:
        """Return what the other end has not taken; what a converter holds back cannot be known."""
        if self._transport is None:
            return 0
        return self._transport.get_write_buffer_size() + _unacknowledged(self._transport)

    def close(self) -> None:
        """Drop the connection, and with it what the other end has not taken: the kernel would try on for minutes,
        and an order to a door must not arrive when nobody stands there any more.
        """
        unsent, transport = self.unsent(), self._transport
        self._transport = None
        if transport is not None:
            if unsent:
                connection: socket.socket = transport.get_extra_info("socket")
                with contextlib.suppress(OSError):  # it is gone already
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            transport.abort()


def _unacknowledged(transport: asyncio.Transport) -> int:
    """Return how many bytes the kernel keeps because the other end has not acknowledged them (SIOCOUTQ)."""
    connection: socket.socket = transport.get_extra_info("socket")
    try:
        answer = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    except (OSError, ValueError):  # it is closed already
        return 0
    return int.from_bytes(answer, sys.byteorder)


async def _open_tcp(port: str, on_data: OnData, on_lost: OnLost) -> TcpStream:
    host, number = tcp_address(port)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, stream = await loop.create_connection(lambda: TcpStream(on_data, on_lost), host, number)
    except TimeoutError as error:
        raise LineError("open", port, f"no answer within {CONNECT_TIMEOUT_S:g} s: is it powered?") from error
    except OSError as error:
        raise LineError("open", port, f"{error.strerror or error}: address and port right?") from error
    return stream


def tcp_address(port: str) -> tuple[str, int]:
    """Return host and port number of a `socket://` or `tcp://` address; LineError if it is none."""
    try:
        parts = urlsplit(port)
        number = parts.port or (MODBUS_TCP_PORT if parts.scheme == "tcp" else None)
    except ValueError as error:
        raise LineError("open", port, str(error)) from error
    if not parts.hostname or number is None:
        raise LineError("open", port, f"wanted {parts.scheme}://host:port")
    return parts.hostname, number


class MemoryStream:
    """One end of a line that lives in memory; what is written comes out at `peer` in the loop's next round."""

    def __init__(self) -> None:
        self.on_data: OnData = lambda _data: None
        self.on_lost: OnLost = lambda _error: None
        self.peer: MemoryStream | None = None

    def write(self, data: bytes) -> None:
        """Send bytes to the other end."""
        if self.peer is not None:
            asyncio.get_running_loop().call_soon(self.peer.receive, bytes(data))

    def receive(self, data: bytes) -> None:
        """Take bytes from the other end."""
        if self.peer is not None:
            self.on_data(data)

    def unsent(self) -> int:
        """Return 0: memory is fast."""
        return 0

    def close(self) -> None:
        """Close this end; the other one loses its line."""
        peer, self.peer = self.peer, None
        if peer is not None and peer.peer is not None:
            peer.peer = None
            peer.on_lost(None)


def memory_pair() -> tuple[MemoryStream, MemoryStream]:
    """Return the two ends of a line in memory."""
    near, far = MemoryStream(), MemoryStream()
    near.peer, far.peer = far, near
    return near, far
