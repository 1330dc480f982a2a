"""How it stands at the end: what only one side knows, what is told and over, and presses that do not add up."""

import random
from dataclasses import replace
from typing import Any

from tests.faults.soak.buttons import BOARD, KIND, POINTS, Buttons
from tests.faults.soak.ending import differences, fold, outdated, standing
from tests.faults.soak.ledger import Arrival, Ledger

PRESS = Arrival((1, 5), None, "a", KIND, BOARD, 10.0, state="active_unacked", point=POINTS[0], count=2)
OVER = replace(PRESS, number=(1, 9), state="over")
LISTED: dict[str, Any] = {"alert": "a", "kind": KIND, "state": "active_acked", "devices": (BOARD,)}


def test_what_is_over_on_both_sides_is_well_in_whatever_order_it_arrived() -> None:
    assert differences(fold([OVER, PRESS], ()), []) == []


def test_what_stands_on_one_side_only_or_otherwise_is_seen() -> None:
    assert differences(fold([PRESS], ()), []) == [
        "stands: care.sos of sos-board is active_unacked upstream, over at the gateway"
    ]
    for arrived, there in (([PRESS, OVER], "over"), ([PRESS], "active_unacked"), ([], "unknown")):
        assert differences(fold(arrived, ()), [LISTED]) == [
            f"stands: care.sos of sos-board is active_acked at the gateway, {there} upstream"
        ]


def test_what_died_with_a_gateway_without_a_disk_is_not_asked_for() -> None:
    assert differences(fold([PRESS], [((1, 4), (1, 1000))]), []) == []
    assert fold([PRESS, OVER], [((1, 5), (1, 1000))]) == {"a": PRESS}


def test_an_alert_that_nothing_ends_any_more_is_seen() -> None:
    assert standing([LISTED]) == ["late: care.sos of sos-board is active_acked"]


def test_advice_on_what_is_over_is_seen_and_a_count_of_the_past_is_none() -> None:
    assert outdated(["line.down: Line yard is down", "journal.lost: 3 rows", "board.hot: 90"]) == [
        "advised: line.down: Line yard is down"
    ]


def test_presses_told_twice_or_never_are_seen() -> None:
    class Street:
        def tell(self, _command: str) -> None:
            return

    buttons = Buttons(Street(), Ledger(), random.Random(1))
    buttons.press(9.0)
    (point,) = (point for point, times in buttons.pressed.items() if times)
    told = replace(PRESS, point=point, count=buttons.pressed[point])
    assert buttons.judge([told]) == []
    assert [each.partition(":")[0] for each in buttons.judge([])] == ["lost"]
    assert [each.partition(":")[0] for each in buttons.judge([told, replace(told, life="b")])] == ["invented"]
