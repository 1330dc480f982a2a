"""How a pretend device hears a request: RTU frames in a stream of bytes, or Modbus TCP frames.

The codec finds requests the standard allows. A real device also answers the others, with an exception, so
what is whole (a good CRC, a whole header) but not allowed is handed on as its bare pdu.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from drivers.api import FrameError, LineSettings
from drivers.modbus import codec

Question: TypeAlias = codec.Request | bytes  # bytes: a pdu that is no request


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked what, and how to frame the reply."""

    address: int
    question: Question
    frame: Callable[[int, bytes], bytes]


class Framing(Protocol):
    """Finds the requests in what came."""

    def find(self, buffer: bytearray) -> Asked | None:
        """Eat and return the first whole request; None: more bytes are needed."""


class RtuFraming:
    """RTU: a frame is known by its CRC alone, and looked for behind noise too."""

    def find(self, buffer: bytearray) -> Asked | None:
        """Eat and return the first whole request; None: more bytes are needed."""
        if len(buffer) < 4:
            return None
        if found := codec.find_request(buffer):
            return Asked(*found, codec.rtu_frame)
        if codec.crc16(buffer) == 0:
            asked = Asked(buffer[0], bytes(buffer[1:-2]), codec.rtu_frame)
            buffer.clear()
            return asked
        return None


class TcpFraming:
    """Modbus TCP: a header says how long a frame is."""

    def find(self, buffer: bytearray) -> Asked | None:
        """Eat and return the first whole request; None: more bytes are needed."""
        head, length = bytes(buffer[:7]), len(buffer)
        try:
            found = codec.find_mbap_request(buffer)
        except FrameError as error:
            if len(buffer) == length:  # no header: nothing that follows can be trusted
                buffer.clear()
                return None
            return _asked(int.from_bytes(head[:2], "big"), head[6], error.data)
        return _asked(*found) if found else None


def framing_of(settings: LineSettings) -> Framing:
    """Return the framing a port's kind calls for."""
    return TcpFraming() if settings.port.startswith("tcp://") else RtuFraming()


def _asked(transaction: int, unit: int, question: Question) -> Asked:
    return Asked(unit, question, lambda address, reply: codec.mbap_frame(transaction, address, reply))
