"""What people do with alerts: what an acknowledgement ends, and what only a reset does."""

import msgspec
import pytest

from gateway.core.alerts import State
from gateway.core.events import AlertBody, Change
from gateway.core.policy import PolicyError
from tests.gateway.street import WALL, Street, watched

SMOKE = watched("smoke-a", "smoke")
HEAT_TOO = watched(
    "smoke-a",
    "smoke",
    {"kind": "fire.smoke", "point": "alarm", "when": True},
    {"kind": "fire.heat", "point": "fault", "when": True},
)


def fire(street: Street) -> AlertBody:
    street.reads("smoke-a", "alarm", True, True)
    return street.open("fire.smoke")


def test_an_acknowledged_fire_stays_until_it_is_reset() -> None:
    street = Street(SMOKE)
    street.alerting.acknowledge(fire(street).alert, "Li")
    assert street.open("fire.smoke").state == State.ACTIVE_ACKED
    street.reads("smoke-a", "alarm", False, False)
    assert street.open("fire.smoke").state == State.LATCHED_ACKED
    street.alerting.reset("smoke-a", "Li")
    assert street.alerting.alerts() == []


def test_a_second_reset_reaches_what_came_since_the_first() -> None:
    street = Street(HEAT_TOO)
    fire(street)
    street.alerting.reset("smoke-a", "Li")
    street.reads("smoke-a", "fault", True, True)
    street.alerting.reset("smoke-a", "Li")
    assert {body.state for body in street.alerting.alerts()} == {State.ACTIVE_RESET}
    with pytest.raises(PolicyError, match="smoke-a has nothing to reset"):
        street.alerting.reset("smoke-a", "Li")


def test_a_fire_that_came_and_went_is_over_as_soon_as_it_is_normal_after_its_reset() -> None:
    street = Street(SMOKE)
    for _ in range(3):
        street.reads("smoke-a", "alarm", True, True, False, False)
    fire(street)
    street.alerting.reset("smoke-a", "Li")
    assert street.open("fire.smoke").state == State.ACTIVE_RESET  # it burns still
    street.reads("smoke-a", "alarm", False, False)
    assert street.alerting.alerts() == []


def test_what_lies_on_the_shelf_stays_there_until_its_time_whatever_else_is_due() -> None:
    street = Street(SMOKE)
    street.reads("smoke-a", "fault", True, True)
    street.alerting.shelve(street.open("fire.fault").alert, WALL + 3600, "Li")
    told = len(street.told)
    for now in (10.0, 1800.0, 3599.0):
        street.tick(now)
    assert len(street.told) == told
    street.tick(3600.0)
    assert (street.told[-1].change, street.told[-1].state) == (Change.RAISED, State.ACTIVE_UNACKED)


def test_a_count_that_was_told_is_not_told_again_within_the_minute_whatever_else_is_due() -> None:
    street = Street(SMOKE)
    for _ in range(4):
        street.reads("smoke-a", "fault", True, True, False, False)
    street.reads("smoke-a", "fault", True, True)
    told = len(street.told)
    street.tick(street.now + 1)
    assert len(street.told) == told


def test_what_happened_and_is_normal_again_is_over_with_the_acknowledgement() -> None:
    street = Street(watched("door", "door"))
    street.outcome("door", "failed")
    street.outcome("door", "done")
    street.alerting.acknowledge(street.open("command.failed").alert, "Li")
    assert street.alerting.alerts() == []


def test_an_alert_of_a_kind_this_version_does_not_know_is_acknowledged_and_shelved() -> None:
    before = Street(SMOKE)
    before.reads("smoke-a", "fault", True, True)
    event = before.events[-1]
    assert isinstance(event.body, AlertBody)
    old = msgspec.structs.replace(event, body=msgspec.structs.replace(event.body, kind="fire.from_later"))
    street = Street(SMOKE, restore=[old])
    (body,) = street.alerting.alerts()
    street.alerting.acknowledge(body.alert, "Li")
    assert (street.told[-1].change, street.told[-1].state) == (Change.ACKNOWLEDGED, State.ACTIVE_ACKED)
    street.alerting.shelve(body.alert, WALL + 3600, "Li")
    assert street.told[-1].state == State.SHELVED_ACTIVE
