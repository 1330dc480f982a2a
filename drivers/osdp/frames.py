r"""OSDP frames in a stream of bytes: whole and undamaged ones come out, everything else is counted.

    FF? | 53 | address, 80 set in a reply | length, low byte first | control | block? | code | data | mac? | check
                                            53 to check            \  01, 02, 03: sequence
                                                                    \  04: check is a CRC, else one byte of sum
                                                                     \ 08: a security block: its length, type, ...

(IEC 60839-11-5, 5). libosdp takes a peripheral off its list for five minutes after one damaged reply; so a damaged
one never gets there, and counts as silence. A reply's code is in clear even in the secure channel, and tells a
refusal from an answer, and a peripheral with another key from one that cannot keep a secret at all.
"""

import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

SOM: Final = 0x53
MARK: Final = 0xFF
HEADER: Final = 5
MOST_BYTES: Final = 256  # OSDP_PACKET_BUF_SIZE of libosdp
REPLY: Final = 0x80
HAS_CRC: Final = 0x04
HAS_BLOCK: Final = 0x08

POLL, ID, CAPABILITIES, LOCAL_STATUS, INPUT_STATUS, OUTPUT_STATUS = 0x60, 0x61, 0x62, 0x64, 0x65, 0x66
OUTPUT, LED, BUZZER, TEXT, KEY_SET, CHALLENGE, CRYPTOGRAM = 0x68, 0x69, 0x6A, 0x6B, 0x75, 0x76, 0x77
ACK, NAK, CAPABILITY_LIST, CLIENT_CRYPTOGRAM, INITIAL_MAC = 0x40, 0x41, 0x46, 0x76, 0x78

DEFAULT_KEY: Final = bytes(range(0x30, 0x40))  # SCBK-D
KEY_BYTES: Final = 16
SECURITY: Final = 9  # in the list of capabilities: 1 = AES-128 secure channel
HANDSHAKE_BLOCKS: Final = range(0x11, 0x15)
NAK_REASONS: Final[Mapping[int, str]] = {
    1: "bad check characters",
    2: "wrong length",
    3: "it does not know this command",
    4: "wrong sequence number",
    5: "it has no secure channel",
    6: "it wants the secure channel",
    9: "it cannot do that",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame, as far as it is in clear: `data` is empty inside the secure channel."""

    address: int
    reply: bool
    code: int
    block: bytes  # of security, b"" if there is none
    data: bytes

    @property
    def default_key(self) -> bool:
        """Say whether a step of the handshake is made with the default key that everybody knows (SCBK-D)."""
        return len(self.block) > 2 and self.block[2] == 0

    @property
    def capabilities(self) -> dict[int, tuple[int, int]]:
        """What a list of capabilities says: function -> (level, number)."""
        data = self.data[: len(self.data) // 3 * 3]
        return {data[i]: (data[i + 1], data[i + 2]) for i in range(0, len(data), 3)}


class Sieve:
    """Takes bytes as they come, gives back frames that are whole and undamaged."""

    def __init__(self) -> None:
        self.noise = 0  # bytes that belonged to no good frame
        self._buffer = bytearray()

    def clear(self) -> int:
        """Forget what was begun: the line's direction changes. Return how many bytes that were."""
        count = len(self._buffer)
        self.noise += count
        self._buffer.clear()
        return count

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes; yield each good frame in them, without its mark."""
        self._buffer += data
        while (found := _first_good(self._buffer)) is not None:
            start, end = found
            frame = bytes(self._buffer[start:end])
            self.noise += sum(byte != MARK for byte in self._buffer[:start])
            del self._buffer[:end]
            yield frame
        if (surplus := len(self._buffer) - MOST_BYTES) > 0:
            self.noise += surplus
            del self._buffer[:surplus]


def parse(frame: bytes) -> Frame:
    """Return what an undamaged frame says in clear; its mark may stand before it."""
    body = frame[1:] if frame[0] == MARK else frame
    address, control = body[1], body[4]
    end = len(body) - (2 if control & HAS_CRC else 1)
    block = body[HEADER : HEADER + body[HEADER]] if control & HAS_BLOCK else b""
    at = HEADER + len(block)
    hidden = bool(block) and (len(block) < 2 or block[1] not in HANDSHAKE_BLOCKS)
    data = b"" if hidden else body[at + 1 : end]
    code = body[at] if at < end else -1
    return Frame(address & 0x7F, bool(address & REPLY), code, block, data)


def damaged_reply(address: int) -> bytes:
    """Return a reply that cannot be right: libosdp stops to wait for a better one."""
    body = bytes((SOM, address | REPLY, 8, 0, HAS_CRC, ACK))
    return body + (crc(body) ^ 0xFFFF).to_bytes(2, "little")


def crc(data: bytes) -> int:
    """Return the CRC-16 of OSDP: polynomial 1021, begun with 1D0F."""
    return binascii.crc_hqx(data, 0x1D0F)


def _first_good(buffer: bytearray) -> tuple[int, int] | None:
    """Return where the first good frame begins and ends. A false start never hides a frame that follows it."""
    start = buffer.find(SOM)
    while start >= 0:
        if start + HEADER <= len(buffer):
            length = buffer[start + 2] | buffer[start + 3] << 8
            fits = HEADER + 2 <= length <= MOST_BYTES and start + length <= len(buffer)
            if fits and _undamaged(bytes(buffer[start : start + length])):
                return start, start + length
        start = buffer.find(SOM, start + 1)
    return None


def _undamaged(frame: bytes) -> bool:
    if frame[4] & HAS_BLOCK and not 2 <= frame[HEADER] <= len(frame) - HEADER - 2:
        return False
    if frame[4] & HAS_CRC:
        return len(frame) > HEADER + 2 and crc(frame[:-2]) == int.from_bytes(frame[-2:], "little")
    return not sum(frame) & 0xFF
