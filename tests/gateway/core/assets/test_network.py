"""Derived points together: what is news, what is not, what silence makes of it; nothing odd ever raises."""

import hypothesis.strategies as st
from hypothesis import given, settings

from drivers.api import Quality
from gateway.core.rule_tables import compile_rules
from gateway.core.rules import Watched
from tests.gateway.core.assets.yardstick import WALL, Told, assembled, custom, table
from tests.gateway.street import KINDS, Street

GOOD, STALE, BAD = Quality.GOOD, Quality.STALE, Quality.BAD
ANY = {"name": "any", "any": ["a", "b"]}
BOTH = {"a": "one.contact", "b": "two.contact"}
MANHOLE = table(
    "manhole",
    "manhole",
    {
        "roll": "one.roll",
        "pitch": "one.pitch",
        "level": "two.level",
        "methane": "three.methane",
        "off_seat": "one.contact",
    },
    set={"high": 1.0},
)
BIN = table(
    "bin",
    "bin",
    {"distance": "one.distance", "temperature": "one.temperature"},
    set={"empty": 1200, "full": 200},
)
LANE = table("lane", "lane", {"distances": ["one.distance", "two.distance"]})
SHED = table("shed", "shed", {"temperatures": ["one.temperature", "two.temperature"]})


def test_one_odd_reading_is_one_observation_however_often_the_others_are_read() -> None:
    told = Told(custom("group", BOTH, ANY))
    told.read("one", "contact", False, 0)
    told.read("two", "contact", False, 0.5)
    told.read("one", "contact", True, 1.0)  # an odd frame
    for at in (1.5, 2.5, 3.5):
        told.read("two", "contact", False, at)
    assert [each for each in told.values("any") if each[1]] == [(1.0, True, GOOD)]
    told.read("one", "contact", True, 4.0)
    assert told.values("any")[-1] == (4.0, True, GOOD)


def test_one_odd_reading_that_says_normal_clears_nothing_of_a_group() -> None:
    told = Told(custom("group", BOTH, ANY))
    for at in (0.0, 1.0):
        told.read("one", "contact", True, at)
        told.read("two", "contact", False, at + 0.5)
    told.read("one", "contact", False, 2.0)  # odd
    told.read("two", "contact", False, 2.5)
    told.read("two", "contact", False, 3.0)
    assert [each[1] for each in told.values("any")][-1] is False
    assert [each[1] for each in told.values("any")].count(False) == 1


def test_a_difference_is_told_anew_only_when_both_were_read_anew() -> None:
    told = Told(
        custom(
            "group",
            {"a": "one.level", "b": "two.level"},
            {"name": "apart", "difference": ["a", "b"], "unit": "mm"},
        )
    )
    told.read("one", "level", 1000, 0.0)
    told.read("two", "level", 400, 0.5)
    told.read("one", "level", 9999, 1.0)
    assert told.values("apart")[-1] == (0.5, 600, GOOD)
    told.read("one", "level", 1000, 2.0)
    told.read("two", "level", 400, 2.5)
    assert told.values("apart")[-1] == (2.5, 600, GOOD)


def test_silence_is_passed_on_at_once_and_once_and_ends_with_the_next_good_reading() -> None:
    told = Told(MANHOLE)
    told.read("two", "level", 300, 0)
    told.read("two", "level", 300, 10, STALE)
    told.read("two", "level", 300, 20, STALE)
    told.read("two", "level", 310, 30)
    assert told.values("level") == [(0, 0.3, GOOD), (10, 0.3, STALE), (30, 0.31, GOOD)]


def test_a_unit_becomes_that_of_the_asset() -> None:
    told = Told(MANHOLE)
    (reading, *_) = told.read("two", "level", 1234, 0)
    assert (reading.device, reading.point, reading.value, reading.unit) == ("manhole", "level", 1.234, "m")


def test_a_reading_older_than_what_is_known_changes_nothing() -> None:
    told = Told(MANHOLE)
    told.read("two", "level", 300, 10)
    assert told.read("two", "level", 900, 5) == []


def test_a_reading_touches_what_stands_on_it_and_nothing_else() -> None:
    told = Told(MANHOLE, BIN, LANE)
    assert {each.device for each in told.read("two", "level", 300, 0)} == {"manhole"}
    assert {each.device for each in told.read("one", "distance", 2400, 0)} == {"lane"}
    assert told.read("three", "level", 300, 0) == []


def test_who_is_to_be_read_again_are_those_that_say_yes() -> None:
    told = Told(custom("group", BOTH, ANY))
    told.read("one", "contact", False, 0)
    told.read("two", "contact", True, 0)
    assert told.network.parts("group", "any") == [("two", "contact")]
    assert set(told.network.parts("group", "other")) == {("group", "other")}


def test_memory_is_written_down_when_it_changes_and_taken_up_from_there() -> None:
    told = Told(LANE)
    for at in range(0, 200, 2):
        told.read("one", "distance", 900, at)
        told.read("two", "distance", 2400, at + 1)
        for memory in told.network.memories():
            assert (memory.asset, memory.point, memory.value) == ("lane", "blocked_min", WALL + 6)
            assert at >= 60
            return
    raise AssertionError("nothing was written down")


readings = st.lists(
    st.tuples(
        st.sampled_from(("one", "two", "three")),
        st.sampled_from(("roll", "pitch", "level", "methane", "distance", "temperature", "contact")),
        st.one_of(
            st.none(), st.booleans(), st.integers(-40_000, 70_000), st.floats(allow_nan=True, width=32)
        ),
        st.sampled_from(tuple(Quality)),
        st.floats(-100.0, 5_000.0),
    ),
    max_size=120,
)


@given(readings)
@settings(max_examples=60, deadline=None)
def test_readings_in_any_order_with_any_gap_and_any_value_never_raise_an_error(
    told: list[tuple[str, str, float | None, Quality, float]],
) -> None:
    quarter = Told(MANHOLE, BIN, LANE, SHED, custom("group", BOTH, ANY))
    for device, point, value, quality, at in told:
        for reading in quarter.read(device, point, value, at, quality):
            assert reading.quality is not GOOD or reading.value is not None
            assert reading.value is None or reading.value == reading.value


@given(readings)
@settings(max_examples=60, deadline=None)
def test_bad_and_stale_readings_alone_never_make_an_alert_or_a_good_value(
    told: list[tuple[str, str, float | None, Quality, float]],
) -> None:
    quarter, street = Told(MANHOLE, BIN, LANE, SHED), _street()
    for device, point, value, quality, at in told:
        worse = quality if quality is not GOOD else BAD
        for reading in quarter.read(device, point, value, at, worse):
            assert reading.quality is not GOOD
            street.now = max(street.now, at)
            street.submit(reading)
    assert street.kinds() == []


def _street() -> Street:
    made = assembled(MANHOLE, BIN, LANE, SHED)
    watched = []
    for plan in made.plans:
        compiled = compile_rules(
            plan.rules,
            (),
            {},
            device=plan.name,
            category=plan.table.kind,
            points=plan.points,
            kinds=KINDS,
            where="asset",
        )
        assert not compiled.faults
        watched.append(Watched(plan.name, rules=compiled.rules))
    return Street(*watched)


def test_a_large_group_is_told_a_member_that_says_yes_twice_at_once_and_no_member_twice() -> None:
    bays = [f"{device}.{point}" for device, point in _MANY]
    told = Told(custom("group", {"bays": bays}, {"name": "any", "any": ["bays"]}))
    for at, (device, point) in enumerate(_MANY):
        told.read(device, point, False, at)
    assert told.values("any") == [(0, None, STALE), (20, False, GOOD)]
    told.read("one", "contact", True, 30)
    told.read("two", "contact", False, 30.5)
    told.read("one", "contact", True, 31)
    assert told.values("any")[2:] == [(30, True, GOOD), (31, True, GOOD)]


def test_what_no_rule_looks_at_is_told_when_it_changes_and_once_a_minute() -> None:
    told = Told(MANHOLE, judged=set())
    for at in range(0, 200, 5):
        told.read("two", "level", 300 + at % 2, at)  # within its deadband
    assert [at for at, _, _ in told.values("level")] == [0, 60, 120, 180]
    told.read("two", "level", 600, 205)
    assert told.values("level")[-1] == (205, 0.6, GOOD)


_MANY = [(device, point) for device in ("one", "two", "three")
         for point in ("roll", "pitch", "level", "methane", "distance", "temperature", "contact")]  # fmt: skip
