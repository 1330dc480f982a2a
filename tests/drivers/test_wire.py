"""From words to values and back: every type, mask, order and sentinel a profile can name."""

import math
import struct

import hypothesis.strategies as st
import pytest
from hypothesis import given

from drivers.api import Value
from drivers.modbus.codec import ReadRequest
from drivers.modbus.wire import BIT_TABLES, KINDS, READ_FUNCTION, Kind, Register, WordOrder, decode, encode

ANGLE = 180 / 32768


@pytest.mark.parametrize(
    ("register", "words", "value"),
    [
        (Register("coil", 0, "bit"), (1,), True),
        (Register("discrete", 0, "bit", invert=True), (1,), False),
        (Register("holding", 3, "bit", mask=1 << 8), (0x0100,), True),
        (Register("holding", 3, "bit", mask=1 << 8), (0xFEFF,), False),
        (Register("holding", 12, "bit", mask=0x0018), (0x0010,), True),
        (Register("holding", 12, "bit", mask=0x0018), (0x0007,), False),
        (Register("holding", 6, "bit", equals=(2,)), (2,), True),
        (Register("holding", 6, "bit", equals=(2,)), (3,), False),
        (Register("holding", 0, "bit", mask=0x08FF, equals=(0x0810,)), (0x4810,), True),
        (Register("holding", 0, "bit", mask=0x08FF, equals=(0x0810,)), (0x0010,), False),
        (Register("holding", 0, "u16"), (0x0079,), 121),
        (Register("holding", 0, "u16", scale=0.01), (121,), 1.21),
        (Register("holding", 0, "u16", scale=0.1, offset=-40), (655,), 25.5),
        (Register("holding", 0, "u16", mask=0x0FF0), (0xABCD,), 0xBC),
        (Register("holding", 0, "s16"), (0xFFFE,), -2),
        (Register("holding", 0x3D, "s16", scale=ANGLE), (0x4000,), 90.0),
        (Register("holding", 0x3D, "s16", scale=ANGLE), (0x8000,), -180.0),
        (Register("holding", 0, "u32"), (0x0001, 0x0002), 65538),
        (Register("holding", 0, "u32", word_order="little"), (0x0001, 0x0002), 131073),
        (Register("holding", 0, "s32"), (0xFFFF, 0xFFFF), -1),
        (Register("holding", 0, "f32"), (0x3F80, 0x0000), 1.0),
        (Register("holding", 0, "f32", word_order="little"), (0x0000, 0xC2F6), -123.0),
        (Register("holding", 0, "bcd16"), (0x1234,), 1234),
        (Register("holding", 0, "bcd32", scale=0.01), (0x0012, 0x3456), 1234.56),
    ],
)
def test_words_have_this_value(register: Register, words: tuple[int, ...], value: Value) -> None:
    assert decode(register, words) == value
    assert type(decode(register, words)) is type(value)
    assert decode(register, encode(register, value, words)) == value


@pytest.mark.parametrize(
    ("register", "words"),
    [
        (Register("holding", 0, "u16", sentinels=(0xFFFE, 0xFFFD)), (0xFFFD,)),
        (Register("holding", 0, "u32", sentinels=(0xFFFFFFFF,)), (0xFFFF, 0xFFFF)),
        (Register("holding", 0, "bit", mask=1, sentinels=(0x00FF,)), (0x00FF,)),
        (Register("holding", 0, "bcd16"), (0x12A4,)),
        (Register("holding", 0, "f32"), (0x7FC0, 0x0000)),  # no number
        (Register("holding", 0, "f32"), (0xFF80, 0x0000)),  # minus infinity
    ],
)
def test_words_that_mean_no_value_are_none(register: Register, words: tuple[int, ...]) -> None:
    assert decode(register, words) is None


def test_a_missing_value_is_shown_by_the_first_sentinel_or_no_number() -> None:
    assert encode(Register("holding", 0, sentinels=(0xFFFE, 0xFFFD)), None) == (0xFFFE,)
    number = Register("holding", 0, "f32")
    assert decode(number, encode(number, None)) is None
    with pytest.raises(ValueError, match="no word for"):
        encode(Register("holding", 0), None)


@pytest.mark.parametrize(
    ("register", "value"),
    [
        (Register("holding", 0, "u16"), 65536),
        (Register("holding", 0, "u16"), -1),
        (Register("holding", 0, "s16"), 32768),
        (Register("holding", 0, "bcd16"), 10000),
        (Register("holding", 0, "bcd16"), -1),
        (Register("holding", 0, "u16", mask=0x00F0), 16),
        (Register("holding", 0, "f32"), 1e39),
    ],
)
def test_a_value_that_does_not_fit_is_refused(register: Register, value: Value) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode(register, value)


def test_encoding_a_bit_leaves_the_other_bits_of_the_register_alone() -> None:
    tamper = Register("input", 1, "bit", mask=1 << 6)
    assert encode(tamper, True, (0x0081,)) == (0x00C1,)
    assert encode(tamper, False, (0x00C1,)) == (0x0081,)
    level = Register("input", 1, "u16", mask=0x00F0)
    assert encode(level, 5, (0xFFFF,)) == (0xFF5F,)


def test_a_flag_of_several_bits_is_set_by_its_lowest_and_cleared_with_all() -> None:
    alarm = Register("holding", 12, "bit", mask=0x0018)
    assert encode(alarm, True, (0x0001,)) == (0x0009,)
    assert encode(alarm, True, (0x0010,)) == (0x0010,)
    assert encode(alarm, False, (0x0019,)) == (0x0001,)


def test_a_flag_that_is_one_of_several_words_turns_false_by_another_word() -> None:
    normal = Register("holding", 6, "bit", equals=(0, 3))
    assert decode(normal, encode(normal, False)) is False
    assert decode(normal, encode(normal, True)) is True


def test_a_register_says_how_it_is_read_and_drawn() -> None:
    angle = Register("input", 0x3D, "s32", word_order="little", scale=0.5, offset=-3, mask=0xFF)
    assert angle.request == ReadRequest(4, 0x3D, 2)
    assert angle.drawn() == ("input 61 (0x003d)", "s32 & 0x00ff low word first * 0.5 -3")
    test = Register("holding", 6, "bit", equals=(2, 4), invert=True)
    assert test.drawn() == ("holding 6 (0x0006)", "not bit in 2,4")
    assert READ_FUNCTION.keys() >= BIT_TABLES


@st.composite
def registers_and_words(draw: st.DrawFn) -> tuple[Register, tuple[int, ...]]:
    kind: Kind = draw(st.sampled_from(KINDS))
    order: WordOrder = draw(st.sampled_from(("big", "little")))
    if kind == "bit":
        equals = tuple(draw(st.sets(st.integers(0, 0xFFFF), max_size=3)))
        mask = 0 if equals else draw(st.integers(0, 0xFFFF))
        register = Register("holding", 0, kind, mask=mask, equals=equals, invert=draw(st.booleans()))
    else:
        scale = draw(st.sampled_from((1.0, 0.1, 0.01, ANGLE, 10.0)))
        register = Register("holding", 0, kind, word_order=order, scale=scale)
    words = draw(st.lists(st.integers(0, 0xFFFF), min_size=register.count, max_size=register.count))
    return register, tuple(words)


@given(registers_and_words())
def test_whatever_words_say_can_be_said_in_words_again(drawn: tuple[Register, tuple[int, ...]]) -> None:
    register, words = drawn
    value = decode(register, words)
    if value is None:
        return
    again = decode(register, encode(register, value, words))
    assert again is not None
    if register.type == "f32" and register.scale != 1.0:
        assert math.isclose(again, value, rel_tol=1e-5, abs_tol=1e-6)
    else:
        assert again == value


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_comes_through_exactly(number: float) -> None:
    register = Register("input", 0, "f32")
    assert encode(register, number) == struct.unpack(">HH", struct.pack(">f", number))
    assert decode(register, encode(register, number)) == number
