"""What a camera's process and the gateway say to each other: whole, in pieces, and never anything else."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.vision import messages
from gateway.vision.messages import (
    Heartbeat,
    Inbox,
    Link,
    Orders,
    Room,
    Seen,
    Setup,
    Up,
    View,
    WireError,
    encode,
)

BEAT = Heartbeat(75, 25.0, 1, 2, 0.01, 130_000_000, "fine")
SEEN = Seen("0193", 1.0, 2.5, 99.0, 0.97, 7, 6, 8, "a" * 64)
SETUP = Setup("north", "rtsp://c/1", "hunter2", (), (), ((900.0, 1.0),), "/e", 5, "building 2", False, 10, 6)
VIEW = View(3, 2, bytes(range(6)), 0.5, 4.0, 2.0, 0.9)


def test_messages_come_out_as_they_went_in_however_the_bytes_are_cut() -> None:
    inbox, told = Inbox(0.0), list[Up]()
    for byte in encode(BEAT) + encode(SEEN) + encode(Link(up=True, reason="")):
        told += inbox.take(bytes([byte]), 0.0)
    assert told == [BEAT, SEEN, Link(up=True, reason="")]


def test_what_came_before_garbage_is_not_lost() -> None:
    heard = Inbox(0.0).take(encode(SEEN) + b"\x00\x00\x00\x02ab", 0.0)
    assert next(heard) == SEEN
    with pytest.raises(WireError):
        next(heard)


def test_the_child_is_told_its_setup_and_room() -> None:
    orders, moved = Orders(), msgspec.structs.replace(SETUP, look="moved", view=VIEW)
    assert orders.take(encode(SETUP) + encode(moved) + encode(Room(17))) == [SETUP, moved, Room(17)]


def test_the_view_of_the_largest_picture_that_is_watched_goes_both_ways() -> None:
    widest = View(500, 375, bytes(500 * 375), 0.5, 4.0, 2.0, 0.9)  # of 4000 x 3000 pixels
    assert list(Inbox(0.0).take(encode(widest), 0.0)) == [widest]
    moved = msgspec.structs.replace(SETUP, look="moved", view=widest)
    assert Orders().take(encode(moved)) == [moved]


def test_a_setup_that_is_printed_shows_no_password() -> None:
    assert "hunter2" not in repr(SETUP)


@given(st.binary(max_size=200))
def test_garbage_is_a_message_or_an_error_and_nothing_else(data: bytes) -> None:
    inbox = Inbox(0.0)
    with contextlib.suppress(WireError):
        list(inbox.take(data, 0.0))


@pytest.mark.parametrize("length", [0, messages.LARGEST + 1, 2**32 - 1])
def test_a_length_nobody_would_send_ends_it_before_anything_is_read(length: int) -> None:
    with pytest.raises(WireError, match="bytes"):
        list(Inbox(0.0).take(length.to_bytes(4, "big"), 0.0))


def test_a_child_is_not_believed_to_be_the_gateway() -> None:
    with pytest.raises(WireError):
        list(Inbox(0.0).take(encode(SETUP), 0.0))


def test_a_flood_ends_it_and_an_evening_of_heartbeats_does_not() -> None:
    inbox = Inbox(0.0)
    for second in range(10_000):
        list(inbox.take(encode(BEAT) * 3, float(second)))
    with pytest.raises(WireError, match="flood"):
        list(inbox.take(encode(BEAT) * 1000, 10_000.0))


@pytest.mark.parametrize(
    "change",
    [{"confidence": 1.5}, {"still": "../../etc/passwd"}, {"still": "a" * 64 + "\n"}, {"fall": "x" * 201}],
)
def test_what_is_out_of_bounds_is_no_message(change: dict[str, object]) -> None:
    fields = {name: getattr(SEEN, name) for name in Seen.__struct_fields__}
    with pytest.raises(WireError):
        list(Inbox(0.0).take(encode(Seen(**fields | change)), 0.0))


@pytest.mark.parametrize(
    "change", [{"width": 0}, {"height": 5000}, {"edges": bytes(messages.LARGEST_VIEW + 1)}]
)
def test_a_view_out_of_bounds_is_no_message(change: dict[str, object]) -> None:
    with pytest.raises(WireError):
        list(Inbox(0.0).take(encode(msgspec.structs.replace(VIEW, **change)), 0.0))
