"""What a world knows of its devices and lines, whatever they speak."""

from collections import Counter
from collections.abc import Callable
from typing import Protocol, TypeAlias

from drivers.api import Profile, Value
from drivers.sim.faults import Faults
from drivers.sim.shell import Wire

ChangeTo: TypeAlias = Callable[[str, str, Value | None], None]  # device, point, value


class Thing(Protocol):
    """One pretend device. `alive` False is a dead one; `frozen` True one whose values never move again."""

    profile: Profile
    name: str
    address: int
    alive: bool
    frozen: bool
    on_change: ChangeTo

    @property
    def points(self) -> tuple[str, ...]:
        """The names of its points."""

    def set(self, point: str, value: Value | None) -> None:
        """Let it measure this; KeyError for an unknown point, ValueError for what it cannot show."""

    def get(self, point: str) -> Value | None:
        """Return what it shows for a point; KeyError for an unknown one."""

    def advance(self, now: float) -> None:
        """Let time pass."""


class WorldLine(Wire, Protocol):
    """One line of a world."""

    faults: Faults

    @property
    def fault_counts(self) -> Counter[str]:
        """How many faults of each name it has made."""

    def power_cut(self, until: float) -> None:
        """Take the supply from all its devices until then."""
