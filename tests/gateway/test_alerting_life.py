"""Alerting over time: flapping, restarts, timers, and what no sequence of events may ever break."""

import asyncio
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.api import Quality
from gateway.core.alerts import State
from gateway.core.events import AlertBody, Change
from gateway.core.policy import PolicyError
from tests import virtual
from tests.gateway.street import (
    ACKNOWLEDGED,
    CLEARED,
    KINDS,
    RAISED,
    SMOKE,
    TILT,
    UPDATED,
    WALL,
    WATER,
    Street,
    watched,
)

DEVICES = (
    watched("smoke-a", "smoke"),
    watched("smoke-b", "smoke", floor="4"),
    watched("cover", "tilt", baseline={"roll": 0.0, "pitch": 0.0}),
    watched("door", "door"),
)
POINTS = [
    ("smoke-a", "alarm"), ("smoke-a", "fault"), ("smoke-a", "test"), ("smoke-b", "alarm"), ("cover", "roll"),
    ("cover", "pitch"), ("door", "contact"), ("door", "exit_button"),
]  # fmt: skip


# Flapping


def flap(street: Street, times: int) -> None:
    for _ in range(times):
        street.reads("smoke-a", "fault", True, True, False, False)


def test_a_flapping_condition_is_held_and_told_once_a_minute() -> None:
    street = Street(*DEVICES)
    flap(street, 2)
    assert (street.told[-1].change, street.told[-1].text.zh[-11:]) == (Change.UPDATED, "，反复出现，共 2 次")
    flap(street, 73)  # five minutes
    assert street.story[:4] == [("fire.fault", RAISED), ("fire.fault", CLEARED), ("fire.fault", RAISED),
                                ("fire.fault", UPDATED)]  # fmt: skip
    assert len(street.told) <= 4 + 5
    held = street.open("fire.fault")
    assert held.state == State.ACTIVE_UNACKED
    assert held.count > 50
    assert held.text.zh == f"2 栋 1 单元 3 楼 消防探测器故障，可能不会报警，反复出现，共 {held.count} 次"


def test_a_condition_that_flaps_no_more_is_told_as_it_stands() -> None:
    street = Street(*DEVICES)
    flap(street, 4)
    while street.open("fire.fault").state == State.ACTIVE_UNACKED:
        street.tick()
    assert street.now < 16 + 600
    assert (street.told[-1].change, street.told[-1].count) == (Change.CLEARED, 4)


def test_a_condition_that_ends_flapping_in_alarm_stays_in_alarm() -> None:
    street = Street(*DEVICES)
    flap(street, 2)
    street.reads("smoke-a", "fault", True, True)
    street.tick(700.0)
    street.tick(800.0)
    assert street.open("fire.fault").state == State.ACTIVE_UNACKED
    assert (street.told[-1].change, street.told[-1].count) == (Change.UPDATED, 3)
    street.reads("smoke-a", "fault", False, False)
    assert street.told[-1].change == CLEARED


def test_the_end_of_flapping_tells_the_last_count() -> None:
    street = Street(*DEVICES)
    flap(street, 2)
    street.now = 560.0
    street.reads("smoke-a", "fault", True, True)  # told at once: the last telling was long ago
    street.reads("smoke-a", "fault", False, False, True, True, False, False, True, True)
    street.tick(1190.0)
    assert (street.open("fire.fault").count, street.open("fire.fault").state) == (5, State.ACTIVE_UNACKED)


def test_a_flapping_fire_is_up_all_the_time_and_rises_again_after_an_acknowledgement() -> None:
    street = Street(*DEVICES)
    for _ in range(20):
        street.reads("smoke-a", "alarm", True, True, False, False)
    assert len(street.told) < 8
    alert = street.open("fire.smoke")
    assert alert.state == State.ACTIVE_UNACKED
    street.alerting.acknowledge(alert.alert, "Li")
    street.reads("smoke-a", "alarm", True, True)
    assert street.open("fire.smoke").state == State.ACTIVE_UNACKED


def test_a_cover_that_rocked_and_is_lifted_off_is_told_as_open_though_it_flaps_and_somebody_had_seen_it() -> (
    None
):
    street = Street(*DEVICES)
    for _ in range(2):
        street.reads("cover", "roll", 20.0, 20.0, 0.0, 0.0)
    street.alerting.acknowledge(street.open("manhole.tilt").alert, "Wang")
    street.reads("cover", "roll", 120.0, 120.0)
    opened = street.open("manhole.open")
    assert (opened.state, opened.severity, opened.count) == (State.ACTIVE_UNACKED, "critical", 3)
    assert opened.text.zh == "2 栋 1 单元 3 楼 井盖被掀开，当心坠落"
    told = len(street.told)
    street.reads("cover", "roll", 0.0, 0.0, 120.0, 120.0)
    assert len(street.told) == told, "from then on it flaps as anything else"


def test_a_cover_that_is_lifted_off_comes_off_the_shelf_on_which_its_tilt_lay() -> None:
    street = Street(*DEVICES)
    street.reads("cover", "roll", 20.0, 20.0)
    street.alerting.shelve(street.open("manhole.tilt").alert, WALL + 5 * 86_400, "Wang")
    street.reads("cover", "roll", 0.0, 0.0)
    street.now = 3600.0
    street.reads("cover", "roll", 120.0, 120.0)
    assert street.open("manhole.open").state == State.ACTIVE_UNACKED
    assert street.story[-1] == ("manhole.open", RAISED)


def test_an_open_cover_that_is_told_again_by_its_other_angle_is_open_still() -> None:
    street = Street(
        watched("cover", "tilt", {**TILT[0], "again_s": 60.0}, baseline={"roll": 0.0, "pitch": 0.0})
    )
    street.reads("cover", "pitch", 20.0, 20.0)
    street.reads("cover", "roll", 120.0, 120.0)
    street.reads("cover", "pitch", *[20.0] * 130)
    assert len(street.told) > 3
    assert street.open("manhole.open").severity == "critical"


def test_what_is_told_again_and_again_is_quiet_on_the_shelf_until_its_time_is_up() -> None:
    lane = watched("lane", "level", {**WATER[0], "again_s": 900.0})
    street = Street(lane)
    street.reads("lane", "level", 3.0, 3.0)
    street.alerting.shelve(street.open("manhole.water").alert, WALL + 7200, "Wang")
    street.reads("lane", "level", *[3.0] * 70, every=100.0)
    assert street.open("manhole.water").state == State.SHELVED_ACTIVE
    street.tick(7201.0)
    assert street.told[-1].change == RAISED
    street.reads("lane", "level", *[3.0] * 20, every=100.0)
    assert street.told[-1].change == UPDATED


def test_a_reset_ends_the_flapping_and_the_next_fire_is_new() -> None:
    street = Street(*DEVICES)
    for _ in range(5):
        street.reads("smoke-a", "alarm", True, True, False, False)
    first = street.open("fire.smoke").alert
    street.alerting.reset("smoke-a", "Li")
    assert street.alerting.alerts() == []
    street.reads("smoke-a", "alarm", True, True)
    assert street.told[-1].change == Change.RAISED
    assert street.open("fire.smoke").alert != first


# Restarts


def test_after_a_restart_the_alert_is_the_same_and_not_raised_again() -> None:
    before = Street(*DEVICES)
    before.reads("smoke-a", "alarm", True, True)
    before.link("device", "cover", up=False)
    after = Street(*DEVICES, restore=before.events, now=100.0)
    assert after.alerting.alerts() == before.alerting.alerts()
    after.reads("smoke-a", "alarm", True, True, True)
    after.link("device", "cover", up=False)
    assert after.told == []


def test_after_a_restart_an_alert_waits_for_good_readings_to_be_proven_normal() -> None:
    before = Street(*DEVICES)
    before.reads("cover", "roll", 95.0, 95.0)
    after = Street(*DEVICES, restore=before.events)
    after.reads("cover", "roll", 0.0, 0.0)
    assert after.told == []  # its other angle is not known yet
    after.reads("cover", "pitch", 0.0, 0.0)
    assert [(body.change, body.alert) for body in after.told] == [(CLEARED, before.told[0].alert)]


def test_what_is_past_and_was_acknowledged_is_over_also_where_the_power_was_cut_in_between() -> None:
    before = Street(*DEVICES)
    before.note("journal.corrupt")
    before.alerting.acknowledge(before.open("journal.corrupt").alert, "warden")
    assert [body.change for body in before.told[-2:]] == [ACKNOWLEDGED, CLEARED]
    after = Street(*DEVICES, restore=before.events[:-1])
    after.reads("cover", "roll", 0.0)
    assert after.alerting.alerts() == []
    assert [(body.change, body.by) for body in after.told] == [(CLEARED, "warden")]


def test_an_open_cover_is_still_an_open_cover_after_a_restart() -> None:
    before = Street(*DEVICES)
    before.reads("cover", "roll", 95.0, 95.0)
    after = Street(*DEVICES, restore=before.events)
    after.reads("cover", "roll", 95.0, 95.0, 95.0)
    assert after.told == []


def test_neighbours_confirm_one_another_across_a_restart() -> None:
    before = Street(*DEVICES)
    before.reads("smoke-a", "alarm", True, True)
    after = Street(*DEVICES, restore=before.events, now=5000.0)  # another boot: another monotonic clock
    after.wall_minus_monotonic = WALL - 5000.0 + 30.0
    after.reads("smoke-b", "alarm", True, True)
    assert after.open("fire.confirmed").devices == ("smoke-a", "smoke-b")


def test_a_common_alert_is_taken_up_and_ended_after_a_restart() -> None:
    before = Street(*DEVICES)
    before.reads("smoke-a", "alarm", True, True)
    before.reads("smoke-b", "alarm", True, True)
    after = Street(*DEVICES, restore=before.events)
    for device in ("smoke-a", "smoke-b"):
        after.reads(device, "alarm", False, False)
        after.alerting.reset(device, "Li")
    assert after.alerting.alerts() == []


@pytest.mark.parametrize("left", [DEVICES[:1], ()])
def test_what_is_not_watched_any_more_says_so_and_can_be_closed(left: tuple) -> None:  # type: ignore[type-arg]
    before = Street(*DEVICES)
    before.reads("cover", "roll", 20.0, 20.0, every=2)
    before.link("device", "door", up=False)
    before.link("bus", "riser-b", up=False)
    after = Street(*left, restore=before.events)
    after.note("started")
    assert [body.state for body in after.alerting.alerts()] == [State.CLEARED_UNACKED] * 3
    assert after.told[0].text.zh == "2 栋 1 单元 3 楼 井盖倾斜 20 度，已不再监测"
    for alert in after.alerting.alerts():
        after.alerting.acknowledge(alert.alert, "Li")
    assert after.alerting.alerts() == []


def test_an_uplink_that_is_not_in_the_configuration_any_more_owes_nothing() -> None:
    before = Street(*DEVICES)
    before.link("uplink", "gw", up=False)
    still = Street(*DEVICES, restore=before.events, uplink="gw")
    still.note("started")
    assert still.open("uplink.down").state == State.ACTIVE_UNACKED
    after = Street(*DEVICES, restore=before.events)
    after.note("started")
    assert after.open("uplink.down").state == State.CLEARED_UNACKED
    after.alerting.acknowledge(after.open("uplink.down").alert, "Li")
    assert after.alerting.alerts() == []


@pytest.mark.parametrize(
    "link", ["storage", "heat", "power", "room", "card", "clock", "update", "uplink", "desk"]
)
def test_a_gateway_that_was_given_another_id_owes_nothing_under_its_old_one(link: str) -> None:
    before = Street(*DEVICES)
    before.link(link, "gw", up=False)
    kind = KINDS.by_link[link].name
    still = Street(*DEVICES, restore=before.events, gateway="gw", uplink="gw")
    still.note("started")
    assert still.open(kind).state == State.ACTIVE_UNACKED
    after = Street(*DEVICES, restore=before.events, gateway="gw-2", uplink="gw-2")
    after.note("started")
    assert after.open(kind).state == State.CLEARED_UNACKED


def test_a_command_that_a_removed_device_or_door_did_not_carry_out_troubles_nobody_any_more() -> None:
    before = Street(*DEVICES)
    for name in ("smoke-a", "gate-9"):
        before.outcome(name, "failed")
    after = Street(*DEVICES, restore=before.events)
    after.note("started")
    states = {alert.key: alert.state for alert in after.alerting.alerts()}
    assert states == {
        "command.failed/smoke-a": State.ACTIVE_UNACKED,
        "command.failed/gate-9": State.CLEARED_UNACKED,
    }


def test_a_fire_of_a_removed_detector_is_closed_by_a_reset() -> None:
    before = Street(*DEVICES)
    before.reads("smoke-a", "alarm", True, True)
    after = Street(restore=before.events)
    after.note("started")
    assert after.open("fire.smoke").state == State.LATCHED_UNACKED
    after.alerting.reset("smoke-a", "Li")
    assert after.alerting.alerts() == []


def test_a_fire_that_two_removed_detectors_made_together_is_closed_by_a_reset_of_one() -> None:
    before = Street(*DEVICES)
    before.reads("smoke-a", "alarm", True, True)
    before.reads("smoke-b", "alarm", True, True)
    assert "fire.confirmed" in before.kinds()
    after = Street(restore=before.events)
    after.note("started")
    assert after.open("fire.confirmed").state == State.LATCHED_UNACKED
    after.alerting.reset("smoke-a", "Li")
    assert after.kinds() == ["fire.smoke"]
    after.alerting.reset("smoke-b", "Li")
    assert after.alerting.alerts() == []


# The timer


def test_the_timer_asks_for_a_reading_when_a_door_was_open_long_enough() -> None:
    async def story() -> list[tuple[str, str]]:
        street = Street(*DEVICES)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(street.alerting.run(), name="alerting")
            await asyncio.sleep(1)
            street.reads("door", "contact", True, True, every=0.5)
            await asyncio.sleep(29.4)
            assert street.asked == []
            await asyncio.sleep(1)
            task.cancel()
        return street.asked

    assert virtual.run(story()) == [("door", "contact")]


def test_what_is_due_is_done_when_its_time_has_come_to_the_last_digit() -> None:
    """Or the timer would ask again and again for what is never done."""
    for number in range(200):
        street = Street(*DEVICES, now=75.0 + number / 96)
        street.outcome("door", "failed")
        street.now += 1.0
        street.outcome("door", "failed")
        due = street.alerting.next_due()
        assert due is not None
        street.tick(due)
        again = street.alerting.next_due()
        assert again is None or again > due


def test_the_timer_ends_the_time_on_the_shelf() -> None:
    async def story() -> list[AlertBody]:
        street = Street(*DEVICES)
        street.reads("smoke-a", "fault", True, True)
        street.alerting.shelve(street.told[0].alert, WALL + 3600, "Li")
        street.reads("door", "contact", True, True)  # half a minute later the timer has something else to do
        async with asyncio.TaskGroup() as group:
            task = group.create_task(street.alerting.run(), name="alerting")
            await asyncio.sleep(3599)
            assert len(street.told) == 2
            await asyncio.sleep(2)
            task.cancel()
        return street.told

    assert [body.change for body in virtual.run(story())] == [RAISED, UPDATED, RAISED]


# What no sequence of events may break

readings = st.tuples(
    st.sampled_from(POINTS),
    st.sampled_from([True, False, 0.0, 20.0, 95.0]),
    st.sampled_from([0.0, 0.05, 1.0, 5.0, 40.0]),
)
deeds = st.one_of(
    readings,
    readings,
    readings,
    st.sampled_from(["acknowledge", "reset", "shelve", "tick", "lose", "find"]),
)


def play(street: Street, steps: list[object]) -> None:
    for step in steps:
        match step:
            case ((str(device), str(point)), bool() | float() as value, float(wait)):
                street.now += wait
                street.read(device, point, value)
            case "tick" if street.alerting.next_due() is not None:
                street.tick()
            case "lose" | "find":
                street.link("device", "smoke-a", up=step == "find")
            case "acknowledge" | "reset" | "shelve":
                person(street, step)


def person(street: Street, deed: str) -> None:
    """A person does something to every open alert; what is not allowed is refused and changes nothing."""
    for body in street.alerting.alerts():
        before = street.alerting.alerts()
        try:
            match deed:
                case "acknowledge":
                    street.alerting.acknowledge(body.alert, "Li")
                case "reset":
                    street.alerting.reset(body.device or "", "Li")
                case _:
                    street.alerting.shelve(body.alert, street.now + WALL + 30, "Li")
        except PolicyError:
            assert street.alerting.alerts() == before


@settings(max_examples=150, deadline=None)
@given(st.lists(deeds, max_size=60))
def test_at_most_one_open_alert_has_a_key_and_a_restart_finds_the_same(steps: list[object]) -> None:
    street = Street(*DEVICES)
    play(street, steps)
    keys = [body.key for body in street.alerting.alerts()]
    assert len(keys) == len(set(keys))
    assert Street(*DEVICES, restore=street.events).alerting.alerts() == street.alerting.alerts()


@settings(max_examples=150, deadline=None)
@given(st.lists(deeds, max_size=60))
def test_every_alert_can_be_closed(steps: list[object]) -> None:
    street = Street(*DEVICES)
    play(street, steps)
    street.link("device", "smoke-a", up=True)
    for device, point in (("smoke-a", "test"), *POINTS):
        street.reads(device, point, False, False, False)
    street.tick(street.now + 700)  # flapping and shelves end
    person(street, "acknowledge")
    person(street, "reset")
    assert street.alerting.alerts() == []


@settings(max_examples=100, deadline=None)
@given(
    st.lists(deeds, max_size=40),
    st.lists(st.tuples(st.sampled_from(POINTS), st.sampled_from([True, False, None, 95.0])), max_size=40),
    st.sampled_from([Quality.BAD, Quality.STALE]),
)
def test_readings_that_are_not_good_never_change_an_alert(
    steps: list[object], bad: list[tuple[tuple[str, str], bool | float | None]], quality: Quality
) -> None:
    street = Street(*DEVICES)
    play(street, steps)
    before, told = street.alerting.alerts(), len(street.told)
    for (device, point), value in bad:
        street.now += 1.0
        street.read(device, point, value, quality=quality)
    assert (street.alerting.alerts(), len(street.told)) == (before, told)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.booleans(), max_size=60))
def test_a_fire_needs_two_reads_in_a_row_and_never_waits_for_a_third(values: list[bool]) -> None:
    street = Street(watched("smoke-a", "smoke", SMOKE[0]))
    street.reads("smoke-a", "alarm", *values)
    in_a_row = any(first and second for first, second in itertools.pairwise(values))
    assert bool(street.told) == in_a_row
