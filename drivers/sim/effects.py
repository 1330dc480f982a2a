"""Actions backwards: from words a master writes to what it wants done.

A profile says an action as steps (write 0xB588 to register 0x69, then the address to 0x1A within 10 s, ...).
A pretend device follows along: each write that is the next step of an action carries it on, and numbers the
caller chose are worked out of the words. What it then does is in `modbus.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from drivers.api import Action, Argument
from drivers.modbus.orders import ActionWire, Amount, Step
from drivers.modbus.wire import Register, Table


@dataclass(frozen=True, slots=True)
class Effect:
    """An action that was carried out, or with `new_address` the moment its device moves there."""

    action: str
    arguments: Mapping[str, float]
    new_address: int | None = None


class Effects:
    """How far a master has come with each action of one device."""

    def __init__(self, actions: Sequence[Action]) -> None:
        followers = [_Follower(action) for action in actions]
        self._followers = [follower for follower in followers if follower.steps]

    def written(self, table: Table, address: int, word: int, now: float) -> list[Effect]:
        """Return what one written word brings about."""
        return [
            effect
            for follower in self._followers
            if (effect := follower.written(table, address, word, now)) is not None
        ]


class _Follower:
    """Follows one action from step to step."""

    def __init__(self, action: Action) -> None:
        assert isinstance(action.wire, ActionWire)
        self._action = action
        self.steps = [step for step in action.wire.steps if not step.expect]
        self._next = 0
        self._numbers: dict[str, float] = {}
        self._at = 0.0

    def written(self, table: Table, address: int, word: int, now: float) -> Effect | None:
        step = self.steps[self._next]
        if self._next and step.within_s is not None and now - self._at > step.within_s:
            self._forget()
        numbers = self._match(table, address, word)
        if numbers is None and self._next:
            self._forget()
            numbers = self._match(table, address, word)
        if numbers is None:
            return None
        step = self.steps[self._next]
        self._numbers, self._at = numbers, now
        self._next = (self._next + 1) % len(self.steps)
        if step.to_address is not None:
            return Effect(self._action.name, numbers, step.to_address.fill(numbers))
        return None if self._next else Effect(self._action.name, numbers)

    def _match(self, table: Table, address: int, word: int) -> dict[str, float] | None:
        """Return the arguments known after the next step, if this word is that step."""
        step = self.steps[self._next]
        if step.table != table:
            return None
        numbers = dict(self._numbers) if self._next else {}
        for amount, found in ((step.address, address), (step.value, word)):
            if amount.argument is None:
                if amount.constant != found:
                    return None
                continue
            value = (found - amount.constant) / amount.times
            argument = _argument(self._action, amount.argument)
            if not argument.minimum - 1e-6 <= value <= argument.maximum + 1e-6:
                return None
            if amount.fill({amount.argument: numbers.setdefault(amount.argument, value)}) != found:
                return None
        return numbers

    def _forget(self) -> None:
        self._next = 0


def action_registers(actions: Sequence[Action]) -> Iterator[Register]:
    """Yield every register an action can touch: they exist in the product, readable or not."""
    for action in actions:
        assert isinstance(action.wire, ActionWire)
        for step in action.wire.steps:
            for address in _addresses(action, step):
                yield Register(step.table, address, "bit" if step.table == "coil" else "u16")


def _addresses(action: Action, step: Step) -> range:
    amount: Amount = step.address
    if amount.argument is None:
        return range(amount.constant, amount.constant + 1)
    argument = _argument(action, amount.argument)
    low, high = (amount.fill({amount.argument: end}) for end in (argument.minimum, argument.maximum))
    return range(low, high + 1)


def _argument(action: Action, name: str) -> Argument:
    return next(argument for argument in action.arguments if argument.name == name)
