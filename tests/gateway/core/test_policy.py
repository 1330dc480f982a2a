"""An order that makes no sense is refused in words before any byte is sent."""

import pytest

from drivers.api import Action, Argument, Text
from gateway.core.policy import PolicyError, choose_action, complete_arguments

SECONDS = Argument("seconds", 0.1, 30.0, default=5.0, unit="s")
CHANNEL = Argument("channel", 0, 7)
UNLOCK = Action("unlock", None, Text("开门", "unlock"), (SECONDS,), grants=True)
PULSE = Action("pulse", None, Text("点动", "pulse"), (CHANNEL, SECONDS))


def test_a_default_is_filled_in_and_a_given_value_stands() -> None:
    assert complete_arguments(UNLOCK, {}) == {"seconds": 5.0}
    assert complete_arguments(UNLOCK, {"seconds": 3}) == {"seconds": 3.0}


@pytest.mark.parametrize("channel", [0, 7])
def test_the_least_and_the_most_are_allowed(channel: float) -> None:
    assert complete_arguments(PULSE, {"channel": channel})["channel"] == channel


@pytest.mark.parametrize("seconds", [0.0, 30.1, -1, float("nan"), float("inf")])
def test_a_value_the_device_would_not_take_is_refused(seconds: float) -> None:
    with pytest.raises(PolicyError, match=r"unlock: seconds is .* \(allowed: 0.1 to 30 s\)"):
        complete_arguments(UNLOCK, {"seconds": seconds})


def test_a_missing_argument_is_named_with_its_range() -> None:
    with pytest.raises(PolicyError, match=r"pulse needs channel \(0 to 7\)"):
        complete_arguments(PULSE, {"seconds": 1})


def test_an_unknown_argument_is_refused_and_the_known_ones_are_listed() -> None:
    with pytest.raises(PolicyError, match=r"pulse takes no 'chanel' \(it takes: channel, seconds\)"):
        complete_arguments(PULSE, {"chanel": 1})


def test_an_unknown_action_is_refused_and_the_known_ones_are_listed() -> None:
    assert choose_action("door-1", "unlock", (UNLOCK, PULSE)) is UNLOCK
    with pytest.raises(PolicyError, match=r"door-1 has no action 'open' \(it has: unlock, pulse\)"):
        choose_action("door-1", "open", (UNLOCK, PULSE))
    with pytest.raises(PolicyError, match=r"it has: none"):
        choose_action("smoke-1", "open", ())
