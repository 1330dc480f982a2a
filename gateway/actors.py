"""Whom an order may be meant for: a device on a line, a door, an interlock, an asset. Each name belongs to one of them.

A device that is the strike of a door takes no order past the door, which knows of lock-downs and fires; what else
such a device can do (its address, a self-test) stays open to the installer.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from drivers.api import Action, Done
from gateway.core.doors import DoorPlan
from gateway.core.events import Place
from gateway.core.policy import PolicyError


class Actor(Protocol):
    """Those who carry out orders: the field, the doors, the interlocks, the assets."""

    def actions(self, name: str) -> tuple[Action, ...]:
        """Return what one of them can be told; KeyError if there is none of this name."""

    async def act(self, name: str, action: str, arguments: Mapping[str, float], deadline: float) -> Done:
        """Carry out an order before `deadline` (monotonic) or not at all; DriverError, PolicyError."""


class Actors:
    """Finds who carries out an order. `first` are asked before the `field`; `places` says where each target is."""

    def __init__(
        self,
        field: Actor,
        first: Iterable[Actor],
        *,
        doors: Iterable[DoorPlan],
        places: Mapping[str, Place],
        home: Place,
    ) -> None:
        self._actors = (*first, field)
        self._places, self._home = places, home
        self._strikes = {door.name: door.strike for door in doors}

    def actions(self, name: str) -> tuple[Action, ...]:
        """Return what a target can be told; KeyError if there is none of this name."""
        return self._find(name).actions(name)

    async def act(self, name: str, action: str, arguments: Mapping[str, float], deadline: float) -> Done:
        """Carry out an order; PolicyError where a door stands in its way."""
        for door, strike in self._strikes.items():
            if strike.device == name and strike.is_moved_by(action, arguments):
                hint = f"`command {door} ...` goes through the door"
                raise PolicyError(f"{name} is the strike of {door}", hint)
        return await self._find(name).act(name, action, arguments, deadline)

    def place(self, name: str) -> Place:
        """Return where a target is; the compound itself where nothing is said. KeyError if there is no such target."""
        self._find(name)
        return self._places.get(name, self._home)

    def _find(self, name: str) -> Actor:
        for actor in self._actors:
            try:
                actor.actions(name)
            except KeyError:
                continue
            return actor
        raise KeyError(name)
