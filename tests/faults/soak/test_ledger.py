"""The verdict itself: it must see what was lost, invented, told twice or fell out of the chain, and nothing else."""

from dataclasses import replace

from tests.faults.soak.ledger import ANY, Arrival, Ledger, judge

RAISED = Arrival((1, 5), None, "a", "fire.smoke", "smoke-1", 10.0, b"raised")
CLEARED = replace(RAISED, number=(1, 9), previous=(1, 5), at=20.0, content=b"cleared")


def burning() -> Ledger:
    ledger = Ledger()
    ledger.happened("fire.smoke", device="smoke-1", now=9.0)
    return ledger


def test_what_happened_and_was_told_once_is_well() -> None:
    assert judge(burning(), [RAISED, CLEARED, RAISED]) == []


def test_a_fire_that_never_arrived_is_lost() -> None:
    assert judge(burning(), []) == ["lost: fire.smoke of smoke-1 at 9.0"]


def test_an_alert_nobody_caused_is_invented() -> None:
    stranger = replace(CLEARED, life="b", device="smoke-2")
    assert judge(burning(), [RAISED, stranger]) == ["invented: fire.smoke of smoke-2, number (1, 9)"]


def test_a_second_alert_of_one_fire_is_invented() -> None:
    assert judge(burning(), [RAISED, replace(CLEARED, life="b")]) == [
        "invented: fire.smoke of smoke-1, number (1, 9)"
    ]


def test_an_alert_that_came_before_its_cause_is_invented() -> None:
    early = replace(RAISED, at=3.0)
    assert judge(burning(), [early]) == [
        "invented: fire.smoke of smoke-1, number (1, 5)",
        "lost: fire.smoke of smoke-1 at 9.0",
    ]


def test_one_number_for_two_things_is_seen() -> None:
    assert judge(burning(), [RAISED, replace(RAISED, content=b"something else")]) == [
        "number (1, 5) stands for 2 things"
    ]


def test_an_event_that_fell_out_of_the_chain_is_lost_although_its_alert_is_known() -> None:
    last = replace(CLEARED, number=(1, 12), previous=(1, 9), content=b"over")
    assert judge(burning(), [RAISED, last]) == ["lost: event (1, 9) is named by the next one and never came"]


def test_what_a_fault_may_bring_need_not_come_and_comes_no_oftener() -> None:
    ledger = burning()
    ledger.may_bring("device.offline", device=ANY, now=0.0, most=1)
    offline = replace(CLEARED, kind="device.offline", device="smoke-7", life="b")
    assert judge(ledger, [RAISED]) == []
    assert judge(ledger, [RAISED, offline]) == []
    assert judge(ledger, [RAISED, offline, replace(offline, number=(1, 10), previous=(1, 9), life="c")]) == [
        "invented: device.offline of smoke-7, number (1, 10)"
    ]
