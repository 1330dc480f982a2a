"""Alerting over a told stream: fire, tilt, doors, links, and what people do."""

import pytest

from drivers.api import Quality
from gateway.core.alerts import State
from gateway.core.events import BaselineBody, Certainty, Clock, Severity
from gateway.core.policy import PolicyError
from tests.gateway.street import ACKNOWLEDGED, CLEARED, RAISED, SMOKE, UPDATED, WALL, Street, watched


@pytest.fixture
def street() -> Street:
    return Street(
        watched("smoke-a", "smoke"),
        watched("smoke-b", "smoke", floor="4"),
        watched("smoke-far", "smoke", building="3"),
        watched("cover", "tilt", baseline={"roll": 0.0, "pitch": 0.0}),
        watched("door", "door"),
        watched("well", "level"),
    )


def in_alarm(street: Street, device: str = "smoke-a") -> None:
    street.reads(device, "alarm", True, True, every=0.05)


def closed(street: Street) -> None:
    """A door has been seen closed."""
    street.reads("door", "contact", False, False)


# Fire


def test_a_first_fire_read_asks_for_a_second_one_at_once_and_raises_nothing(street: Street) -> None:
    street.reads("smoke-a", "alarm", True)
    assert street.told == []
    assert street.asked == [("smoke-a", "test"), ("smoke-a", "alarm")]


def test_a_second_read_raises_the_fire_with_the_time_of_the_first(street: Street) -> None:
    street.now = 10.0
    street.read("smoke-a", "alarm", True)
    street.now = 10.04
    street.read("smoke-a", "alarm", True)
    (fire,) = street.told
    assert (fire.kind, fire.change, fire.state) == ("fire.smoke", RAISED, State.ACTIVE_UNACKED)
    assert fire.first_seen == WALL + 10.0
    assert (fire.severity, fire.certainty, fire.clock) == (
        Severity.CRITICAL,
        Certainty.OBSERVED,
        Clock.SYNCED,
    )
    assert (fire.device, fire.point, fire.value, fire.count) == ("smoke-a", "alarm", True, 1)
    assert fire.devices == ("smoke-a",)
    assert (fire.text.zh, fire.text.en) == (
        "2 栋 1 单元 3 楼 烟感报警",
        "Smoke alarm, building 2, unit 1, floor 3",
    )


def test_two_readings_of_one_reply_confirm_nothing(street: Street) -> None:
    street.now = 10.0
    street.read("smoke-a", "alarm", True, at=9.9)
    street.now = 11.0
    street.read("smoke-a", "alarm", True, at=9.9)
    assert street.told == []


def test_one_bad_frame_raises_no_fire_and_clears_none(street: Street) -> None:
    street.reads("smoke-a", "alarm", True, False, True, False, True, False)
    assert street.told == []
    in_alarm(street)
    street.reads("smoke-a", "alarm", False, True, False, True)
    assert street.story == [("fire.smoke", RAISED)]


def test_a_fire_stays_latched_until_somebody_resets_it(street: Street) -> None:
    in_alarm(street)
    street.reads("smoke-a", "alarm", False, False)
    assert street.open("fire.smoke").state == State.LATCHED_UNACKED
    street.alerting.reset("smoke-a", "Li")
    assert street.story == [("fire.smoke", RAISED), ("fire.smoke", UPDATED), ("fire.smoke", CLEARED)]
    assert street.told[-1].by == "Li"
    assert street.told[-1].text.zh == "2 栋 1 单元 3 楼 烟感报警，已恢复正常"
    assert street.alerting.alerts() == []


def test_a_fire_reset_while_it_burns_is_over_only_when_the_device_is_normal(street: Street) -> None:
    in_alarm(street)
    street.alerting.reset("smoke-a", "Li")
    assert street.open("fire.smoke").state == State.ACTIVE_RESET
    street.reads("smoke-a", "alarm", True, False, False)
    assert street.alerting.alerts() == []


def test_reset_of_a_device_without_fire_is_refused_in_words(street: Street) -> None:
    street.reads("smoke-a", "fault", True, True)
    with pytest.raises(PolicyError, match="smoke-a has nothing to reset"):
        street.alerting.reset("smoke-a", "Li")


def test_a_detector_in_test_is_told_as_tested_and_never_as_fire(street: Street) -> None:
    street.now = 1.0
    street.read("smoke-a", "alarm", True)  # the same reply tells alarm first, then test
    street.read("smoke-a", "test", True)
    street.reads("smoke-a", "alarm", True, True, True)
    assert street.story == [("device.test", RAISED)]


@pytest.mark.parametrize("quality", [Quality.STALE, Quality.BAD])
def test_a_test_that_cannot_be_read_any_more_keeps_no_fire_quiet(street: Street, quality: Quality) -> None:
    street.reads("smoke-a", "test", True)
    street.reads("smoke-a", "alarm", True, True)
    street.read("smoke-a", "test", None, quality=quality)
    street.reads("smoke-a", "alarm", True, True)
    assert street.story == [("device.test", RAISED), ("fire.smoke", RAISED)]


def test_a_detector_that_was_silent_in_its_test_is_still_told_as_tested(street: Street) -> None:
    street.reads("smoke-a", "test", True)
    street.read("smoke-a", "test", None, quality=Quality.STALE)
    street.read("smoke-a", "alarm", True)
    assert street.asked[-2:] == [("smoke-a", "test"), ("smoke-a", "alarm")]
    street.reads("smoke-a", "test", True)
    street.reads("smoke-a", "alarm", True, True)
    assert street.story == [("device.test", RAISED)]


def test_an_alarm_that_outlasts_the_test_is_a_fire(street: Street) -> None:
    street.reads("smoke-a", "test", True)
    street.reads("smoke-a", "alarm", True, True)
    street.reads("smoke-a", "test", False)
    street.reads("smoke-a", "alarm", True, True)
    assert street.story == [("device.test", RAISED), ("device.test", CLEARED), ("fire.smoke", RAISED)]


def test_a_test_during_a_fire_ends_no_fire(street: Street) -> None:
    in_alarm(street)
    street.reads("smoke-a", "test", True)
    street.reads("smoke-a", "alarm", False, False, False)
    assert street.open("fire.smoke").state == State.ACTIVE_UNACKED


def test_a_silent_device_is_unknown_and_its_fire_stays_beside_the_offline_alert(street: Street) -> None:
    in_alarm(street)
    before = street.open("fire.smoke")
    for value in (True, False, None):
        street.now += 1
        street.read("smoke-a", "alarm", value, quality=Quality.STALE)
        street.read("smoke-a", "alarm", value, quality=Quality.BAD)
    street.link("device", "smoke-a", up=False)
    assert street.open("fire.smoke") == before
    assert street.open("device.offline").severity == Severity.MAJOR


# Neighbours


def test_two_detectors_of_one_building_make_one_critical_alert_that_names_both(street: Street) -> None:
    in_alarm(street)
    street.now += 40
    in_alarm(street, "smoke-b")
    both = street.open("fire.confirmed")
    assert both.devices == ("smoke-a", "smoke-b")
    assert both.text.zh == "2 栋 1 单元 2 个探测器同时报警：3 楼、4 楼"
    assert both.text.en == "2 detectors in alarm together, building 2, unit 1: floor 3; floor 4"
    assert (both.severity, both.count, both.place.building, both.place.floor) == (
        Severity.CRITICAL,
        2,
        "2",
        "",
    )
    assert street.kinds() == ["fire.smoke", "fire.confirmed", "fire.smoke"]
    assert both.first_seen == street.alerting.alerts()[0].first_seen


@pytest.mark.parametrize(("other", "after"), [("smoke-far", 1.0), ("smoke-b", 61.0)])
def test_detectors_far_apart_confirm_nothing(street: Street, other: str, after: float) -> None:
    in_alarm(street)
    street.now += after
    in_alarm(street, other)
    assert street.kinds() == ["fire.smoke", "fire.smoke"]


def test_a_third_detector_joins_the_common_alert_as_an_update() -> None:
    street = Street(*(watched(f"smoke-{floor}", "smoke", floor=floor) for floor in "123456789"))
    for floor in "123456789":
        in_alarm(street, f"smoke-{floor}")
        street.now += 50
    confirmed = [body for body in street.told if body.kind == "fire.confirmed"]
    assert [(body.change, body.count) for body in confirmed] == [
        (RAISED, 2),
        *((UPDATED, n) for n in range(3, 10)),
    ]
    assert confirmed[-1].text.zh.endswith("1 楼、2 楼、3 楼、4 楼、5 楼、6 楼，另有 3 个")


def test_a_new_neighbour_wants_to_be_seen_though_somebody_acknowledged_the_others() -> None:
    street = Street(*(watched(f"smoke-{floor}", "smoke", floor=floor) for floor in "123"))
    in_alarm(street, "smoke-1")
    in_alarm(street, "smoke-2")
    street.alerting.acknowledge(street.open("fire.confirmed").alert, "Li")
    in_alarm(street, "smoke-3")
    assert street.open("fire.confirmed").state == State.ACTIVE_UNACKED


def test_the_common_alert_is_over_when_every_detector_was_reset(street: Street) -> None:
    in_alarm(street)
    in_alarm(street, "smoke-b")
    street.reads("smoke-a", "alarm", False, False)
    street.alerting.reset("smoke-a", "Li")
    assert street.open("fire.confirmed").state == State.ACTIVE_UNACKED
    street.reads("smoke-b", "alarm", False, False)
    assert street.open("fire.confirmed").state == State.LATCHED_UNACKED
    street.alerting.reset("smoke-b", "Wang")
    assert street.alerting.alerts() == []
    assert (street.told[-1].kind, street.told[-1].by) == ("fire.confirmed", "Wang")


def test_a_detector_that_burns_again_before_the_reset_brings_the_common_alert_back(street: Street) -> None:
    in_alarm(street)
    in_alarm(street, "smoke-b")
    for device in ("smoke-a", "smoke-b"):
        street.reads(device, "alarm", False, False)
    in_alarm(street)
    assert street.open("fire.confirmed").state == State.ACTIVE_UNACKED


def test_a_detector_that_was_reset_confirms_no_neighbour(street: Street) -> None:
    in_alarm(street)
    street.reads("smoke-a", "alarm", False, False)
    street.alerting.reset("smoke-a", "Li")
    in_alarm(street, "smoke-b")
    assert street.kinds() == ["fire.smoke"]


# Manhole covers


def test_a_tilted_cover_is_told_after_two_reads_a_second_apart(street: Street) -> None:
    street.now = 5.0
    street.read("cover", "roll", 12.0)
    street.now = 5.4
    street.read("cover", "roll", 12.0)
    assert street.told == []
    street.tick()
    assert (street.now, street.asked) == (6.0, [("cover", "roll")])
    street.read("cover", "roll", 12.4)
    tilt = street.open("manhole.tilt")
    assert (tilt.value, tilt.text.en) == (
        12.4,
        "Manhole cover tilted 12 degrees, building 2, unit 1, floor 3",
    )


def test_an_open_cover_is_told_at_once_but_not_on_one_frame_alone(street: Street) -> None:
    street.now = 5.0
    street.read("cover", "pitch", 120.0)
    assert street.told == []
    assert street.asked == [("cover", "pitch")]
    street.now = 5.03
    street.read("cover", "pitch", 121.0)
    assert (street.open("manhole.open").severity, street.now) == (Severity.CRITICAL, 5.03)


def test_a_tilted_cover_that_opens_becomes_the_same_alert_and_worse(street: Street) -> None:
    street.reads("cover", "roll", 20.0, 20.0, every=2)
    tilt = street.open("manhole.tilt")
    street.alerting.acknowledge(tilt.alert, "Li")
    street.reads("cover", "roll", 95.0, 95.0, 95.0, every=0.1)
    opened = street.open("manhole.open")
    assert (opened.alert, opened.state, opened.change) == (tilt.alert, State.ACTIVE_UNACKED, UPDATED)
    assert opened.first_seen == tilt.first_seen


def test_one_frame_makes_no_tilted_cover_an_open_one(street: Street) -> None:
    street.reads("cover", "roll", 20.0, 20.0, every=2)
    street.reads("cover", "roll", 95.0, 20.0, 95.0, 20.0, every=2)
    assert street.kinds() == ["manhole.tilt"]


def test_a_cover_is_normal_when_both_its_angles_are(street: Street) -> None:
    for point in ("roll", "pitch"):
        street.reads("cover", point, 20.0, 20.0, every=2)
    street.reads("cover", "roll", 0.0, 0.0)
    assert street.open("manhole.tilt").state == State.ACTIVE_UNACKED
    street.reads("cover", "pitch", 9.0, 9.0)  # within 10, not within 8
    assert street.open("manhole.tilt").state == State.ACTIVE_UNACKED
    street.reads("cover", "pitch", 7.0, 7.0)
    assert street.open("manhole.tilt").state == State.CLEARED_UNACKED
    assert street.story == [("manhole.tilt", RAISED), ("manhole.tilt", CLEARED)]


def test_the_second_angle_makes_an_open_cover_of_a_tilted_one_once(street: Street) -> None:
    street.reads("cover", "roll", 20.0, 20.0, every=2)
    street.reads("cover", "pitch", 95.0, 95.0, every=2)
    street.reads("cover", "roll", 95.0, 95.0, every=2)
    assert street.story == [("manhole.tilt", RAISED), ("manhole.open", UPDATED)]


def test_a_new_cover_takes_its_first_three_readings_for_rest() -> None:
    street = Street(watched("cover", "tilt"))
    street.reads("cover", "roll", 179.5, -179.5, 179.9, 179.0, -179.0)
    (rest,) = [event.body for event in street.events if isinstance(event.body, BaselineBody)]
    assert rest.origin == "auto"
    assert abs(rest.value) == pytest.approx(179.97, abs=0.1)
    street.reads("cover", "roll", -168.0, -168.0)
    assert street.kinds() == ["manhole.tilt"]


def test_a_baseline_of_the_configuration_stands_above_one_of_the_stream(street: Street) -> None:
    street.rest("cover", "roll", 50.0)
    street.reads("cover", "roll", 49.0, 49.0)
    assert street.kinds() == ["manhole.tilt"]


def test_a_person_can_set_a_new_rest() -> None:
    street = Street(watched("cover", "tilt"))
    street.rest("cover", "roll", 50.0)
    street.reads("cover", "roll", 20.0, 20.0, 50.0, 50.0)  # twenty is no rest any more, fifty is
    assert street.story == [("manhole.tilt", RAISED), ("manhole.tilt", CLEARED)]


def test_a_baseline_of_the_last_run_is_taken_up() -> None:
    first = Street(watched("cover", "tilt"))
    first.rest("cover", "roll", 50.0)
    again = Street(watched("cover", "tilt"), restore=first.events)
    again.reads("cover", "roll", 30.0, 30.0)
    assert again.kinds() == ["manhole.tilt"]


# Water


def test_high_water_is_told_with_its_value_and_cleared_with_hysteresis(street: Street) -> None:
    street.reads("well", "level", 2.25, 2.25)
    assert street.open("manhole.water").text.en == "Water high in manhole, building 2, unit 1, floor 3 (2.2)"
    street.reads("well", "level", 1.9, 1.6, 1.9, 1.6)
    assert street.open("manhole.water").state == State.ACTIVE_UNACKED
    street.reads("well", "level", 1.4, 1.4)
    assert street.open("manhole.water").state == State.CLEARED_UNACKED


# Doors


def test_a_door_opened_without_excuse_is_forced(street: Street) -> None:
    closed(street)
    street.reads("door", "contact", True)
    assert street.told == []
    street.reads("door", "contact", True)
    assert street.kinds() == ["door.forced"]


@pytest.mark.parametrize("point", ["exit_button", "strike"])
@pytest.mark.parametrize("before", [True, False])
def test_a_door_opened_by_button_or_strike_is_not_forced_in_any_order_of_polling(
    street: Street, point: str, before: bool
) -> None:
    closed(street)
    street.now += 1
    if before:
        street.read("door", point, True)
    street.read("door", "contact", True)
    if not before:
        street.read("door", point, True)
    street.reads("door", point, False)
    street.reads("door", "contact", *[True] * 20)
    assert street.told == []


def test_a_granted_command_excuses_the_door(street: Street) -> None:
    closed(street)
    street.outcome("door", grants=True)
    street.reads("door", "contact", True, True, True)
    assert street.told == []


def test_an_excuse_lasts_its_seconds_and_one_opening(street: Street) -> None:
    closed(street)
    street.read("door", "exit_button", True)
    street.reads("door", "contact", True, True, False, False, every=0.5)
    street.now += 8
    street.reads("door", "contact", True, True)
    assert street.kinds() == ["door.forced"]


def test_a_bouncing_contact_ends_no_lawful_opening(street: Street) -> None:
    closed(street)
    street.read("door", "exit_button", True)
    street.reads("door", "contact", True, True, every=0.5)
    street.now += 10
    street.reads("door", "contact", False, True, True, True)
    assert street.told == []


def test_a_door_found_open_at_the_start_was_not_forced(street: Street) -> None:
    street.reads("door", "contact", True, True, True)
    assert street.told == []


def test_a_door_held_open_is_told_after_its_time_by_a_fresh_reading(street: Street) -> None:
    street.reads("door", "contact", True, True)
    street.tick()
    assert (street.now, street.asked) == (31.0, [("door", "contact")])
    assert street.told == []
    street.now += 0.05
    street.read("door", "contact", True)
    assert street.kinds() == ["door.held"]
    street.reads("door", "contact", False)
    assert street.story == [("door.held", RAISED), ("door.held", CLEARED)]


def test_a_door_that_falls_silent_is_not_held(street: Street) -> None:
    street.reads("door", "contact", True, True)
    street.now = 40.0
    street.read("door", "contact", True, quality=Quality.STALE)
    street.tick()
    assert street.told == []
    assert street.alerting.next_due() is None


def test_a_door_closed_in_time_is_not_held_and_nothing_is_asked(street: Street) -> None:
    street.reads("door", "contact", True, True, False)
    street.tick(31.0)
    assert (street.told, street.asked) == ([], [])


# Links, commands, the gateway itself


def test_a_lost_device_is_told_once_and_over_when_it_is_back(street: Street) -> None:
    street.link("device", "cover", up=False)
    street.link("device", "cover", up=False)
    assert street.open("device.offline").severity == Severity.MINOR
    street.link("device", "cover", up=True)
    assert street.story == [("device.offline", RAISED), ("device.offline", CLEARED)]


def test_a_dead_line_is_one_alert_and_any_device_that_answers_ends_it(street: Street) -> None:
    street.link("bus", "riser-a", up=False)
    down = street.open("bus.down")
    assert (down.device, down.note) == (None, "timeout")
    assert down.text.zh == "红星亭坡 1 号院 线路 riser-a 中断，所接设备情况不明"
    street.link("device", "door", up=True)
    assert street.open("bus.down").state == State.CLEARED_UNACKED


@pytest.mark.parametrize(("what", "kind"), [("uplink", "uplink.down"), ("storage", "storage.failing")])
def test_what_the_gateway_lives_by_has_its_alert(street: Street, what: str, kind: str) -> None:
    street.link(what, "hxtp-01", up=False)
    street.link(what, "hxtp-01", up=True)
    assert street.story == [(kind, RAISED), (kind, CLEARED)]


def test_a_command_that_failed_is_told_and_counted_until_one_is_done(street: Street) -> None:
    street.outcome("door", "refused")
    street.outcome("door", "unknown")
    street.outcome("door", "failed")
    street.outcome("door", "late")
    assert street.story == [("command.failed", RAISED)]
    street.now += 61
    street.tick()
    assert street.open("command.failed").count == 2
    street.outcome("door", "done")
    assert street.open("command.failed").state == State.CLEARED_UNACKED


def test_what_happened_and_is_past_is_over_when_somebody_has_seen_it(street: Street) -> None:
    street.note("started")
    street.note("journal.corrupt")
    alert = street.open("journal.corrupt")
    assert alert.note == "17 rows"
    street.alerting.acknowledge(alert.alert, "Li", "looked")
    assert street.story == [("journal.corrupt", change) for change in (RAISED, ACKNOWLEDGED, CLEARED)]
    assert street.alerting.alerts() == []


# People


def test_an_alert_that_clears_by_itself_stays_until_it_is_acknowledged(street: Street) -> None:
    street.reads("smoke-a", "fault", True, True, False, False)
    alert = street.open("fire.fault")
    street.alerting.acknowledge(alert.alert, "Li", "seen")
    assert (street.told[-1].change, street.told[-1].by, street.told[-1].note) == (ACKNOWLEDGED, "Li", "seen")
    assert street.alerting.alerts() == []


def test_acknowledging_twice_or_nothing_is_refused_in_words(street: Street) -> None:
    in_alarm(street)
    alert = street.open("fire.smoke").alert
    street.alerting.acknowledge(alert, "Li")
    with pytest.raises(PolicyError, match="acknowledged already"):
        street.alerting.acknowledge(alert, "Wang")
    with pytest.raises(PolicyError, match="no open alert nobody"):
        street.alerting.acknowledge("nobody", "Wang")


def test_a_shelved_alert_comes_back_when_its_time_is_up(street: Street) -> None:
    street.reads("smoke-a", "fault", True, True)
    alert = street.open("fire.fault").alert
    street.alerting.shelve(alert, WALL + 3600, "Li")
    assert street.open("fire.fault").until_s == WALL + 3600
    assert street.alerting.next_due() == pytest.approx(3600)
    street.tick(3601.0)
    assert (street.told[-1].change, street.told[-1].until_s) == (RAISED, None)


def test_a_shelved_alert_comes_back_when_the_clock_that_set_its_time_was_years_ahead(street: Street) -> None:
    years = 10 * 365 * 86_400.0
    street.wall_minus_monotonic += years
    street.reads("smoke-a", "fault", True, True)
    street.alerting.shelve(
        street.open("fire.fault").alert, street.now + street.wall_minus_monotonic + 3600, "Li"
    )
    street.wall_minus_monotonic -= years
    street.read("smoke-a", "fault", True)
    street.tick(street.now + 8 * 86_400.0)
    assert street.open("fire.fault").state == "active_unacked"


def test_a_shelved_alert_that_came_and_went_is_over_with_its_time(street: Street) -> None:
    street.reads("smoke-a", "fault", True, True)
    street.alerting.shelve(street.open("fire.fault").alert, WALL + 3600, "Li")
    street.reads("smoke-a", "fault", False, False, True, True)
    assert (street.open("fire.fault").state, street.open("fire.fault").until_s) == (
        "shelved_active",
        WALL + 3600,
    )
    street.now = 1000.0
    street.reads("smoke-a", "fault", False, False)
    street.tick(3601.0)
    assert street.alerting.alerts() == []


@pytest.mark.parametrize("until", [WALL - 1, WALL + 8 * 86400])
def test_shelving_into_the_past_or_for_ever_is_refused(street: Street, until: float) -> None:
    street.reads("smoke-a", "fault", True, True)
    with pytest.raises(PolicyError, match="shelf"):
        street.alerting.shelve(street.open("fire.fault").alert, until, "Li")


def test_a_fire_cannot_be_shelved_even_where_it_does_not_latch() -> None:
    street = Street(watched("smoke-a", "smoke", {**SMOKE[0], "latch": False}))
    in_alarm(street)
    with pytest.raises(PolicyError, match=r"fire\.smoke cannot be shelved"):
        street.alerting.shelve(street.open("fire.smoke").alert, WALL + 60, "Li")
