"""Whom an order may be meant for: a device on a line, a door, an interlock, an asset. Each name belongs to one of them.

A device that is the strike of a door, or moves a barrier, takes no order past it, which knows of lock-downs, fires and
cars; what else
such a device can do (its address, a self-test) stays open to the installer.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from drivers.api import Action, Done
from gateway.core.doors import Strike
from gateway.core.events import Place
from gateway.core.policy import PolicyError


class Actor(Protocol):
    """Those who carry out orders: the field, the doors, the interlocks, the assets."""

    def actions(self, name: str) -> tuple[Action, ...]:
        """Return what one of them can be told; KeyError if there is none of this name."""

    async def act(self, name: str, action: str, arguments: Mapping[str, float], deadline: float) -> Done:
        """Carry out an order before `deadline` (monotonic) or not at all; DriverError, PolicyError."""


class Actors:
    """Finds who carries out an order. `first` are asked before the `field`; `places` says where each target is.

    `strikes` are what belongs to doors and barriers, by their name.
    """

    def __init__(
        self,
        field: Actor,
        first: Iterable[Actor],
        *,
        strikes: Iterable[tuple[str, Strike]],
        places: Mapping[str, Place],
        home: Place,
    ) -> None:
        self._actors = (*first, field)
        self._places, self._home = places, home
        self._strikes = tuple(strikes)

    def actions(self, name: str) -> tuple[Action, ...]:
        """Return what a target can be told; KeyError if there is none of this name."""
        return self._find(name).actions(name)

    async def act(self, name: str, action: str, arguments: Mapping[str, float], deadline: float) -> Done:
        """Carry out an order; PolicyError where a door or a barrier stands in its way."""
        for owner, strike in self._strikes:
            if strike.device == name and strike.is_moved_by(action, arguments):
                hint = f"`command {owner} ...` goes through it"
                raise PolicyError(f"{name} is the strike of {owner}", hint)
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
