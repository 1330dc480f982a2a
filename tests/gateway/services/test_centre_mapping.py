"""What a fire centre is told of what is data: a new kind or product needs an entry, and a mistake is told in full."""

import pytest

from drivers.gb26875.units import ComponentState, SystemState
from gateway.core import kinds
from gateway.core.alerts import State
from gateway.core.events import Change
from gateway.services.centre.mapping import mapped, number_in
from tests.centre_parts import Site, alert, mapping


def test_every_kind_of_the_mapping_is_one_of_ours_and_every_fire_is_told() -> None:
    found = mapping()
    known = kinds.built_in()
    assert set(found.kinds) <= set(known.by_name)
    for name, kind in known.by_name.items():
        if kind.fire:
            assert (found.kinds[name].state.bits | found.kinds[name].system.bits) & found.fire, name


def test_a_kind_nobody_mapped_is_told_after_one_entry_and_no_code() -> None:
    assert not Site().facility.says(Site().submit(alert(1, kind="manhole.open")), Site().answers.stamper)
    site = Site(own='[kind."manhole.open"]\nstate = ["supervised", 12]\n')
    ((kind, each),) = site.facility.says(site.submit(alert(1, kind="manhole.open")), site.answers.stamper)
    assert kind == 2
    assert isinstance(each, ComponentState)
    assert each.state == 1 << 12 | 1 << 4 | 1


def test_a_site_may_use_the_users_numbers() -> None:
    found = mapping(
        '[category.tilt]\ncomponent = 130\nsystem = 128\n[unit."ppm"]\nquantity = 200\nfactor = 10\n'
    )
    assert found.categories["tilt"] == (128, 130)
    assert found.units["ppm"].told(12.34) == 123
    assert found.units["ppm"].told(4000.0) is None
    assert found.categories["smoke"] == (1, 42), "the rest stays"


def test_a_detector_in_test_loses_the_bit_that_says_normal_and_keeps_its_fire() -> None:
    site = Site()
    site.submit(alert(1, kind="device.test"))
    ((_, each),) = site.facility.says(site.submit(alert(1)), site.answers.stamper)
    assert isinstance(each, ComponentState)
    assert each.state == 0b10


def test_what_somebody_shelved_is_told_as_disabled() -> None:
    site = Site()
    shelved = alert(1, kind="device.fault", change=Change.UPDATED, state=State.SHELVED_ACTIVE)
    ((_, each),) = site.facility.says(site.submit(shelved), site.answers.stamper)
    assert isinstance(each, ComponentState)
    assert each.state == 0b1001


def test_two_detectors_together_are_a_fire_of_the_system() -> None:
    site = Site()
    both = site.submit(alert(0, kind="fire.confirmed", device=""))
    ((kind, each),) = site.facility.says(both, site.answers.stamper)
    assert kind == 1
    assert isinstance(each, SystemState)
    assert each.state == 0b11
    assert site.facility.is_fire(both)


@pytest.mark.parametrize(
    ("own", "key", "wanted"),
    [
        ("[kind", "file", "TOML"),
        ("[kinds]\n", "kinds", "kind"),
        ("kind = 3\n", "kind", "table"),
        ('[kind."fire.smok"]\nstate = ["fire"]\n', 'kind."fire.smok"', "kinds.toml"),
        ('[kind."fire.smoke"]\nstate = ["fir"]\n', 'kind."fire.smoke".state', "a name of state"),
        ('[kind."fire.smoke"]\nstate = [16]\n', 'kind."fire.smoke".state', "0 to 15"),
        ('[kind."fire.smoke"]\nacknowledged = [8]\n', 'kind."fire.smoke".acknowledged', "0 to 7"),
        ('[kind."fire.smoke"]\nstat = ["fire"]\n', 'kind."fire.smoke"', "stat"),
        ('[kind."fire.heat"]\nstate = ["fault"]\n', 'kind."fire.heat"', "fire in state"),
        ("[category.tilt]\ncomponent = 256\n", 'category."tilt".component', "0 to 255"),
        ('[unit."x"]\nquantity = "heat"\n', 'unit."x".quantity', "a name of quantity"),
        ("[address]\nzone = { bilding = 1 }\n", "address.zone", "building"),
    ],
)
def test_a_mistake_says_where_and_what_was_wanted(own: str, key: str, wanted: str) -> None:
    found, faults = mapped(kinds.built_in(), own, "centre.toml")
    assert found is None
    assert faults[0].key == key
    assert faults[0].file == "centre.toml"
    assert wanted in faults[0].wanted.en


def test_all_mistakes_are_told_at_once() -> None:
    own = '[kind."fire.smoke"]\nstate = ["fir"]\n[category.tilt]\ncomponent = 999\n'
    keys = {fault.key for fault in mapped(kinds.built_in(), own)[1]}
    assert {'kind."fire.smoke".state', 'category."tilt".component'} <= keys


@pytest.mark.parametrize(
    ("part", "text", "number"),
    [
        ("floor", "3", 3),
        ("floor", "-1", 61),
        ("floor", "B2", 62),
        ("building", "C", 3),
        ("unit", "东", 0),
        ("unit", "", 0),
    ],
)
def test_a_part_of_a_place_becomes_a_number(part: str, text: str, number: int) -> None:
    assert number_in(part, text) == number
