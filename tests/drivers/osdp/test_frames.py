"""Whole, undamaged frames come out of any bytes, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.osdp import frames
from drivers.osdp.frames import Frame, Sieve, crc, damaged_reply, parse

# A poll to address 0x65 as in the test vectors of libosdp and of an OSDP library in Go.
POLL = bytes.fromhex("53 65 08 00 04 60 60 90")
ACK = bytes.fromhex("53 e5 08 00 04 40 d2 96")


def framed(address: int, code: int, data: bytes = b"", *, control: int = 4, block: bytes = b"") -> bytes:
    size = 5 + len(block) + 1 + len(data) + (2 if control & 4 else 1)
    body = (
        bytes((0x53, address, size & 0xFF, size >> 8, control | 8 * bool(block)))
        + block
        + bytes((code,))
        + data
    )
    return body + (crc(body).to_bytes(2, "little") if control & 4 else bytes((-sum(body) & 0xFF,)))


def test_a_poll_and_its_answer_are_read_as_the_standard_writes_them() -> None:
    assert list(Sieve().feed(b"\xff" + POLL + b"\xff" + ACK)) == [POLL, ACK]
    assert parse(POLL) == parse(b"\xff" + POLL) == Frame(0x65, False, frames.POLL, b"", b"")
    assert parse(ACK) == Frame(0x65, True, frames.ACK, b"", b"")


def test_a_frame_is_found_however_the_line_cuts_it() -> None:
    sieve = Sieve()
    found = [frame for byte in ACK + POLL for frame in sieve.feed(bytes((byte,)))]
    assert found == [ACK, POLL]
    assert sieve.noise == 0


def test_a_frame_with_a_sum_instead_of_a_crc_is_good_too() -> None:
    frame = framed(0x80, 0x41, b"\x03", control=1)
    assert list(Sieve().feed(frame)) == [frame]
    assert parse(frame).data == b"\x03"


def test_a_false_beginning_hides_no_frame_that_follows_it() -> None:
    sieve = Sieve()
    assert list(sieve.feed(bytes.fromhex("53 80 fe 00 04") + ACK)) == [ACK]
    assert sieve.noise == 5


@pytest.mark.parametrize("at", range(len(ACK)))
def test_no_byte_of_a_frame_can_change_unseen(at: int) -> None:
    changed = ACK[:at] + bytes((ACK[at] ^ 0x10,)) + ACK[at + 1 :]
    assert list(Sieve().feed(changed)) == []


def test_what_is_inside_the_secure_channel_is_not_read() -> None:
    secret = framed(0x80, 0x50, b"sixteen bytes of", block=b"\x02\x18")
    assert parse(secret) == Frame(0, True, 0x50, b"\x02\x18", b"")


def test_the_handshake_says_whose_key_it_is() -> None:
    known = framed(0x80, frames.CLIENT_CRYPTOGRAM, bytes(32), block=b"\x03\x12\x00")
    own = framed(0x80, frames.CLIENT_CRYPTOGRAM, bytes(32), block=b"\x03\x12\x01")
    assert parse(known).default_key
    assert not parse(own).default_key


def test_capabilities_are_read_in_threes_and_a_rest_is_left() -> None:
    told = parse(framed(0x80, frames.CAPABILITY_LIST, bytes.fromhex("01 01 02 09 01 00 05")))
    assert told.capabilities == {1: (1, 2), 9: (1, 0)}


def test_a_reply_made_to_be_refused_is_refused() -> None:
    assert list(Sieve().feed(damaged_reply(5))) == []


@given(st.lists(st.binary(max_size=80), max_size=8))
def test_garbage_gives_good_frames_or_nothing_and_is_forgotten(pieces: list[bytes]) -> None:
    sieve = Sieve()
    for piece in pieces:
        for frame in sieve.feed(piece):
            assert frame[0] == frames.SOM
            parse(frame)
    sieve.clear()
    assert list(sieve.feed(ACK)) == [ACK]


@given(st.binary(max_size=40), st.binary(max_size=60))
def test_any_frame_is_found_again_behind_any_noise(noise: bytes, data: bytes) -> None:
    frame = framed(0x81, 0x46, data)
    assert frame in list(Sieve().feed(noise.replace(b"\x53", b"\x00") + frame))


def test_the_shortest_frame_there_is_an_acknowledgement_with_a_sum_is_good() -> None:
    frame = framed(0x80, frames.ACK, control=1)
    assert len(frame) == 7
    assert list(Sieve().feed(frame)) == [frame]


def test_the_longest_frame_there_is_comes_out_behind_noise() -> None:
    frame = framed(0x80, frames.CAPABILITY_LIST, bytes(248))
    assert len(frame) == 256
    sieve = Sieve()
    assert [each for byte in b"\x00" * 9 + frame for each in sieve.feed(bytes((byte,)))] == [frame]


def test_a_babbling_line_fills_no_memory() -> None:
    sieve = Sieve()
    for _ in range(1000):
        assert list(sieve.feed(b"\x53" * 10)) == []
    assert sieve.clear() <= frames.MOST_BYTES
    assert sieve.noise == 10_000
