"""One card is one number, however it is read and written; a doubtful one is none."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.cards import Card, CardError, Flaw, from_reader, is_pin, masked, written
from tests.cards import presented, wiegand


def flaw_of(text: str) -> Flaw:
    with pytest.raises(CardError) as caught:
        written(text)
    return caught.value.flaw


def test_a_wiegand_26_frame_is_facility_and_number() -> None:
    """Facility 21, number 60096, by hand: six ones before the middle, so 0 makes them even; four after, so 1."""
    bits = "0" + "00010101" + "1110101011000000" + "1"
    frame = int(bits.ljust(32, "0"), 2).to_bytes(4, "big")
    assert from_reader(26, frame) == Card(24, 21 << 16 | 60096) == written("21:60096")


@pytest.mark.parametrize(("bits", "number"), [(26, 0x0C8707), (34, 0x04A1B2C3), (37, 123456789)])
def test_a_wiegand_frame_loses_its_parity(bits: int, number: int) -> None:
    assert from_reader(bits, wiegand(bits, number)) == Card(bits - 2, number)


@pytest.mark.parametrize("bits", [26, 34, 37])
def test_one_wrong_bit_is_no_card(bits: int) -> None:
    frame = wiegand(bits, 0x123456)
    for place in range(bits):
        wrong = bytearray(frame)
        wrong[place // 8] ^= 0x80 >> place % 8
        with pytest.raises(CardError) as caught:
            from_reader(bits, bytes(wrong))
        assert caught.value.flaw is Flaw.PARITY


@pytest.mark.parametrize("bits", [1, 8, 24, 25, 27, 33, 35, 36, 40, 48, 128, 400])
def test_a_length_no_format_has_is_no_card(bits: int) -> None:
    with pytest.raises(CardError) as caught:
        from_reader(bits, bytes([0x5A]) * 50)
    assert caught.value.flaw is Flaw.LENGTH


@pytest.mark.parametrize("data", [b"\x00" * 4, b"\xff" * 4, b"\x00" * 7])
def test_a_broken_wire_is_no_card(data: bytes) -> None:
    with pytest.raises(CardError) as caught:
        from_reader(0, data)
    assert caught.value.flaw is Flaw.BLANK


def test_fewer_bytes_than_bits_is_no_card() -> None:
    with pytest.raises(CardError):
        from_reader(26, b"\x12\x34")


@pytest.mark.parametrize(
    ("text", "card"),
    [
        ("12:34567", Card(24, 12 << 16 | 34567)),
        ("12,34567", Card(24, 12 << 16 | 34567)),
        (" 012：34567 ", Card(24, 12 << 16 | 34567)),  # as a Chinese keyboard writes it
        ("0012345678", Card(32, 12345678)),
        ("04A1B2C3", Card(32, 0x04A1B2C3)),
        ("04:a1:b2:c3", Card(32, 0x04A1B2C3)),
        ("04 12 34 56", Card(32, 0x04123456)),
        ("0x12345678", Card(32, 0x12345678)),
        ("04A1B2C3D4E5F6", Card(56, 0x04A1B2C3D4E5F6)),
        ("w26:12:34567", Card(24, 12 << 16 | 34567)),
        ("W34:123:45678", Card(32, 123 << 16 | 45678)),
        ("w37:1234567", Card(35, 1234567)),
        ("w37:12:345678", Card(35, 12 << 19 | 345678)),
    ],
)
def test_a_card_is_written_as_people_write_it(text: str, card: Card) -> None:
    assert written(text) == card


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("12345678", Flaw.FORM),  # ten digits that lost two zeros, or a UID
        ("4.12E+09", Flaw.FORM),
        ("", Flaw.FORM),
        ("12:34:56", Flaw.FORM),
        ("x" * 1000, Flaw.FORM),
        ("256:1", Flaw.RANGE),
        ("1:65536", Flaw.RANGE),
        ("9999999999", Flaw.RANGE),
        ("w37:1:600000", Flaw.RANGE),
        ("w37:99999999999", Flaw.RANGE),
        ("0000000000", Flaw.BLANK),
        ("FFFFFFFF", Flaw.BLANK),
    ],
)
def test_what_is_not_clear_is_no_card(text: str, flaw: Flaw) -> None:
    assert flaw_of(text) is flaw


def test_only_the_last_four_digits_are_ever_shown() -> None:
    card = written("12:34567")
    assert (card.tail, masked(card.tail)) == ("4567", "…4567")
    assert written("0012345678").tail == "5678"
    assert written("04A1B2C3D4E5F6").tail == "E5F6"
    assert "34567" not in repr(card)
    assert str(12 << 16 | 34567) not in repr(card)


@pytest.mark.parametrize("text", ["1234", "12345678"])
def test_a_pin_has_four_to_eight_digits(text: str) -> None:
    assert is_pin(text)


@pytest.mark.parametrize("text", ["", "123", "123456789", "12 4", "１２３４", "12a4", "²345"])
def test_anything_else_is_no_pin(text: str) -> None:
    assert not is_pin(text)


@st.composite
def cards(draw: st.DrawFn) -> Card:
    bits = draw(st.sampled_from([24, 32, 35, 56, 64, 80]))
    return Card(bits, draw(st.integers(1, (1 << bits) - 2)))


@given(cards())
def test_what_is_written_and_what_is_read_are_the_same_card(card: Card) -> None:
    report = presented(card)
    forms = {
        24: [f"{card.number >> 16}:{card.number & 0xFFFF}", f"w26:{card.number}"],
        32: [
            f"{card.number:010d}",
            f"0x{card.number:08X}",
            (card.number & 0xFFFFFFFF).to_bytes(4, "big").hex(":"),
        ],
        35: [f"w37:{card.number}", f"w37:{card.number >> 19}:{card.number & 0x7FFFF}"],
    }
    for form in forms.get(card.bits, [f"0x{card.number:0{card.bits // 4}x}"]):
        assert written(form) == from_reader(report.bits, report.data) == card


@given(st.integers(0, 600), st.binary(max_size=80))
def test_whatever_a_reader_sends_is_a_card_or_a_flaw(bits: int, data: bytes) -> None:
    try:
        card = from_reader(bits, data)
    except CardError:
        return
    assert card.bits in {24, 32, 35, 56, 64, 80}
    assert 0 < card.number < (1 << card.bits) - 1


@given(st.text(max_size=60))
def test_whatever_somebody_writes_is_a_card_or_a_flaw(text: str) -> None:
    with suppress(CardError):
        assert written(text).number > 0
