"""A button that is counted, from its readings to the alert people see, over restarts and power cuts."""

from dataclasses import replace

import pytest

from drivers.api import Quality
from gateway.core.alerts import State
from gateway.core.events import BaselineBody, Event
from tests.gateway.street import ACKNOWLEDGED, CLEARED, RAISED, UPDATED, WALL, Street, watched

BUTTON = watched("sos-301", "button")


@pytest.fixture
def street() -> Street:
    made = Street(BUTTON)
    made.reads("sos-301", "presses", 7, 7)
    assert made.told == []
    return made


def press(street: Street, count: int) -> None:
    street.reads("sos-301", "presses", count, count)


def test_a_press_is_a_critical_alert_that_stands_until_somebody_answers(street: Street) -> None:
    press(street, 8)
    alert = street.open("care.sos")
    assert (alert.severity, alert.count, alert.value) == ("critical", 1, 8)
    assert alert.text.zh == "2 栋 1 单元 3 楼 有人按了求助按钮"
    street.reads("sos-301", "presses", *[8] * 200, every=60.0)
    assert street.open("care.sos").state == State.ACTIVE_UNACKED
    street.alerting.acknowledge(alert.alert, "warden")
    assert street.alerting.alerts() == []
    assert [change for _, change in street.story] == [RAISED, ACKNOWLEDGED, UPDATED, CLEARED]
    assert street.told[-1].text.zh == "2 栋 1 单元 3 楼 有人按了求助按钮，已有人应答"
    assert street.told[-1].by == "warden"


def test_several_presses_are_one_alert_with_their_number(street: Street) -> None:
    press(street, 8)
    press(street, 9)
    press(street, 12)
    street.tick(street.now + 61)
    assert (street.open("care.sos").count, street.open("care.sos").value) == (5, 12)
    assert [change for _, change in street.story] == [RAISED, UPDATED]


def test_who_presses_again_after_an_answer_rings_again(street: Street) -> None:
    press(street, 8)
    street.alerting.acknowledge(street.open("care.sos").alert, "warden")
    press(street, 9)
    assert street.open("care.sos").state == State.ACTIVE_UNACKED
    assert street.open("care.sos").count == 1
    assert len({body.alert for body in street.told}) == 2


def test_it_can_be_reset_at_the_device_as_well(street: Street) -> None:
    press(street, 8)
    street.alerting.reset("sos-301", "operator")
    assert street.alerting.alerts() == []


def test_a_press_while_the_gateway_was_down_says_that_nobody_knows_exactly_when(street: Street) -> None:
    after = Street(BUTTON, restore=street.events, now=500.0, ended=WALL + 10)
    press(after, 9)
    alert = after.open("care.sos")
    assert alert.count == 2
    assert (
        alert.text.zh == "2 栋 1 单元 3 楼 有人按了求助按钮（01-15 16:00 之后失去联系期间按的，具体时间不明）"
    )
    assert alert.text.en.endswith("Pressed while out of contact, some time after 01-15 16:00")


def test_without_a_trusted_time_it_says_that_too(street: Street) -> None:
    after = Street(BUTTON, restore=street.events)
    press(after, 8)
    assert after.open("care.sos").text.zh.endswith("（网关停机期间按的，具体时间不明）")


def test_no_press_while_the_gateway_was_down_raises_nothing(street: Street) -> None:
    after = Street(BUTTON, restore=street.events)
    after.reads("sos-301", "presses", 7, 7, 7)
    assert after.told == []
    press(after, 8)
    assert "具体时间不明" not in after.open("care.sos").text.zh


def test_an_answered_press_is_not_told_again_by_the_next_run(street: Street) -> None:
    press(street, 8)
    street.alerting.acknowledge(street.open("care.sos").alert, "warden")
    after = Street(BUTTON, restore=street.events)
    press(after, 8)
    assert after.told == []


def test_an_answer_that_a_power_cut_broke_off_is_seen_through_by_the_next_run(street: Street) -> None:
    """Nobody could answer it a second time: it would stand as active for ever."""
    press(street, 8)
    street.alerting.acknowledge(street.open("care.sos").alert, "warden")
    for cut in (2, 1):
        kept = [event for event in street.events if event.body not in street.told[-cut:]]
        after = Street(BUTTON, restore=kept)
        press(after, 8)
        assert after.alerting.alerts() == []
        assert (after.told[-1].change, after.told[-1].by) == (CLEARED, "warden")
        press(after, 9)
        assert after.open("care.sos").state == State.ACTIVE_UNACKED


def test_a_second_press_that_was_answered_with_the_first_is_not_told_again_by_the_next_run(
    street: Street,
) -> None:
    """Who needs help presses more than once, and is answered before the minute in which the number is told."""
    press(street, 8)
    press(street, 9)
    street.alerting.acknowledge(street.open("care.sos").alert, "warden")
    assert {(body.count, body.value) for body in street.told if body.by} == {(2, 9)}
    after = Street(BUTTON, restore=street.events)
    press(after, 9)
    assert after.told == []


def test_an_alert_that_stands_goes_on_counting_in_the_next_run(street: Street) -> None:
    press(street, 8)
    after = Street(BUTTON, restore=street.events)
    press(after, 8)
    assert after.told == []
    press(after, 10)
    after.tick(after.now + 61)
    assert after.open("care.sos").count == 3


def test_wherever_the_power_is_cut_each_press_is_counted_once(street: Street) -> None:
    """Cut after each row of the journal in turn: what was told before and what is told after make all the presses."""
    for count in (8, 9, 10):
        press(street, count)
        street.tick(street.now + 61)
    assert street.open("care.sos").count == 3
    for rows in range(len(street.events) + 1):
        kept: list[Event] = street.events[:rows]
        if not any(isinstance(event.body, BaselineBody) for event in kept):
            continue  # it had never been read
        after = Street(BUTTON, restore=kept)
        press(after, 10)
        after.tick(after.now + 61)
        assert after.open("care.sos").count == 3, rows
        assert after.open("care.sos").value == 10


def test_a_counter_whose_value_is_private_is_counted_once_over_a_restart_and_its_value_not_told() -> None:
    private = replace(BUTTON, private=frozenset({"presses"}))
    street = Street(private)
    for count in (7, 8, 10):
        press(street, count)
        street.tick(street.now + 61)
    assert street.open("care.sos").count == 3
    stands = Street(private, restore=street.events)
    stands.reads("sos-301", "presses", 10, 10, 10)
    assert stands.told == []
    press(stands, 11)
    stands.tick(stands.now + 61)
    assert stands.open("care.sos").count == 4
    street.alerting.acknowledge(street.open("care.sos").alert, "warden")
    after = Street(private, restore=street.events)
    after.reads("sos-301", "presses", 10, 10, 10)
    assert after.told == []
    assert {body.value for body in (*street.told, *stands.told)} == {None}


def test_a_reading_that_is_not_good_says_nothing(street: Street) -> None:
    for quality in (Quality.STALE, Quality.BAD):
        street.now += 1
        street.read("sos-301", "presses", 0, quality=quality)
        street.read("sos-301", "presses", None, quality=quality)
    press(street, 7)
    assert street.told == []
