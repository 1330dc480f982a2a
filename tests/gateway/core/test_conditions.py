"""Conditions: one rule, one point, readings and times told as a table."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.api import Value
from gateway.core import kinds
from gateway.core.baselines import Commissioning
from gateway.core.conditions import Condition, Finding
from gateway.core.events import Certainty, Severity
from gateway.core.rules import Above, Below, Deviates, Equals, Rule, Test, difference

KINDS = kinds.built_in()
LOOK, LATER, FOUND, GONE, WORSE = Finding.LOOK, Finding.LATER, Finding.FOUND, Finding.GONE, Finding.WORSE
AGAIN = Finding.AGAIN


def condition(
    test: Test, *, kind: str = "device.fault", baseline: float | None = None, **keys: float
) -> Condition:
    rule = Rule(KINDS[kind], ("p",), test, Severity.MINOR, Certainty.OBSERVED, **keys)  # type: ignore[arg-type]
    return Condition(rule, "p", baseline=baseline)


def found(condition: Condition, *readings: tuple[float, Value]) -> list[Finding | None]:
    return [condition.read(value, at, 1000.0 + at) for at, value in readings]


@pytest.mark.parametrize(
    ("made", "readings", "told"),
    [
        (condition(Above(3, 2)), [(0, 4), (1, 4), (2, 2.5), (3, 2), (4, 2)], [None, FOUND, None, None, GONE]),
        (condition(Below(3, 4)), [(0, 2), (1, 2), (2, 3.5), (3, 4), (4, 4)], [None, FOUND, None, None, GONE]),
        (condition(Equals((True,))), [(0, 1), (1, 1), (2, 0), (3, 0)], [None, FOUND, None, GONE]),
        (condition(Equals((2, 3))), [(0, 2), (1, 3), (2, 1), (3, 0)], [None, FOUND, None, GONE]),
        (condition(Equals((1,)), reads=1, clear_reads=1), [(0, 1), (1, 0)], [FOUND, GONE]),
        (condition(Equals((1,)), reads=3), [(0, 1), (1, 1), (1, 1), (2, 1)], [None, None, None, FOUND]),
        (
            condition(Equals((1,)), kind="fire.heat"),
            [(0, 1), (1, 0), (2, 1), (3, 1)],
            [LOOK, None, LOOK, FOUND],
        ),
        (condition(Equals((1,)), kind="care.sos"), [(0, 1), (1, 1)], [LOOK, FOUND]),
        (condition(Equals((1,)), apart_s=2), [(0, 1), (1, 1), (2, 1)], [LATER, None, FOUND]),
        (condition(Equals((1,)), kind="care.sos", apart_s=2), [(0, 1), (1, 1), (2, 1)], [LATER, None, FOUND]),
        (condition(Equals((1,)), kind="care.sos", hold_s=9), [(0, 1), (1, 1), (9, 1)], [LOOK, LATER, FOUND]),
        (condition(Equals((1,)), hold_s=9), [(0, 1), (1, 1), (8, 1), (9, 1)], [None, LATER, LATER, FOUND]),
        (condition(Equals((1,)), hold_s=9), [(0, 1), (1, 1), (5, 0), (9, 1)], [None, LATER, None, None]),
        (
            condition(Equals((1,)), reads=1, clear_hold_s=9),
            [(0, 1), (1, 0), (2, 0), (3, 1), (4, 0), (5, 0), (13, 0)],
            [FOUND, None, LATER, None, None, LATER, GONE],
        ),
        (condition(Above(3, 2)), [(0, math.nan), (1, 4), (2, math.nan), (3, 4)], [None, None, None, FOUND]),
        (
            condition(Deviates(10, 8, 90), baseline=0.0, apart_s=1),
            [(0, 95.0), (0.1, 95.0), (1, 95.0)],
            [LOOK, FOUND, None],
        ),
        (
            condition(Deviates(10, 8, 90), baseline=0.0),
            [(0, 20.0), (1, 20.0), (2, 95.0), (3, 20.0), (4, 95.0), (5, 95.0)],
            [None, FOUND, LOOK, None, LOOK, WORSE],
        ),
        (
            condition(Deviates(10, 8, wraps=True), baseline=179.0),
            [(0, -172.0), (1, -172.0), (2, -170.0), (3, -170.0), (4, -174.0), (5, -174.0)],
            [None, None, None, FOUND, None, GONE],
        ),
    ],
)
def test_readings_bring_what_the_rule_says(
    made: Condition, readings: list[tuple[float, Value]], told: list[Finding | None]
) -> None:
    assert found(made, *readings) == told


def test_gas_is_told_however_long_its_device_is_silent_between_the_answers_that_say_so() -> None:
    gas, told = condition(Equals((True,)), kind="manhole.gas", hold_s=5), []
    for at in (0.0, 20.0, 40.0, 60.0):
        told += found(gas, (at, True))
        gas.lose(at + 3.0)  # its driver says so after two polls without an answer
    assert told == [None, LATER, FOUND, None]


def test_what_must_last_minutes_has_not_lasted_them_while_nobody_looked() -> None:
    still = condition(Equals((1,)), kind="care.still", reads=1, hold_s=60)
    assert found(still, (0.0, 1)) == [LATER]
    still.lose(40.0)
    assert found(still, (70.0, 1), (89.0, 1), (90.0, 1)) == [LATER, LATER, FOUND]
    anew = condition(Equals((1,)), kind="care.still", reads=1, hold_s=60)
    assert found(anew, (0.0, 1)) == [LATER]
    anew.lose(40.0)
    assert found(anew, (101.0, 1), (160.0, 1), (161.0, 1)) == [LATER, LATER, FOUND]


def test_what_lasts_is_told_again_after_its_time_and_after_a_restart_from_then_on() -> None:
    lane = condition(Equals((1,)), again_s=60)
    told = found(lane, (0, 1), (1, 1), (30, 1), (60, 1), (61, 1), (90, 1), (120, 1), (121, 1))
    assert told == [None, FOUND, None, None, AGAIN, None, None, AGAIN]
    restored = Condition(lane.rule, "p", active=True)
    assert found(restored, (1000, 1), (1059, 1), (1060, 1)) == [None, None, AGAIN]


def test_a_device_that_says_nothing_poll_after_poll_was_silent_all_the_time() -> None:
    gas = condition(Above(3, 2), hold_s=20)
    found(gas, (0, 4), (1, 4))
    for at in (2, 9, 16):
        gas.lose(at)
    assert found(gas, (22, 4), (39, 4), (40, 4)) == [LATER, LATER, FOUND]


def test_a_silence_holds_back_no_call_for_help() -> None:
    call = condition(Equals((1,)), kind="lift.ebike", hold_s=5)
    assert found(call, (0, 1)) == [LOOK]
    call.lose(1)
    assert found(call, (6, 1)) == [FOUND]


def test_a_detector_in_test_begins_nothing_that_a_single_reading_ends() -> None:
    smoke = condition(Equals((1,)), kind="fire.smoke")
    assert found(smoke, (0, 1)) == [LOOK]
    smoke.suppress("test", True)
    smoke.suppress("test", False)
    assert found(smoke, (60, 1), (61, 1)) == [LOOK, FOUND]


def test_one_reading_past_the_urgent_limit_makes_nothing_worse_also_while_it_ends() -> None:
    cover = condition(Deviates(10, 8, 90), baseline=0.0)
    assert found(cover, (0, 20.0), (1, 20.0), (2, 0.0), (3, 95.0)) == [None, FOUND, None, LOOK]


def test_a_door_that_was_read_closed_once_was_not_seen_closed() -> None:
    rule = Rule(
        KINDS["door.forced"], ("p",), Equals((1,)), Severity.MINOR, Certainty.OBSERVED, excused_by=("exit",)
    )
    door = Condition(rule, "p")
    assert found(door, (0, 1), (1, 0), (2, 1), (3, 1)) == [None] * 4
    assert found(door, (4, 0), (5, 0), (6, 1), (7, 1))[-1] is FOUND


def test_a_condition_knows_when_it_was_first_seen_and_how_far_it_was() -> None:
    made = condition(Deviates(10, 8), baseline=5.0)
    found(made, (1.0, 20.0), (2.0, 21.0))
    assert (made.since, made.since_wall, made.value, made.deviation) == (1.0, 1001.0, 21.0, 16.0)
    assert condition(Equals((1,))).deviation is None


@given(st.floats(-720, 720), st.floats(-720, 720))
def test_an_angle_differs_by_the_short_way_round(value: float, baseline: float) -> None:
    away = difference(value, baseline, wraps=True)
    assert -180 <= away <= 180
    turns = (value - baseline - away) / 360
    assert turns == pytest.approx(round(turns), abs=1e-9)


@pytest.mark.parametrize(
    ("values", "rest"),
    [
        ([1.0, 1.5, 2.0], 1.5),
        ([1.0, 9.0, 9.1, 9.2], 9.1),
        ([1.0, 4.0, 1.0, 4.0], None),
        ([1.0, 1.0], None),
    ],
)
def test_three_readings_that_agree_are_the_rest(values: list[float], rest: float | None) -> None:
    commissioning = Commissioning()
    told = [commissioning.offer(value, float(at), wraps=False) for at, value in enumerate(values)]
    assert told[-1] == (None if rest is None else pytest.approx(rest))


def test_three_readings_of_one_reply_are_no_rest() -> None:
    commissioning = Commissioning()
    assert [commissioning.offer(1.0, 7.0, wraps=False) for _ in range(5)] == [None] * 5
