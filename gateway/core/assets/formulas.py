"""How a derived point is written, and what becomes of it: one key that says what of, and the numbers that go with it.

    same = "level"                                   the part's own value
    scaled = "distance", zero = 1100, full = 200     0 to 100 %; slack = 25: so many % outside mean nothing
    difference = ["inlet", "outlet"]                 the first less the second
    least = [...]    most = [...]                    of a group
    median = "distance", reads = 3                   the middle one of the last readings
    rate = "level", per_s = 3600, over_s = 900       how fast it changes, whatever single readings say
    falls = "fill", by = 40, within_s = 1800         how often it fell at once; outlives a restart
    rose = "collections"                             when a count last rose, seconds since 1970; outlives a restart
    is = "fill", above = 90, clear = 70              on or off; or below, or when = 3 or [1, 2];
                                                     clear left out: a fifth back; on_s, off_s: so long first
    lasts = "occupied"                               for how many minutes it has been on; outlives a restart
    any = [...]   all = [...]   at_least = [...], many = 3   of a group, those that are on; when = false: that are off;
    count = [...]                                    above = 50 or below = ...: that are past it; how many of a group
    ordered = true                                   what a person switches on, and for how long
    given = true                                     what a service of the gateway knows of it
    during = true, begins = 22, ends = 6             whether it is between two hours of the day
    changed = ["doors", "taps"]                      whether one of a group says something else than before
    quiet = ["moved", "away"], past_min = 720        for how many minutes nothing moved; of a third source, the night,
                                                     none is counted; outlives a restart; see watches.py
    left = ["bed", "night"], past_min = 20           for how many minutes somebody is out of bed at night; as above
    away = ["moved", "leaves"], days = 14            0 at home, 1 away, 2 for too long; ordered or a button; as above
    blind = "moved", after_s = 3600                  whether nothing good was heard of it for so long

A source is another point of the asset, or one of its parts. Instead of a number a setting may stand, or a
product of such: "0.6 high".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from drivers.api import Text, Value
from gateway.core.assets.joints import AtLeast, Count, Difference, Extreme
from gateway.core.assets.moments import Away, Blind, During
from gateway.core.assets.seen import Seen
from gateway.core.assets.states import Given, Is, Lasts, Ordered, Same, Scaled, When
from gateway.core.assets.watches import Changed, Left, Quiet
from gateway.core.assets.windows import Falls, Median, Rate
from gateway.core.rule_tables import CLEAR_SHARE
from gateway.core.rules import Above, Below, Equals, Test

ALL: Final = 0  # of `many`: every one of them
SAME_UNIT: Final = "="
MOST_SOURCES: Final = 64


class Cell(Protocol):
    """What makes one derived point; told its sources each time one of them was read."""

    def take(self, sources: Sequence[Seen | None], wall: float) -> Seen | None:
        """Return what the point is now; None where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one formula, settings filled in; `values` is what `when` lists."""

    by_name: Mapping[str, float]
    values: tuple[Value, ...]
    sources: int

    def __getitem__(self, name: str) -> float:
        """Return a number; KeyError if it is not there."""
        return self.by_name[name]


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of formula. `needs` are numbers it must have, `may` those with a default; `unit` what it gives.

    `whole`: without one of its sources it means nothing; the others do with those that are there.
    """

    make: Callable[[Numbers], Cell]
    several: bool = False
    whole: bool = True
    needs: tuple[str, ...] = ()
    may: Mapping[str, float] = field(default_factory=dict)
    unit: str | None = None
    tests: bool = False


def _group(many: int) -> Callable[[Numbers], Cell]:
    return lambda numbers: AtLeast(many or numbers.sources, _test(numbers))


def _is(numbers: Numbers) -> Cell:
    return Is(_test(numbers), numbers["on_s"], numbers["off_s"])


def _test(numbers: Numbers) -> Test:
    given = numbers.by_name
    if "above" in given:
        return Above(given["above"], given.get("clear", _back(given["above"], -1)))
    if "below" not in given:
        return Equals(numbers.values or (True,))
    return Below(given["below"], given.get("clear", _back(given["below"], 1)))


def _back(limit: float, side: int) -> float:
    """Return where it is normal again if nobody says: a fifth back, as rules have it."""
    return limit * (1 + side * CLEAR_SHARE) if limit > 0 else limit


OPERATIONS: Final[Mapping[str, Operation]] = {
    "same": Operation(lambda _: Same(), unit=SAME_UNIT),
    "scaled": Operation(
        lambda n: Scaled(n["zero"], n["full"], n["slack"]),
        needs=("zero", "full"),
        may={"slack": 25.0},
        unit="%",
    ),
    "difference": Operation(lambda _: Difference(), several=True, unit=SAME_UNIT),
    "least": Operation(lambda _: Extreme(most=False), several=True, whole=False, unit=SAME_UNIT),
    "most": Operation(lambda _: Extreme(most=True), several=True, whole=False, unit=SAME_UNIT),
    "median": Operation(lambda n: Median(n["reads"]), may={"reads": 3.0}, unit=SAME_UNIT),
    "rate": Operation(lambda n: Rate(n["per_s"], n["over_s"]), needs=("per_s", "over_s")),
    "falls": Operation(lambda n: Falls(n["by"], n["within_s"]), needs=("by", "within_s")),
    "rose": Operation(lambda _: When(), unit="unix s"),
    "is": Operation(_is, may={"on_s": 0.0, "off_s": 0.0}, tests=True),
    "lasts": Operation(lambda _: Lasts(), unit="min"),
    "any": Operation(_group(1), several=True, whole=False, tests=True),
    "all": Operation(_group(ALL), several=True, tests=True),
    "at_least": Operation(
        lambda n: AtLeast(int(n["many"]), _test(n)), several=True, whole=False, needs=("many",), tests=True
    ),
    "count": Operation(lambda n: Count(_test(n)), several=True, whole=False, tests=True),
    "ordered": Operation(lambda _: Ordered()),
    "given": Operation(lambda _: Given()),
    "during": Operation(lambda n: During(n["begins"], n["ends"]), needs=("begins", "ends")),
    "changed": Operation(lambda n: Changed(n.sources), several=True, whole=False),
    "quiet": Operation(
        lambda n: Quiet(n["past_min"], n["gap_s"]),
        several=True,
        needs=("past_min",),
        may={"gap_s": 3600.0},
        unit="min",
    ),
    "left": Operation(
        lambda n: Left(n["past_min"], n["back_s"], n["gap_s"]),
        several=True,
        needs=("past_min",),
        may={"back_s": 30.0, "gap_s": 3600.0},
        unit="min",
    ),
    "away": Operation(
        lambda n: Away(n["days"], n["grace_s"]),
        several=True,
        whole=False,
        needs=("days",),
        may={"grace_s": 900.0},
    ),
    "blind": Operation(lambda n: Blind(n["after_s"]), needs=("after_s",)),
}
LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "slack": (0, 1000), "reads": (1, 99), "per_s": (1, 86_400), "over_s": (10, 86_400), "by": (1e-9, 1e9),
    "within_s": (10, 86_400), "on_s": (0, 86_400), "off_s": (0, 86_400), "many": (1, MOST_SOURCES),
    "begins": (0, 24), "ends": (0, 24), "past_min": (0.1, 43_200), "gap_s": (60, 86_400), "back_s": (0, 3600),
    "days": (0.01, 90), "grace_s": (0, 86_400), "after_s": (60, 86_400),
}  # fmt: skip
"""What a number may be, where not anything."""
OF_POINTS: Final = ("name", "unit", "deadband", "inner", "discreet")
TESTS: Final = ("above", "below", "when")
STANDS_ALONE: Final = ("ordered", "given", "during")
"""Formulas that stand on no reading."""
WANTED: Final = Text("一个数，或设置项的名字", "a number, or the name of a setting")
