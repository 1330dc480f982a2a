"""The work flow is one table, whole, and what a step leaves behind is what people wrote."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.desk.workflow import CLOSED, OPEN, TABLE, Command, Outcome, State, Step, Work, advance

WORK = Work("gw/1", "i#1", 100.0)


def step(name: Step, who: str = "warden-1", **told: Any) -> Command:
    """Return a step with what it needs."""
    return Command(f"c-{name}", "gw/1", name, who, to="property-1" if name is Step.ASSIGN else "", **told)


def walk(*names: Step) -> Work:
    """Return the work after these steps."""
    work = WORK
    for number, name in enumerate(names):
        outcome, work = advance(work, step(name), 101.0 + number)
        assert outcome is Outcome.DONE
    return work


def test_every_step_from_every_state_has_an_answer() -> None:
    assert set(TABLE) == set(product(State, Step))


def test_the_usual_way_ends_resolved_with_everybody_named() -> None:
    work = walk(Step.ACKNOWLEDGE, Step.ASSIGN, Step.ARRIVE)
    outcome, work = advance(work, step(Step.RESOLVE, "property-1", cause="cooking", note="开窗"), 200.0)
    assert outcome is Outcome.DONE
    assert work == replace(
        WORK, state=State.RESOLVED, version=5, assignee="property-1", acknowledged_by="warden-1",
        acknowledged_at=101.0, arrived_at=103.0, closed_by="property-1", closed_at=200.0, cause="cooking", note="开窗",
    )  # fmt: skip


@pytest.mark.parametrize("name", [Step.ASSIGN, Step.ARRIVE, Step.RESOLVE, Step.FALSE_ALARM])
def test_whoever_does_more_has_acknowledged(name: Step) -> None:
    assert walk(name).acknowledged_by == "warden-1"


@pytest.mark.parametrize("end", [Step.RESOLVE, Step.FALSE_ALARM])
@pytest.mark.parametrize("again", [Step.RESOLVE, Step.FALSE_ALARM, Step.ACKNOWLEDGE])
def test_who_comes_after_the_end_learns_who_ended_it(end: Step, again: Step) -> None:
    outcome, work = advance(walk(end), step(again, "warden-2"), 300.0)
    assert (outcome, work.closed_by) == (Outcome.ALREADY, "warden-1")


def test_reopened_work_begins_anew_and_keeps_its_note() -> None:
    work = walk(Step.ASSIGN, Step.ARRIVE)
    _, work = advance(work, step(Step.RESOLVE, note="换了电池"), 200.0)
    _, work = advance(work, step(Step.REOPEN, "warden-2"), 300.0)
    assert work == replace(WORK, version=5, note="换了电池")


def test_a_note_moves_nothing_and_may_be_written_after_the_end() -> None:
    outcome, work = advance(walk(Step.RESOLVE), step(Step.NOTE, note="见照片"), 300.0)
    assert (outcome, work.state, work.note) == (Outcome.DONE, State.RESOLVED, "见照片")


def test_an_assignment_to_nobody_is_refused_and_to_the_same_is_done_already() -> None:
    assert advance(WORK, Command("c", "gw/1", Step.ASSIGN, "warden-1"), 1.0) == (Outcome.REFUSED, WORK)
    assert advance(walk(Step.ASSIGN), step(Step.ASSIGN), 1.0)[0] is Outcome.ALREADY


@given(st.lists(st.tuples(st.sampled_from(Step), st.sampled_from(["warden-1", "warden-2"])), max_size=20))
def test_versions_grow_by_one_with_every_step_that_is_done_and_with_no_other(
    steps: list[tuple[Step, str]],
) -> None:
    work = WORK
    for number, (name, who) in enumerate(steps):
        outcome, after = advance(work, step(name, who), float(number))
        assert after.version == work.version + (outcome is Outcome.DONE)
        assert (after == work) == (outcome is not Outcome.DONE)
        assert (after.closed_by is not None) == (after.state in CLOSED)
        assert after.acknowledged_by is not None or after.state is State.RAISED
        assert after.state in (*OPEN, *CLOSED)
        work = after
