"""What readings must not be taken for, an excuse or a duration; and what a restart must not forget."""

from drivers.api import Quality
from gateway.core.events import Severity
from gateway.core.texts import Subject
from gateway.services.alerting import Alerting
from tests.gateway.street import KINDS, UPDATED, WALL, Street, watched


def test_a_button_that_nobody_presses_excuses_no_forced_door() -> None:
    street = Street(watched("door", "door"))
    street.reads("door", "contact", False, False)
    for opened in (False, True, True):
        street.read("door", "exit_button", False)
        street.read("door", "strike", False)
        street.reads("door", "contact", opened)
    assert street.kinds() == ["door.forced"]


def test_a_silent_sensor_does_not_make_water_last() -> None:
    long = {"kind": "manhole.water", "point": "level", "above": 2.0, "clear": 1.5, "hold_s": 30}
    street = Street(watched("well", "level", long))
    street.reads("well", "level", 3.0, 3.0)
    for _ in range(40):
        street.now += 1
        street.read("well", "level", None, quality=Quality.BAD)
    street.reads("well", "level", 3.0)
    assert street.kinds() == []
    street.reads("well", "level", *[3.0] * 30)
    assert street.kinds() == ["manhole.water"]


def test_a_cover_that_was_tilted_before_the_restart_and_opens_after_it_is_told_as_open() -> None:
    device = watched("cover", "tilt", baseline={"roll": 0.0, "pitch": 0.0})
    before = Street(device)
    before.reads("cover", "roll", 20.0, 20.0, every=2)
    after = Street(device, restore=before.events, now=100.0)
    after.reads("cover", "roll", 95.0, 95.0, every=2)
    assert after.story == [("manhole.open", UPDATED)]


def test_a_cover_with_one_angle_that_opens_after_it_was_tilted_is_told_as_open() -> None:
    tilt = {"kind": "manhole.tilt", "point": "roll", "deviates": 10, "clear": 8, "urgent": 90}
    street = Street(watched("cover", "tilt", tilt, baseline={"roll": 0.0}))
    street.reads("cover", "roll", 20.0, 20.0, 95.0, 95.0)
    assert street.kinds() == ["manhole.open"]


def test_a_rest_of_what_is_no_longer_there_changes_nothing() -> None:
    street = Street(watched("cover", "tilt"))
    street.rest("gone", "roll", 50.0)
    assert street.told == []


def test_the_rule_of_a_cover_has_found_something_while_one_of_its_angles_is_off() -> None:
    street = Street(watched("cover", "tilt", baseline={"roll": 0.0, "pitch": 0.0}))
    street.reads("cover", "roll", 0.0, 0.0)
    key = "cover/manhole.tilt/roll+pitch"
    assert not street.alerting.is_found(key)
    assert not street.alerting.is_found("cover/no.such")
    street.reads("cover", "roll", 20.0, 20.0, every=2)
    assert street.alerting.is_found(key)


def test_the_nearest_of_all_that_is_due_is_next() -> None:
    street = Street(watched("door", "door"), watched("smoke-a", "smoke"))
    street.reads("smoke-a", "fault", True, True)
    street.alerting.shelve(street.open("fire.fault").alert, WALL + 3600, "Li")
    street.reads("door", "contact", True, True)
    assert street.alerting.next_due() == 3.0 + 30.0


def test_an_order_that_failed_is_told_with_the_place_of_its_device_or_door() -> None:
    street = Street(watched("fan", "door", building="7"))
    street.outcome("fan", "failed")
    told = street.open("command.failed")
    assert (told.device, told.place.building) == ("fan", "7")
    doors = {"gate-1": Subject("gate-1", "North gate", told.place)}
    street.alerting = Alerting(
        {},
        kinds=KINDS,
        submit=street.submit,
        read_soon=lambda *_: None,
        new_id=lambda: "another",
        doors=doors,
    )
    street.outcome("gate-1", "failed")
    told = street.open("command.failed")
    assert (told.place.building, told.severity) == ("7", Severity.MINOR)
    assert "North gate" in told.text.en
