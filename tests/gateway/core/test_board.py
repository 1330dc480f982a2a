"""Limits of the machine: two edges, two patiences; wear by the day; nothing said of what is not told."""

import dataclasses
import math

import pytest

from gateway.core import kinds
from gateway.core.board import DAY_S, HOUR_S, LIMITS, Change, Judge, Measured, Seen, Wear, years_of_card

GB = 10**9
WELL = Seen(
    Measured(temperature_c=50.0, undervoltage=False, disk_bytes=30 * GB, disk_free_bytes=20 * GB, inodes=1000,
             inodes_free=900, card_life_used=0.1),
    card_years=30.0,
)  # fmt: skip


def with_(**measured: float | str) -> Seen:
    return dataclasses.replace(WELL, measured=dataclasses.replace(WELL.measured, **measured))  # type: ignore[arg-type]


CASES = [
    # link, wrong, between the two edges, patience before it is told
    ("heat", with_(temperature_c=80.0), with_(temperature_c=76.0), 60.0),
    ("power", with_(undervoltage=True), None, 0.0),
    ("room", with_(disk_free_bytes=GB // 2), with_(disk_free_bytes=GB + GB // 10), 120.0),
    ("room", with_(inodes_free=49), with_(inodes_free=60), 120.0),
    ("card", with_(card_life_used=0.9), None, 60.0),
    ("card", dataclasses.replace(WELL, card_years=0.9), dataclasses.replace(WELL, card_years=1.2), 60.0),
    ("clock", dataclasses.replace(WELL, clock_synced=False), None, 900.0),
    ("update", with_(update_taken_back="0.1.0 <- 0.2.0: the unit is failed"), None, 0.0),
]


@pytest.mark.parametrize(("link", "wrong", "between", "patience_s"), CASES)
def test_a_limit_is_told_after_its_patience_once_and_is_over_only_beyond_its_other_edge(
    link: str, wrong: Seen, between: Seen | None, patience_s: float
) -> None:
    judge = Judge()
    assert judge.look(WELL, 0.0) == []
    told = judge.look(wrong, 10.0)
    if patience_s:
        assert told == []
        assert judge.look(wrong, 10.0 + patience_s - 1) == []
        told = judge.look(wrong, 10.0 + patience_s)
    (change,) = told
    assert (change.link, change.up) == (link, False)
    assert change.reason
    assert judge.look(wrong, 5_000.0) == []
    if between is not None:
        assert judge.look(between, 6_000.0) == []
        assert judge.look(between, 6_000.0 + 2 * DAY_S) == []
    over = judge.look(WELL, 300_000.0) + judge.look(WELL, 300_000.0 + DAY_S)
    assert [(change.link, change.up) for change in over] == [(link, True)]
    assert judge.look(WELL, 900_000.0) == []


def test_what_trembles_about_the_edge_is_no_alert() -> None:
    judge = Judge()
    changes = [
        change
        for second in range(0, 3600, 30)
        for change in judge.look(with_(temperature_c=80.0 if second % 60 else 79.0), float(second))
    ]
    assert changes == []


def test_what_an_earlier_life_left_wrong_is_ended_when_it_is_well() -> None:
    judge = Judge(["clock"])
    assert judge.look(WELL, 0.0) == [Change("clock", up=True, reason="the clock is set")]


def test_a_machine_that_tells_nothing_has_no_trouble() -> None:
    judge = Judge()
    assert [judge.look(Seen(), at) for at in (0.0, 1e3, 1e6)] == [[], [], []]


def test_little_room_on_a_huge_disk_and_a_small_share_of_it_are_two_things() -> None:
    judge = Judge()
    huge = with_(disk_bytes=2000 * GB, disk_free_bytes=20 * GB)  # 1 %, and room for years
    assert judge.look(huge, 0.0) + judge.look(huge, 1e6) == []


def test_every_limit_has_a_kind_of_alert_with_words_that_say_what_to_do() -> None:
    by_link = kinds.built_in().by_link
    assert {limit.link: by_link[limit.link].name for limit in LIMITS} == {
        "heat": "gateway.hot",
        "power": "gateway.undervoltage",
        "room": "gateway.disk_low",
        "card": "gateway.card_worn",
        "clock": "gateway.clock_unset",
        "update": "gateway.update_taken_back",
    }
    for limit in LIMITS:
        assert "：" in by_link[limit.link].zh
        assert "请" in by_link[limit.link].zh


# --- wear -----------------------------------------------------------------------------------------


def test_bytes_a_day_are_those_of_the_last_day() -> None:
    wear, count = Wear(), 0
    for hour in range(72):
        wear.add(count, hour * HOUR_S)
        count += 1_000_000 if hour < 40 else 10_000
    assert wear.per_day() == pytest.approx(240_000, rel=0.01)


def test_nothing_is_claimed_before_an_hour_was_seen() -> None:
    wear = Wear()
    assert wear.per_day() is None
    wear.add(0, 0.0)
    wear.add(10_000_000, HOUR_S - 1)
    assert wear.per_day() is None
    wear.add(10_000_000, HOUR_S)
    assert wear.per_day() == 240_000_000


def test_a_counter_that_starts_again_is_no_negative_wear() -> None:
    wear = Wear()
    for at, count in ((0.0, 9_000), (HOUR_S, 9_900), (2 * HOUR_S, 5), (3 * HOUR_S, 105)):
        wear.add(count, at)
    assert wear.per_day() == 2_400
    wear.add(None, 4 * HOUR_S)
    assert wear.per_day() == 2_400


def test_looking_twice_a_minute_for_a_year_keeps_a_day_of_hours() -> None:
    wear = Wear()
    for minute in range(60 * 24 * 10):
        wear.add(minute, minute * 60.0)
    assert len(wear._samples) <= 27
    assert wear.per_day() == pytest.approx(60 * 24, rel=0.05)


def test_the_life_of_a_card_is_its_endurance_over_what_is_written() -> None:
    assert years_of_card(30.0, 30e12 / 365.25) == pytest.approx(1.0)
    assert years_of_card(0.0, 1e9) is None
    assert years_of_card(30.0, None) is None
    assert years_of_card(30.0, 0.0) is None
    assert not math.isinf(years_of_card(30.0, 1e-9) or 0.0)
