"""A ladder is climbed in time, put off by silences and quiet hours, and never for what is vital."""

from dataclasses import replace

import pytest

from gateway.core import schedule
from gateway.core.events import Place
from gateway.desk.grouping import next_news
from gateway.desk.ladders import Ladder, Rung, Standing, decide, in_order
from gateway.desk.routing import Audience
from gateway.desk.store.timers import Timer
from gateway.desk.texts import LONGEST, page
from tests.events import MORNING

LADDER = Ladder(
    (Rung(0, Audience.FIRST), Rung(120, Audience.NEXT), Rung(300, Audience.EVERYBODY)), repeat_s=600
)
STANDING = Standing(1, 1, 1, 1, 3, "fire.smoke", Place(), "烟感报警", "Smoke alarm")
TIMER = Timer("i#1", 1, 0, 100.0, news=False, again=False)
NIGHT = schedule.parse(["daily 22:00-06:00"])
AT_NIGHT = MORNING + 7 * 3600  # 23:15 there
SIX = MORNING + 13.75 * 3600 - 30


def test_the_rungs_keep_their_distance_and_the_last_is_repeated() -> None:
    timer, now, told = TIMER, 100.0, []
    for _ in range(5):
        decision = decide(timer, STANDING, LADDER, now)
        told.append((now, decision.pages[0].to, decision.pages[0].label))
        assert decision.due_at is not None
        timer, now = replace(timer, step=decision.step), decision.due_at
    assert told == [
        (100.0, Audience.FIRST, "1.0"), (220.0, Audience.NEXT, "1.1"), (400.0, Audience.EVERYBODY, "1.2"),
        (1000.0, Audience.EVERYBODY, "1.3"), (1600.0, Audience.EVERYBODY, "1.4"),
    ]  # fmt: skip


def test_a_ladder_without_repeat_comes_to_its_end() -> None:
    decision = decide(replace(TIMER, step=2), STANDING, replace(LADDER, repeat_s=0), 400.0)
    assert decision.pages
    assert decision.due_at is None


@pytest.mark.parametrize("standing", [replace(STANDING, waiting=0), replace(STANDING, waiting=0, active=0)])
def test_what_is_acknowledged_is_told_no_further(standing: Standing) -> None:
    decision = decide(TIMER, standing, LADDER, 100.0)
    assert (decision.pages, decision.due_at) == ((), None)


def test_what_cleared_by_itself_is_told_on_unless_its_ladder_says_otherwise() -> None:
    cleared = replace(STANDING, active=0)
    assert decide(TIMER, cleared, LADDER, 100.0).pages
    assert not decide(TIMER, cleared, replace(LADDER, while_active=True), 100.0).pages


def test_what_became_worse_is_told_although_somebody_acknowledged_it() -> None:
    assert decide(replace(TIMER, again=True), replace(STANDING, waiting=0), LADDER, 100.0).pages


def test_growth_is_told_to_those_who_know_of_it_and_moves_no_rung() -> None:
    timer = replace(TIMER, step=2, due_at=400.0, news=True)
    decision = decide(timer, replace(STANDING, total=100), LADDER, 230.0)
    assert [(each.to, each.label) for each in decision.pages] == [
        (Audience.FIRST, "1.+100"), (Audience.NEXT, "1.+100"),
    ]  # fmt: skip
    assert (decision.step, decision.due_at) == (2, 400.0)


def test_a_silence_puts_the_ladder_off_to_its_end() -> None:
    decision = decide(TIMER, STANDING, LADDER, 100.0, silent_until=900.0)
    assert (decision.pages, decision.step, decision.due_at) == ((), 0, 900.0)


def test_quiet_hours_keep_minor_pages_until_morning() -> None:
    minor = replace(STANDING, rank=1, kind="bin.full")
    [told] = decide(TIMER, minor, LADDER, AT_NIGHT, quiet=NIGHT).pages
    assert told.not_before == SIX


@pytest.mark.parametrize(
    "standing",
    [
        STANDING,
        replace(STANDING, rank=1),
        replace(STANDING, kind="door.forced"),
        replace(STANDING, rank=0, kind="care.sos"),
    ],
)
def test_quiet_hours_keep_neither_a_fire_nor_anything_critical(standing: Standing) -> None:
    [told] = decide(TIMER, standing, LADDER, AT_NIGHT, quiet=NIGHT).pages
    assert told.not_before == AT_NIGHT


def test_ten_thousand_alerts_are_told_a_handful_of_times() -> None:
    told, count = [], 1
    while count <= 10_000:
        told.append(count)
        count = next_news(count)
    assert told == [1, 2, 3, 4, 5, 10, 100, 1000, 10_000]


def test_rungs_out_of_order_are_seen() -> None:
    assert in_order(LADDER.rungs)
    assert not in_order(LADDER.rungs[::-1])


def test_a_page_says_how_bad_what_how_many_and_that_nobody_answered() -> None:
    told = page(replace(STANDING, waiting=40), 2)
    assert told.zh == "【紧急】烟感报警；同类未确认的还有 39 条；第 3 次通知，尚无人确认"
    assert (
        told.en
        == "Critical: Smoke alarm; 39 more like it not acknowledged; notice 3, nobody has acknowledged it"
    )
    assert len(page(replace(STANDING, zh="长" * 900), 0).zh) == LONGEST
