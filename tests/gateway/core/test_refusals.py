"""Refusals: a few are written down, many are counted, five in a minute are told to a person. Orders by their id."""

import dataclasses
from itertools import count

import pytest

from gateway.core import kinds
from gateway.core.events import Body, Clock, CommandBody, Event, NoteBody, OutcomeBody
from gateway.core.gate import Order, Seen
from gateway.core.known import MOST, Known, Reply
from gateway.core.refusals import ALERT, SINGLY, WINDOW_S, Refusals
from gateway.core.signed import Envelope, Reason, RefusedError
from tests.orders import DESK

NONCE = RefusedError(Reason.NONCE, "used")


def order(name: str = "a", seconds: float = 5.0, person: str = "warden-1") -> Order:
    return Order(name, DESK.table, f"remote:desk/{person}", "door-1", "unlock", {"seconds": seconds}, {}, 9.0)


def refusals() -> Refusals:
    numbers = count()
    return Refusals("bench", lambda: f"line-{next(numbers)}")


def outcomes(bodies: list[Body]) -> list[OutcomeBody]:
    return [body for body in bodies if isinstance(body, OutcomeBody)]


def test_a_strangers_order_leaves_its_clean_id_and_nothing_else_of_it() -> None:
    seen = Seen(Envelope(b"", "who\x1b[2J", "n", "order-7"))
    assert refusals().note(NONCE, seen, 0.0) == [
        OutcomeBody("order-7", "bench", "command", "refused", "nonce: used", "unverified")
    ]
    assert outcomes(refusals().note(NONCE, Seen(), 0.0))[0].id == "line-0"


def test_an_order_somebody_signed_leaves_all_of_it() -> None:
    body = outcomes(refusals().note(RefusedError(Reason.ROLE, "may not"), Seen(order=order()), 0.0))[0]
    assert (body.id, body.device, body.action) == ("a", "door-1", "unlock")
    assert body.origin == "refused:desk/warden-1"
    assert body.detail == "role: may not"


def test_five_within_a_minute_are_told_once_a_minute() -> None:
    counted = refusals()
    notes = [
        (at, body)
        for at in range(0, 130, 10)
        for body in counted.note(NONCE, Seen(), float(at))
        if isinstance(body, NoteBody)
    ]
    assert [at for at, _ in notes] == [40, 100]
    assert notes[0][1].what == ALERT
    assert ALERT in kinds.built_in()


def test_four_in_a_minute_are_nothing_to_wake_anybody_for() -> None:
    counted = refusals()
    bodies = [body for at in range(0, 600, 16) for body in counted.note(NONCE, Seen(), float(at))]
    assert not any(isinstance(body, NoteBody) for body in bodies)


def test_a_flood_leaves_ten_lines_a_minute_and_their_number() -> None:
    counted = refusals()
    bodies = [body for number in range(100_000) for body in counted.note(NONCE, Seen(), number / 10_000)]
    assert len(outcomes(bodies)) == SINGLY
    (summary,) = outcomes(counted.due(WINDOW_S))
    assert (
        summary.detail
        == f"{100_000 - SINGLY} more orders were refused within a minute: nonce {100_000 - SINGLY}"
    )
    assert counted.due(2 * WINDOW_S) == []
    assert counted.total == 100_000


# --- orders by their id ---------------------------------------------------------------------------


def event(body: Body, seq: int = 1) -> Event:
    return Event(1, seq, 0.0, 0.0, Clock.SYNCED, body)


def done(name: str = "a", origin: str = "remote:desk/warden-1") -> OutcomeBody:
    return OutcomeBody(name, "door-1", "unlock", "done", "", origin)


def outcome_of(known: Known) -> Event | None:
    entry = known.find(order())
    assert entry is not None
    return entry.outcome


def test_a_repeated_id_finds_the_first_order_and_then_its_outcome() -> None:
    known = Known([])
    assert known.find(order()) is None
    known.begin(order(), Reply("t"))
    assert outcome_of(known) is None
    assert known.end(event(done())) == [Reply("t")]
    assert outcome_of(known) == event(done())
    assert known.end(event(done())) == []


@pytest.mark.parametrize("other", [order(seconds=6.0), order(person="warden-9")])
def test_a_repeated_id_with_another_content_is_refused(other: Order) -> None:
    known = Known([])
    known.begin(order(), None)
    with pytest.raises(RefusedError) as caught:
        known.find(other)
    assert caught.value.reason is Reason.REPEATED


def test_a_repeated_id_is_another_order_when_one_of_several_numbers_differs() -> None:
    command = CommandBody("a", "door-1", "unlock", {"seconds": 5.0, "channel": 1.0}, "remote:desk/warden-1")
    other = dataclasses.replace(order(), numbers={"seconds": 5.0, "channel": 2.0})
    with pytest.raises(RefusedError, match="said something else"):
        Known([event(command)]).find(other)


def test_orders_and_outcomes_come_back_from_the_journal() -> None:
    command = CommandBody("a", "door-1", "unlock", {"seconds": 5.0}, "remote:desk/warden-1")
    known = Known([event(command), event(done(), 2)])
    entry = known.find(order())
    assert entry is not None
    assert entry.outcome == event(done(), 2)
    with pytest.raises(RefusedError):
        known.find(order(seconds=6.0))


def test_what_a_stranger_says_of_an_id_is_no_outcome_of_it() -> None:
    known = Known([])
    known.begin(order(), None)
    assert known.end(event(done(origin="unverified"))) == []
    entry = known.find(order())
    assert entry is not None
    assert entry.outcome is None


def test_a_refused_order_may_be_given_again_and_memory_is_bounded() -> None:
    known = Known([])
    known.begin(order(), None)
    known.forget(order())
    assert known.find(order()) is None
    for number in range(MOST + 5):
        known.begin(order(str(number)), None)
    assert known.find(order("4")) is None
    assert known.find(order("5")) is not None
