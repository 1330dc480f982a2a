"""Text messages to the bit: vectors, an independent decoder, and no character cut in two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.desk.senders.modem.pdu import BASIC, EXTENDED, MOST_PARTS, NumberError, is_number, submit
from tests.desk_modem import receive

SEVEN = st.text(st.sampled_from([each for each in BASIC if each != "\x1b"] + list(EXTENDED)), max_size=500)
ANY = st.text(st.characters(codec="utf-16", exclude_categories=["Cs"]), min_size=1, max_size=300)


def test_a_short_english_text_is_the_known_pdu() -> None:
    """The PDU of "hellohello" to +46 708 251 358 that every description of the format has."""
    [pdu] = submit("+46708251358", "hellohello", validity=0xAA)
    assert pdu.text == "0011000B916407281553F80000AA0AE8329BFD4697D9EC37"
    assert pdu.length == len(pdu.text) // 2 - 1


def test_a_short_chinese_text_is_ucs2_to_the_byte() -> None:
    """23.040 9.2.2.2: SUBMIT with relative validity, 11 digits unknown type, DCS 8, 4 octets of UCS-2."""
    [pdu] = submit("13800001111", "火警", validity=0xA7)
    assert pdu.text == "0011000B813108001011F10008A704706B8B66"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("火" * 70, 1),
        ("火" * 71, 2),
        ("火" * 135, 3),
        ("€" * 80, 1),
    ],
)
def test_a_text_goes_in_as_few_parts_as_the_standard_allows(text: str, parts: int) -> None:
    got = [receive(pdu.text, pdu.length) for pdu in submit("+8613800001111", text, reference=7)]
    assert len(got) == parts
    assert "".join(each.text for each in got) == text
    assert parts == 1 or [each.part for each in got] == [(7, parts, index + 1) for index in range(parts)]
    assert {each.number for each in got} == {"+8613800001111"}


@given(st.one_of(SEVEN, ANY), st.integers(0, 255))
def test_whatever_is_written_a_phone_reads_it_or_its_beginning(text: str, reference: int) -> None:
    got = [receive(pdu.text, pdu.length) for pdu in submit("10086", text, reference=reference)]
    read = "".join(each.text for each in got)
    assert len(got) <= MOST_PARTS
    assert read == text or (read.rstrip(".…") and text.startswith(read.rstrip(".…")[:-1]))


def test_a_text_too_long_says_that_it_was_cut() -> None:
    read = "".join(receive(pdu.text, pdu.length).text for pdu in submit("10086", "火" * 1000))
    assert read.endswith("火…")
    assert len(read) > 300


@pytest.mark.parametrize("number", ["", "+", "12", "138 0000", "1380000;", "ATD1", "१२३४", "1" * 21])
def test_what_is_no_number_is_none(number: str) -> None:
    assert not is_number(number)
    with pytest.raises(NumberError):
        submit(number, "x")
