"""A publisher that costs next to nothing: MQTT 3.1.1 packets made beforehand, written to a plain socket, QoS 1."""

import socket
import struct
import time
from collections.abc import Sequence

from gateway.core.chunks import chunks

AT_ONCE = 50  # packets of one write
CONNECTED = b"\x20\x02\x00\x00"
ACKNOWLEDGEMENT = 4  # bytes


class Publisher:
    """Publishes as fast as the broker takes it."""

    def __init__(self, port: int, name: str = "bench") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        body = _text("MQTT") + bytes((4, 2, 0, 0)) + _text(name)
        self._socket.sendall(b"\x10" + _length(len(body)) + body)
        answer = self._socket.recv(4)
        assert answer == CONNECTED, answer

    def publish(self, messages: Sequence[tuple[str, bytes]]) -> list[float]:
        """Publish (topic, content) and wait for all acknowledgements; return the wall time at which each went out."""
        packets = [
            _publish(topic, content, number % 65_535 + 1) for number, (topic, content) in enumerate(messages)
        ]
        times: list[float] = []
        answered = 0
        for part in chunks(packets, AT_ONCE):
            self._socket.sendall(b"".join(part))
            times += [time.time()] * len(part)
            answered += self._answers(wait=False)
        while answered < len(packets) * ACKNOWLEDGEMENT:
            answered += self._answers(wait=True)
        return times

    def close(self) -> None:
        """Go away."""
        self._socket.close()

    def _answers(self, *, wait: bool) -> int:
        try:
            return len(self._socket.recv(65_536, 0 if wait else socket.MSG_DONTWAIT))
        except BlockingIOError:
            return 0


def _publish(topic: str, content: bytes, number: int) -> bytes:
    body = _text(topic) + struct.pack(">H", number) + content
    return b"\x32" + _length(len(body)) + body


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def _length(length: int) -> bytes:
    """Return a length as MQTT writes it: seven bits a byte, the smallest first."""
    found = bytearray()
    while True:
        length, digit = divmod(length, 128)
        found.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(found)
