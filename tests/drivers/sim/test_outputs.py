"""An output that a peripheral times by itself."""

import pytest

from drivers.sim.outputs import OFF, OFF_TIMED, ON, ON_AFTER, ON_TIMED, Output


def test_a_timed_output_goes_back_by_itself() -> None:
    output = Output()
    output.obey(ON_TIMED, 50, 10.0)
    assert (output.on, output.until) == (True, 15.0)
    output.advance(14.99)
    assert output.on
    output.advance(15.0)
    assert (output.on, output.until) == (False, None)


def test_off_ends_a_timer_and_on_after_waits_for_it() -> None:
    output = Output()
    output.obey(ON_TIMED, 50, 0.0)
    output.obey(OFF, 0, 1.0)
    assert not output.on
    output.obey(OFF_TIMED, 10, 2.0)
    output.obey(ON_AFTER, 0, 2.5)
    assert not output.on
    output.advance(3.0)
    assert output.on


def test_no_timer_is_for_ever_and_an_unknown_code_is_refused() -> None:
    output = Output()
    output.obey(ON, 0, 0.0)
    output.obey(OFF_TIMED, 0, 0.0)
    output.advance(1e9)
    assert not output.on
    with pytest.raises(ValueError, match="no code 9"):
        output.obey(9, 0, 0.0)
