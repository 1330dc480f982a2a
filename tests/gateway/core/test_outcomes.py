"""What is told upstream of orders: all of any but those that say whether somebody is at home."""

from itertools import count

import msgspec
import pytest

from gateway.core import outcomes, payload
from gateway.core.events import Clock, CommandBody, Event, NoteBody, OutcomeBody
from gateway.core.gate import Order, Seen
from gateway.core.refusals import WORTH_TELLING, Refusals
from gateway.core.signed import Reason, RefusedError
from tests.orders import DESK

AFAR = "remote:desk/warden-1"


def outcome(origin: str, action: str = "away", detail: str = "away for 3 days at most") -> OutcomeBody:
    return OutcomeBody("order-1", "flat-302", action, "done", detail, origin)


@pytest.mark.parametrize("action", ["away", "home"])
@pytest.mark.parametrize(
    ("origin", "leaves"), [("console", False), (AFAR, True), ("refused:desk/warden-1", True)]
)
def test_that_somebody_is_away_is_answered_to_who_asked_from_afar_and_told_to_nobody_else(
    action: str, origin: str, leaves: bool
) -> None:
    assert outcomes.leaves(outcome(origin, action)) is leaves
    assert outcomes.leaves(outcome(origin, "unlock"))


def test_the_answer_to_who_asked_names_neither_the_flat_nor_the_order() -> None:
    content = payload.outcome_event(Event(1, 7, 1.8e9, 1.0, Clock.SYNCED, outcome(AFAR)), "hxtp-01")
    assert not any(word in content for word in (b"flat-302", b"away", b"3 days"))
    told = msgspec.json.decode(content)
    assert (told["subject"], told["data"]["result"], told["data"]["origin"]) == ("order-1", "done", AFAR)


def test_of_an_order_that_was_refused_its_reason_stays_and_of_another_everything() -> None:
    refused = outcome("refused:desk/warden-1", detail="order: days is 15, wanted 0.1 to 14")
    assert outcomes.told(refused).detail == "order"
    assert outcomes.told(outcome(AFAR, detail="days: 3")).detail == ""
    unlocked = outcome(AFAR, "unlock")
    assert outcomes.told(unlocked) is unlocked


def test_the_log_names_an_order_but_not_where_somebody_is() -> None:
    assert outcomes.said(CommandBody("1", "door-1", "unlock", {}, "console")) == "door-1 unlock"
    assert outcomes.said(outcome("console")) == "an order about a resident"


def test_the_alert_that_many_orders_were_refused_does_not_say_that_the_last_was_about_somebody_away() -> None:
    numbers = count()
    refusals = Refusals("hxtp-01", lambda: f"line-{next(numbers)}")
    order = Order("a", DESK.table, AFAR, "flat-302", "away", {"days": 15.0}, {}, 9.0)
    refusal = RefusedError(Reason.ORDER, "days is 15, wanted 0.1 to 14")
    bodies = [
        body for at in range(WORTH_TELLING) for body in refusals.note(refusal, Seen(order=order), float(at))
    ]
    (note,) = [body for body in bodies if isinstance(body, NoteBody)]
    assert note.detail.endswith("the last: order")
