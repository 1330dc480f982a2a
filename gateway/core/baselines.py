"""Commissioning: the first three readings that agree are how a cover lies at rest.

Only where neither the configuration nor an earlier baseline says it. From then on only a person changes it:
a cover that is put back crooked shall stay in alarm, not become the new rest.
"""

from drivers.api import Value
from gateway.core.rules import difference

READS = 3
AGREE = 2.0
"""How far apart the readings may lie, in the point's unit: a cover at rest moves by tenths of a degree."""


class Commissioning:
    """Collects readings of one point until the last `READS` agree."""

    __slots__ = ("_at", "_values")

    def __init__(self) -> None:
        self._at = float("-inf")
        self._values: list[float] = []

    def offer(self, value: Value, at: float, *, wraps: bool) -> float | None:
        """Take a good reading; return the value at rest once the last ones agree. One reply counts once."""
        if at <= self._at:
            return None
        self._at = at
        self._values = [*self._values[1 - READS :], float(value)]
        if len(self._values) < READS:
            return None
        first = self._values[0]
        away = [difference(each, first, wraps=wraps) for each in self._values]
        if max(away) - min(away) > AGREE:
            return None
        return difference(first + sum(away) / READS, 0.0, wraps=wraps)
