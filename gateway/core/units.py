"""Which unit hangs where, and which hung there before: serial numbers as devices say them and as people do. Pure.

A unit that was swapped says another serial number; so does a person who puts a new one in (`upkeep replaced`). When
both speak of one swap it is one: what a device says first after a person's word belongs to that. A product whose number
changes all the time is believed twenty times and then no more.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from gateway.core.upkeep_bodies import UnitBody

MOST_SWAPS: Final = 20


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its serial number and firmware, "" where nobody knows. `read`: the device itself says the number."""

    serial: str = ""
    firmware: str = ""
    read: bool = False


@dataclass(frozen=True, slots=True)
class Swap:
    """One unit went, another came, wall seconds. `by` "": nobody said so, its serial number was another."""

    at: float
    by: str
    before: str
    after: str


class Units:
    """Folds what was said of units; `said` and `replaced` return what is to be told."""

    def __init__(self) -> None:
        self._now: dict[str, Unit] = {}
        self._swaps: dict[str, list[Swap]] = {}

    def follow(self, body: UnitBody, wall: float) -> None:
        """Take what was told, at that time."""
        self._now[body.device] = Unit(body.serial, body.firmware, body.read)
        swaps = self._swaps.setdefault(body.device, [])
        if body.replaced:
            swaps.append(Swap(wall, body.by, body.before, body.serial))
        elif swaps and body.serial:
            swaps[-1] = replace(swaps[-1], after=body.serial)

    def of(self, device: str) -> Unit:
        """Return the unit that hangs there now, as far as anybody knows."""
        return self._now.get(device, Unit())

    def swaps(self, device: str) -> list[Swap]:
        """Return its swaps, the oldest first."""
        return self._swaps.get(device, [])

    def said(self, device: str, what: Literal["serial", "firmware"], text: str) -> Iterable[UnitBody]:
        """Take what a device says of itself; return what nobody knew."""
        unit, swaps = self.of(device), self.swaps(device)
        if what == "firmware":
            told = UnitBody(device, unit.serial, text, read=unit.read)
            return () if text == unit.firmware else (told,)
        if text == unit.serial and unit.read:
            return ()
        if unit.read:
            if len(swaps) >= MOST_SWAPS:
                return ()
            return (UnitBody(device, text, read=True, replaced=True, before=unit.serial),)
        if swaps and text == swaps[-1].before:
            return ()  # a person has told of the swap, and the old one still hangs there
        return (UnitBody(device, text, unit.firmware, read=True),)

    def replaced(self, device: str, serial: str, by: str, written: str) -> UnitBody:
        """Return that a person put another unit in; `written` is the old number where no device said one."""
        before = self.of(device).serial or written
        return UnitBody(device, serial, replaced=True, before=before, by=by)
