"""What a rule is: which points it looks at, what it finds true, and how sure it wants to be before it says so.

Rules are frozen and know nothing of time. `gateway/core/rule_tables.py` makes them from the tables of profiles
and of gateway.toml; `gateway/core/conditions.py` holds readings against them.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from drivers.api import Value
from gateway.core.events import Certainty, Place, Severity
from gateway.core.kinds import Kind
from gateway.core.texts import NOWHERE, Subject


class Level(enum.IntEnum):
    """What one reading says."""

    NORMAL = 0
    TRUE = 1
    URGENT = 2


@dataclass(frozen=True, slots=True)
class Equals:
    """True while the value is one of these: a contact, a status word. 1 and true are the same."""

    values: tuple[Value, ...]

    def level(self, value: Value, *, active: bool, baseline: float | None) -> Level:
        """Return what this value says."""
        return Level.TRUE if value in self.values else Level.NORMAL


@dataclass(frozen=True, slots=True)
class Above:
    """True past `limit`, until the value is down to `clear` again."""

    limit: float
    clear: float

    def level(self, value: Value, *, active: bool, baseline: float | None) -> Level:
        """Return what this value says, given what was true before it."""
        return Level.TRUE if value > (self.clear if active else self.limit) else Level.NORMAL


@dataclass(frozen=True, slots=True)
class Below:
    """True under `limit`, until the value is up to `clear` again."""

    limit: float
    clear: float

    def level(self, value: Value, *, active: bool, baseline: float | None) -> Level:
        """Return what this value says, given what was true before it."""
        return Level.TRUE if value < (self.clear if active else self.limit) else Level.NORMAL


@dataclass(frozen=True, slots=True)
class Deviates:
    """True further than `limit` from the value at rest, until within `clear` of it; past `urgent` at once.

    An angle `wraps`: 179° and -179° are two degrees apart. Normal while the value at rest is not known.
    """

    limit: float
    clear: float
    urgent: float | None = None
    wraps: bool = False

    def level(self, value: Value, *, active: bool, baseline: float | None) -> Level:
        """Return what this value says, given what was true before it."""
        away = 0.0 if baseline is None else self.away(value, baseline)
        if self.urgent is not None and away > self.urgent:
            return Level.URGENT
        return Level.TRUE if away > (self.clear if active else self.limit) else Level.NORMAL

    def away(self, value: Value, baseline: float) -> float:
        """Return how far `value` is from rest."""
        return abs(difference(value, baseline, wraps=self.wraps))


@dataclass(frozen=True, slots=True)
class Moved:
    """True each time a counter goes on; it begins at zero again after `modulus - 1`. See gateway/core/counting.py."""

    modulus: int

    def level(self, value: Value, *, active: bool, baseline: float | None) -> Level:
        """Return whether it has moved since it stood at `baseline`."""
        return Level.NORMAL if value == baseline else Level.TRUE


Test: TypeAlias = Equals | Above | Below | Deviates | Moved


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of one device, complete. The keys are told in gateway/core/rule_tables.py."""

    kind: Kind
    points: tuple[str, ...]
    test: Test
    severity: Severity
    certainty: Certainty
    reads: int = 2
    apart_s: float = 0.0
    hold_s: float = 0.0
    clear_reads: int = 2
    clear_hold_s: float = 0.0
    latch: bool = False
    unless: tuple[str, ...] = ()
    begins_unless: tuple[str, ...] = ()
    excused_by: tuple[str, ...] = ()
    excuse_s: float = 8.0
    again_s: float = 0.0
    shows: str = ""

    @property
    def name(self) -> str:
        """Return what tells this rule from the device's others: kind and points."""
        return f"{self.kind.name}/{'+'.join(self.points)}"


@dataclass(frozen=True, slots=True)
class Watched:
    """A device or an asset as alerting sees it. `baseline` is what the configuration says its points are at rest.

    `also` are families it helps to watch though the rules are those of an asset it is part of. `elsewhere` are points
    that are about another place than the device's; the values of `private` ones are told to nobody. `resident` is
    the code of whoever the whole device watches over.
    """

    name: str
    label: str = ""
    place: Place = NOWHERE
    category: str = ""
    bus: str = ""
    profile: str = ""
    rules: tuple[Rule, ...] = ()
    baseline: Mapping[str, float] = field(default_factory=dict)
    also: frozenset[str] = frozenset()
    elsewhere: Mapping[str, Subject] = field(default_factory=dict)
    private: frozenset[str] = frozenset()
    resident: str = ""

    def about_point(self, point: str) -> Subject:
        """Return what a point is about, as texts speak of it: a button is in the flat it rings for."""
        return self.elsewhere.get(point, self.subject)

    @property
    def subject(self) -> Subject:
        """Return the device as texts speak of it."""
        return Subject(self.name, self.label, self.place)

    @property
    def about(self) -> Mapping[str, str]:
        """Return what a registry wants to know of it."""
        told = {"category": self.category, "profile": self.profile, "label": self.label}
        return told | {"resident": self.resident}

    @property
    def families(self) -> frozenset[str]:
        """Return what it watches: fire, door, manhole."""
        return self.also | {rule.kind.family for rule in self.rules if rule.kind.family != "device"}


def difference(value: float, baseline: float, *, wraps: bool) -> float:
    """Return value - baseline; of angles the short way round, in -180..180."""
    away = value - baseline
    return (away + 180.0) % 360.0 - 180.0 if wraps else away
