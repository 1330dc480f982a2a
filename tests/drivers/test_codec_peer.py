"""Our Modbus frames and those of an implementation we did not write are the same bytes, and say the same to both."""

from hypothesis import given
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu import bit_message as bits
from pymodbus.pdu import register_message as registers

from drivers.modbus.codec import (
    ExceptionReply,
    ReadReply,
    ReadRequest,
    Reply,
    Request,
    WriteMultiple,
    encode_reply,
    encode_request,
    find_mbap_reply,
    find_reply,
    mbap_frame,
    rtu_frame,
)
from tests.drivers.test_codec_properties import addresses, exchanges, words

ASKED: dict[int, type[ModbusPDU]] = {
    1: bits.ReadCoilsRequest, 2: bits.ReadDiscreteInputsRequest, 3: registers.ReadHoldingRegistersRequest,
    4: registers.ReadInputRegistersRequest, 5: bits.WriteSingleCoilRequest,
    6: registers.WriteSingleRegisterRequest, 15: bits.WriteMultipleCoilsRequest,
    16: registers.WriteMultipleRegistersRequest,
}  # fmt: skip
ANSWERED: dict[int, type[ModbusPDU]] = {
    1: bits.ReadCoilsResponse, 2: bits.ReadDiscreteInputsResponse, 3: registers.ReadHoldingRegistersResponse,
    4: registers.ReadInputRegistersResponse, 5: bits.WriteSingleCoilResponse,
    6: registers.WriteSingleRegisterResponse, 15: bits.WriteMultipleCoilsResponse,
    16: registers.WriteMultipleRegistersResponse,
}  # fmt: skip


def theirs(asked: Request) -> ModbusPDU | None:
    """Return the peer's request; None where it has none: some boards take a time in place of a coil's on and off."""
    make = ASKED[asked.function]
    if isinstance(asked, ReadRequest):
        return make(address=asked.address, count=asked.count)
    if isinstance(asked, WriteMultiple):
        if asked.function == 15:
            return make(address=asked.address, bits=[bool(each) for each in asked.values])
        return make(address=asked.address, registers=list(asked.values))
    if asked.function == 5:
        on_or_off = asked.value in {0, 0xFF00}
        return make(address=asked.address, bits=[asked.value != 0]) if on_or_off else None
    return make(address=asked.address, registers=[asked.value])


def their_reply(reply: Reply) -> ModbusPDU | None:
    """Return the peer's reply; None where it has none."""
    if isinstance(reply, ExceptionReply):
        return ExceptionResponse(reply.function, exception_code=reply.code)
    make = ANSWERED[reply.function]
    if isinstance(reply, ReadReply):
        if reply.function <= 2:
            return make(bits=[bool(each) for each in reply.values])
        return make(registers=list(reply.values))
    if reply.function >= 15:
        return make(address=reply.address, count=reply.value_or_count)
    if reply.function == 5:
        on_or_off = reply.value_or_count in {0, 0xFF00}
        return make(address=reply.address, bits=[reply.value_or_count != 0]) if on_or_off else None
    return make(address=reply.address, registers=[reply.value_or_count])


@given(exchanges(), addresses, words)
def test_requests_and_replies_are_the_bytes_a_peer_sends(
    exchange: tuple[Request, Reply], address: int, transaction: int
) -> None:
    request, reply = exchange
    rtu, tcp = FramerRTU(DecodePDU(False)), FramerSocket(DecodePDU(False))
    for peer, pdu in ((theirs(request), encode_request(request)), (their_reply(reply), encode_reply(reply))):
        if peer is not None:
            peer.dev_id, peer.transaction_id = address, transaction
            assert rtu.buildFrame(peer) == rtu_frame(address, pdu)
            assert tcp.buildFrame(peer) == mbap_frame(transaction, address, pdu)


@given(exchanges(), addresses, words)
def test_what_a_peer_answers_is_read_as_it_was_meant(
    exchange: tuple[Request, Reply], address: int, transaction: int
) -> None:
    request, reply = exchange
    peer = their_reply(reply)
    if peer is None:
        return
    peer.dev_id, peer.transaction_id = address, transaction
    serial = bytearray(FramerRTU(DecodePDU(False)).buildFrame(peer))
    assert find_reply(serial, address, request) == reply
    stream = bytearray(FramerSocket(DecodePDU(False)).buildFrame(peer))
    assert find_mbap_reply(stream, transaction, address, request) == reply
    assert not serial
    assert not stream


@given(exchanges(), addresses)
def test_what_we_send_is_read_by_a_peer_as_it_was_meant(
    exchange: tuple[Request, Reply], address: int
) -> None:
    request, reply = exchange
    for server, peer, pdu in (
        (True, theirs(request), encode_request(request)),
        (False, their_reply(reply), encode_reply(reply)),
    ):
        if peer is None:
            continue
        frame = rtu_frame(address, pdu)
        used, unit, _, heard = FramerRTU(DecodePDU(server)).decode(frame)
        assert (used, unit, heard) == (len(frame), address, pdu)
        read = DecodePDU(server).decode(heard)
        assert read is not None
        assert read.encode() == peer.encode()
