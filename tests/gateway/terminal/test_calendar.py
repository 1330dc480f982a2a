"""The calendar by month, quarter and year, due and overdue; and the inventory of units that were swapped."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.core import maintenance
from gateway.terminal import calendar, upkeep
from gateway.terminal.upkeep import Row, Sheet, Swap
from gateway.terminal.upkeep import Tested as Done
from gateway.terminal.words import Words

ZH, EN = Words("zh"), Words("en")
TODAY = date(2026, 11, 26)
PANEL = Row("panel-1", "line", 1, "notifier-modbus-gw", category="panel", detector=True)


def at(days_ago: int) -> float:
    return datetime(TODAY.year, TODAY.month, TODAY.day, 4, tzinfo=UTC).timestamp() - days_ago * 86_400


def sheet(*rows: Row, things: frozenset[str] = frozenset(), **done: float) -> Sheet:
    return Sheet("g", "", rows, TODAY, done={task: Done(when, "", "local:维保") for task, when in done.items()},
                 things=things)  # fmt: skip


def rows(of: Sheet, words: Words = EN) -> dict[str, list[str]]:
    return {row[0]: row for row in calendar.calendar(of, words)}


@pytest.mark.parametrize(
    ("days_ago", "state"), [(0, "in time"), (60, "in time"), (62, "due"), (92, "due"), (93, "overdue")]
)
def test_a_quarters_check_is_due_a_month_before_its_day_and_overdue_after_it(
    days_ago: int, state: str
) -> None:
    row = rows(sheet(PANEL, quarter_panel=at(days_ago)))["quarter_panel"]
    assert row[2:4] == ["quarter", (TODAY - timedelta(days=days_ago)).isoformat()]
    assert row[4] == "维保"
    assert row[6] == state


def test_what_nobody_ever_noted_has_no_record_and_comes_first() -> None:
    told = calendar.calendar(sheet(PANEL, quarter_panel=at(1)), EN)
    assert [row[6] for row in told if row[0] == "backup_power"] == ["no record"]
    assert told[-1][0] == "quarter_panel"


def test_the_month_has_the_detectors_that_are_left_to_test_in_it() -> None:
    row = rows(sheet(PANEL), ZH)["tests plan"]
    assert row[1] == "探测器测试：本月还要测 1 只，已超期 1 只"
    assert row[2] == "每月"


def test_only_what_there_is_to_maintain_is_in_the_calendar_things_made_of_devices_too() -> None:
    door = Row("door", "line", 2, "waveshare-door", category="door")
    assert list(rows(sheet(door))) == ["task"]
    assert "quarter_hydrants" in rows(sheet(door, things=frozenset({"hydrant"})))


def test_every_round_has_a_period_in_both_languages_and_what_nobody_read_is_marked() -> None:
    there = frozenset(kind for task in maintenance.rounds() for kind in task.kinds)
    for words in (ZH, EN):
        told = calendar.calendar(sheet(things=there), words)[1:]
        assert {row[0] for row in told} == {task.name for task in maintenance.rounds()}
        assert all(row[1] and row[2] for row in told)
    unread = {row[0] for row in told if row[-1].endswith(" *")}
    assert unread == {task.name for task in maintenance.rounds() if not task.checked}


def test_the_history_says_who_swapped_what_the_newest_first() -> None:
    swapped = Row("a", "l", 1, "p", swaps=(Swap(at(400), "local:维保", "", "A"), Swap(at(3), "", "A", "B")))
    told = calendar.history(sheet(swapped), ZH)
    assert told[1] == ["2026-11-23", "a", "A", "B", "自行发现：序列号变了"]
    assert told[2][2:] == ["不详", "A", "维保"]


def test_the_life_of_a_unit_begins_when_it_was_put_in_and_not_with_the_one_before() -> None:
    row = Row("a", "l", 1, "p", category="smoke", serial="B", firmware="2", swaps=(Swap(at(3), "", "A", "B"),),
              installed_on=date(2012, 1, 1))  # fmt: skip
    asset = row.asset("g", 8.0)
    assert asset.facts.installed_on == date(2026, 11, 23)
    assert not asset.due(TODAY)
    assert upkeep.foreign(sheet(row), EN)[0][-2:] == ["2", date(2026, 11, 23)]
