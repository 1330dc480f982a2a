"""Looks at living processes each ten seconds, whatever is broken just then, and says how each of their figures goes.

What is left of a look is a line in a CSV file. Judged is the last half of each process's last life: `vitals` says what
is looked at, `trend` how it goes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.faults.soak import vitals
from tests.faults.soak.trend import HOUR_S, Trend, trend

EVERY_S = 10.0
BOUNDS = {"memory_mb": 1.0, "private_mb": 1.0, "descriptors": 0.5, "threads": 0.5}
"""How much more of it there may be at the end of the last half than at its beginning."""


class Watch:
    """Watches processes. `pids` says which they are now: 0 while one is away."""

    def __init__(self, file: Path, pids: Mapping[str, Callable[[], int]]) -> None:
        self.lives: dict[str, int] = defaultdict(int)
        self._file, self._pids, self._next = file, pids, 0.0
        self._known: dict[str, tuple[int, float]] = {}
        self._looks: dict[str, list[vitals.Sample]] = {}
        self._file.write_text("seconds,process,pid,age_s," + ",".join(BOUNDS) + "\n", encoding="utf-8")

    def look(self, elapsed: float) -> None:
        """Look, when it is time."""
        if elapsed < self._next:
            return
        self._next = elapsed + EVERY_S
        for name, pid_of in self._pids.items():
            if pid := pid_of():
                self._look_at(name, pid, elapsed)

    def _look_at(self, name: str, pid: int, elapsed: float) -> None:
        if self._known.get(name, (0, 0.0))[0] != pid:
            self._known[name] = (pid, elapsed)
            self._looks[name] = []
            self.lives[name] += 1
        age = elapsed - self._known[name][1]
        sample = vitals.look(pid, age)
        if sample is None:
            return
        self._looks[name].append(sample)
        with self._file.open("a", encoding="utf-8") as file:
            figures = ",".join(f"{getattr(sample, what):g}" for what in BOUNDS)
            file.write(f"{elapsed:.0f},{name},{pid},{age:.0f},{figures}\n")

    def trends(self) -> Iterator[tuple[str, str, float, Trend]]:
        """Yield process, figure, the last look's value and the trend over the last half of its last life."""
        for name, looks in self._looks.items():
            half = looks[len(looks) // 2 :]
            for what in BOUNDS:
                points = [(each.age, float(getattr(each, what))) for each in half]
                if (found := trend(points)) is not None:
                    yield name, what, points[-1][1], found

    def judge(self) -> list[str]:
        """Return in words what grew."""
        found = []
        for name, what, last, how in self.trends():
            looks = self._looks[name]
            hours = (looks[-1].age - looks[len(looks) // 2].age) / HOUR_S
            if hours and how.grows(BOUNDS[what] / hours):
                found.append(f"{name}: {what} grows by {how}, it is {last:g} now")
        return found
