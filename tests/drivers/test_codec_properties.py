"""Modbus frames under garbage: a message, None or FrameError, nothing else; and every round trip closes."""

from contextlib import suppress

import hypothesis.strategies as st
from hypothesis import assume, given

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
    rtu_frame,
)

words = st.integers(0, 0xFFFF)
addresses = st.integers(1, 255)
low = st.integers(0, 0xF000)
bit = st.integers(0, 1)
requests: st.SearchStrategy[Request] = st.one_of(
    st.builds(ReadRequest, st.sampled_from((1, 2)), low, st.integers(1, 2000)),
    st.builds(ReadRequest, st.sampled_from((3, 4)), low, st.integers(1, 125)),
    st.builds(WriteSingle, st.sampled_from((5, 6)), words, words),
    st.builds(WriteMultiple, st.just(15), low, st.lists(bit, min_size=1, max_size=1968).map(tuple)),
    st.builds(WriteMultiple, st.just(16), low, st.lists(words, min_size=1, max_size=123).map(tuple)),
)
noise = st.binary(max_size=20)


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[Request, Reply]:
    request = draw(requests)
    if draw(st.booleans()):
        return request, ExceptionReply(request.function, draw(st.integers(1, 11)))
    if isinstance(request, ReadRequest):
        value = bit if request.function <= 2 else words
        values = draw(st.lists(value, min_size=request.count, max_size=request.count))
        return request, ReadReply(request.function, tuple(values))
    last = request.value if isinstance(request, WriteSingle) else len(request.values)
    return request, WriteReply(request.function, request.address, last)


@given(requests)
def test_every_request_comes_back_from_its_bytes(request: Request) -> None:
    assert decode_request(encode_request(request)) == request


@given(exchanges())
def test_every_reply_comes_back_from_its_bytes(exchange: tuple[Request, Reply]) -> None:
    request, reply = exchange
    assert decode_reply(request, encode_reply(reply)) == reply


@given(exchanges(), addresses, noise, noise)
def test_a_reply_is_found_inside_noise(
    exchange: tuple[Request, Reply], address: int, before: bytes, after: bytes
) -> None:
    request, reply = exchange
    frame = rtu_frame(address, encode_reply(reply))
    buffer = bytearray(before + frame + after)
    found = find_reply(buffer, address, request)
    assume(found == reply)  # noise may hold a frame of its own; that happens once in 65,536 times
    assert buffer == after


@given(requests, addresses, noise)
def test_a_request_is_found_behind_noise(request: Request, address: int, before: bytes) -> None:
    assume(find_request(bytearray(before + b"\x00" * 8)) is None)
    buffer = bytearray(before + rtu_frame(address, encode_request(request)))
    assert find_request(buffer) == (address, request)
    assert not buffer


@given(exchanges(), addresses, st.data())
def test_up_to_three_flipped_bits_never_make_a_reply(
    exchange: tuple[Request, Reply], address: int, data: st.DataObject
) -> None:
    """The CRC has a Hamming distance of 4 at these lengths: one to three wrong bits are always seen."""
    request, reply = exchange
    frame = bytearray(rtu_frame(address, encode_reply(reply)))
    flips = data.draw(st.sets(st.integers(0, len(frame) * 8 - 1), min_size=1, max_size=3))
    for flip in flips:
        frame[flip // 8] ^= 1 << flip % 8
    assert crc16(frame) != 0
    assert find_reply(frame, address, request) is None


@given(st.binary(max_size=300), addresses, requests)
def test_garbage_gives_a_reply_or_nothing(garbage: bytes, address: int, request: Request) -> None:
    buffer = bytearray(garbage)
    reply = find_reply(buffer, address, request)
    assert reply is None or reply.function == request.function
    assert len(buffer) <= len(garbage)
    assert diagnose(buffer, address, request) in {"empty", "short", "crc", "foreign", "noise"}
    find_request(buffer)
    find_foreign(buffer)


@given(st.binary(max_size=260), requests)
def test_garbage_pdus_give_a_message_or_frame_error(garbage: bytes, request: Request) -> None:
    for decode in (decode_request, lambda pdu: decode_reply(request, pdu)):
        with suppress(FrameError):
            decode(garbage)


@given(st.binary(max_size=300), requests)
def test_garbage_on_tcp_gives_a_message_nothing_or_frame_error(garbage: bytes, request: Request) -> None:
    for find in (find_mbap_request, lambda buffer: find_mbap_reply(buffer, 0, 0, request)):
        with suppress(FrameError):
            find(bytearray(garbage))


@given(exchanges(), words, st.integers(0, 255))
def test_tcp_exchanges_come_back_from_their_bytes(
    exchange: tuple[Request, Reply], transaction: int, unit: int
) -> None:
    request, reply = exchange
    asked = bytearray(mbap_frame(transaction, unit, encode_request(request)))
    assert find_mbap_request(asked) == (transaction, unit, request)
    answered = bytearray(mbap_frame(transaction, unit, encode_reply(reply)))
    assert find_mbap_reply(answered, transaction, unit, request) == reply
