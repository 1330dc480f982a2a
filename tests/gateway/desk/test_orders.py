"""What becomes of an order, by the clock and by what its gateway says: pure decisions."""

from dataclasses import replace

from gateway.desk import order_texts
from gateway.desk.ordering.nonces import Nonces
from gateway.desk.orders import (
    ACKNOWLEDGE,
    AGAIN_S,
    GRACE_S,
    HURRY_S,
    Again,
    Order,
    Send,
    Settle,
    State,
    Wait,
    decide,
    is_worth_another,
    judge,
)
from gateway.desk.outcomes import Outcome, read

NOW = 1_800_000_000.4
ORDER = Order("o-1", "hxtp-01", "gate-1", "unlock", {}, "warden-1", NOW, NOW + 10)
SENT = replace(ORDER, state=State.SENT, sent=1)


def outcome(result: str, detail: str = "", origin: str = "remote:desk/warden-1") -> Outcome:
    return Outcome("hxtp-01", "o-1", result, detail, origin)


def judged(order: Order, told: Outcome, *, synced: bool = True) -> object:
    return judge(order, told, "desk", synced=synced)


def test_a_copy_never_lives_longer_than_its_order() -> None:
    for after in (0.0, 0.7, 3.3, 8.9):
        found = decide(ORDER, NOW + after, hindrance=None)
        assert isinstance(found, Send)
        assert int(NOW + after) + found.life_s <= ORDER.until


def test_an_order_given_at_a_desk_whose_clock_is_a_little_ahead_is_sent() -> None:
    assert isinstance(decide(ORDER, NOW - 5, hindrance=None), Send)


def test_a_copy_that_could_hardly_arrive_in_time_is_not_sent() -> None:
    order = replace(ORDER, until=NOW + 9.6)
    assert isinstance(decide(order, order.until - 0.6, hindrance=None), Send)
    assert decide(order, order.until - 0.3, hindrance=None) == Settle(State.LATE, order_texts.NOT_SENT)


def test_an_order_that_could_not_be_sent_in_time_is_late_and_says_why() -> None:
    assert decide(ORDER, NOW + 5, hindrance=order_texts.AWAY) == Wait(None, order_texts.AWAY)
    assert decide(ORDER, NOW + 10, hindrance=order_texts.AWAY) == Settle(State.LATE, order_texts.AWAY)


def test_an_order_to_a_door_from_before_the_clock_was_set_back_is_never_sent_again() -> None:
    """Else the door would open, an hour later, for whoever stands there then."""
    found = decide(ORDER, NOW - 3600, hindrance=None)
    assert found == Settle(State.LATE, order_texts.NOT_SENT)
    assert decide(SENT, NOW - 3600, hindrance=None) == Settle(State.UNKNOWN, order_texts.UNHEARD)
    acknowledgement = replace(ORDER, action=ACKNOWLEDGE)
    assert isinstance(decide(acknowledgement, NOW - 3600, hindrance=None), Send)


def test_an_order_that_was_sent_and_never_answered_is_waited_for_and_then_unknown_not_late() -> None:
    found = decide(SENT, NOW + 11, hindrance=None)
    assert isinstance(found, Wait)
    assert decide(SENT, ORDER.until + GRACE_S, hindrance=None) == Settle(State.UNKNOWN, order_texts.UNHEARD)


def test_an_order_all_of_whose_copies_were_refused_ends_as_refused_with_the_reason() -> None:
    order = replace(SENT, refused=1, said="busy: 16 orders are under way")
    found = decide(order, NOW + 10, hindrance=None)
    assert found == Settle(State.REFUSED, order_texts.refused("busy: "), order.said)


def test_an_answered_order_says_what_the_gateway_said_in_both_languages() -> None:
    found = judged(SENT, outcome("done", "read back"))
    assert isinstance(found, Settle)
    assert (found.state, found.said) == (State.DONE, "read back")
    assert "read back" in found.words.zh
    assert "read back" in found.words.en


def test_an_outcome_for_somebody_else_or_by_nobody_says_nothing_about_our_order() -> None:
    for origin in ("remote:desk/warden-2", "remote:other/warden-1", "local:console", "unverified"):
        assert judged(SENT, outcome("done", origin=origin)) is None
    assert judged(SENT, outcome("refused", "signature: altered", "unverified")) is None


def test_a_nonce_that_somebody_else_used_makes_it_hurry_and_proves_nothing() -> None:
    assert judged(SENT, outcome("refused", "nonce: used", "unverified")) == Again(HURRY_S)
    assert judged(replace(SENT, state=State.DONE), outcome("refused", "nonce: used", "unverified")) is None


def test_a_gateway_that_is_busy_is_asked_again() -> None:
    found = judged(SENT, outcome("refused", "busy: 16 orders", "refused:desk/warden-1"))
    assert isinstance(found, Again)
    assert found.refused


def test_an_order_out_of_role_or_place_is_refused_for_good_in_words() -> None:
    for reason in ("role", "place", "order"):
        found = judged(SENT, outcome("refused", f"{reason}: no", "refused:desk/warden-1"))
        assert isinstance(found, Settle)
        assert (found.state, found.words) == (State.REFUSED, order_texts.refused(reason))


def test_a_refused_copy_is_not_the_end_while_another_may_have_opened_the_door() -> None:
    found = judged(replace(SENT, sent=2), outcome("refused", "role: no", "refused:desk/warden-1"))
    assert found == Again(AGAIN_S, refused=True, said="role: no")


def test_too_old_by_a_clock_that_is_not_set_is_given_again_and_by_one_that_is_set_told() -> None:
    expired = outcome("refused", "expired: 3 s ago", "refused:desk/warden-1")
    assert isinstance(judged(SENT, expired, synced=False), Again)
    assert isinstance(judged(SENT, expired, synced=True), Settle)


def test_the_outcome_of_an_order_on_record_has_the_last_word_even_when_it_comes_late() -> None:
    for state in (State.UNKNOWN, State.LATE, State.REFUSED):
        found = judged(replace(SENT, state=state), outcome("done", "read back"))
        assert isinstance(found, Settle)
        assert found.state is State.DONE
    assert judged(replace(SENT, state=State.DONE), outcome("failed")) is None


def test_only_an_acknowledgement_is_given_again_under_a_fresh_id() -> None:
    quiet = replace(ORDER, action=ACKNOWLEDGE, until=NOW + 86_400)
    assert is_worth_another(quiet, State.LATE, NOW)
    assert not is_worth_another(quiet, State.REFUSED, NOW)
    assert not is_worth_another(quiet, State.LATE, quiet.until)
    assert not is_worth_another(ORDER, State.LATE, NOW)


POOL = (
    b'{"gateway":"hxtp-01","time":"2026-11-24T04:15:30.000Z","clock":"%s","nonces":['
    b'{"nonce":"AAECAwQFBgcICQoLDA0ODw","seconds":60.0},{"nonce":"EBESExQVFhcYGRobHB0eHw","seconds":5.0}]}'
)


def test_each_nonce_is_taken_once_and_none_after_its_end() -> None:
    nonces = Nonces(lambda some: some[-1])
    assert nonces.told("hxtp-01", POOL % b"synced", 0.0)
    assert nonces.take("hxtp-01", 0.0, life_s=10) == "AAECAwQFBgcICQoLDA0ODw"
    assert nonces.told("hxtp-01", POOL % b"synced", 1.0)
    assert nonces.take("hxtp-01", 1.0, life_s=10) == "EBESExQVFhcYGRobHB0eHw", "rather a short one than none"
    assert nonces.take("hxtp-01", 1.0, life_s=10) is None
    fresh = Nonces(lambda some: some[-1])
    fresh.told("hxtp-01", POOL % b"synced", 0.0)
    assert not fresh.has("hxtp-01", 59.5)


def test_the_freshest_nonce_is_taken_where_the_clock_is_not_set() -> None:
    nonces = Nonces(lambda some: some[-1])
    nonces.told("hxtp-01", POOL % b"unsynced", 0.0)
    assert nonces.take("hxtp-01", 0.0, life_s=1) == "AAECAwQFBgcICQoLDA0ODw"
    assert not nonces.is_synced("hxtp-01")


def test_what_is_no_nonces_or_of_another_gateway_is_not_believed() -> None:
    nonces = Nonces(lambda some: some[0])
    for content in (b"", b"[]", b"{" * 9000, POOL.replace(b"hxtp-01", b"hxtp-02") % b"synced", b"\xff"):
        assert not nonces.told("hxtp-01", content, 0.0)
    assert nonces.take("hxtp-01", 0.0, life_s=1) is None


def test_an_outcome_that_another_gateway_speaks_of_is_none() -> None:
    told = b'{"source":"/compound/hxtp-02","subject":"o-1","data":{"result":"done","detail":"","origin":"x"}}'
    assert read("hxtp-01", told) is None
    assert read("hxtp-02", told) == Outcome("hxtp-02", "o-1", "done", "", "x")
    for content in (b"", b"null", b'{"source":1}', b"[" * 70_000):
        assert read("hxtp-02", content) is None
