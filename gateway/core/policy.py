"""Whether an order may be carried out at all, before any byte is sent: a pure look at the order and the device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drivers.api import Action, Argument


class PolicyError(Exception):
    """The order is not allowed, or makes no sense; `hint` says what would."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.what, self.hint = what, hint

    def __str__(self) -> str:
        return self.what + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an order from afar comes with: its id, and the monotonic time after which it is dead.

    Such an order is carried out only when it is on record: one that nobody can account for is not.
    """

    id: str
    deadline: float


def choose_action(device: str, name: str, actions: Sequence[Action]) -> Action:
    """Return the action called `name`; PolicyError names those there are."""
    for action in actions:
        if action.name == name:
            return action
    known = ", ".join(action.name for action in actions) or "none"
    raise PolicyError(f"{device} has no action {name!r}", f"it has: {known}")


def complete_arguments(action: Action, given: Mapping[str, float]) -> dict[str, float]:
    """Return `given` with defaults filled in; PolicyError on a missing, unknown or out-of-range argument."""
    names = [argument.name for argument in action.arguments]
    for name in given:
        if name not in names:
            raise PolicyError(
                f"{action.name} takes no {name!r}", f"it takes: {', '.join(names) or 'nothing'}"
            )
    return {argument.name: _value(action, argument, given) for argument in action.arguments}


def _value(action: Action, argument: Argument, given: Mapping[str, float]) -> float:
    value = given.get(argument.name, argument.default)
    wanted = f"{argument.minimum:g} to {argument.maximum:g} {argument.unit or ''}".rstrip()
    if value is None:
        raise PolicyError(f"{action.name} needs {argument.name}", wanted)
    if not argument.minimum <= value <= argument.maximum:  # False for NaN too
        raise PolicyError(f"{action.name}: {argument.name} is {value:g}", f"allowed: {wanted}")
    return float(value)
