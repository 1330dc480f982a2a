"""Actions on the Modbus wire: steps as data, filled with a caller's numbers.

An action is a list of `Step`s with named arguments in place of numbers; `orders` fills them in. That is all
the language there is: constant + argument * times, for the address and for the value. Nothing is evaluated.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.api import Action
from drivers.arguments import filled
from drivers.modbus.codec import COIL_OFF, COIL_ON, ReadRequest, Request, WriteMultiple, WriteSingle
from drivers.modbus.wire import READ_FUNCTION, Table


@dataclass(frozen=True, slots=True)
class Amount:
    """The number constant + argument * times, or `constant` alone."""

    constant: int = 0
    argument: str | None = None
    times: float = 1.0

    def fill(self, arguments: Mapping[str, float]) -> int:
        """Return the number, rounded to a whole one."""
        return self.constant + (round(arguments[self.argument] * self.times) if self.argument else 0)


@dataclass(frozen=True, slots=True)
class Step:
    """One write of an action, or with `expect` one read that must find that value.

    `value` of a coil is the word on the wire. `within_s`: the device takes it only so soon after the step
    before. `pause_s`: silence it needs afterwards. `to_address`: from here on the device has this address.
    `multiple`: by function 15 or 16 instead of 5 or 6. A `broadcast` goes to everybody and has no reply.
    """

    table: Table
    address: Amount
    value: Amount = Amount()
    expect: bool = False
    multiple: bool = False
    broadcast: bool = False
    pause_s: float = 0.0
    within_s: float | None = None
    to_address: Amount | None = None


@dataclass(frozen=True, slots=True)
class ActionWire:
    """The steps of an action, in order."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """A step with its numbers filled in. `expect` is what a read must find, None for a write."""

    request: Request
    expect: tuple[int, ...] | None = None
    broadcast: bool = False
    pause_s: float = 0.0
    within_s: float | None = None
    new_address: int | None = None


def orders(action: Action, arguments: Mapping[str, float]) -> tuple[Order, ...]:
    """Return the exchanges that carry out an action; DriverError if an argument is missing, unknown or out of
    its range.
    """
    assert isinstance(action.wire, ActionWire)
    numbers = filled(action, arguments)
    return tuple(_order(step, numbers) for step in action.wire.steps)


def _order(step: Step, arguments: Mapping[str, float]) -> Order:
    address, value = step.address.fill(arguments), step.value.fill(arguments)
    coil = step.table == "coil"
    if step.expect:
        return Order(ReadRequest(READ_FUNCTION[step.table], address, 1), (value,), within_s=step.within_s)
    request: Request
    if step.multiple:
        request = WriteMultiple(15 if coil else 16, address, (int(value != COIL_OFF) if coil else value,))
    else:
        request = WriteSingle(5 if coil else 6, address, value)
    return Order(
        request,
        broadcast=step.broadcast,
        pause_s=step.pause_s,
        within_s=step.within_s,
        new_address=step.to_address.fill(arguments) if step.to_address else None,
    )


def coil_word(on: bool) -> int:
    """Return the word that switches a coil."""
    return COIL_ON if on else COIL_OFF
