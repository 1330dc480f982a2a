"""What comes in is read with distrust: an alert event of its own gateway, or refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.events import Change
from gateway.desk.arrivals import LARGEST, UnreadableError, read
from tests.desk_parts import GATEWAY, published, told


def broken(**changes: object) -> bytes:
    """Return an alert event with other values in its envelope."""
    return msgspec.json.encode({**msgspec.json.decode(published(told(7))), **changes})


def test_an_alert_event_of_the_contract_is_read_whole() -> None:
    found = read(GATEWAY, published(told(7, previous=5, change=Change.CLEARED)))
    assert (found.gateway, found.epoch, found.seq, found.previous) == (GATEWAY, 1, 7, 5)
    assert found.alert == f"{GATEWAY}/0193a5f2-7c1e-7000-8000-000000000007"
    assert (found.change, found.rank, found.kind) == (Change.CLEARED, 3, "fire.smoke")
    assert found.place.floor == "3"


def test_a_gateway_cannot_speak_for_another() -> None:
    with pytest.raises(UnreadableError, match="speaks on the topic of"):
        read("other-01", published(told(7)))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "1"}, {"id": "0.1"}, {"id": "1.-1"}, {"id": "1." + "9" * 40}, {"subject": ""}, {"subject": "a\x00b"},
        {"subject": "x" * 200}, {"time": "yesterday"}, {"time": "2026-11-23T08:15:30"}, {"type": "compound.alert.lost"},
        {"type": "compound.outcome.done"}, {"data": {}}, {"data": None}, {"previous": "x"},
    ],
)  # fmt: skip
def test_what_is_no_alert_event_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(UnreadableError):
        read(GATEWAY, broken(**changes))


def test_what_is_too_large_is_refused_unread() -> None:
    with pytest.raises(UnreadableError, match="at most"):
        read(GATEWAY, b" " * (LARGEST + 1))


@given(st.binary(max_size=400))
def test_garbage_is_refused_and_nothing_else_happens(content: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(GATEWAY, content)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["id", "subject", "time", "type", "data", "previous"]),
    st.sampled_from(["kind", "state", "text", "place", "count", "severity", "first_seen", "by"]),
    _JSON,
    st.booleans(),
)
def test_what_is_read_can_be_stored_whatever_was_put_into_it(
    outer: str, inner: str, value: object, deep: bool
) -> None:
    envelope = msgspec.json.decode(published(told(7)))
    (envelope["data"] if deep else envelope)[inner if deep else outer] = value
    try:
        found = read(GATEWAY, msgspec.json.encode(envelope))
    except (UnreadableError, UnicodeEncodeError):
        return
    texts = (found.alert, found.kind, found.state, found.text.zh, found.text.en, found.body)
    assert not any("\x00" in text for text in texts)
    assert all(text.encode() for text in texts)
    assert max(found.epoch, found.seq, found.count) < 1 << 63
