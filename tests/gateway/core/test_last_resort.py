"""What is told when nobody upstream hears: decided by the clock, by confirmations and by what people did."""

from collections.abc import Callable

import msgspec
import pytest

from gateway.core import last_resort
from gateway.core.alerts import State
from gateway.core.events import AlertBody, Event, Severity
from gateway.core.last_resort import GAP_S, LAST_PAUSE_S, MOST, SPELT_OUT, Line, Position, Unheard
from tests.events import alert_body, event, note

AFTER_S = 30.0


def told(
    seq: int,
    life: int | None = None,
    *,
    severity: Severity = Severity.CRITICAL,
    state: str = "active_unacked",
) -> Event:
    body = msgspec.structs.replace(alert_body(life or seq, state=state), severity=severity)
    return event(seq, body)


def up_to(seq: int) -> Callable[[Position], bool]:
    return lambda position: position <= (1, seq)


def overdue(unheard: Unheard, now: float) -> list[str]:
    return [body.alert[-2:] for body in unheard.overdue(now, AFTER_S)]


def test_a_critical_alert_is_told_when_its_time_is_over_and_not_before() -> None:
    unheard = Unheard(after_s=AFTER_S)
    unheard.follow(told(1), 0.0)
    assert overdue(unheard, 29.9) == []
    assert overdue(unheard, 30.0) == ["01"]


def test_what_is_confirmed_in_time_is_the_desks() -> None:
    unheard = Unheard(after_s=AFTER_S)
    unheard.follow(told(1), 0.0)
    unheard.confirm(up_to(1), 29.0)
    assert overdue(unheard, 1e6) == []
    assert unheard.waiting == 0


def test_what_is_not_critical_or_acknowledged_on_the_spot_is_not_told() -> None:
    unheard = Unheard(after_s=AFTER_S)
    unheard.follow(told(1, severity=Severity.MAJOR), 0.0)
    unheard.follow(told(2), 0.0)
    unheard.follow(told(3, 2, state=State.ACTIVE_ACKED), 5.0)
    unheard.follow(note(4), 5.0)
    assert overdue(unheard, 100.0) == []
    assert unheard.waiting == 2, "the desk is to hear of it all the same"


def test_an_alert_that_becomes_critical_after_the_desk_fell_silent_is_told() -> None:
    unheard = Unheard(after_s=AFTER_S)
    unheard.follow(told(1, severity=Severity.MAJOR), 0.0)
    unheard.confirm(up_to(1), 1.0)
    unheard.follow(told(2, 1), 50.0)
    assert overdue(unheard, 79.0) == []
    assert overdue(unheard, 80.0) == ["01"]


def test_an_alert_of_which_only_the_beginning_is_confirmed_waits_for_its_end() -> None:
    unheard = Unheard(after_s=AFTER_S)
    unheard.follow(told(1), 0.0)
    unheard.follow(told(2, 1), 20.0)
    unheard.confirm(up_to(1), 21.0)
    assert unheard.waiting == 1
    assert overdue(unheard, 40.0) == [], "counted from what is not confirmed"
    unheard.confirm(up_to(2), 41.0)
    assert unheard.waiting == 0


def test_the_desk_is_silent_when_an_alert_waits_and_nothing_is_confirmed_and_speaks_with_the_first() -> None:
    unheard = Unheard(after_s=AFTER_S)
    assert not unheard.settle(1000.0), "nothing waits: nobody knows, and nobody says so"
    unheard.follow(told(1, severity=Severity.MINOR), 1000.0)
    assert not unheard.settle(1029.0)
    assert unheard.settle(1030.0)
    assert unheard.silent
    unheard.follow(told(2), 1031.0)
    unheard.confirm(lambda position: position == (1, 2), 1040.0)
    assert unheard.settle(1040.0)
    assert not unheard.silent


def test_an_alert_that_was_passed_over_for_long_makes_no_silence_of_its_own() -> None:
    unheard = Unheard(after_s=AFTER_S)
    unheard.follow(told(1), 0.0)
    for second in range(10, 700, 10):
        unheard.follow(told(1000 + second), float(second))
        unheard.confirm(lambda position: position != (1, 1), float(second))
        assert not unheard.settle(float(second))
    unheard.settle(5000.0)
    assert not unheard.silent
    assert overdue(unheard, 5000.0) == ["01"], "told all the same"


def test_a_desk_that_was_silent_before_a_restart_is_so_until_something_is_confirmed() -> None:
    unheard = Unheard(after_s=AFTER_S, silent=True)
    unheard.follow(told(1), 0.0)
    assert not unheard.settle(1.0)
    unheard.confirm(up_to(1), 2.0)
    assert unheard.settle(2.0)
    assert not unheard.silent


def test_without_anybody_upstream_what_somebody_has_seen_is_done_with() -> None:
    unheard = Unheard(after_s=AFTER_S, upstream=False)
    unheard.follow(told(1), 0.0)
    unheard.follow(told(2, 1, state=State.ACTIVE_ACKED), 1.0)
    assert unheard.waiting == 0


def test_memory_is_bounded_and_what_need_not_be_told_goes_first() -> None:
    unheard = Unheard(after_s=AFTER_S)
    unheard.follow(told(1), 0.0)
    for seq in range(2, MOST + 50):
        unheard.follow(told(seq, severity=Severity.MINOR), 0.0)
    assert unheard.waiting == MOST
    assert overdue(unheard, 30.0) == ["01"]


def test_a_line_tells_an_alert_once_and_what_comes_meanwhile_together() -> None:
    unheard, line = Unheard(after_s=AFTER_S), Line("ntfy-1", AFTER_S)
    unheard.follow(told(1), 0.0)
    [first] = line.due(unheard, 30.0)
    line.delivered([first.alert], 30.0)
    for seq in range(2, 9):
        unheard.follow(told(seq), 0.0)
    assert line.due(unheard, 31.0) == [], "a little later they are one message"
    assert len(line.due(unheard, 30.0 + GAP_S)) == 7


def test_a_line_that_fails_is_tried_again_ever_more_seldom_and_never_given_up() -> None:
    unheard, line = Unheard(after_s=AFTER_S), Line("ntfy-1", AFTER_S)
    unheard.follow(told(1), 0.0)
    now, pauses = 30.0, list[float]()
    for _ in range(8):
        assert line.due(unheard, now)
        line.failed(now, retryable=True)
        pauses.append(line.due_at - now)
        now = line.due_at
    assert pauses == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    line.failed(now, retryable=False)
    assert line.due_at == now + LAST_PAUSE_S


@pytest.mark.parametrize("count", [1, 2, SPELT_OUT, SPELT_OUT + 1, 500])
def test_a_storm_is_one_message_of_bounded_length_in_both_languages(count: int) -> None:
    bodies: list[AlertBody] = [alert_body(number) for number in range(1, count + 1)]
    text = last_resort.message("红星亭坡 1 号院", bodies)
    assert "值班台没有应答" in text.zh
    assert "does not answer" in text.en
    assert text.zh.count("烟感报警") == min(count, SPELT_OUT)
    assert len(text.zh) < 1500
    assert (f"另有 {count - SPELT_OUT} 条" in text.zh) == (count > SPELT_OUT)


def test_the_same_alerts_have_the_same_message_id_in_any_order_and_others_another() -> None:
    assert last_resort.name_of(["a", "b"]) == last_resort.name_of(["b", "a"])
    assert last_resort.name_of(["a"]) != last_resort.name_of(["a", "b"])


def test_what_became_critical_behind_a_confirmed_beginning_is_told_by_its_own_time() -> None:
    unheard = Unheard(after_s=AFTER_S)
    unheard.follow(told(1, severity=Severity.MAJOR), 0.0)
    unheard.follow(told(2, 1), 10.0)
    unheard.confirm(up_to(1), 11.0)
    assert overdue(unheard, 39.0) == []
    assert overdue(unheard, 40.0) == ["01"]


def test_new_alerts_put_off_no_silence_and_what_waits_from_before_the_last_confirmation_counts() -> None:
    unheard = Unheard(after_s=AFTER_S)
    for number in range(1, 4):
        unheard.follow(told(number), number * 10.0)
    assert not unheard.settle(39.0)
    assert unheard.settle(40.0)
    unheard = Unheard(after_s=AFTER_S)
    unheard.follow(told(1), 0.0)
    unheard.follow(told(2), 1.0)
    unheard.confirm(lambda position: position == (1, 2), 5.0)
    assert not unheard.settle(34.0)
    assert unheard.settle(35.0)


def test_a_desk_that_was_silent_is_so_no_more_where_nothing_waits_for_it() -> None:
    unheard = Unheard(after_s=AFTER_S, silent=True)
    assert unheard.settle(0.0)
    assert not unheard.silent


def test_an_alert_that_is_normal_for_longer_is_no_news_and_one_that_came_again_is_told_once_more() -> None:
    line, unheard = Line("phone", AFTER_S), Unheard(after_s=AFTER_S)

    def due(seq: int, state: str, now: float) -> bool:
        each = told(seq, 1, state=state)
        assert isinstance(each.body, AlertBody)
        unheard.follow(each, now)
        line.follow(each.body)
        found = line.due(unheard, now + AFTER_S)
        line.delivered([body.alert for body in found], now)
        return bool(found)

    assert due(1, "active_unacked", 0.0)
    assert not due(2, "latched_unacked", 100.0)
    assert not due(3, "latched_unacked", 200.0)
    assert due(4, "active_unacked", 300.0)
    assert not due(5, "active_unacked", 400.0)


def test_a_list_names_each_alert_in_both_languages() -> None:
    bodies = [alert_body(number) for number in range(1, SPELT_OUT + 3)]
    text = last_resort.message("1", bodies)
    assert [line[:2] for line in text.en.splitlines()[1:]] == ["1.", "2.", "3.", "4.", "5.", "6.", "an"]
    assert text.en.endswith("and 2 more")
    assert text.en.count("Smoke alarm") == text.zh.count("烟感报警") == SPELT_OUT


def test_what_is_written_down_can_be_read_back() -> None:
    assert last_resort.told_before(last_resort.note("a-1", "ntfy-1", "ok then")) == ("a-1", "ntfy-1")
    assert last_resort.told_before(last_resort.note("a-1", "ntfy-1", "")) == ("a-1", "ntfy-1")
    assert last_resort.told_before(note(1).body) is None
    assert last_resort.told_before(alert_body(1)) is None
