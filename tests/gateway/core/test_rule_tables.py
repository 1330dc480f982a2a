"""Rule tables: what profile, gateway.toml and one device say together, and what is wrong with it."""

from collections.abc import Mapping, Sequence

import pytest

from drivers.api import Point
from gateway.core import kinds
from gateway.core.events import Certainty, Severity
from gateway.core.faults import Fault
from gateway.core.rule_tables import Compiled, Ruled, compile_rules, for_nobody
from gateway.core.rules import Above, Below, Deviates, Equals, Rule

KINDS = kinds.built_in()
POINTS = [
    Point("alarm", None),
    Point("test", None),
    Point("smoke", None, "ppm"),
    Point("battery", None, "%"),
    Point("roll", None, "°"),
    Point("contact", None),
    Point("exit_button", None),
]
FIRE = {"kind": "fire.smoke", "point": "alarm", "when": True}
BATTERY = {"kind": "device.battery_low", "point": "battery", "below": 20}


def compiled(
    *profile: Mapping[str, object],
    gateway: Sequence[Mapping[str, object]] = (),
    overrides: Mapping[str, Mapping[str, object]] | None = None,
) -> Compiled:
    return compile_rules(
        profile,
        gateway,
        overrides or {},
        device="smoke-1",
        category="smoke",
        points=POINTS,
        kinds=KINDS,
        where="bus[0].device[0]",
    )


def rule(
    *profile: Mapping[str, object],
    gateway: Sequence[Mapping[str, object]] = (),
    overrides: Mapping[str, Mapping[str, object]] | None = None,
) -> Rule:
    made = compiled(*profile, gateway=gateway, overrides=overrides)
    assert made.faults == ()
    (only,) = made.rules
    return only


def test_a_rule_is_complete_with_what_its_kind_brings() -> None:
    fire = rule(FIRE)
    assert (fire.test, fire.reads, fire.latch, fire.unless) == (Equals((True,)), 2, True, ("test",))
    assert (fire.severity, fire.certainty) == (Severity.CRITICAL, Certainty.OBSERVED)


def test_a_default_names_no_point_the_device_has_not() -> None:
    made = compile_rules(
        [FIRE], (), {}, device="a", category="smoke", points=POINTS[:1], kinds=KINDS, where="d"
    )
    assert (made.faults, made.rules[0].unless) == ((), ())


@pytest.mark.parametrize(
    ("keys", "test"),
    [
        ({"when": [1, 2.0, True]}, Equals((1, 2.0, True))),
        ({"when": 3}, Equals((3,))),
        ({"above": 300}, Above(300.0, 240.0)),
        ({"above": 300, "clear": 299}, Above(300.0, 299.0)),
        ({"below": 20}, Below(20.0, 24.0)),
        ({"deviates": 10, "clear": 8, "urgent": 90}, Deviates(10.0, 8.0, 90.0)),
        ({"deviates": 10}, Deviates(10.0, 8.0)),
    ],
)
def test_each_test_has_its_table(keys: Mapping[str, object], test: object) -> None:
    assert rule({"kind": "device.fault", "point": "smoke", **keys}).test == test


def test_an_angle_wraps_and_a_level_does_not() -> None:
    assert rule({"kind": "manhole.tilt", "points": ["roll"], "deviates": 10}).test == Deviates(
        10.0, 8.0, wraps=True
    )


def test_severity_and_certainty_can_be_set() -> None:
    made = rule({**BATTERY, "severity": "info", "certainty": "possible"})
    assert (made.severity, made.certainty) == (Severity.INFO, Certainty.POSSIBLE)


# One over the other


def test_gateway_toml_changes_the_rules_of_a_kind() -> None:
    assert rule(BATTERY, gateway=[{"kind": "device.battery_low", "below": 5}]).test == Below(5.0, 6.0)


@pytest.mark.parametrize("whom", [{"device": "smoke-1"}, {"category": "smoke"}, {}])
def test_gateway_toml_adds_a_rule_on_points_of_its_own(whom: Mapping[str, object]) -> None:
    made = compiled(FIRE, gateway=[{**BATTERY, **whom}])
    assert [each.name for each in made.rules] == ["fire.smoke/alarm", "device.battery_low/battery"]


@pytest.mark.parametrize("whom", [{"device": "other"}, {"category": "door"}])
def test_a_rule_for_others_is_not_for_this_device(whom: Mapping[str, object]) -> None:
    assert len(compiled(FIRE, gateway=[{**BATTERY, **whom}]).rules) == 1


def test_a_rule_for_all_of_a_category_passes_by_a_device_without_its_points() -> None:
    made = compiled(FIRE, gateway=[{**BATTERY, "point": "voltage", "category": "smoke"}])
    assert (len(made.rules), made.faults) == (1, ())


def test_another_test_takes_the_place_of_the_old_one_with_its_limits() -> None:
    tilt = {"kind": "device.fault", "point": "smoke", "deviates": 10, "clear": 8, "urgent": 90, "reads": 3}
    made = rule(tilt, overrides={"device.fault": {"above": 5}})
    assert (made.test, made.reads) == (Above(5.0, 4.0), 3)


def test_an_override_on_the_same_points_replaces_keys_and_one_on_others_adds_a_rule() -> None:
    assert rule(BATTERY, overrides={"device.battery_low": {"points": ["battery"], "below": 5}}).points == (
        "battery",
    )
    assert len(compiled(BATTERY, overrides={"device.battery_low": {"point": "smoke", "below": 5}}).rules) == 2


def test_a_device_can_be_without_a_rule() -> None:
    assert compiled(FIRE, overrides={"fire.smoke": {"enabled": False}}) == Compiled((), ())


def test_the_last_word_is_the_devices_own() -> None:
    gateway = [{"kind": "device.battery_low", "below": 5}]
    overrides = {"device.battery_low": {"below": 7, "clear": 9}}
    assert rule(BATTERY, gateway=gateway, overrides=overrides).test == Below(7.0, 9.0)


# Mistakes


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({**FIRE, "kind": "fire.smoek"}, "wanted a kind of kinds.toml (did you mean fire.smoke?)"),
        ({"point": "alarm", "when": True}, "kind: found nothing, wanted a kind of kinds.toml"),
        ({**FIRE, "kind": 7}, "kind: found 7, wanted a kind of kinds.toml"),
        ({**FIRE, "reads": 1}, "reads: found 1, wanted at least 2: one read alone never makes a fire alarm"),
        ({**FIRE, "reads": 0}, "reads: found 0, wanted a whole number from 1 to 10"),
        ({**FIRE, "reads": True}, "reads: found true, wanted a whole number from 1 to 10"),
        ({**FIRE, "raeds": 2}, "raeds: found 2, wanted one of"),
        ({**FIRE, "point": "alrm"}, 'point: found "alrm", wanted one of'),
        ({**FIRE, "unless": ["tset"]}, 'unless: found "tset", wanted one of'),
        ({**FIRE, "unless": "test"}, 'unless: found "test", wanted a list of point names'),
        ({**FIRE, "points": ["alarm"]}, "found both, wanted either point or points"),
        ({"kind": "fire.smoke", "when": True}, "found nothing, wanted either point or points"),
        ({"kind": "fire.smoke", "points": [], "when": True}, "points: found a list of 0, wanted a list of point names"),
        ({**FIRE, "above": 3}, "found one of when, above, wanted one of when, above, below, deviates"),
        ({"kind": "fire.smoke", "point": "alarm"}, "found nothing, wanted one of when, above, below, deviates"),
        ({**FIRE, "when": []}, "when: found a list of 0, wanted true, false, a number or a list of them"),
        ({**FIRE, "when": "on"}, 'when: found "on", wanted true, false'),
        ({**FIRE, "clear": 1}, "clear: found 1, wanted no clear beside when"),
        ({**FIRE, "latch": 1}, "latch: found 1, wanted true or false"),
        ({**FIRE, "severity": "bad"}, 'severity: found "bad", wanted one of critical, major, minor, info'),
        ({**FIRE, "hold_s": -1}, "hold_s: found -1, wanted 0 to 86400 seconds"),
        ({**BATTERY, "below": float("nan")}, "below: found nan, wanted a number"),
        ({**BATTERY, "clear": 10}, "clear: found 10, wanted not below 20"),
        ({**BATTERY, "below": 0}, "clear: found nothing, wanted a clear value"),
        ({**BATTERY, "urgent": 5}, "urgent: found 5, wanted only beside deviates"),
        ({"kind": "device.fault", "point": "smoke", "above": 5, "clear": 6}, "clear: found 6, wanted not above 5"),
        ({"kind": "device.fault", "point": "roll", "deviates": -1}, "deviates: found -1, wanted a number above zero"),
        ({"kind": "device.fault", "point": "roll", "deviates": 9, "urgent": 9}, "urgent: found 9, wanted more than 9"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_key_found_and_wanted(table: Mapping[str, object], told: str) -> None:
    (fault,) = compiled(table).faults
    assert told in str(fault)
    assert fault.key.startswith("bus[0].device[0].profile.rule[0]")


def test_all_mistakes_are_told_at_once() -> None:
    made = compiled({**FIRE, "reads": 0, "latch": 1}, {**BATTERY, "clear": "x"})
    assert {fault.key.rpartition(".")[2] for fault in made.faults} == {"reads", "latch", "clear"}


def test_a_mistake_is_told_where_it_was_written() -> None:
    made = compiled(FIRE, BATTERY, gateway=[{"kind": "device.battery_low", "clear": 1}])
    assert [fault.key for fault in made.faults] == ["rule[0].clear"]
    made = compiled(FIRE, overrides={"fire.smoke": {"reads": 1}})
    assert [fault.key for fault in made.faults] == ['bus[0].device[0].rules."fire.smoke".reads']


def test_an_override_of_a_rule_the_device_has_not_is_a_mistake() -> None:
    (fault,) = compiled(FIRE, overrides={"fire.smok": {"enabled": False}}).faults
    assert str(fault).endswith("found fire.smok, wanted one of fire.smoke (did you mean fire.smoke?)")
    (fault,) = compiled(overrides={"fire.heat": {"enabled": False}}).faults
    assert str(fault).endswith("found fire.heat, wanted nothing")


def test_two_rules_of_a_kind_on_one_point_are_one_too_many() -> None:
    (fault,) = compiled(FIRE, FIRE).faults
    assert "found fire.smoke/alarm, wanted one rule of a kind on a point" in str(fault)


def told(*tables: Mapping[str, object]) -> list[Fault]:
    """Return the warnings about rules that nothing has a use for, where there is one smoke detector."""
    return for_nobody(tables, [Ruled("smoke-1", "smoke", POINTS, [FIRE])], KINDS)


def test_a_rule_for_nobody_is_a_warning() -> None:
    tables = [
        {**BATTERY},
        {**BATTERY, "device": "smok-1"},
        {**BATTERY, "category": "door"},
        {**BATTERY, "point": "x"},
    ]
    assert [fault.key for fault in told(*tables)] == ["rule[1]", "rule[2]", "rule[3]"]
    assert all(fault.warning for fault in told(*tables))


def test_a_rule_that_changes_a_kind_nothing_has_is_a_warning_and_a_misspelt_kind_is_named() -> None:
    """It names no points, so it adds nothing: without a word it would change nothing at all."""
    (fault,) = told({"kind": "fire.smok", "reads": 3})
    assert str(fault).endswith('found "fire.smok", wanted a kind of kinds.toml (did you mean fire.smoke?)')
    assert [each.key for each in told({"kind": "fire.heat", "reads": 3})] == ["rule[0]"]
    assert [each.key for each in told({"reads": 3}, {"kind": [1]})] == ["rule[0].kind", "rule[1].kind"]


def test_a_rule_that_changes_what_the_product_or_another_rule_brings_is_no_warning() -> None:
    assert told({"kind": "fire.smoke", "reads": 3}) == []
    assert told({**BATTERY}, {"kind": BATTERY["kind"], "reads": 3}) == []
