"""Modbus frames byte by byte: the examples of the standard, those of real devices, and what must be refused."""

import pytest

from drivers.api import FrameError
from drivers.modbus.codec import (
    ExceptionReply,
    ReadReply,
    ReadRequest,
    Reply,
    Request,
    WriteMultiple,
    WriteReply,
    WriteSingle,
    crc16,
    decode_reply,
    decode_request,
    diagnose,
    encode_reply,
    encode_request,
    find_foreign,
    find_mbap_reply,
    find_mbap_request,
    find_reply,
    find_request,
    mbap_frame,
    reply_length,
    rtu_frame,
)


def hexed(text: str) -> bytes:
    return bytes.fromhex(text)


def bits(*octets: int, count: int) -> tuple[int, ...]:
    return tuple(octets[n // 8] >> n % 8 & 1 for n in range(count))


# MODBUS Application Protocol V1.1b3, sections 6.1 to 6.6, 6.11, 6.12 and 7: request, its pdu, reply, its pdu.
STANDARD: list[tuple[Request, str, Reply, str]] = [
    (
        ReadRequest(1, 0x13, 19), "01 00 13 00 13",
        ReadReply(1, bits(0xCD, 0x6B, 0x05, count=19)), "01 03 CD 6B 05",
    ),
    (
        ReadRequest(2, 0xC4, 22), "02 00 C4 00 16",
        ReadReply(2, bits(0xAC, 0xDB, 0x35, count=22)), "02 03 AC DB 35",
    ),
    (ReadRequest(3, 0x6B, 3), "03 00 6B 00 03", ReadReply(3, (0x022B, 0, 0x64)), "03 06 02 2B 00 00 00 64"),
    (ReadRequest(4, 8, 1), "04 00 08 00 01", ReadReply(4, (0x0A,)), "04 02 00 0A"),
    (WriteSingle(5, 0xAC, 0xFF00), "05 00 AC FF 00", WriteReply(5, 0xAC, 0xFF00), "05 00 AC FF 00"),
    (WriteSingle(6, 1, 3), "06 00 01 00 03", WriteReply(6, 1, 3), "06 00 01 00 03"),
    (
        WriteMultiple(15, 0x13, bits(0xCD, 0x01, count=10)), "0F 00 13 00 0A 02 CD 01",
        WriteReply(15, 0x13, 10), "0F 00 13 00 0A",
    ),
    (
        WriteMultiple(16, 1, (0x0A, 0x0102)), "10 00 01 00 02 04 00 0A 01 02",
        WriteReply(16, 1, 2), "10 00 01 00 02",
    ),
    (ReadRequest(1, 0x04A1, 1), "01 04 A1 00 01", ExceptionReply(1, 2), "81 02"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "asked", "reply", "answered"), STANDARD)
def test_the_standards_examples_are_encoded_and_decoded(
    request_: Request, asked: str, reply: Reply, answered: str
) -> None:
    assert encode_request(request_) == hexed(asked)
    assert decode_request(hexed(asked)) == request_
    assert encode_reply(reply) == hexed(answered)
    assert decode_reply(request_, hexed(answered)) == reply
    if not isinstance(reply, ExceptionReply):
        assert reply_length(request_) == len(hexed(answered))


# Frames from the manuals of real devices: who is asked what, and the frame on the wire.
DEVICES: list[tuple[int, Request, str]] = [
    (1, ReadRequest(2, 0, 4), "01 02 00 00 00 04 79 C9"),  # Calectro UG-3
    (1, ReadRequest(3, 3, 11), "01 03 00 03 00 0B F4 0D"),  # FAAST
    (1, ReadRequest(3, 0, 1), "01 03 00 00 00 01 84 0A"),  # SONBEST SM7571B
    (1, ReadRequest(3, 0, 8), "01 03 00 00 00 08 44 0C"),  # Greystone CMD5B4
    (255, ReadRequest(3, 0x07D0, 1), "FF 03 07 D0 00 01 91 59"),  # Renke and kin: who are you?
    (255, ReadRequest(2, 0, 8), "FF 02 00 00 00 08 6C 12"),  # SQR-2
    (0x50, ReadRequest(3, 0x3D, 3), "50 03 00 3D 00 03 99 86"),  # WT901C485: angles
    (0x50, WriteSingle(6, 0x69, 0xB588), "50 06 00 69 B5 88 22 A1"),  # its unlock
    (0x50, WriteSingle(6, 0x1A, 0x51), "50 06 00 1A 00 51 64 70"),  # its new address
    (0x51, WriteSingle(6, 0, 0), "51 06 00 00 00 00 85 9A"),  # its save
    (0x50, ReadRequest(3, 0x34, 1), "50 03 00 34 00 01 C8 45"),  # WT53R
    (1, ReadRequest(2, 0, 8), "01 02 00 00 00 08 79 CC"),  # Waveshare inputs
    (1, WriteSingle(5, 0x0200, 7), "01 05 02 00 00 07 8D B0"),  # its flash-on for 700 ms
    (1, WriteSingle(5, 0x0200, 50), "01 05 02 00 00 32 4D A7"),  # and for 5 s
]

ANSWERS: list[tuple[int, Request, Reply, str]] = [
    (1, ReadRequest(3, 0, 1), ReadReply(3, (121,)), "01 03 02 00 79 79 A6"),
    (255, ReadRequest(2, 0, 8), ReadReply(2, (1, 0, 0, 0, 0, 0, 0, 0)), "FF 02 01 01 51 A0"),
    (255, ReadRequest(2, 0, 8), ReadReply(2, (0,) * 8), "FF 02 01 00 90 60"),
    (0x50, ReadRequest(3, 0x34, 1), ReadReply(3, (1803,)), "50 03 02 07 0B 06 7F"),
]


@pytest.mark.parametrize(("address", "request_", "frame"), DEVICES)
def test_requests_of_the_manuals_have_these_bytes(address: int, request_: Request, frame: str) -> None:
    assert rtu_frame(address, encode_request(request_)) == hexed(frame)
    assert crc16(hexed(frame)) == 0
    buffer = bytearray(hexed(frame))
    assert find_request(buffer) == (address, request_)
    assert not buffer


@pytest.mark.parametrize(("address", "request_", "reply", "frame"), ANSWERS)
def test_replies_of_the_manuals_have_these_bytes(
    address: int, request_: Request, reply: Reply, frame: str
) -> None:
    assert rtu_frame(address, encode_reply(reply)) == hexed(frame)
    buffer = bytearray(hexed(frame))
    assert find_reply(buffer, address, request_) == reply
    assert not buffer


SMOKE = ReadRequest(3, 0, 1)
GOOD = hexed("01 03 02 00 79 79 A6")


def test_a_reply_that_comes_byte_by_byte_is_found_with_its_last_byte() -> None:
    buffer = bytearray()
    for byte in GOOD[:-1]:
        buffer.append(byte)
        assert find_reply(buffer, 1, SMOKE) is None
    buffer.append(GOOD[-1])
    assert find_reply(buffer, 1, SMOKE) == ReadReply(3, (121,))


@pytest.mark.parametrize("noise", ["00", "00 FF", "01", "01 03", "01 03 02", "01 03 02 01 03 02", "01 83"])
def test_noise_before_a_reply_costs_nothing_even_when_it_looks_like_a_head(noise: str) -> None:
    buffer = bytearray(hexed(noise) + GOOD)
    assert find_reply(buffer, 1, SMOKE) == ReadReply(3, (121,))
    assert not buffer


def test_bytes_after_a_reply_stay_in_the_buffer() -> None:
    buffer = bytearray(GOOD + b"\x55\xaa")
    find_reply(buffer, 1, SMOKE)
    assert buffer == b"\x55\xaa"


@pytest.mark.parametrize(
    "wrong",
    [
        rtu_frame(2, encode_reply(ReadReply(3, (121,)))),  # another slave
        rtu_frame(1, encode_reply(ReadReply(4, (121,)))),  # another function
        rtu_frame(1, encode_reply(ReadReply(3, (108, 7)))),  # another count
        rtu_frame(1, encode_reply(ReadReply(1, (1, 0)))),
        rtu_frame(1, encode_reply(ExceptionReply(4, 2))),  # an exception to another function
        GOOD[:-1] + b"\x00",  # wrong CRC
    ],
)
def test_a_frame_that_does_not_answer_the_request_is_not_taken(wrong: bytes) -> None:
    buffer = bytearray(wrong)
    assert find_reply(buffer, 1, SMOKE) is None
    assert buffer == wrong


@pytest.mark.parametrize("echo", ["05 00 AD FF 00", "05 00 AC 00 00", "06 00 AC FF 00"])
def test_a_write_is_answered_only_by_its_own_echo(echo: str) -> None:
    buffer = bytearray(rtu_frame(1, hexed(echo)))
    assert find_reply(buffer, 1, WriteSingle(5, 0xAC, 0xFF00)) is None


def test_an_exception_is_a_reply_and_found_after_noise() -> None:
    buffer = bytearray(b"\x01" + rtu_frame(1, b"\x83\x02"))
    assert find_reply(buffer, 1, SMOKE) == ExceptionReply(3, 2)


@pytest.mark.parametrize(
    "asked",
    [ReadRequest(2, 0, 4), ReadRequest(4, 8, 1), WriteSingle(6, 1, 3), WriteMultiple(16, 1, (1, 2))],
)
def test_an_exception_to_whatever_was_asked_is_its_reply(asked: Request) -> None:
    buffer = bytearray(rtu_frame(1, bytes((asked.function | 0x80, 2))))
    assert find_reply(buffer, 1, asked) == ExceptionReply(asked.function, 2)


def test_one_value_out_of_range_among_good_ones_is_not_sent() -> None:
    with pytest.raises(ValueError, match="value out of range"):
        encode_request(WriteMultiple(16, 1, (1, 0x10000)))
    with pytest.raises(ValueError, match="value out of range"):
        encode_request(WriteMultiple(15, 1, (1, 2)))


def test_the_late_reply_to_an_older_request_is_recognised_by_that_request() -> None:
    late = bytearray(rtu_frame(7, encode_reply(ReadReply(3, (1, 2, 3)))))
    assert find_reply(late, 7, SMOKE) is None
    assert find_reply(late, 7, ReadRequest(3, 0, 3)) == ReadReply(3, (1, 2, 3))


@pytest.mark.parametrize(
    "pdu",
    [
        encode_reply(ReadReply(4, (10,))),
        encode_reply(WriteReply(16, 1, 2)),
        encode_reply(WriteReply(5, 1, 0xFF00)),
        encode_reply(ExceptionReply(3, 2)),
    ],
)
def test_a_foreign_reply_is_found_behind_noise_and_eaten(pdu: bytes) -> None:
    buffer = bytearray(b"\x00\x11" + rtu_frame(9, pdu) + b"\x33")
    assert find_foreign(buffer) == (9, pdu)
    assert buffer == b"\x33"


def test_no_foreign_reply_is_seen_in_noise_or_in_a_request() -> None:
    assert find_foreign(bytearray(b"\x01\x10\x02\x00\x0a\x55\x55\x55")) is None
    assert find_foreign(bytearray(rtu_frame(1, encode_request(SMOKE)))) is None


@pytest.mark.parametrize(
    ("seen", "diagnosis"),
    [
        (b"", "empty"),
        (b"\x00", "noise"),
        (b"\x01", "noise"),
        (b"\xff\x00\xff\x00\xff\x00", "noise"),
        (GOOD[:4], "short"),
        (b"\x00" + GOOD[:5], "short"),
        (GOOD[:-1] + b"\x00", "crc"),
        (b"\x41" + GOOD[1:], "crc"),  # the address bit itself flipped: the length still tells
        (b"\x00" + GOOD[:-1] + b"\x00\x00", "crc"),
        (rtu_frame(2, GOOD[1:-2]), "foreign"),
        (rtu_frame(1, encode_reply(ReadReply(3, (1, 2)))), "foreign"),
        (b"\x99" + rtu_frame(3, b"\x84\x02"), "foreign"),
    ],
)
def test_a_buffer_without_a_reply_tells_what_went_wrong(seen: bytes, diagnosis: str) -> None:
    buffer = bytearray(seen)
    assert diagnose(buffer, 1, SMOKE) == diagnosis
    assert buffer == seen


@pytest.mark.parametrize(
    "request_",
    [
        ReadRequest(3, 0, 0),
        ReadRequest(3, 0, 126),
        ReadRequest(1, 0, 2001),
        ReadRequest(7, 0, 1),
        ReadRequest(3, 0xFFFF, 2),
        WriteSingle(6, 0x10000, 0),
        WriteSingle(6, 0, -1),
        WriteSingle(3, 0, 0),
        WriteMultiple(16, 0, ()),
        WriteMultiple(16, 0, (0,) * 124),
        WriteMultiple(15, 0, (2,)),
        WriteMultiple(16, 0, (0x10000,)),
        WriteMultiple(6, 0, (1,)),
    ],
)
def test_a_request_the_standard_forbids_is_not_sent(request_: Request) -> None:
    with pytest.raises(ValueError, match="out of range"):
        encode_request(request_)


@pytest.mark.parametrize(
    "pdu",
    [
        "", "03", "03 00 00 00", "03 00 00 00 00", "03 00 00 00 7E", "07 00 00 00 01", "03 00 00 00 01 00",
        "05 00 00 00 00 00", "10 00 01 00 02", "10 00 01 00 02 04 00 0A 01", "10 00 01 00 02 02 00 0A",
        "0F 00 13 00 0A 01 CD", "03 FF FF 00 02",
    ],
)  # fmt: skip
def test_a_pdu_that_is_no_legal_request_is_refused(pdu: str) -> None:
    with pytest.raises(FrameError):
        decode_request(hexed(pdu))


@pytest.mark.parametrize(
    "pdu", ["", "03", "03 02 00", "03 02 00 79 00", "04 02 00 79", "03 04 00 79", "83 02 00"]
)
def test_a_pdu_that_answers_something_else_is_refused(pdu: str) -> None:
    with pytest.raises(FrameError):
        decode_reply(SMOKE, hexed(pdu))


def test_a_slave_finds_a_request_behind_noise_and_leaves_what_follows() -> None:
    frame = rtu_frame(1, encode_request(WriteMultiple(16, 1, (10, 258))))
    buffer = bytearray(b"\x01\x10\x00" + frame + b"\x77")
    assert find_request(buffer) == (1, WriteMultiple(16, 1, (10, 258)))
    assert buffer == b"\x77"


def test_a_slave_waits_for_the_rest_of_a_request_and_passes_over_illegal_ones() -> None:
    assert find_request(bytearray(rtu_frame(1, encode_request(SMOKE))[:-1])) is None
    assert find_request(bytearray(rtu_frame(1, hexed("03 00 00 00 00")))) is None


def test_a_tcp_reply_is_taken_whole_and_older_transactions_are_dropped() -> None:
    pdu = encode_reply(ReadReply(3, (121,)))
    stream = mbap_frame(6, 1, pdu) + mbap_frame(7, 1, pdu)
    assert stream[:9] == hexed("00 06 00 00 00 05 01 03 02")
    buffer = bytearray()
    for byte in stream[:-1]:
        buffer.append(byte)
        assert find_mbap_reply(buffer, 7, 1, SMOKE) is None
    buffer.append(stream[-1])
    assert find_mbap_reply(buffer, 7, 1, SMOKE) == ReadReply(3, (121,))
    assert not buffer


@pytest.mark.parametrize(
    "stream", ["00 07 00 01 00 05 01 03 02 00 79", "00 07 00 00 00 01 01", "00 07 00 00 00 FF 01"]
)
def test_a_stream_that_is_no_modbus_tcp_is_refused(stream: str) -> None:
    with pytest.raises(FrameError, match="no Modbus TCP header"):
        find_mbap_reply(bytearray(hexed(stream)), 7, 1, SMOKE)


def test_a_tcp_reply_to_another_question_is_refused() -> None:
    with pytest.raises(FrameError, match="no reply to"):
        find_mbap_reply(bytearray(mbap_frame(7, 1, encode_reply(ReadReply(4, (1,))))), 7, 1, SMOKE)


def test_a_tcp_slave_gets_transaction_unit_and_request() -> None:
    buffer = bytearray(mbap_frame(7, 3, encode_request(SMOKE)))
    assert find_mbap_request(buffer) == (7, 3, SMOKE)
    assert find_mbap_request(buffer) is None


@pytest.mark.parametrize(
    ("function", "most"), [(1, 2000), (2, 2000), (3, 125), (4, 125), (15, 1968), (16, 123)]
)
def test_as_much_as_the_standard_allows_is_asked_for_at_once_and_no_more(function: int, most: int) -> None:
    def asked(count: int) -> Request:
        return WriteMultiple(function, 0, (1,) * count) if function > 4 else ReadRequest(function, 0, count)

    assert decode_request(encode_request(asked(most))) == asked(most)
    with pytest.raises(ValueError, match="count"):
        encode_request(asked(most + 1))


@pytest.mark.parametrize(
    ("asked", "reply"),
    [
        (ReadRequest(3, 0, 1), ReadReply(3, (0x79,))),
        (WriteSingle(5, 0x0200, 50), WriteReply(5, 0x0200, 50)),
        (WriteMultiple(15, 8, (1, 0)), WriteReply(15, 8, 2)),
        (WriteMultiple(16, 8, (7,)), WriteReply(16, 8, 1)),
    ],
)
def test_the_rest_of_any_answer_is_waited_for_byte_by_byte(asked: Request, reply: Reply) -> None:
    whole = rtu_frame(1, encode_reply(reply))
    for size in range(len(whole)):
        assert find_reply(bytearray(whole[:size]), 1, asked) is None
    assert find_reply(bytearray(whole), 1, asked) == reply
