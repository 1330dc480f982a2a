"""Neighbours that burn: who counts as one, also after a restart, and that a fire which is over confirms nobody."""

from gateway.core.alerts import State
from tests.gateway.street import Street, watched

DEVICES = (watched("smoke-a", "smoke"), watched("smoke-b", "smoke", floor="4"))


def burn(street: Street, *devices: str) -> None:
    for device in devices:
        street.reads(device, "alarm", True, True)


def normal(street: Street, *devices: str) -> None:
    for device in devices:
        street.reads(device, "alarm", False, False)


def test_a_detector_that_burns_again_is_counted_once_and_asks_for_nobody_again() -> None:
    street = Street(*DEVICES)
    burn(street, "smoke-a", "smoke-b")
    common = street.open("fire.confirmed")
    street.alerting.acknowledge(common.alert, "Li")
    normal(street, "smoke-a")
    burn(street, "smoke-a")
    after = street.open("fire.confirmed")
    assert (after.state, after.devices, after.count) == (State.ACTIVE_ACKED, ("smoke-a", "smoke-b"), 2)


def test_after_a_fire_that_is_over_one_detector_alone_confirms_nothing() -> None:
    street = Street(*DEVICES)
    burn(street, "smoke-a", "smoke-b")
    normal(street, "smoke-a", "smoke-b")
    for device in ("smoke-a", "smoke-b"):
        street.alerting.reset(device, "Li")
    assert street.kinds() == []
    street.now = 5000.0
    burn(street, "smoke-a")
    assert street.kinds() == ["fire.smoke"]


def test_a_fire_of_hours_before_the_restart_is_no_neighbour_of_a_new_one() -> None:
    before = Street(*DEVICES)
    burn(before, "smoke-a")
    after = Street(*DEVICES, restore=before.events, now=7200.0)
    burn(after, "smoke-b")
    assert after.kinds() == ["fire.smoke", "fire.smoke"]
