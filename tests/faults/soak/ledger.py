"""What really happened, written down by the world itself, and held against what arrived. Pure: no clock, no files.

The ledger knows nothing of the gateway. A `Cause` is something in the pretend compound that must be told (a fire)
or may be told (a line that is noisy); `judge` says what was lost, invented, told under one number in two ways, or
fell out of the chain in which each alert event names the one before.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

LATE_S = 5.0  # a clock that is read in two processes


@dataclass(slots=True)
class Cause:
    """Something that happened. `most` is how many alerts may come of it, `required` whether one must."""

    kinds: frozenset[str]
    device: str | None
    began: float
    required: bool = True
    most: int = 1
    told: list[str] = field(default_factory=list)  # the lives of the alerts that came of it

    def __str__(self) -> str:
        return f"{'/'.join(sorted(self.kinds))} of {self.device or 'the gateway'} at {self.began:.1f}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One alert event as it arrived; `number` is (epoch, seq), `at` seconds on the ledger's clock."""

    number: tuple[int, int]
    previous: tuple[int, int] | None
    life: str
    kind: str
    device: str | None
    at: float
    content: bytes = b""
    state: str = ""
    point: str | None = None
    count: int = 1


class Ledger:
    """Everything that happened so far."""

    def __init__(self) -> None:
        self.causes: list[Cause] = []

    def happened(
        self, *kinds: str, device: str | None, now: float, required: bool = True, most: int = 1
    ) -> Cause:
        """Write down what has just begun; call it before it begins."""
        cause = Cause(frozenset(kinds), device, now, required, most)
        self.causes.append(cause)
        return cause

    def may_bring(self, *kinds: str, device: str | None = None, now: float, most: int = 1) -> Cause:
        """Write down what may be told of from now on, and need not."""
        return self.happened(*kinds, device=device, now=now, required=False, most=most)


def judge(ledger: Ledger, arrivals: Iterable[Arrival]) -> list[str]:
    """Return every violation in words, none where all is well. Fills in what came of each cause."""
    arrived = sorted(arrivals, key=lambda each: (each.number, each.at))
    found = [*_two_of_one_number(arrived), *_missing_links(arrived)]
    for cause in ledger.causes:
        cause.told.clear()
    lives: dict[str, Arrival] = {}
    for each in arrived:
        lives.setdefault(each.life, each)
    for first in lives.values():
        if (of := _cause_of(ledger.causes, first)) is not None:
            of.told.append(first.life)
        else:
            found.append(f"invented: {first.kind} of {first.device}, number {first.number}")
    found += [f"lost: {cause}" for cause in ledger.causes if cause.required and not cause.told]
    return found


def _cause_of(causes: Sequence[Cause], first: Arrival) -> Cause | None:
    """Return what a life comes of: what must be told before what may, what began first of those."""
    fitting = [
        cause
        for cause in causes
        if first.kind in cause.kinds
        and cause.device in {first.device, ANY}
        and cause.began <= first.at + LATE_S
        and len(cause.told) < cause.most
    ]
    return min(fitting, key=lambda cause: (not cause.required, bool(cause.told), cause.began), default=None)


ANY = "*"
"""The device of a cause that may concern any of them."""


def _two_of_one_number(arrived: Sequence[Arrival]) -> list[str]:
    said: dict[tuple[int, int], set[bytes]] = defaultdict(set)
    for each in arrived:
        said[each.number].add(each.content)
    return [
        f"number {number} stands for {len(each)} things" for number, each in said.items() if len(each) > 1
    ]


def _missing_links(arrived: Sequence[Arrival]) -> list[str]:
    known = {each.number for each in arrived}
    missing = {each.previous for each in arrived if each.previous is not None} - known
    return [f"lost: event {number} is named by the next one and never came" for number in sorted(missing)]
