"""The hatch between a gateway and a desk in one house: what passes through, as bytes. Pure.

It says what a broker would: a message is published under a number and confirmed by it, and messages come back. A frame
is its length, four bytes big-endian, and a MessagePack array.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

import msgspec

LARGEST: Final = 1024 * 1024


class Publish(msgspec.Struct, frozen=True, array_like=True, tag="publish"):
    """From the gateway: to be confirmed under `number`."""

    number: int
    topic: str
    content: bytes


class Confirm(msgspec.Struct, frozen=True, array_like=True, tag="confirm"):
    """From the desk: what was published under `number` is safe."""

    number: int


class Tell(msgspec.Struct, frozen=True, array_like=True, tag="tell"):
    """From the desk: a message on a topic of the gateway's: a receipt, an order."""

    topic: str
    content: bytes


Passed: TypeAlias = Publish | Confirm | Tell

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Publish | Confirm | Tell)


class HatchError(ValueError):
    """The bytes are none of ours: the other end is another program, or another version of it."""


def encode(passed: Passed) -> bytes:
    """Return a frame."""
    content = _encoder.encode(passed)
    return len(content).to_bytes(4, "big") + content


class Frames:
    """Cuts a stream of bytes into what was passed."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Passed]:
        """Yield what is whole with these bytes; raises HatchError."""
        self._buffer += data
        while len(self._buffer) >= 4:
            length = int.from_bytes(self._buffer[:4], "big")
            if length > LARGEST:
                raise HatchError(f"a frame of {length} bytes")
            if len(self._buffer) < 4 + length:
                return
            content = bytes(self._buffer[4 : 4 + length])
            del self._buffer[: 4 + length]
            try:
                yield _decoder.decode(content)
            except (msgspec.DecodeError, msgspec.ValidationError) as error:
                raise HatchError(str(error)) from error
