"""The board shows each alert once, with its newest state, whatever order and however often messages come."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.desk.board import MOST_ALERTS, Board, Message


def message(seq: int, subject: str = "alert-1", change: str = "raised") -> bytes:
    event: dict[str, Any] = {
        "source": "/compound/hxtp-01",
        "id": f"1.{seq}",
        "subject": subject,
        "type": f"compound.alert.{change}",
        "time": f"2026-11-23T08:15:{seq % 60:02d}.000Z",
        "data": {},
    }
    return json.dumps(event).encode()


def make_board() -> tuple[Board, list[Message]]:
    told: list[Message] = []
    return Board(told.append), told


TOPIC = "compound/v1/hxtp-01/alert"


def test_a_second_copy_is_dropped_and_counted() -> None:
    board, told = make_board()
    board.receive(TOPIC, message(1))
    board.receive(TOPIC, message(1))
    assert (board.received, board.duplicates, len(told)) == (1, 1, 1)


@given(order=st.permutations(range(1, 8)), again=st.lists(st.integers(1, 7)))
def test_the_newest_state_wins_in_any_order(order: list[int], again: list[int]) -> None:
    board, _ = make_board()
    for seq in [*order, *again]:
        board.receive(TOPIC, message(seq))
    assert [event["id"] for event in board.page()["alerts"]] == ["1.7"]
    assert (board.received, board.duplicates) == (7, len(again))


def test_what_cannot_be_read_is_counted_and_nothing_else_happens() -> None:
    board, told = make_board()
    for payload in (b"", b"\xff", b"[]", b"{}", b'{"source": 1}'):
        board.receive(TOPIC, payload)
    assert (board.unreadable, told) == (5, [])


def test_the_last_will_of_a_gateway_is_shown() -> None:
    board, told = make_board()
    board.receive("compound/v1/hxtp-01/availability", b"offline")
    assert board.page()["gateways"] == {"hxtp-01": "offline"}
    assert told == [{"gateway": "hxtp-01", "availability": "offline"}]


def test_the_board_stays_bounded() -> None:
    board, _ = make_board()
    for seq in range(MOST_ALERTS + 50):
        board.receive(TOPIC, message(seq, subject=f"alert-{seq}"))
    assert len(board.alerts) == MOST_ALERTS
    assert "alert-0" not in board.alerts
