"""Lines that belong together: a record is one line, or a block of lines up to an empty one. Pure, told nothing of time.

A block also ends where a code begins the next, and where nothing comes any more; one of more lines than any record
has is cut. A form feed ends a line and no block, for pages end in the middle of things; a line of mere spaces
neither ends a block nor is part of it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from drivers.printer.paper import Printed

MOST_BROKEN: Final = 0.2  # of its letters


@dataclass(frozen=True, slots=True)
class Record:
    """What belongs together. `text` has its lines, joined by line feeds; `readable`: a person could read it."""

    text: str
    raw: bytes
    readable: bool


class Records:
    """Puts lines together. `lines` is the most that a record has; 1: each line is one."""

    def __init__(self, *, lines: int, longest: int) -> None:
        self._most, self._longest = lines, longest
        self._block: list[Printed] = []

    @property
    def is_waiting(self) -> bool:
        """Say whether a block has begun."""
        return bool(self._block)

    def take(self, lines: Iterable[Printed]) -> Iterator[Record]:
        """Take lines; yield the records that end with them."""
        for line in lines:
            if line.begins or not line.raw:
                yield from self.rest()
            if line.text:
                self._block.append(line)
            if len(self._block) >= self._most:
                yield from self.rest()

    def rest(self) -> Iterator[Record]:
        """Nothing comes any more: yield what has begun."""
        block, self._block = self._block, []
        if block:
            text = "\n".join(line.text for line in block)[: self._longest]
            broken, letters = sum(line.broken for line in block), sum(len(line.text) for line in block)
            yield Record(text, b"\n".join(line.raw for line in block), broken <= letters * MOST_BROKEN)
