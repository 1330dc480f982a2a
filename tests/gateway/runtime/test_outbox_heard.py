"""The outbox: how it says whether upstream hears us, and what became of a row sent ahead or answered."""

from gateway.runtime.journal.outbox import Outbox
from tests.gateway.runtime.test_outbox import START, at, filled


def hears(outbox: Outbox) -> bool:
    """Return whether upstream is known to hear us, at this moment."""
    return outbox.passed_over


def test_the_latest_row_of_all_is_confirmed_by_its_own_acknowledgement() -> None:
    outbox = filled(1)
    assert not outbox.is_confirmed(at(1))
    outbox.acknowledged(at(1), 0.1)
    assert outbox.is_confirmed(at(1))


def test_upstream_hears_us_where_rows_behind_all_that_waits_are_confirmed() -> None:
    outbox = filled(3, receipt=True)
    assert not hears(outbox)
    outbox.receipted(1, [(2, 2)], 0.1)
    assert not hears(outbox), "row 3 is not"
    outbox.receipted(1, [(3, 3)], 0.2)
    assert hears(outbox)
    outbox.sent(at(4), 0.3, receipt=False)
    outbox.sent(at(5), 0.3, receipt=True)
    outbox.receipted(1, [(5, 5)], 0.4)
    assert hears(outbox)
    outbox.receipted(1, [(1, 1)], 0.5)
    assert hears(outbox), "what is confirmed late says nothing against those behind it"


def test_a_receipt_is_no_sign_that_rows_without_one_are_heard_nor_the_other_way_round() -> None:
    outbox = filled(1, receipt=True)
    outbox.sent(at(2), 0.0, receipt=False)
    outbox.acknowledged(at(2), 0.1)
    assert not hears(outbox), "the broker takes rows, the desk is not heard of"


def test_after_a_lost_link_nobody_is_heard_until_something_is_confirmed_again() -> None:
    outbox = filled(3)
    outbox.acknowledged(at(3), 0.1)
    assert hears(outbox)
    outbox.link_lost()
    outbox.sent(at(1), 1.0, receipt=False)
    assert not hears(outbox)


def test_upstream_is_not_taken_for_heard_while_the_book_is_full() -> None:
    outbox = filled(3, held_most=1)
    outbox.acknowledged(at(1), 0.1)
    assert not hears(outbox)


def test_a_row_sent_ahead_whose_receipt_does_not_come_is_sent_again_before_its_turn_and_after_it() -> None:
    outbox = filled(0)
    outbox.send_ahead(at(1), 0.0, receipt=True)
    outbox.acknowledged(at(1), 0.1)
    assert outbox.due(300.0) == (at(1), START), "it waits for no backlog"
    assert outbox.had_ahead(at(1))
    assert outbox.due(300.0) == (at(1), START)


def test_a_row_whose_receipt_came_is_not_sent_again_and_needs_none() -> None:
    outbox = filled(2, receipt=True)
    for seq in (1, 2):
        outbox.acknowledged(at(seq), 0.1)
    assert outbox.waits(at(1))
    outbox.receipted(1, [(1, 2)], 0.2)
    assert not outbox.waits(at(1))
    assert outbox.due(300.0) is None
    assert not outbox.room_again(), "there is nothing to go back to"
    assert outbox.read_to == at(2)
