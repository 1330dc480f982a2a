"""Whose the memory of a process is in which the gateway and the world around it live together.

Python itself says of every block still held which lines of code asked for it (tracemalloc). The innermost line of ours
among them decides: what gateway/ and drivers/ asked for, also through a library, is the product's; what tests/ and the
pretend peers of drivers/sim/ asked for is the harness'. What no line of ours asked for, a library's own, counts as the
product's. What an event loop runs was asked for by what runs, not by who started the loop.

What is not seen: memory that C code takes from the system itself (SQLite's pages, TLS). That is what the resident
memory of real processes is watched for, `watching`.
"""

import enum
import gc
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FRAMES: Final = 16  # from asyncio's own to the line of ours: 9 were the most seen
ROOT: Final = Path(__file__).parents[3]
LOOP: Final = "/asyncio/events.py"  # Handle._run: below it is whoever started the loop
WORST: Final = 8  # lines told of a part that grows

Place = tuple["Part", str]


class Part(enum.Enum):
    """Whose a block is."""

    PRODUCT = "product"
    HARNESS = "harness"


@dataclass(frozen=True, slots=True)
class Heap:
    """Bytes held, by whose they are and the line that asked for them."""

    places: Mapping[Place, int]

    def kb(self, part: Part) -> float:
        """Return how much a part holds, in kB (10^3 bytes)."""
        return sum(size for (whose, _), size in self.places.items() if whose is part) / 1e3

    def grown_since(self, before: "Heap", part: Part) -> Iterator[str]:
        """Yield in words the lines of a part that hold more than before, the worst first."""
        more = Counter(
            {
                where: size - before.places.get((whose, where), 0)
                for (whose, where), size in self.places.items()
                if whose is part
            }
        )
        return (f"{size / 1e3:+9.1f} kB  {where}" for where, size in more.most_common(WORST) if size > 0)


def begin() -> None:
    """Have everything counted from now on."""
    tracemalloc.start(FRAMES)


def look() -> Heap:
    """Return what is held now, what nobody can reach any more left out."""
    gc.collect()
    places: Counter[Place] = Counter()
    for found in tracemalloc.take_snapshot().statistics("traceback"):
        part, number = whose([frame.filename for frame in found.traceback])
        frame = found.traceback[number]
        places[part, f"{_short(frame.filename)}:{frame.lineno}"] += found.size
    return Heap(places)


def whose(files: Sequence[str]) -> tuple[Part, int]:
    """Return whose a block is by the files of the lines that asked for it, outermost first, and which line decides."""
    for number in range(len(files) - 1, -1, -1):
        if files[number].endswith(LOOP):
            break
        if (part := _part(files[number])) is not None:
            return part, number
    return Part.PRODUCT, len(files) - 1


def _part(file: str) -> Part | None:
    place = _short(file)
    if place.startswith(("tests/", "drivers/sim/")):
        return Part.HARNESS
    return Part.PRODUCT if place.startswith(("gateway/", "drivers/")) else None


def _short(file: str) -> str:
    return file.removeprefix(f"{ROOT}/")
