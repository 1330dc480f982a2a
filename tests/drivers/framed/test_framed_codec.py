"""The codec of frames: every layout there is against its vectors, byte by byte, behind garbage, and back again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.api import FrameError
from drivers.framed.checksums import RULES
from drivers.framed.codec import Frame, decode, encode
from drivers.framed.layout import Layout, LayoutError, parse

RADAR = parse(["53 59", "type 2", "length 2", "data", "sum", "54 43"])
SEEED = parse(["01", "id 2", "length 2", "type 2", "not_xor", "data", "not_xor over data"])
TILT = parse(["68", "length 1 counts length..sum", "address 1", "type 1", "data", "sum over length..data"])
DISTANCE = parse(["FF", "data 2", "sum"])
BAYS = parse(["E8", "address 1", "type 1", "length 2", "data", "crc16_modbus low first"])
PANEL = parse(["AA 01", "type 1", "length 2 low first", "data", "crc16_arc low first over type..data", "55"])
UHF = parse(["02", "address 2", "type 1", "data 8", "03", "xor"])
CARDS = parse(["data 10", "0D 0A"])
LINES = parse(["data", "0D 0A"], longest=20)
SENTENCES = parse(["24", "data", "0D 0A"], longest=20)
VECTORS = [
    (RADAR, "53 59 80 81 00 01 0F BD 54 43", Frame(0x8081, b"\x0f")),
    (RADAR, "53 59 01 01 00 01 0F BE 54 43", Frame(0x0101, b"\x0f")),
    (SEEED, "01 00 00 00 01 0E 02 F3 01 FE", Frame(0x0E02, b"\x01")),
    (SEEED, "01 00 07 00 04 0A 14 E3 00 00 70 41 CE", Frame(0x0A14, b"\0\0\x70\x41", id=7)),
    (TILT, "68 04 00 04 08", Frame(4, b"")),
    (TILT, "68 0D 00 84 10 02 87 00 01 23 00 00 00 4E", Frame(0x84, bytes.fromhex("100287000123000000"))),
    (DISTANCE, "FF 07 A1 A7", Frame(0, b"\x07\xa1")),
    (parse(["FF", "data 2", "sum over data"]), "FF 07 A1 A8", Frame(0, b"\x07\xa1")),
    (parse(["EB", "address 1", "type 1", "data 1", "xor"]), "EB 01 40 00 AA", Frame(0x40, b"\0", address=1)),
    (CARDS, b"0012345678\r\n".hex(), Frame(0, b"0012345678")),
    (LINES, b"\r\n".hex(), Frame(0, b"")),
    (SENTENCES, b"$water 12\r\n".hex(), Frame(0, b"water 12")),
]
ALL = [RADAR, SEEED, TILT, DISTANCE, BAYS, PANEL, UHF, CARDS, LINES, SENTENCES]
by_vector = pytest.mark.parametrize(("layout", "text", "frame"), VECTORS)


def drain(layout: Layout, buffer: bytearray) -> tuple[list[Frame], bytes]:
    """Return every frame in a buffer and what was no frame."""
    frames: list[Frame] = []
    noise = b""
    for _ in range(2 * len(buffer) + 2):
        try:
            frame = decode(layout, buffer)
        except FrameError as error:
            noise += error.data
            continue
        if frame is None:
            return frames, noise
        frames.append(frame)
    raise AssertionError("it never came to an end")


def frame_of(layout: Layout, data: bytes, *, kind: int = 0, address: int = 0, serial: int = 0) -> Frame:
    """Return a frame this layout can carry, as near to what is asked for as it can."""
    size = {UHF: 8, CARDS: 10, DISTANCE: 2}.get(layout)
    if size:
        data = data.ljust(size, b"0")[:size]
    has = {part.name for part in layout.parts if hasattr(part, "name")}
    return Frame(
        kind & 0xFF if "type" in has else 0, data, address & 0xFF if "address" in has else 0,
        serial if "id" in has else 0,
    )  # fmt: skip


@by_vector
def test_the_frames_of_the_manuals_are_read_and_written(layout: Layout, text: str, frame: Frame) -> None:
    assert decode(layout, bytearray.fromhex(text)) == frame
    assert encode(layout, frame) == bytes.fromhex(text)


@by_vector
def test_a_frame_that_comes_byte_by_byte_is_whole_with_its_last(
    layout: Layout, text: str, frame: Frame
) -> None:
    buffer, whole = bytearray(), bytes.fromhex(text)
    for byte in whole[:-1]:
        buffer.append(byte)
        assert decode(layout, buffer) is None
    buffer.append(whole[-1])
    assert decode(layout, buffer) == frame
    assert not buffer


@by_vector
def test_what_follows_a_frame_is_left_in_the_buffer(layout: Layout, text: str, frame: Frame) -> None:
    buffer = bytearray.fromhex(text) + b"\x01\x02"
    assert decode(layout, buffer) == frame
    assert buffer == b"\x01\x02"


@pytest.mark.parametrize("name", RULES)
def test_every_checksum_has_the_value_of_the_catalogue(name: str) -> None:
    wanted = {
        "sum": 0xDD, "xor": 0x31, "not_xor": 0xCE, "crc16_modbus": 0x4B37, "crc16_arc": 0xBB3D,
        "crc16_xmodem": 0x31C3, "crc16_ccitt": 0x29B1,
    }  # fmt: skip
    assert RULES[name].value(b"123456789") == wanted[name]


@pytest.mark.parametrize("layout", ALL)
@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_garbage_gives_frames_or_frame_errors_and_nothing_is_lost(layout: Layout, garbage: bytes) -> None:
    buffer = bytearray(garbage)
    frames, noise = drain(layout, buffer)
    assert len(noise) + len(buffer) + sum(len(encode(layout, frame)) for frame in frames) == len(garbage)


@pytest.mark.parametrize("layout", ALL)
@given(st.text("abcdefgh", max_size=20), st.integers(0, 255), st.integers(0, 255), st.integers(0, 0xFFFF))
@settings(max_examples=60, deadline=None)
def test_whatever_is_written_is_read_back(
    layout: Layout, text: str, kind: int, address: int, serial: int
) -> None:
    frame = frame_of(layout, text.encode(), kind=kind, address=address, serial=serial)
    buffer = bytearray(encode(layout, frame))
    assert decode(layout, buffer) == frame
    assert not buffer


@pytest.mark.parametrize("layout", [RADAR, SEEED, TILT, BAYS, PANEL, UHF, SENTENCES])
@given(st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_a_good_frame_behind_garbage_is_not_lost(layout: Layout, garbage: bytes) -> None:
    """The garbage has no header in it; how one is overcome that has, the next tests tell."""
    good = frame_of(layout, b"good", kind=7, address=1)
    buffer = bytearray(garbage.replace(layout.mark[:1], b"\0")) + encode(layout, good)
    frames, _ = drain(layout, buffer)
    assert frames == [good]
    assert not buffer


@pytest.mark.parametrize("layout", [RADAR, SEEED, TILT, BAYS, PANEL])
def test_the_beginning_of_a_frame_that_was_cut_off_holds_back_none_that_is_good(layout: Layout) -> None:
    whole = encode(layout, frame_of(layout, b"a long one, cut", kind=7))
    good = frame_of(layout, b"ok", kind=9)
    for cut in range(1, len(whole)):
        buffer = bytearray(whole[:cut])
        drain(layout, buffer)
        buffer += encode(layout, good)
        frames, _ = drain(layout, buffer)
        assert frames == [good], cut


def test_noise_that_promises_a_long_frame_holds_back_none_that_is_good() -> None:
    buffer = bytearray.fromhex("53 59 83 01 00 40") + encode(RADAR, Frame(0x8301, b"\x01"))
    frames, noise = drain(RADAR, buffer)
    assert (frames, noise.hex()) == ([Frame(0x8301, b"\x01")], "535983010040")


def test_a_length_nobody_believes_is_no_frame() -> None:
    with pytest.raises(FrameError, match="length"):
        decode(RADAR, bytearray.fromhex("53 59 83 01 FF FF"))
    with pytest.raises(FrameError, match="length"):
        decode(TILT, bytearray.fromhex("68 03 00 04 08"))


def test_the_longest_data_a_layout_believes_is_read() -> None:
    for layout in (RADAR, TILT):
        frame = frame_of(layout, bytes(layout.longest), kind=7)
        assert drain(layout, bytearray(encode(layout, frame))) == ([frame], b"")


@pytest.mark.parametrize("at", range(10))
def test_no_single_flipped_bit_passes_for_a_frame(at: int) -> None:
    whole = encode(RADAR, Frame(0x8301, b"\x01"))
    for bit in range(8):
        flipped = bytearray(whole)
        flipped[at] ^= 1 << bit
        assert drain(RADAR, flipped)[0] == []


def test_a_line_that_is_too_long_is_no_line_and_neither_is_its_end() -> None:
    buffer, frames = bytearray(), list[Frame]()
    for byte in b"x" * 50 + b"\r\nfine\r\n":
        buffer.append(byte)
        frames += drain(LINES, buffer)[0]
        assert len(buffer) <= 30
    assert frames == [Frame(0, b"fine")]


def test_a_line_with_a_start_mark_begins_anew_where_the_mark_comes_again() -> None:
    assert drain(SENTENCES, bytearray(b"$wat$water 12\r\n")) == ([Frame(0, b"water 12")], b"$wat")


@pytest.mark.parametrize(
    ("phrases", "wanted"),
    [
        ([], "data"),
        (["53 5"], "bytes such as"),
        (["FF", "date 2", "sum"], "phrase that begins with"),
        (["FF", "type 2", "sum"], "data"),
        (["FF", "data", "sum"], "length 1"),
        (["data", "length 1", "sum"], "the length before the data"),
        (["FF", "length 1 counts type", "type 1", "data", "sum"], "counts the data"),
        (["FF", "length 9", "data", "sum"], "1 to 4"),
        (["FF", "data 2", "sum over tail"], "names of parts"),
        (["FF", "sum over data", "data 2"], "stand before it"),
        (["FF", "data 2 low first", "sum"], '"data 2"'),
        (["FF", "type 1", "type 1", "data 2", "sum"], "once"),
        (["data 4"], "a mark or a checksum"),
        (["FF", "data 2", "sum 2"], "sum over data"),
    ],
)
def test_a_phrase_that_makes_no_sense_is_told_with_what_should_stand_there(
    phrases: list[str], wanted: str
) -> None:
    with pytest.raises(LayoutError) as caught:
        parse(phrases)
    assert wanted in caught.value.wanted


@pytest.mark.parametrize(
    ("layout", "frame"),
    [
        (RADAR, Frame(0x12345, b"")),
        (RADAR, Frame(1, bytes(65))),
        (DISTANCE, Frame(0, b"\x01")),
        (LINES, Frame(0, b"a\r\nb")),
        (SENTENCES, Frame(0, b"5$")),
    ],
)
def test_a_frame_the_layout_cannot_carry_is_not_written(layout: Layout, frame: Frame) -> None:
    with pytest.raises(ValueError, match=r"bytes"):
        encode(layout, frame)
