"""What a door can be told, and in which bounds."""

from typing import Final

from drivers.api import Action, Argument, Text

LONGEST_MINUTES: Final = 7 * 24 * 60.0
_STANDING: Final = (
    Action(
        "hold_open",
        None,
        Text("保持开启", "Hold open"),
        (Argument("minutes", 0, LONGEST_MINUTES, 60, "min"),),
    ),
    Action(
        "lock_down", None, Text("封门", "Lock down"), (Argument("minutes", 0, LONGEST_MINUTES, 0, "min"),)
    ),
    Action("normal", None, Text("恢复正常", "Back to normal")),
)
STANDING: Final = frozenset(action.name for action in _STANDING)
"""What says how a door is to stand from now on: of two such orders the later one counts."""


def actions_of(unlock_s: float, longest_s: float) -> tuple[Action, ...]:
    """Return the actions of a door that opens for `unlock_s` by itself, and whose strike times `longest_s` at most."""
    seconds = Argument("seconds", 1, longest_s, unlock_s, "s")
    return (Action("unlock", None, Text("开门", "Unlock"), (seconds,), grants=True), *_STANDING)
