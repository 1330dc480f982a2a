"""What an installer may get wrong in an asset: each has its fault, that says where, what and how."""

import pytest

from drivers.api import Point, Quality
from gateway.core.assets.plans import assemble
from gateway.core.config import AssetTable
from gateway.core.rule_tables import compile_rules
from tests.gateway.core.assets.yardstick import KINDS, Told, assembled, custom, table
from tests.gateway.street import KINDS as ALERT_KINDS

WATER = {"level": "one.level"}
FILL = {"distance": "one.distance", "temperature": "one.temperature"}
BED = {"bed": "one.contact"}


def faults(*tables: AssetTable) -> list[str]:
    """Return what is wrong, in English."""
    return [str(fault) for fault in assembled(*tables).faults]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (table("m", "manhol", WATER), 'asset[0].kind: found "manhol"'),
        (table("m", "manhole", {"levle": "one.level"}, set={"high": 1}), "did you mean level?"),
        (table("m", "manhole", {"level": "one.levle"}, set={"high": 1}), "did you mean level?"),
        (table("m", "manhole", {"level": "on.level"}, set={"high": 1}), "did you mean one?"),
        (table("m", "manhole", {"level": "level"}, set={"high": 1}), "device.point"),
        (table("m", "manhole", {"level": 3}, set={"high": 1}), "device.point"),
        (table("m", "manhole", {"level": ["one.level", "two.level"]}, set={"high": 1}), "device.point"),
        (table("m", "manhole", {"level": "one.temperature"}, set={"high": 1}), "one.temperature [°C]"),
        (table("m", "manhole", WATER), "asset[0].set.high: found nothing, wanted a number: high water m"),
        (table("m", "manhole", WATER, set={"hihg": 1}), "did you mean high?"),
        (table("l", "lane", {"distances": ["one.distance", "one.distance"]}), "each point once"),
        (custom("g", WATER, {"same": "level"}), "the name of the point"),
        (custom("g", WATER, {"name": "x"}), "found nothing, wanted one of same"),
        (custom("g", WATER, {"name": "x", "same": "level", "rate": "level"}), "found one of same, rate"),
        (custom("g", WATER, {"name": "x", "rate": "level", "per_s": 60}), "over_s: found nothing"),
        (custom("g", WATER, {"name": "x", "rate": "level", "per_s": 60, "over_s": 1}), "wanted 10 to 86400"),
        (custom("g", WATER, {"name": "x", "is": "level"}), "wanted one of above, below, when"),
        (custom("g", WATER, {"name": "x", "is": "level", "above": "hot"}), "the name of a setting"),
        (custom("g", WATER, {"name": "x", "is": "level", "above": 1, "colour": 2}), "an unknown key"),
        (custom("g", WATER, {"name": "x", "is": "level", "when": "yes"}), "true, false, a number"),
        (custom("g", WATER, {"name": "x", "same": "lvl"}), "found \"lvl\""),
        (custom("g", WATER, {"name": "x", "difference": ["level"]}), "2 of: level"),
        (custom("g", WATER, {"name": "x", "scaled": "level", "zero": 3, "full": 3}), "zero = full"),
        (custom("g", WATER, {"name": "x", "same": ["level"]}), "of: level"),
        (custom("g", WATER, {"name": "x", "same": 7}), "of: level"),
        (custom("g", {}, {"name": "x", "ordered": 3}), "wanted true"),
        (table("b", "bed", BED, set={"night_from": 22, "night_until": 22}), "asset[0].set.night_until: found 22"),
        (table("b", "bed", BED, set={"night_until": 22}), "all day is from 0 to 24"),
        (table("b", "bed", BED, set={"night_from": 24, "night_until": 0}), "asset[0].set.night_until"),
        (custom("g", {}, {"name": "x", "during": True, "begins": 3, "ends": 3}), "asset[0].point[0].ends"),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_its_cure(made: AssetTable, told: str) -> None:
    found = faults(made)
    assert any(told in each for each in found), found


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (
            table("b", "bin", FILL, set={"empty": 200, "full": 1100}),
            "empty: found 200, wanted more than full (1100)",
        ),
        (
            table("b", "bin", FILL, set={"empty": 1100, "full": -5}),
            "asset[0].set.full: found -5, wanted 0 or more",
        ),
        (
            table("b", "bin", FILL, set={"empty": 9, "full": 5, "hot": 45}),
            "hot: found 45, wanted more than warm (45)",
        ),
        (
            table("b", "bin", FILL, set={"empty": 9, "full": 5, "warm": 80}),
            "hot: found 75, wanted more than warm (80)",
        ),
        (
            table("b", "bin", FILL, set={"empty": 9, "full": 5, "collect": 0.7}),
            "collect: found 0.7, wanted 1 to 100",
        ),
        (table("m", "manhole", WATER, set={"high": -1.5}), "high: found -1.5, wanted 0.01 or more"),
        (
            table("m", "manhole", WATER, set={"high": 1, "storm_share": 60}),
            "storm_share: found 60, wanted 0.05 to 1",
        ),
    ],
)
def test_a_setting_that_makes_no_sense_is_warned_of_and_stops_no_gateway(made: AssetTable, told: str) -> None:
    found = assembled(made)
    assert [(told in str(fault), fault.warning) for fault in found.faults] == [(True, True)]
    assert len(found.plans) == 1


def test_limits_of_settings_hold_for_what_they_are_by_themselves() -> None:
    for kind in KINDS.values():
        for name, setting in kind.set.items():
            under = kind.set[setting.over].value if setting.over else None
            if setting.value is not None:
                assert setting.least <= setting.value <= setting.most, name
                assert under is None or setting.value > under, name


def test_points_that_stand_on_one_another_in_a_circle_are_told_with_the_circle() -> None:
    found = faults(
        custom("a", {"other": "b.y"}, {"name": "x", "same": "other"}),
        custom("b", {"other": "a.x"}, {"name": "y", "same": "other"}),
    )
    assert any("a.x -> b.y -> a.x" in each for each in found)


def test_assets_may_stand_on_one_another_as_long_as_their_points_do_not() -> None:
    rises = {"rising": ["m.water_rising"]}
    made = assembled(
        table("m", "manhole", {**WATER, "storm": "s.storm"}, set={"high": 1}), table("s", "storm", rises)
    )
    assert not made.faults
    assert made.order.index(("m", "water_rising")) < made.order.index(("s", "storm"))
    assert made.order.index(("s", "storm")) < made.order.index(("m", "water_high"))


def test_what_a_manhole_has_no_sensor_for_it_has_no_point_and_no_rule_for() -> None:
    (plan,) = assembled(table("m", "manhole", {"roll": "one.roll"})).plans
    assert [point.name for point in plan.points] == ["roll"]
    assert [rule["kind"] for rule in plan.rules] == ["manhole.tilt"]
    assert plan.rules[0]["points"] == ["roll"]


def test_without_storm_mode_nothing_is_tighter() -> None:
    (plan,) = assembled(table("m", "manhole", WATER, set={"high": 1})).plans
    assert ("m", "tight") not in {node.key for node in plan.nodes}
    assert ("m", "water_high") in {node.key for node in plan.nodes}


def test_a_point_of_its_own_stands_in_for_that_of_the_kind() -> None:
    own = {"name": "water_high", "is": "level", "above": 2}
    told = Told(table("m", "manhole", WATER, set={"high": 1}, point=[own]))
    told.read("one", "level", 1500, 0)
    assert told.values("water_high") == [(0, False, Quality.GOOD)]


def test_a_setting_is_multiplied_by_a_share() -> None:
    made = table("m", "manhole", {**WATER, "storm": "two.contact"}, set={"high": 2, "storm_share": 0.25})
    told = Told(made)
    told.read("two", "contact", True, 0)
    told.read("one", "level", 600, 1)
    assert told.values("water_high")[-1] == (1, True, Quality.GOOD)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_asset_is_whole_and_its_rules_are_rules(kind: str) -> None:
    made = KINDS[kind]
    for part in made.part.values():
        assert part.zh
        assert part.en
    parts = {name: [f"all.{name}"] if part.many else f"all.{name}" for name, part in made.part.items()}
    devices = {"all": [Point(name, None, part.unit or None) for name, part in made.part.items()]}
    numbers = {name: each.value or 3.0 for name, each in made.set.items()}
    numbers |= {"empty": 1200.0} if "empty" in numbers else {}
    assert numbers.keys() <= made.set.keys()
    whole = assemble({"asset[0]": table("all-parts", kind, parts, set=numbers)}, KINDS, devices)
    assert not whole.faults
    (plan,) = whole.plans
    assert len(plan.nodes) == len(made.point)
    compiled = compile_rules(
        plan.rules,
        (),
        {},
        device=plan.name,
        category=kind,
        points=plan.points,
        kinds=ALERT_KINDS,
        where="asset",
    )
    assert not compiled.faults, [str(fault) for fault in compiled.faults]
    assert len(plan.rules) == len(made.rule)


def test_a_rule_in_gateway_toml_may_look_at_a_derived_point() -> None:
    (plan,) = assembled(table("m", "manhole", WATER, set={"high": 1})).plans
    rule = {"device": "m", "kind": "device.fault", "point": "water_rate", "above": 5, "clear": 4}
    compiled = compile_rules(
        plan.rules,
        [rule],
        {},
        device="m",
        category="manhole",
        points=plan.points,
        kinds=ALERT_KINDS,
        where="x",
    )
    assert "device.fault" in {each.kind.name for each in compiled.rules}
