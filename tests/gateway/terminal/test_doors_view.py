"""`doors` and the lines of the live view: what a person sees of doors, cards and interlocks, in both languages."""

import io
import time
from typing import Any

import pytest
from rich.console import Console, RenderableType

from gateway.core.access import Reason
from gateway.terminal.document import DoorLine, InterlockLine, Status, read
from gateway.terminal.doors import STATES, screen
from gateway.terminal.figures import clock
from gateway.terminal.lines import event_line
from gateway.terminal.words import Words

Body = dict[str, Any]

EN, ZH = Words("en"), Words("zh")
GATE = DoorLine("gate-2-1", "单元门", {"building": "2", "unit": "1"}, "locked", "normal")


def shown(what: RenderableType) -> str:
    out = io.StringIO()
    Console(file=out, width=140, highlight=False).print(what)
    return out.getvalue()


def line(words: Words = EN, **body: Any) -> str:
    return event_line({"time": 0.0, "body": body}, words).plain.removeprefix(f"{clock(0.0)} ")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("words", [EN, ZH], ids=["en", "zh"])
def test_each_state_is_told_by_shape_and_word(state: str, words: Words) -> None:
    told = shown(screen([DoorLine("gate", state=state)], (), words))
    assert STATES[state][0] in told
    assert words(f"doors.state_{state}") in told


def test_a_door_is_told_with_its_place_its_mode_and_why() -> None:
    free = DoorLine("gate-2-1", "单元门", {"building": "2", "unit": "1"}, "unlocked", "free", "fire")
    told = shown(screen([GATE, free], (), ZH))
    assert "2 栋 1 单元 单元门" in told
    assert "火警放开" in told
    assert "断电锁闭" in told
    assert "building 2 unit 1" in shown(screen([GATE], (), EN))


def test_what_is_wrong_with_a_door_stands_before_who_was_last_let_in() -> None:
    door = DoorLine("gate", state="forced", why="local:root", kinds=("door.forced", "door.tamper"))
    told = shown(screen([door], (), EN))
    assert "without permission, tampered with  root" in told


def test_an_order_with_an_end_says_when_that_is() -> None:
    door = DoorLine("gate", state="unlocked", mode="hold_open", why="desk", until=time.time() + 600)
    assert "desk  until " in shown(screen([door], (), EN))
    over = DoorLine("gate", state="unlocked", mode="hold_open", why="desk", until=1.0)
    assert "until" not in shown(screen([over], (), EN))


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (InterlockLine("fire"), "ready"),
        (InterlockLine("fire", dry_run=True), "dry run"),
        (InterlockLine("fire", engaged=True, burning=2), "2 alarms are not reset yet"),
        (InterlockLine("fire", engaged=True), "drill stop fire"),
        (InterlockLine("fire", engaged=True, drill=True), "to end it"),
    ],
)
def test_an_interlock_says_how_it_stands_and_what_ends_it(seen: InterlockLine, told: str) -> None:
    assert told in shown(screen([GATE], [seen], EN))


def test_without_doors_it_says_how_to_have_one() -> None:
    assert "[[door]]" in shown(screen((), (), ZH))


def test_a_newer_gateway_s_words_are_shown_as_they_are() -> None:
    told = shown(screen([DoorLine("gate", state="ajar", mode="party", kinds=("door.new",))], (), EN))
    assert all(word in told for word in ("ajar", "party", "door.new"))
    assert read(Status, {"doors": "nonsense"}) == Status()


def test_events_of_doors_are_lines() -> None:
    door: Body = {"type": "door", "door": "gate", "state": "forced", "mode": "normal", "why": ""}
    assert line(**door) == "◆ gate forced"
    assert (
        line(**{**door, "state": "unlocked", "mode": "free", "why": "fire"})
        == "□ gate unlocked  free: fire  fire"
    )
    assert "情况不明" in line(ZH, **{**door, "state": "unknown"})
    engaged: Body = {"type": "interlock", "interlock": "fire", "engaged": True, "drill": False}
    assert line(**engaged).startswith("◆ interlock fire  engaged")
    assert "drill" in line(**{**engaged, "drill": True})
    assert "ready" in line(**{**engaged, "engaged": False})


def test_whoever_was_let_in_or_not_is_told_in_words() -> None:
    access: Body = {"type": "access", "door": "gate", "reader": "reader", "granted": True, "reason": "granted",
              "card": "…4567", "holder": "2-1-301 住户 A"}  # fmt: skip
    assert line(**access) == "✓ gate let in  2-1-301 住户 A …4567"
    denied: Body = {**access, "granted": False, "reason": Reason.EXPIRED.value}
    assert line(ZH, **denied) == "✗ gate 拒绝  2-1-301 住户 A …4567 已过期"
    assert line(**{**denied, "reason": "new"}).endswith("new")
