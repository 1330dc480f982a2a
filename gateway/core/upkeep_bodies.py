"""What is told of a device's upkeep: first seen, tested, which unit hangs there, what of the calendar was done."""

from typing import Literal

import msgspec


class SeenBody(msgspec.Struct, frozen=True, tag="seen"):
    """A device answered for the first time as this product: when it was put in, as far as the gateway can know."""

    device: str
    profile: str


class ProvedBody(msgspec.Struct, frozen=True, tag="proved"):
    """A device was seen to alarm in a test.

    `how`: in its own test mode; by an alarm while a test round was open; by its self-test, on command.
    """

    device: str
    how: Literal["test_mode", "alarm", "self_test"]
    by: str = ""


class UnitBody(msgspec.Struct, frozen=True, tag="unit"):
    """Which unit of a product hangs there, "" where nobody knows. `read`: the device itself says its number.

    `replaced`: another hung there before, `before` its number; `by` is who said so, "" where its number did.
    """

    device: str
    serial: str = ""
    firmware: str = ""
    read: bool = False
    replaced: bool = False
    before: str = ""
    by: str = ""


class CheckedBody(msgspec.Struct, frozen=True, tag="checked"):
    """Somebody did what the maintenance calendar asks for; `task` is its name there."""

    task: str
    by: str
    note: str = ""


def upkeep_key(body: SeenBody | ProvedBody | UnitBody | CheckedBody) -> tuple[str, ...]:
    """Return what a body has the last word on. Of swaps each is kept: a unit's history is all of them."""
    match body:
        case SeenBody(device=device):
            return "seen", device
        case ProvedBody(device=device):
            return "tested", device
        case UnitBody(device=device, replaced=True, before=before, serial=serial):
            return "unit", device, before, serial
        case UnitBody(device=device):
            return "unit", device
        case CheckedBody(task=task):
            return "checked", task
