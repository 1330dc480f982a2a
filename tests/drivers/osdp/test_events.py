"""What libosdp says, as cards, keys and states; and what is malformed, as nothing."""

import dataclasses

import osdp_sys
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.osdp import events
from drivers.osdp.events import States
from tests.drivers.osdp.rig import READER


def card(bits: object, data: object, form: object = 1) -> dict[str, object]:
    return {
        "event": events.CARD,
        "format": form,
        "length": bits,
        "data": data,
        "reader_no": 0,
        "direction": 0,
    }


def test_the_numbers_are_those_of_the_library() -> None:
    assert (events.CARD, events.KEYS, events.STATUS, events.NOTIFICATION) == (
        osdp_sys.EVENT_CARDREAD, osdp_sys.EVENT_KEYPRESS, osdp_sys.EVENT_STATUS, osdp_sys.EVENT_NOTIFICATION
    )  # fmt: skip
    assert events.PERIPHERAL_STATUS == osdp_sys.EVENT_NOTIFICATION_PD_STATUS
    assert events.STATUS_KINDS == {
        osdp_sys.STATUS_REPORT_INPUT: "input", osdp_sys.STATUS_REPORT_OUTPUT: "output",
        osdp_sys.STATUS_REPORT_LOCAL: "local",
    }  # fmt: skip


def test_a_card_keeps_its_bits_and_loses_what_follows_them() -> None:
    told = events.presented("r", card(26, bytes.fromhex("1f3a40ff")), 1.0)
    assert told is not None
    assert (told.form, told.bits, told.data) == ("card", 26, bytes.fromhex("1f3a40c0"))


@pytest.mark.parametrize(
    ("bits", "data", "kept"),
    [
        (1, "ff", "80"),
        (8, "1f", "1f"),
        (32, "1f3a40ff", "1f3a40ff"),
        (34, "1f3a40ffffffff", "1f3a40ffc0"),
    ],
)
def test_a_card_of_any_length_is_read_to_its_last_bit(bits: int, data: str, kept: str) -> None:
    told = events.presented("r", card(bits, bytes.fromhex(data), form=0), 1.0)
    assert told is not None
    assert (told.bits, told.data) == (bits, bytes.fromhex(kept))


def test_a_card_that_is_told_as_characters_is_whole_bytes_without_a_number_of_bits() -> None:
    told = events.presented("r", card(10, b"0012345678", form=2), 1.0)
    assert told is not None
    assert (told.form, told.bits, told.data) == ("card", 0, b"0012345678")
    assert events.presented("r", card(0, b"", form=2), 1.0) is None


@pytest.mark.parametrize("bits", [0, -1, 33, "26", None])
def test_a_card_whose_bits_are_not_there_is_none(bits: object) -> None:
    assert events.presented("r", card(bits, bytes(4)), 1.0) is None


def test_keys_are_digits_star_and_hash_and_nothing_else() -> None:
    told = events.presented("r", {"event": events.KEYS, "data": b"1A\x7f9\x0d", "reader_no": 0}, 1.0)
    assert told is not None
    assert (told.form, told.bits, told.data) == ("keys", 4, b"1*9#")
    assert events.presented("r", {"event": events.KEYS, "data": b"AF", "reader_no": 0}, 1.0) is None


def test_what_was_presented_is_not_in_its_repr() -> None:
    told = events.presented("r", card(26, b"\x1f\x3a\x40\xc0"), 1.0)
    assert "1f" not in repr(told)
    assert r"\x1f" not in repr(told)


def test_states_reach_the_points_that_stand_in_them() -> None:
    told = events.states({"event": events.STATUS, "type": 0, "report": b"\x01\x00"})
    assert told == States("input", (1, 0))
    assert [(p.name, v) for p, v in events.values(READER.points, told)] == [
        ("contact", True),
        ("exit_button", False),
    ]


@pytest.mark.parametrize(
    "event",
    [
        {"event": events.STATUS, "type": 3, "report": b"\x01"},
        {"event": events.STATUS, "type": "0", "report": b"\x01"},
        {"event": events.STATUS, "type": 0, "report": None},
        {"event": events.CARD, "type": 0, "report": b"\x01"},
    ],
)
def test_what_is_no_status_this_side_knows_says_nothing_of_any_point(event: dict[str, object]) -> None:
    assert events.states(event) is None


def test_an_inverted_point_is_turned_over_and_one_that_is_not_there_has_no_value() -> None:
    contact, button = READER.point("contact"), READER.point("exit_button")
    turned = dataclasses.replace(contact, wire=dataclasses.replace(contact.wire, invert=True))  # type: ignore[type-var]
    assert [v for _, v in events.values([turned, button], States("input", (1,)))] == [False, None]


anything = st.one_of(st.none(), st.integers(), st.binary(max_size=70), st.text(max_size=5))


@given(st.dictionaries(st.sampled_from(["event", "type", "format", "length", "data", "report"]), anything))
def test_no_event_of_any_shape_is_a_mistake(event: dict[str, object]) -> None:
    events.presented("r", event, 0.0)
    events.states(event)
