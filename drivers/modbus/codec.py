"""Modbus frames as plain functions over bytes, for both ends of the wire: no I/O, no clock.

A *pdu* is function code and data (MODBUS Application Protocol V1.1b3); an RTU frame is address, pdu and CRC
(MODBUS over Serial Line V1.02); a Modbus TCP frame is a seven-byte header and the pdu. `find_*` functions eat
the bytes of what they return and leave the buffer alone when they return None.

RTU has no transaction id and no start mark, so a reply is believed only if everything that can match does:
address, function, byte count, and for a write the echoed address and value. A frame is looked for at every
offset, because one byte of noise in front of it must not cost a time-out. The bytes of a FC 5 or 6 request
are also the bytes of its reply: who sends them over a line with echo has to take the echo away first.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from drivers.api import FrameError

COIL_ON: Final = 0xFF00
COIL_OFF: Final = 0x0000
MAX_FRAME: Final = 256  # address, pdu of 253 and CRC (V1.1b3, 4.1)

_READS = frozenset((1, 2, 3, 4))
_BITS = frozenset((1, 2, 15))
_MAX_COUNT = {1: 2000, 2: 2000, 3: 125, 4: 125, 15: 1968, 16: 123}


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Read `count` coils (1), discrete inputs (2), holding registers (3) or input registers (4)."""

    function: int
    address: int
    count: int


@dataclass(frozen=True, slots=True)
class WriteSingle:
    """Write one coil (5) or holding register (6). `value` is the word on the wire: a coil takes COIL_ON or
    COIL_OFF, and some relay boards a time.
    """

    function: int
    address: int
    value: int


@dataclass(frozen=True, slots=True)
class WriteMultiple:
    """Write coils (15, values 0 or 1) or holding registers (16) from `address` on."""

    function: int
    address: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReadReply:
    """What a read found: bits as 0 or 1, registers as unsigned words.

    A slave encodes as many bits as it has; a master gets as many as it asked for.
    """

    function: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WriteReply:
    """The echo of a write: its address, and its value (5, 6) or count (15, 16)."""

    function: int
    address: int
    value_or_count: int


@dataclass(frozen=True, slots=True)
class ExceptionReply:
    """The slave's no: `function` without its high bit, and the code (2: illegal data address, ...)."""

    function: int
    code: int


Request: TypeAlias = ReadRequest | WriteSingle | WriteMultiple
Reply: TypeAlias = ReadReply | WriteReply | ExceptionReply
Diagnosis: TypeAlias = Literal["empty", "short", "crc", "foreign", "noise"]


# --- pdu ------------------------------------------------------------------------------------------


def encode_request(request: Request) -> bytes:
    """Return the pdu of a request; ValueError if the standard forbids it."""
    if fault := _fault(request):
        raise ValueError(fault)
    if isinstance(request, ReadRequest):
        return struct.pack(">BHH", request.function, request.address, request.count)
    if isinstance(request, WriteSingle):
        return struct.pack(">BHH", request.function, request.address, request.value)
    data = _pack(request.function, request.values)
    return struct.pack(">BHHB", request.function, request.address, len(request.values), len(data)) + data


def decode_request(pdu: bytes) -> Request:
    """Return the request a pdu holds; FrameError if it is none, or one the standard forbids."""
    request = _parse_request(pdu)
    if request is None:
        raise FrameError("no request", bytes(pdu))
    if fault := _fault(request):
        raise FrameError(fault, bytes(pdu))
    return request


def encode_reply(reply: Reply) -> bytes:
    """Return the pdu of a reply."""
    if isinstance(reply, ExceptionReply):
        return bytes((reply.function | 0x80, reply.code))
    if isinstance(reply, WriteReply):
        return struct.pack(">BHH", reply.function, reply.address, reply.value_or_count)
    data = _pack(reply.function, reply.values)
    return bytes((reply.function, len(data))) + data


def decode_reply(request: Request, pdu: bytes) -> Reply:
    """Return the reply to `request` a pdu holds; FrameError if it answers anything else."""
    function = request.function
    if len(pdu) == 2 and pdu[0] == function | 0x80:
        return ExceptionReply(function, pdu[1])
    if len(pdu) != reply_length(request) or not _answers(request, pdu, 0):
        raise FrameError(f"no reply to {request}", bytes(pdu))
    if isinstance(request, ReadRequest):
        return ReadReply(function, _unpack(function, pdu[2:], request.count))
    return WriteReply(function, request.address, _value_or_count(request))


def reply_length(request: Request) -> int:
    """Return how many bytes the pdu of a good reply has."""
    return 2 + _data_length(request.function, request.count) if isinstance(request, ReadRequest) else 5


# --- RTU ------------------------------------------------------------------------------------------


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
    return byte


_CRC_TABLE: Final = tuple(_crc_of(byte) for byte in range(256))


def crc16(data: bytes | bytearray) -> int:
    """Return the CRC of Modbus (Serial Line V1.02, 6.2.2). Over a frame with its CRC it is 0."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def rtu_frame(address: int, pdu: bytes) -> bytes:
    """Return address, pdu and CRC."""
    body = bytes((address,)) + pdu
    return body + crc16(body).to_bytes(2, "little")


def find_reply(buffer: bytearray, address: int, request: Request) -> Reply | None:
    """Return the slave's reply to `request`, wherever in the buffer it begins; None: more bytes are needed.

    Eats everything up to its end. Called with an old request it finds the late reply to it.
    """
    for start, end in _candidates(buffer, address, request):
        if end <= len(buffer) and crc16(frame := bytes(buffer[start:end])) == 0:
            del buffer[:end]
            return decode_reply(request, frame[1:-2])
    return None


def find_foreign(buffer: bytearray) -> tuple[int, bytes] | None:
    """Return address and pdu of the first whole reply in the buffer, whoever sent it to whatever request."""
    for start, end in _replies(buffer):
        frame = bytes(buffer[start:end])
        del buffer[:end]
        return frame[0], frame[1:-2]
    return None


def diagnose(buffer: bytearray, address: int, request: Request) -> Diagnosis:
    """Say what a buffer holds in which `find_reply` found nothing before the time-out.

    empty: no byte came. foreign: a whole reply, but another slave's or to another request. crc: the reply
    with wrong bits. short: its beginning. noise: anything else.
    """
    if not buffer:
        return "empty"
    if next(_replies(buffer), None):
        return "foreign"
    ends = [end for _, end in _candidates(buffer, address, request)]
    if len(buffer) == reply_length(request) + 3 or any(end <= len(buffer) for end in ends):
        return "crc"
    return "short" if ends else "noise"


def find_request(buffer: bytearray) -> tuple[int, Request] | None:
    """Return address and request of the first whole request in the buffer, for the slave's side."""
    for start in range(len(buffer) - 7):
        end = start + (9 + buffer[start + 6] if buffer[start + 1] in {15, 16} else 8)
        if end > len(buffer) or crc16(frame := buffer[start:end]):
            continue
        try:
            request = decode_request(bytes(frame[1:-2]))
        except FrameError:
            continue
        del buffer[:end]
        return frame[0], request
    return None


# --- Modbus TCP -----------------------------------------------------------------------------------


def mbap_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """Return header and pdu (MODBUS Messaging on TCP/IP V1.0b, 3.1.3)."""
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def find_mbap_reply(buffer: bytearray, transaction: int, unit: int, request: Request) -> Reply | None:
    """Return the reply to `request`; None: more bytes are needed.

    Replies to older transactions are eaten and dropped. FrameError means that the stream can be trusted no
    longer: close it.
    """
    while frame := _take_mbap(buffer):
        if frame[:2] == (transaction, unit):
            return decode_reply(request, frame[2])
    return None


def find_mbap_request(buffer: bytearray) -> tuple[int, int, Request] | None:
    """Return transaction, unit and request, for the slave's side; FrameError as in `find_mbap_reply`."""
    frame = _take_mbap(buffer)
    return None if frame is None else (frame[0], frame[1], decode_request(frame[2]))


def _take_mbap(buffer: bytearray) -> tuple[int, int, bytes] | None:
    if len(buffer) < 7:
        return None
    transaction, protocol, length, unit = struct.unpack_from(">HHHB", buffer)
    if protocol != 0 or not 2 <= length <= 254:
        raise FrameError("no Modbus TCP header", bytes(buffer[:7]))
    if len(buffer) < 6 + length:
        return None
    pdu = bytes(buffer[7 : 6 + length])
    del buffer[: 6 + length]
    return transaction, unit, pdu


# --- shared parts ---------------------------------------------------------------------------------


def _fault(request: Request) -> str | None:
    """Say why the standard forbids a request; None if it does not."""
    if isinstance(request, WriteSingle):
        legal = request.function in {5, 6} and 0 <= request.address <= 0xFFFF and 0 <= request.value <= 0xFFFF
        return None if legal else "function, address or value out of range"
    if isinstance(request, ReadRequest):
        known, count = request.function in _READS, request.count
    else:
        known, count = request.function in {15, 16}, len(request.values)
        top = 1 if request.function == 15 else 0xFFFF
        if not all(0 <= value <= top for value in request.values):
            return "value out of range"
    if not known or not 1 <= count <= _MAX_COUNT[request.function]:
        return "function or count out of range"
    return None if 0 <= request.address <= 0x10000 - count else "address out of range"


def _parse_request(pdu: bytes) -> Request | None:
    if len(pdu) < 5:
        return None
    function, address, third = struct.unpack_from(">BHH", pdu)
    if function in _READS and len(pdu) == 5:
        return ReadRequest(function, address, third)
    if function in {5, 6} and len(pdu) == 5:
        return WriteSingle(function, address, third)
    if function in {15, 16} and len(pdu) >= 6 and pdu[5] == len(pdu) - 6 == _data_length(function, third):
        return WriteMultiple(function, address, _unpack(function, pdu[6:], third))
    return None


def _answers(request: Request, pdu: bytes | bytearray, at: int) -> bool:
    """Say whether the pdu at `at` begins with the function, and the count or echo, of the reply."""
    if pdu[at] != request.function:
        return False
    if isinstance(request, ReadRequest):
        return pdu[at + 1] == reply_length(request) - 2
    echo: tuple[int, int] = struct.unpack_from(">HH", pdu, at + 1)
    return echo == (request.address, _value_or_count(request))


def _value_or_count(request: WriteSingle | WriteMultiple) -> int:
    return request.value if isinstance(request, WriteSingle) else len(request.values)


def _candidates(buffer: bytearray, address: int, request: Request) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of all whose head is a reply to `request`; `end` may lie past the buffer."""
    need = 3 if isinstance(request, ReadRequest) else 6
    start = buffer.find(address)
    while start >= 0:
        if len(buffer) - start < 2:
            return
        if buffer[start + 1] == request.function | 0x80:
            yield start, start + 5
        elif len(buffer) - start >= need and _answers(request, buffer, start + 1):
            yield start, start + reply_length(request) + 3
        start = buffer.find(address, start + 1)


def _replies(buffer: bytearray) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of every whole reply of any slave to any request."""
    for start in range(len(buffer) - 4):
        function = buffer[start + 1]
        if function in _READS:
            end = start + 5 + buffer[start + 2]
        else:
            end = start + {5: 8, 6: 8, 15: 8, 16: 8}.get(function, 5 if function >= 0x80 else MAX_FRAME)
        if end <= len(buffer) and crc16(buffer[start:end]) == 0:
            yield start, end


def _data_length(function: int, count: int) -> int:
    return -(-count // 8) if function in _BITS else 2 * count


def _pack(function: int, values: tuple[int, ...]) -> bytes:
    if function not in _BITS:
        return struct.pack(f">{len(values)}H", *values)
    data = bytearray(-(-len(values) // 8))
    for index, value in enumerate(values):
        data[index // 8] |= (value & 1) << index % 8
    return bytes(data)


def _unpack(function: int, data: bytes, count: int) -> tuple[int, ...]:
    if function not in _BITS:
        return struct.unpack(f">{count}H", data)
    return tuple(data[index // 8] >> index % 8 & 1 for index in range(count))
