"""One TCP connection to a fire centre: bytes in and out, and who is at the other end of an address.

The standard knows no encryption: whoever sits on the way can read and forge. A centre belongs behind a private line
or a VPN. Half-open connections are noticed by the kernel (TCP_USER_TIMEOUT) and by what is not answered.
"""

import asyncio
import os
import socket
from dataclasses import dataclass
from typing import Final

from drivers.api import FrameError
from drivers.gb26875 import frames
from drivers.gb26875.frames import BrokenFrameError, Frame

CONNECT_S: Final = 5.0
UNSENT_MS: Final = 5_000
STALL_S: Final = 2.0  # that the rest of a packet may take
CHUNK: Final = 16_384
MOST_UNREAD: Final = 65_536


class CentreError(Exception):
    """A centre that cannot be reached, and why."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came in: a packet, or a reason why some bytes were none; then `broken` is one to be refused, if any."""

    frame: Frame | None = None
    reason: str = ""
    broken: Frame | None = None


class Link:
    """A connection while it stands."""

    def __init__(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.name = name
        self._reader, self._writer = reader, writer
        self._buffer = bytearray()

    @classmethod
    async def open(cls, host: str, port: int) -> "Link":
        """Connect; CentreError with the reason where nobody answers in time."""
        name = f"{host}:{port}"
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(host, port, limit=MOST_UNREAD)
        except TimeoutError as error:
            raise CentreError(f"{name} does not answer in {CONNECT_S:.0f} s") from error
        except OSError as error:
            number = error.errno or 0
            reason = os.strerror(number) if number > 0 else str(error)
            raise CentreError(f"{name}: {reason}") from error
        end: socket.socket = writer.get_extra_info("socket")
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNSENT_MS)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return cls(name, reader, writer)

    def send(self, frame: Frame) -> None:
        """Send a packet; nothing once the connection is closing."""
        if not self._writer.is_closing():
            self._writer.write(frames.encode(frame))

    async def receive(self) -> Heard | None:
        """Return what comes in next; None when the centre has closed the connection."""
        while True:
            try:
                frame = frames.decode(self._buffer)
            except BrokenFrameError as error:
                return Heard(reason=error.reason, broken=error.head)
            except FrameError as error:
                return Heard(reason=error.reason)
            if frame is not None:
                return Heard(frame)
            if not await self._more():
                return None

    async def close(self) -> None:
        """Close it, at once if the other end does not take the rest."""
        self._writer.close()
        try:
            async with asyncio.timeout(0.5):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            self._writer.transport.abort()

    async def _more(self) -> bool:
        try:
            async with asyncio.timeout(STALL_S if self._buffer else None):
                data = await self._reader.read(CHUNK)
        except TimeoutError:
            frames.resync(self._buffer)
            return True
        except OSError:
            return False
        self._buffer += data
        return bool(data)
