"""When a detector counts as tested, when it was first seen, and which are tested this month."""

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec
import pytest

from drivers import profile
from drivers.api import Quality, Value
from gateway.core import kinds, maintenance
from gateway.core.events import (
    Body,
    Change,
    Clock,
    Event,
    LinkBody,
    OutcomeBody,
    Place,
    ReadingBody,
    RoundBody,
)  # fmt: skip
from gateway.core.rule_tables import compile_rules
from gateway.core.rules import Watched
from gateway.core.upkeep import Upkeep
from gateway.core.upkeep_bodies import ProvedBody, SeenBody
from tests.events import alert_body

KINDS = kinds.built_in()
HERE = Place(building="2", floor="3")
TODAY = date(2026, 11, 26)
FIRE = msgspec.structs.replace(alert_body(1), change=Change.RAISED, device="smoke", place=HERE)


def watched(name: str, product: str) -> Watched:
    made = profile.load(product)
    compiled = compile_rules(
        made.rules,
        (),
        {},
        device=name,
        category=made.category,
        points=made.points,
        kinds=KINDS,
        where="device",
    )
    return Watched(name, place=HERE, category=made.category, profile=product, rules=compiled.rules)


class Fold:
    """An upkeep that is told bodies, and told back what it says, as the stream does."""

    def __init__(self, *devices: Watched, restore: Iterable[Event] = ()) -> None:
        self.upkeep = Upkeep({each.name: each for each in devices}, KINDS, restore)
        self.events: list[Event] = []
        self.at = 1_800_000_000.0

    def tell(self, body: Body) -> list[Body]:
        event = Event(1, len(self.events) + 1, self.at, self.at, Clock.SYNCED, body)
        self.events.append(event)
        said = list(self.upkeep.follow(event))
        for each in said:
            self.tell(each)
        return said

    def read(self, device: str, point: str, value: Value, quality: Quality = Quality.GOOD) -> list[Body]:
        if (device, point) not in self.upkeep.points():  # the stream does not hand these on
            return []
        return self.tell(ReadingBody(device, point, value, quality, self.at))


@pytest.fixture
def fold() -> Fold:
    return Fold(
        watched("aspirating", "faast-xm"),
        watched("co", "greystone-cmd5b4"),
        watched("smoke", "sonbest-sm7571b"),
    )


def test_an_alarm_in_the_detectors_own_test_mode_is_a_test(fold: Fold) -> None:
    assert fold.read("aspirating", "test", True) == []
    assert fold.read("aspirating", "alarm", False) == []
    assert fold.read("aspirating", "alarm", True) == [ProvedBody("aspirating", "test_mode")]
    tested = fold.upkeep.last_test("aspirating")
    assert tested is not None
    assert (tested.at, tested.how) == (fold.at, "test_mode")


def test_readings_of_a_detector_without_a_test_of_its_own_are_of_no_use(fold: Fold) -> None:
    """There are hundreds a second, and each that is followed costs."""
    assert {device for device, _ in fold.upkeep.points()} == {"aspirating", "co"}


def test_a_number_past_its_limit_in_test_mode_is_a_test_and_one_below_is_none(fold: Fold) -> None:
    fold.read("co", "test", True)
    assert fold.read("co", "co", 80) == []
    assert fold.read("co", "co", 140) == [ProvedBody("co", "test_mode")]


def test_an_alarm_without_test_mode_is_no_test(fold: Fold) -> None:
    assert fold.read("aspirating", "alarm", True) == []
    fold.read("aspirating", "test", True)
    fold.read("aspirating", "test", False)
    assert fold.read("aspirating", "alarm", True) == []


def test_what_is_not_good_tests_nothing(fold: Fold) -> None:
    fold.read("aspirating", "test", True)
    assert fold.read("aspirating", "alarm", True, Quality.STALE) == []
    assert fold.read("aspirating", "alarm", True, Quality.BAD) == []


def test_a_detector_that_smokes_for_minutes_is_tested_once(fold: Fold) -> None:
    fold.read("aspirating", "test", True)
    for _ in range(50):
        fold.read("aspirating", "alarm", True)
        fold.at += 10
    assert sum(isinstance(each.body, ProvedBody) for each in fold.events) == 1
    fold.at += 4000
    assert fold.read("aspirating", "alarm", True) == [ProvedBody("aspirating", "test_mode")]


def test_a_fire_counts_as_a_test_only_while_somebody_tests_there(fold: Fold) -> None:
    assert fold.tell(FIRE) == []
    fold.tell(RoundBody("1", True, "local:维保", Place(building="3"), fold.at + 3600))
    assert fold.tell(FIRE) == [], "they test another building"
    fold.tell(RoundBody("2", True, "local:维保", Place(building="2"), fold.at + 3600))
    assert fold.tell(FIRE) == [ProvedBody("smoke", "alarm", "local:维保")]
    fold.at += 7200
    assert fold.tell(FIRE) == [], "their time was up"


def test_a_self_test_that_was_done_is_a_test(fold: Fold) -> None:
    done = OutcomeBody("1", "aspirating", "self_test", "done", "", "local:维保")
    assert fold.tell(done) == [ProvedBody("aspirating", "self_test", "local:维保")]


def test_a_device_is_seen_for_the_first_time_once_and_again_when_another_product_takes_its_place(
    fold: Fold,
) -> None:
    up = LinkBody("device", "smoke", True, "answers")
    assert fold.tell(up) == [SeenBody("smoke", "sonbest-sm7571b")]
    first = fold.at
    fold.at += 100
    assert fold.tell(up) == []
    assert fold.upkeep.first_seen("smoke") == first
    later = Fold(watched("smoke", "calectro-ug-3-o-mb-r"), restore=fold.events)
    assert later.upkeep.first_seen("smoke") is None
    assert later.tell(up) == [SeenBody("smoke", "calectro-ug-3-o-mb-r")]


def test_a_restart_forgets_nothing(fold: Fold) -> None:
    fold.tell(LinkBody("device", "smoke", True, "answers"))
    fold.tell(RoundBody("1", True, "local:维保", Place(), fold.at + 3600))
    fold.tell(FIRE)
    later = Upkeep({"smoke": watched("smoke", "sonbest-sm7571b")}, KINDS, fold.events)
    assert later.first_seen("smoke") == fold.at
    assert later.last_test("smoke") == fold.upkeep.last_test("smoke")
    assert later.round is not None
    assert later.round.round == "1"


# The calendar


def test_every_task_names_its_clause_and_either_a_life_or_an_interval() -> None:
    for task in maintenance.built_in():
        assert task.source
        assert (task.years is None) != (task.days is None)
        assert (task.does == "life") is (task.years is not None)
    assert maintenance.years_of("smoke") == 12
    assert maintenance.years_of("gas") == 5
    assert maintenance.test_days_of("panel") == 365
    assert maintenance.years_of("door") is None
    assert [each for each in maintenance.sources({"smoke"}) if each.endswith("*")], (
        "what nobody read is marked"
    )


def test_a_year_of_months_tests_every_detector_and_no_month_has_them_all() -> None:
    every = {f"smoke-{n:02}": 365 for n in range(40)}
    tested: dict[str, date | None] = {name: TODAY - timedelta(days=30) for name in every}
    months = []
    for month in range(12):
        today = TODAY + timedelta(days=30 * month + 5)
        names = maintenance.batch(tested, every, today)
        months.append(len(names))
        tested |= dict.fromkeys(names, today)
        assert maintenance.overdue(tested, every, today) == []
    assert sum(months) >= 40
    assert max(months) <= 10, months


def test_what_was_never_tested_comes_first_and_is_overdue() -> None:
    tested: dict[str, date | None] = {
        "a": TODAY,
        "b": None,
        "c": TODAY - timedelta(days=364),
        "d": TODAY - timedelta(days=100),
    }
    every = dict.fromkeys(tested, 365)
    assert maintenance.batch(tested, every, TODAY) == ["b", "c"]
    assert maintenance.overdue(tested, every, TODAY) == ["b"]
