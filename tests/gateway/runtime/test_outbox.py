"""The outbox: what is sent when, and how far the cursor may go. Time is an argument."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.runtime.journal.outbox import Outbox
from gateway.runtime.journal.rows import Position

START: Position = (1, 0)


def at(seq: int) -> Position:
    return 1, seq


def filled(count: int, *, receipt: bool = False, now: float = 0.0, held_most: int = 10_000) -> Outbox:
    """Return an outbox that has just sent rows 1 to `count`."""
    outbox = Outbox(START, held_most=held_most)
    for seq in range(1, count + 1):
        outbox.sent(at(seq), now, receipt=receipt)
    return outbox


def resend_all(outbox: Outbox, now: float) -> list[int]:
    """Send again whatever is due and return which rows that were."""
    sent = []
    while (due := outbox.due(now)) is not None:
        outbox.sent(due[0], now, receipt=True)
        sent.append(due[0][1])
    return sent


def test_the_cursor_follows_acknowledgements_in_order() -> None:
    outbox = filled(3)
    assert outbox.cursor == START
    outbox.acknowledged(at(1), 0.1)
    assert outbox.cursor == at(1)
    outbox.acknowledged(at(3), 0.1)
    assert outbox.cursor == at(1), "row 2 is not confirmed"
    outbox.acknowledged(at(2), 0.1)
    assert outbox.cursor == at(3)
    assert outbox.waiting == 0


def test_rows_that_are_not_for_upstream_are_passed_over() -> None:
    outbox = Outbox(START)
    outbox.pass_over(at(1))
    assert outbox.cursor == at(1)
    outbox.sent(at(2), 0.0, receipt=False)
    outbox.pass_over(at(3))
    assert outbox.cursor == at(1)
    outbox.acknowledged(at(2), 0.1)
    assert outbox.cursor == at(3)


def test_an_acknowledgement_of_an_unknown_row_means_nothing() -> None:
    outbox = filled(1)
    assert not outbox.acknowledged(at(9), 0.0)
    outbox.refused(at(9))
    assert outbox.cursor == START


def test_a_refused_row_holds_the_cursor_and_nobody_else() -> None:
    outbox = filled(3)
    outbox.refused(at(1))
    assert outbox.acknowledged(at(2), 0.1)
    assert outbox.cursor == START
    assert outbox.due(1.9) is None
    assert outbox.due(2.0) == (at(1), START)


def test_rows_that_a_broker_refused_for_long_follow_the_first_that_it_takes_again_in_order() -> None:
    """They may be in memory only: were the gateway killed now, the newer one would name one that never came."""
    outbox, now = filled(3, receipt=True), 0.0
    for seq in (1, 2, 3):
        outbox.refused(at(seq))
    while now < 600.0:
        now += 1.0
        for seq in resend_all(outbox, now):
            outbox.refused(at(seq))
    outbox.sent(at(4), now + 0.1, receipt=True)
    outbox.acknowledged(at(4), now + 0.2)
    sent = []
    for later in (0.3, 0.4, 0.5):
        sent += (again := resend_all(outbox, now + later))
        for seq in again:
            outbox.acknowledged(at(seq), now + later)
    assert sent == [1, 2, 3]


def test_a_receipt_that_is_quicker_than_the_broker_s_word_has_what_was_refused_sent_again_at_once() -> None:
    """A broker slow to acknowledge hands on at once, and what it refused before may be in memory only."""
    outbox = filled(2, receipt=True)
    outbox.refused(at(1))
    outbox.refused(at(2))
    outbox.sent(at(3), 1.0, receipt=True)
    assert resend_all(outbox, 1.1) == []
    assert outbox.receipted(1, [(3, 3)], 1.2) == 1
    assert resend_all(outbox, 1.2) == [1]
    assert not outbox.acknowledged(at(3), 1.3)
    assert resend_all(outbox, 1.3) == []
    assert outbox.receipted(1, [(1, 1)], 1.4) == 1
    assert resend_all(outbox, 1.4) == [2]


def test_a_refused_row_that_cannot_be_read_holds_up_no_other() -> None:
    outbox = filled(2, receipt=True)
    outbox.refused(at(1))
    outbox.refused(at(2))
    outbox.sent(at(3), 1.0, receipt=True)
    outbox.receipted(1, [(3, 3)], 1.2)
    assert outbox.due(1.2) == (at(1), START)
    outbox.put_off(at(1), 6.2)
    assert outbox.due(6.2) == (at(2), at(1))
    outbox.sent(at(2), 6.3, receipt=True)
    outbox.put_off(at(2), 6.4)  # it is on its way: nothing comes of that
    outbox.receipted(1, [(2, 2)], 7.0)
    assert resend_all(outbox, 7.0) == [1]


def test_what_is_always_refused_is_tried_once_for_each_row_that_is_taken() -> None:
    outbox = filled(9)
    for seq in range(1, 10):
        outbox.refused(at(seq))
    for seq in range(10, 20):
        now = seq / 100
        outbox.sent(at(seq), now, receipt=False)
        outbox.acknowledged(at(seq), now)
        (again,) = resend_all(outbox, now)
        outbox.refused(at(again))


def test_a_row_is_tried_again_at_growing_intervals() -> None:
    outbox, now = filled(1), 0.0
    tries: list[float] = []
    outbox.refused(at(1))
    while len(tries) < 11:
        now += 1.0
        if outbox.due(now) is not None:
            tries.append(now)
            outbox.sent(at(1), now, receipt=False)
            outbox.refused(at(1))
    waits = [later - earlier for earlier, later in zip([0.0, *tries], tries, strict=False)]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_lost_rows_are_read_again_in_order() -> None:
    outbox = filled(5)
    outbox.acknowledged(at(1), 0.1)
    outbox.acknowledged(at(2), 0.1)
    outbox.link_lost()
    assert outbox.read_to == at(2)
    assert outbox.waiting == 0
    assert outbox.cursor == at(2)


def test_a_second_try_that_is_lost_does_not_bring_back_all_that_followed() -> None:
    outbox = filled(1)
    outbox.refused(at(1))
    for seq in range(2, 50):
        outbox.sent(at(seq), 1.0, receipt=False)
        outbox.acknowledged(at(seq), 1.0)
    assert outbox.due(3.0) is not None
    outbox.sent(at(1), 3.0, receipt=False)
    outbox.link_lost()
    assert outbox.read_to == at(49)
    assert outbox.due(3.0) == (at(1), START), "but it is due at once"


def test_with_receipts_the_acknowledgement_is_not_enough() -> None:
    outbox = filled(3, receipt=True)
    for seq in (1, 2, 3):
        assert not outbox.acknowledged(at(seq), 0.1)
    assert outbox.cursor == START
    assert outbox.receipted(1, [(1, 2)], 0.2) == 2
    assert outbox.cursor == at(2)


def test_a_receipt_may_come_before_the_acknowledgement() -> None:
    outbox = filled(1, receipt=True)
    outbox.receipted(1, [(1, 1)], 0.1)
    assert outbox.cursor == at(1)
    assert not outbox.acknowledged(at(1), 0.2)


@pytest.mark.parametrize("receipt", [(2, [(1, 9)]), (1, [(7, 9)]), (1, [])])
def test_a_receipt_for_others_confirms_nothing(receipt: tuple[int, list[tuple[int, int]]]) -> None:
    outbox = filled(3, receipt=True)
    assert outbox.receipted(*receipt, 0.1) == 0
    assert outbox.cursor == START


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda ends: (min(ends), max(ends)))))
def test_a_receipt_confirms_just_what_its_ranges_hold(ranges: list[tuple[int, int]]) -> None:
    outbox = filled(30, receipt=True)
    named = {seq for seq in range(1, 31) if any(first <= seq <= last for first, last in ranges)}
    assert outbox.receipted(1, ranges, 1.0) == len(named)
    assert outbox.waiting == 30 - len(named)
    assert outbox.cursor == at(min(set(range(1, 32)) - named) - 1)


def test_a_desk_that_is_away_costs_ten_messages_at_growing_intervals() -> None:
    outbox = filled(500, receipt=True)
    for seq in range(1, 501):
        outbox.acknowledged(at(seq), 0.0)
    sent = {}
    for now in range(1, 3_600):
        if rows := resend_all(outbox, float(now)):
            sent[now] = rows
            for seq in rows:
                outbox.acknowledged(at(seq), float(now))
    assert list(sent)[:6] == [2, 4, 8, 16, 32, 64]
    assert all(len(rows) == 10 for rows in sent.values())
    assert [seq for rows in sent.values() for seq in rows][:20] == list(range(1, 21)), "oldest first"
    assert sum(map(len, sent.values())) < 250


def test_a_desk_that_is_back_gets_all_that_it_missed_as_soon_as_it_answers_once() -> None:
    outbox = filled(500, receipt=True)
    for seq in range(1, 501):
        outbox.acknowledged(at(seq), 0.0)
    outbox.sent(at(501), 900.0, receipt=True)
    outbox.receipted(1, [(501, 501)], 900.1)
    assert resend_all(outbox, 900.1) == list(range(1, 501))


def test_a_desk_that_is_slow_is_not_buried_in_repetitions() -> None:
    """It commits 10 a second, 60 a second are offered for a minute: what is sent again stays below what it did."""
    outbox, queue, seq, resent = Outbox(START), [], 0, 0
    for now in range(600):
        if now < 60:
            for _ in range(60):
                seq += 1
                outbox.sent(at(seq), float(now), receipt=True)
                outbox.acknowledged(at(seq), float(now))
                queue.append(seq)
        again = resend_all(outbox, float(now))
        for repeated in again:
            outbox.acknowledged(at(repeated), float(now))
        queue += again
        resent += len(again)
        done, queue = queue[:10], queue[10:]
        outbox.receipted(1, [(one, one) for one in done], now + 0.5)
    assert resent < 600 * 10 * 1.5


def test_memory_is_bounded_and_nothing_is_forgotten() -> None:
    outbox = filled(100, receipt=True, held_most=40)
    assert outbox.waiting == 40
    outbox.receipted(1, [(1, 19)], 1.0)
    assert not outbox.room_again()
    assert outbox.receipted(1, [(20, 100)], 1.0) == 21
    assert outbox.cursor == at(40), "rows 41 to 100 were sent, but nobody kept book"
    assert outbox.room_again()
    assert outbox.read_to == at(40), "so they are read and sent again"


def test_new_rows_are_sent_although_the_book_is_full() -> None:
    outbox = filled(40, receipt=True, held_most=40)
    outbox.sent(at(41), 1.0, receipt=True)
    assert outbox.read_to == at(41)
    assert outbox.cursor == START


def test_a_row_sent_ahead_and_confirmed_is_passed_over_when_its_turn_comes() -> None:
    outbox = filled(3)
    assert outbox.send_ahead(at(5), 0.0, receipt=False)
    assert not outbox.send_ahead(at(5), 0.0, receipt=False), "once is enough"
    assert outbox.acknowledged(at(5), 0.1)
    assert outbox.cursor == START
    for seq in (1, 2, 3):
        outbox.acknowledged(at(seq), 0.1)
    outbox.pass_over(at(4))
    assert outbox.had_ahead(at(5))
    assert outbox.cursor == at(5)


def test_a_row_sent_ahead_and_still_on_its_way_takes_its_place_and_is_not_sent_again() -> None:
    outbox = filled(3)
    outbox.send_ahead(at(4), 0.0, receipt=False)
    assert outbox.had_ahead(at(4))
    for seq in (1, 2, 3):
        outbox.acknowledged(at(seq), 0.1)
    assert outbox.cursor == at(3)
    assert outbox.acknowledged(at(4), 0.2)
    assert outbox.cursor == at(4)


def test_a_row_sent_ahead_and_cut_off_is_sent_in_its_place() -> None:
    outbox = filled(3)
    outbox.send_ahead(at(4), 0.0, receipt=False)
    outbox.link_lost()
    assert not outbox.had_ahead(at(4))


def test_a_row_sent_ahead_and_refused_is_sent_again_after_its_turn() -> None:
    outbox = filled(0)
    outbox.send_ahead(at(1), 0.0, receipt=False)
    outbox.refused(at(1))
    assert outbox.had_ahead(at(1))
    assert outbox.cursor == START
    assert outbox.due(2.0) == (at(1), START)


def test_a_row_sent_ahead_and_refused_waits_for_no_backlog() -> None:
    outbox = filled(3)
    outbox.send_ahead(at(900), 0.0, receipt=False)
    outbox.refused(at(900))
    assert outbox.due(1.9) is None
    assert outbox.due(2.0) == (at(900), at(899))
    assert outbox.waits(at(900))
    outbox.sent(at(900), 2.0, receipt=False)
    assert not outbox.waits(at(900))
    assert outbox.read_to == at(3), "its turn has not come"
    assert outbox.acknowledged(at(900), 2.1)
    assert outbox.is_confirmed(at(900))


def test_a_row_sent_ahead_waits_for_its_receipt_where_receipts_count() -> None:
    outbox = filled(3, receipt=True)
    outbox.send_ahead(at(4), 0.0, receipt=True)
    assert not outbox.acknowledged(at(4), 0.1)
    assert outbox.receipted(1, [(1, 4)], 0.2) == 4
    assert outbox.receipted(1, [(1, 4)], 0.3) == 0
    assert outbox.had_ahead(at(4))
    assert outbox.cursor == at(4)


def test_a_row_whose_turn_has_come_is_not_sent_ahead() -> None:
    assert not filled(3).send_ahead(at(3), 0.0, receipt=False)


def test_a_row_sent_ahead_while_the_book_is_full_is_read_again() -> None:
    outbox = filled(5, receipt=True, held_most=4)
    outbox.send_ahead(at(6), 0.0, receipt=True)
    assert outbox.had_ahead(at(6))
    outbox.receipted(1, [(1, 4)], 0.1)
    assert outbox.cursor == at(4)
    assert outbox.room_again()
    assert outbox.read_to == at(4)


def test_a_row_the_journal_gave_up_holds_nothing_back() -> None:
    outbox = filled(2)
    outbox.acknowledged(at(2), 0.1)
    outbox.gone(at(1))
    assert outbox.cursor == at(2)


@settings(max_examples=300)
@given(st.integers(0, 2**32), st.booleans())
def test_whatever_happens_the_cursor_never_passes_an_unconfirmed_row_nor_goes_back(
    seed: int, receipt: bool
) -> None:
    """A random walk of sends, answers, receipts, rows ahead, lost links; in the end everything is confirmed."""
    chance, outbox, now, last = random.Random(seed), Outbox(START, held_most=8), 0.0, START
    confirmed: set[int] = set()
    flying: list[int] = []

    def answer(seq: int, kind: str) -> None:
        known = at(seq) in outbox._held or at(seq) in outbox._ahead
        if kind == "receipt":
            outbox.receipted(1, [(seq, seq)], now)
            if receipt and known:
                confirmed.add(seq)
        elif kind == "refuse":
            outbox.refused(at(seq))
        elif outbox.acknowledged(at(seq), now):
            confirmed.add(seq)

    for step in range(400):
        calm = step > 200
        now += chance.random() * (20 if calm else 2)
        if outbox.room_again() or (outbox.read_to[1] < 30 and len(flying) < 5):
            seq = outbox.read_to[1] + 1
            if not outbox.had_ahead(at(seq)):
                outbox.sent(at(seq), now, receipt=receipt)
                flying.append(seq)
        elif chance.random() < 0.1 and outbox.send_ahead(
            seq_ahead := at(chance.randint(1, 30)), now, receipt=receipt
        ):
            flying.append(seq_ahead[1])
        elif (due := outbox.due(now)) is not None and len(flying) < 5:
            outbox.sent(due[0], now, receipt=receipt)
            flying.append(due[0][1])
        if flying and chance.random() < 0.8:
            seq = flying.pop(0)
            answer(seq, "ack" if calm or chance.random() < 0.7 else "refuse")
            if calm or chance.random() < 0.5:
                answer(seq, "receipt")
        if not calm and chance.random() < 0.05:
            outbox.link_lost()
            flying.clear()
        assert outbox.cursor >= last
        last = outbox.cursor
        assert confirmed.issuperset(range(1, last[1] + 1)), "the cursor passed a row that is not confirmed"
    assert last[1] >= 25


def test_a_row_is_known_to_be_confirmed_whatever_waits_before_it() -> None:
    outbox = filled(3, receipt=True)
    outbox.receipted(1, [(2, 2)], 0.1)
    assert [outbox.is_confirmed(at(seq)) for seq in (1, 2, 3, 4)] == [False, True, False, False]
    outbox.send_ahead(at(9), 0.2, receipt=True)
    assert not outbox.is_confirmed(at(9))
    outbox.receipted(1, [(9, 9)], 0.3)
    assert outbox.is_confirmed(at(9))
    assert not outbox.is_confirmed(at(8))


def test_a_row_sent_past_the_bound_of_memory_is_not_taken_for_confirmed() -> None:
    outbox = filled(5, receipt=True, held_most=2)
    outbox.receipted(1, [(1, 2)], 0.1)
    assert [outbox.is_confirmed(at(seq)) for seq in (1, 2, 3, 5)] == [True, True, False, False]
