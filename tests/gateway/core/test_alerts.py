"""Alert life: the table is whole, and says no in words."""

import itertools

import pytest

from gateway.core.alerts import LIFE, State, Trigger, is_active, step
from gateway.core.events import Change
from gateway.core.policy import PolicyError


@pytest.mark.parametrize("pair", [each for each in itertools.product(State, Trigger) if each not in LIFE])
def test_a_step_that_is_not_in_the_table_is_refused(pair: tuple[State, Trigger]) -> None:
    with pytest.raises(PolicyError, match=f"an alert that is {pair[0]} takes no {pair[1]}"):
        step(*pair)


@pytest.mark.parametrize("state", [state for state in State if state is not State.OVER])
def test_every_state_is_reached_and_leads_to_the_end(state: State) -> None:
    def reach(start: State) -> set[State]:
        reached, fresh = set(), {start}
        while fresh:
            reached |= fresh
            fresh = {after for (before, _), (after, _) in LIFE.items() if before in fresh} - reached
        return reached

    assert state in reach(State.OVER)
    assert State.OVER in reach(state)


@pytest.mark.parametrize(("pair", "after"), LIFE.items())
def test_no_alert_ends_unseen(pair: tuple[State, Trigger], after: tuple[State, Change]) -> None:
    """The way to the end is over a person: acknowledgement, reset or shelf."""
    if after[0] is State.OVER and "unacked" in pair[0]:
        assert pair[1] in {Trigger.ACKNOWLEDGE, Trigger.RESET}


@pytest.mark.parametrize(("pair", "after"), LIFE.items())
def test_the_condition_is_as_the_step_says(pair: tuple[State, Trigger], after: tuple[State, Change]) -> None:
    match pair[1]:
        case Trigger.RAISE | Trigger.REPEAT | Trigger.WORSEN:
            assert is_active(after[0])
        case Trigger.CLEAR | Trigger.LATCH:
            assert not is_active(after[0])
        case _:
            assert is_active(after[0]) == is_active(pair[0]) or after[0] is State.OVER
