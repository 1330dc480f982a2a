"""What a session with a fire centre works with: its names, its counts, and what waits to be put into packets."""

import enum
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from drivers.gb26875 import units
from drivers.gb26875.units import Object, Unit
from gateway.core.events import Body
from gateway.runtime.journal.feed import Rows
from gateway.runtime.journal.rows import Position
from gateway.services.centre.answers import Answers, Moment
from gateway.services.centre.exchange import Ends, Patience
from gateway.services.centre.facility import Facility, Saying

PREFIX: Final = "centre-"


@dataclass(frozen=True, slots=True)
class Names:
    """What a centre is called: in the configuration, and its two sinks in the journal."""

    name: str

    @property
    def urgent(self) -> str:
        """Return the sink of alerts."""
        return f"{PREFIX}{self.name}.urgent"

    @property
    def readings(self) -> str:
        """Return the sink of analog values."""
        return f"{PREFIX}{self.name}.readings"


@dataclass(frozen=True, slots=True)
class House:
    """What a session needs of the rest of the gateway. `now` is the time of day, `heartbeat_s` 0 for none."""

    names: Names
    ends: Ends
    patience: Patience
    journal: Rows
    facility: Facility
    answers: Answers
    submit: Callable[[Body], object]
    now: Callable[[], Moment]
    probe: Callable[[str], None]
    heartbeat_s: float
    analog: bool


@dataclass(slots=True)
class Tally:
    """What was counted over all connections. `proof_at` is when the centre last confirmed anything at all.

    `fires` are rows that tell of a fire and are not confirmed, each with when it was first told (monotonic);
    `pictured` are the places whose fire is in the picture of what stands and not confirmed.
    """

    confirmed: int = 0
    analogs: int = 0
    resent: int = 0
    refused: int = 0
    ignored: int = 0
    asked: int = 0
    proof_at: float | None = None
    trouble: str = ""
    fires: dict[Position, float] = field(default_factory=dict)
    pictured: dict[int, float] = field(default_factory=dict)


class Kind(enum.Enum):
    """A packet that tells of no row of the urgent lane."""

    HEARTBEAT = enum.auto()
    VALUES = enum.auto()


@dataclass(slots=True, eq=False)
class Row:
    """A row of the journal in our hands: in how many packets it still is, and whether it was refused before."""

    position: Position
    left: int
    fire: bool
    again: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """One packet's worth: its objects, and the row each is of (None in a picture of what stands)."""

    rows: tuple[Row | None, ...]
    kind: int
    objects: tuple[Object, ...]
    fire: bool = False

    def unit(self, fresh: Callable[[Object], Object]) -> bytes:
        """Return it in bytes, each object as it is to be told now."""
        return units.encode(Unit(self.kind, tuple(fresh(each) for each in self.objects)))

    def alone(self) -> list["Batch"]:
        """Return a packet for each object."""
        pairs = zip(self.rows, self.objects, strict=True)
        return [Batch((row,), self.kind, (each,), self.fire) for row, each in pairs]


@dataclass(slots=True)
class Packing:
    """Objects that wait for a packet, in order; neighbours of one type share it, as many as the standard allows.

    Of a packet that was refused each object goes `alone`, first: a centre may refuse all for one it does not know.
    """

    fire: bool = False
    alone: deque[Batch] = field(default_factory=deque)
    _waiting: deque[tuple[Row | None, Saying]] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self._waiting) + len(self.alone)

    def put(self, row: Row | None, sayings: Iterable[Saying]) -> None:
        """Have a row told, or, without one, a state."""
        self._waiting.extend((row, saying) for saying in sayings)

    def take(self) -> Batch | None:
        """Return the next packet's worth."""
        if self.alone:
            return self.alone.popleft()
        if not self._waiting:
            return None
        kind = self._waiting[0][1][0]
        objects: list[Object] = []
        rows: list[Row | None] = []
        most = units.LAYOUTS[kind].most
        while self._waiting and self._waiting[0][1][0] == kind and len(objects) < most:
            row, (_, each) = self._waiting.popleft()
            objects.append(each)
            rows.append(row)
        return Batch(tuple(rows), kind, tuple(objects), self.fire)
