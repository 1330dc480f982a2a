"""Whether a gateway that lives in this process among faults stays as large as it was: looks at it, a table, a verdict.

Looks count in quiet moments only: while a broker is away or a disk is full there is more to hold. What an hour adds
after the first, which is growth by nature (caches, the first of everything), must be nothing: the bound of each figure
is what a year makes of it, and the verdict falls only where the growth surely lies above.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.soak import heap, vitals
from tests.faults.soak.heap import Before, Heap, Part
from tests.faults.soak.trend import HOUR_S, Trend, trend

WARM_S: Final = HOUR_S
BOUNDS: Final = {  # what may be added in an hour
    "product_kb": 2.0,  # 18 MB a year
    "descriptors": 0.01,  # 1 in 4 days
    "threads": 0.01,
    "tasks": 0.01,
    "wal_kb": 10.0,
}
SHOWN: Final = ("product_kb", "harness_kb", "memory_kb", *tuple(BOUNDS)[1:], "disk_kb")
"""The harness keeps account of every alert, and the journal every row for 400 days: both grow, and are told only."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look, `at` seconds after the beginning. What is held by whom, in kB (10^3 bytes); `tasks` of the loop."""

    at: float
    product_kb: float
    harness_kb: float
    memory_kb: float  # resident, with all that keeping account takes
    descriptors: int
    threads: int
    tasks: int
    wal_kb: float
    disk_kb: float  # all of the state directory


class Account:
    """Keeps account. `state` says where the gateway's files are now, `harness` which objects hold all that is ours.

    What was there `before` is left out of it.
    """

    def __init__(
        self,
        state: Callable[[], Path],
        harness: Sequence[object],
        *,
        warm_s: float = WARM_S,
        before: Before | None = None,
    ) -> None:
        self.looks: list[Look] = []
        self._state, self._harness, self._warm_s = state, (self, *harness), warm_s
        self._before = before
        self._first: Heap | None = None
        self._last = Heap({})

    def look(self, at: float) -> None:
        """Look, `at` seconds after the beginning."""
        self._last = heap.look(self._harness, self._before)
        if self._first is None and at >= self._warm_s:
            self._first = self._last
        sample = vitals.look(os.getpid(), at)
        assert sample is not None
        sizes = {file.name: file.stat().st_size / 1e3 for file in self._state().iterdir() if file.is_file()}
        self.looks.append(
            Look(
                at,
                self._last.kb(Part.PRODUCT),
                self._last.kb(Part.HARNESS),
                sample.memory_mb * 1e3,
                sample.descriptors,
                sample.threads,
                len(asyncio.all_tasks()),
                sizes.get("journal.db-wal", 0.0),
                sum(sizes.values()),
            )
        )

    def trends(self) -> dict[str, Trend]:
        """Return how each figure goes after the first hour; nothing for too few looks."""
        warm = [look for look in self.looks if look.at >= self._warm_s]
        found = {what: trend([(look.at, float(getattr(look, what))) for look in warm]) for what in SHOWN}
        return {what: how for what, how in found.items() if how is not None}

    def table(self) -> Iterator[str]:
        """Yield the lines of a table: each hour's last quiet look, then what an hour adds to each figure."""
        yield f"{'hour':>6}" + "".join(f"{what:>13}" for what in SHOWN)
        hours = {int(look.at // HOUR_S): look for look in self.looks}
        for look in hours.values():
            yield f"{look.at / HOUR_S:6.2f}" + "".join(f"{getattr(look, what):13.0f}" for what in SHOWN)
        for what, how in self.trends().items():
            bound = f"{BOUNDS[what]:g}" if what in BOUNDS else "told only"
            yield f"{what:12} an hour adds {how}, at most {bound}: {self._verdict(what, how)}"

    def judge(self) -> list[str]:
        """Return in words what grows, with the types that take more than after the first hour."""
        found = [
            f"{what} grows by {how} each hour"
            for what, how in self.trends().items()
            if self._verdict(what, how) == "grows"
        ]
        if any(each.startswith("product_kb") for each in found) and self._first is not None:
            found += self._last.grown_since(self._first, Part.PRODUCT)
        return found

    def _verdict(self, what: str, how: Trend) -> str:
        return "not judged" if what not in BOUNDS else "grows" if how.grows(BOUNDS[what]) else "flat"
