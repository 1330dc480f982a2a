"""Packets of GB/T 26875.3: the worked samples both ways, one byte at a time, garbage, and what looks like an end."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.api import FrameError
from drivers.gb26875 import frames, units
from drivers.gb26875.frames import BrokenFrameError, Command, Frame
from tests.drivers.gb26875.vectors import FOREIGN, VECTORS, Vector

addresses = st.integers(0, (1 << 48) - 1)
packets = st.builds(
    Frame,
    serial=st.integers(0, 65535),
    command=st.integers(0, 255),
    source=addresses,
    destination=addresses,
    stamp=st.binary(min_size=6, max_size=6),
    # units full of what begins and ends packets: that is where a receiver goes wrong
    unit=st.one_of(st.binary(max_size=1024), st.text("@#\0", max_size=1024).map(str.encode)),
    user_version=st.integers(0, 255),
)


def drained(buffer: bytearray) -> tuple[list[Frame], list[FrameError]]:
    """Take everything there is out of a buffer."""
    found: list[Frame] = []
    errors: list[FrameError] = []
    while True:
        before = len(buffer)
        try:
            frame = frames.decode(buffer)
        except FrameError as error:
            errors.append(error)
            assert len(buffer) < before, "an error that eats nothing would be raised for ever"
            continue
        if frame is None:
            return found, errors
        found.append(frame)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: each.name)
def test_a_worked_sample_is_read(vector: Vector) -> None:
    assert drained(bytearray(vector.data)) == ([vector.frame], [])
    assert vector.unit is None or units.decode(vector.frame.unit) == vector.unit


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: each.name)
def test_a_worked_sample_is_written_to_the_byte(vector: Vector) -> None:
    assert frames.encode(vector.frame) == vector.data
    assert vector.unit is None or units.encode(vector.unit) == vector.frame.unit


@pytest.mark.parametrize(("text", "unit"), FOREIGN, ids=lambda each: str(each)[:24])
def test_a_unit_another_decoder_was_tested_with_is_read_and_written(text: str, unit: units.Unit) -> None:
    assert units.decode(bytes.fromhex(text)) == unit
    assert units.encode(unit) == bytes.fromhex(text)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: each.name)
def test_a_sample_that_comes_byte_by_byte_is_the_same_packet(vector: Vector) -> None:
    buffer, found = bytearray(), list[Frame]()
    for byte in vector.data:
        assert not found
        buffer.append(byte)
        if (frame := frames.decode(buffer)) is not None:
            found.append(frame)
    assert found == [vector.frame]
    assert not buffer


@given(st.lists(packets, max_size=4), st.data())
def test_what_is_written_is_read_again_however_the_stream_is_cut(
    sent: list[Frame], data: st.DataObject
) -> None:
    stream = b"".join(frames.encode(each) for each in sent)
    buffer, found = bytearray(), list[Frame]()
    while stream:
        cut = data.draw(st.integers(1, max(1, len(stream))))
        buffer += stream[:cut]
        stream = stream[cut:]
        frames_now, errors = drained(buffer)
        found += frames_now
        assert not errors
    assert found == sent
    assert not buffer


@given(st.binary(max_size=200))
def test_garbage_is_a_packet_or_an_error_and_nothing_else(noise: bytes) -> None:
    buffer = bytearray(noise)
    found, _ = drained(buffer)
    assert all(frames.encode(each) in noise for each in found)
    assert len(buffer) < 2000


@given(packets, packets, st.binary(max_size=60).filter(lambda noise: b"@" not in noise))
def test_a_packet_behind_noise_is_found(first: Frame, second: Frame, noise: bytes) -> None:
    found, _ = drained(bytearray(frames.encode(first) + noise + frames.encode(second)))
    assert found == [first, second]


@given(packets, st.integers(2, 26), st.integers(1, 255))
def test_a_packet_with_a_changed_byte_is_never_taken_for_another(
    sent: Frame, place: int, change: int
) -> None:
    data = bytearray(frames.encode(sent))
    data[place] ^= change
    found, _ = drained(bytearray(data))
    assert sent not in found
    assert all(frames.encode(each) in data for each in found)


def test_a_wrong_sum_says_whose_packet_it_was_so_that_it_can_be_refused() -> None:
    data = bytearray(VECTORS[0].data)
    data[-3] ^= 1
    with pytest.raises(BrokenFrameError, match="sum") as caught:
        frames.decode(data)
    assert caught.value.head.serial == 1
    assert caught.value.head.source == VECTORS[0].frame.source
    assert not data, "what is whole but for its sum is eaten whole"


def test_a_packet_cut_off_in_the_middle_costs_only_itself() -> None:
    whole = VECTORS[1].data
    found, errors = drained(bytearray(whole[:30] + whole + whole))
    assert found == [VECTORS[1].frame] * 2
    assert errors


def test_a_length_beyond_the_standard_is_not_waited_for() -> None:
    data = bytearray(VECTORS[0].data)
    data[24:26] = (1025).to_bytes(2, "little")
    found, errors = drained(data + VECTORS[1].data)
    assert found == [VECTORS[1].frame]
    assert "1025 bytes" in errors[0].reason


def test_a_false_start_with_a_plausible_length_is_given_up_when_nothing_more_comes() -> None:
    buffer = bytearray(b"@@" + bytes([1, 0, 1, 1]) + bytes(18) + (900).to_bytes(2, "little") + b"\x02")
    buffer += VECTORS[0].data
    assert frames.decode(buffer) is None
    frames.resync(buffer)
    found, _ = drained(buffer)
    assert found == [VECTORS[0].frame]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: each.name)
def test_one_start_byte_too_many_before_a_packet_costs_it_nothing(vector: Vector) -> None:
    found, errors = drained(bytearray(b"@" + vector.data))
    assert found == [vector.frame]
    assert [each.data for each in errors] == [b"@"]


def test_a_false_start_with_its_end_elsewhere_costs_no_packet_that_begins_at_its_second_byte() -> None:
    """One that seems to begin a byte early, with a version and a length that can be believed."""
    frame = Frame(0x0140, Command.SEND, 1, 2 | 5 << 40, bytes(6))
    found, errors = drained(bytearray(b"@" + frames.encode(frame) + bytes(10)))
    assert found == [frame]
    assert "end" in errors[0].reason


def test_a_packet_of_another_version_of_the_protocol_is_none() -> None:
    data = bytearray(VECTORS[0].data)
    data[4] = 2
    data[-3] = sum(data[2:-3]) & 0xFF
    found, errors = drained(data + VECTORS[1].data)
    assert found == [VECTORS[1].frame]
    assert errors[0].reason == "version 2"


def test_the_longest_unit_is_written_and_read() -> None:
    frame = Frame(7, Command.SEND, 1, 2, bytes(6), b"@#" * 512)
    assert drained(bytearray(frames.encode(frame))) == ([frame], [])


def test_starts_and_ends_inside_a_unit_cut_nothing() -> None:
    inner = VECTORS[0].data
    outer = Frame(7, Command.SEND, 1, 2, bytes(6), b"##@@##" + inner + b"@@##")
    assert drained(bytearray(frames.encode(outer) * 2)) == ([outer, outer], [])


def test_a_storm_of_every_kind_of_damage_leaves_the_good_packets_and_no_others() -> None:
    chance, good, stream = random.Random(26875), [], bytearray()
    for number in range(3000):
        frame = Frame(
            number, 2, 889, 88888, bytes(6), bytes(chance.choices(b"@#\0\1x", k=chance.randrange(40)))
        )
        data = bytearray(frames.encode(frame))
        match chance.randrange(4):
            case 0:
                data[chance.randrange(2, 24)] ^= 1 << chance.randrange(8)
                if data[4] != 1:  # no packet of this protocol at all
                    data[:] = b"\0"
            case 1:
                data = bytearray(chance.randbytes(chance.randrange(9)).replace(b"@", b"?"))
            case _:
                good.append(frame)
        stream += data
    found, errors = drained(stream)
    assert found == good
    assert errors


@pytest.mark.parametrize(
    "bad",
    [
        Frame(65536, 2, 1, 2, bytes(6)),
        Frame(0, 256, 1, 2, bytes(6)),
        Frame(0, 2, 1 << 48, 2, bytes(6)),
        Frame(0, 2, 1, 1 << 48, bytes(6)),
        Frame(0, 2, 1, 2, bytes(6), user_version=256),
        Frame(0, 2, 1, 2, bytes(5)),
        Frame(0, 2, 1, 2, bytes(6), bytes(1025)),
    ],
)
def test_what_does_not_fit_into_a_packet_is_refused(bad: Frame) -> None:
    with pytest.raises(ValueError):
        frames.encode(bad)
