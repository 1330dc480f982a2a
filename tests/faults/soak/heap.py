"""Who holds the memory of a process in which the gateway and the world around it live together.

The garbage collector knows every object and what it holds. What the harness' own objects hold, however far from them,
is the harness', up to the first object that is the product's; all else in the process is the product's, what a
library keeps for it too. So it matters who holds a block and not who made it: bytes that the pretend world sent and a
driver keeps are the driver's, an alert that somebody forgot in a list is the product's wherever the list may be.

What is not seen: memory that C code takes for itself (SQLite's pages, TLS). For that the resident memory of real
processes is watched, `watching`. tracemalloc would tell the line that asked for each block, and makes a virtual hour
take four to fifteen times as long.
"""

import asyncio
import enum
import gc
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import CoroutineType, FrameType, FunctionType, GeneratorType, ModuleType
from typing import Final

WORST: Final = 8  # types told of a part that grows
SHARED: Final = (
    type,
    ModuleType,
    FunctionType,
    asyncio.AbstractEventLoop,
)  # lead everywhere; counted as product
_product_types: dict[type, bool] = {}

Place = tuple["Part", str]


class Part(enum.Enum):
    """Whose something is."""

    PRODUCT = "product"
    HARNESS = "harness"


@dataclass(frozen=True, slots=True)
class Heap:
    """Bytes held, by whose they are and the type of what is held."""

    places: Mapping[Place, int]

    def kb(self, part: Part) -> float:
        """Return how much a part holds, in kB (10^3 bytes)."""
        return sum(size for (whose, _), size in self.places.items() if whose is part) / 1e3

    def grown_since(self, before: "Heap", part: Part) -> Iterator[str]:
        """Yield in words the types of which a part holds more than before, the worst first."""
        more: Counter[str] = Counter()
        for (whose, what), size in self.places.items():
            if whose is part:
                more[what] = size - before.places.get((whose, what), 0)
        return (f"{size / 1e3:+9.1f} kB  {what}" for what, size in more.most_common(WORST) if size > 0)


class Before:
    """All that there is when it is made, and is to be left out of a look; it stays there as long as this does."""

    def __init__(self) -> None:
        gc.collect()
        self.ids: set[int] = set()
        self._all: list[object] = []
        stack = gc.get_objects()
        while stack:
            one = stack.pop()
            if id(one) not in self.ids:
                self.ids.add(id(one))
                self._all.append(one)
                stack += gc.get_referents(one)


def look(harness: Iterable[object], before: Before | None = None) -> Heap:
    """Return what is held now; `harness` are objects from which all of the harness can be reached."""
    gc.collect()
    everything = gc.get_objects()
    places: Counter[Place] = Counter()
    seen: set[int] = set()
    seen |= {id(each) for each in (everything, places, seen)}
    known = before.ids if before is not None else seen
    _count(list(harness), Part.HARNESS, places, seen, known)
    _count(everything, Part.PRODUCT, places, seen, known)
    return Heap(places)


def _count(stack: list[object], part: Part, places: Counter[Place], seen: set[int], known: set[int]) -> None:
    """Count what can be reached from the stack, was not seen yet and is not known."""
    seen.add(id(stack))
    sizes: Counter[type] = Counter()
    while stack:
        one = stack.pop()
        if (
            id(one) in seen
            or id(one) in known
            or isinstance(one, SHARED)
            or (part is Part.HARNESS and is_products(one))
        ):
            continue
        seen.add(id(one))
        sizes[type(one)] += sys.getsizeof(one)
        stack += gc.get_referents(one)
    for kind, size in sizes.items():
        places[part, f"{kind.__module__}.{kind.__qualname__}"] += size


def is_products(one: object) -> bool:
    """Return whether an object is where the harness ends: the product's, or the loop in which both run."""
    if isinstance(one, CoroutineType):
        return not _is_ours(one.cr_code.co_filename)
    if isinstance(one, GeneratorType):
        return not _is_ours(one.gi_code.co_filename)
    if isinstance(one, FrameType):
        return not _is_ours(one.f_code.co_filename)
    if isinstance(one, asyncio.AbstractEventLoop):
        return True
    kind = type(one)
    if kind not in _product_types:
        _product_types[kind] = any(_of_product(each.__module__) for each in kind.__mro__)
    return _product_types[kind]


def _of_product(module: object) -> bool:
    return str(module).startswith(("gateway.", "drivers.")) and not str(module).startswith("drivers.sim")


def _is_ours(file: str) -> bool:
    return "/tests/" in file or "/drivers/sim/" in file
