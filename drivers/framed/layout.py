"""How a product frames what it says: its parts in the order of the wire, each written as one short phrase.

    "53 59"                        bytes that are always the same: a header, a trailer, the end of a line
    "type 2"  "address 1"  "id 2"  what the frame is about, who speaks, its serial number; high byte first
    "length 2"                     how many bytes the data has
    "length 1 counts length..sum"  ... or all parts from one to another, themselves counted in
    "data"                         as many bytes as `length` says, or without it up to the bytes that end the frame
    "data 2"                       always so many
    "sum"  "crc16_modbus"          a checksum (see checksums.py) over all that stands before it
    "sum over length..data"        ... or over these parts
    "... low first"                the low byte comes first: "length 2 low first", "crc16_modbus low first"

`start` and `end` name the first and the last part. A frame that has no type is of type 0.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from drivers.framed.checksums import RULES

NumberName: TypeAlias = Literal["type", "length", "address", "id"]
NUMBERS: Final = ("type", "length", "address", "id")
MARK: Final = re.compile(r"[0-9A-Fa-f]{2}( [0-9A-Fa-f]{2})*")
PHRASE: Final = re.compile(
    r"(?P<name>[a-z_0-9]+)(?: (?P<size>\d+))?(?P<low> low first)?"
    r"(?: (?P<what>over|counts) (?P<first>\w+)(?:\.\.(?P<last>\w+))?)?"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """Bytes that are always the same."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Number:
    """A number in the frame. `first` and `last` are the parts a length counts."""

    name: NumberName
    size: int
    low_first: bool = False
    first: int = 0
    last: int = 0

    @property
    def order(self) -> Literal["little", "big"]:
        """Return the byte order as `int.from_bytes` calls it."""
        return "little" if self.low_first else "big"


@dataclass(frozen=True, slots=True)
class Data:
    """What the frame carries; `size` None: as its length says, or up to the mark that follows."""

    size: int | None


@dataclass(frozen=True, slots=True)
class Check:
    """A checksum over the parts from `first` to `last`."""

    rule: str
    low_first: bool
    first: int
    last: int

    @property
    def size(self) -> int:
        """Return how many bytes it takes."""
        return RULES[self.rule].size

    @property
    def order(self) -> Literal["little", "big"]:
        """Return the byte order as `int.from_bytes` calls it."""
        return "little" if self.low_first else "big"


Part: TypeAlias = Mark | Number | Data | Check


@dataclass(frozen=True, slots=True)
class Layout:
    """The frames of one product. `longest` is how many bytes of data are believed."""

    parts: tuple[Part, ...]
    longest: int = 64

    @property
    def mark(self) -> bytes:
        """Return the bytes every frame begins with; none where it begins with a number or with data."""
        return self.parts[0].data if self.parts and isinstance(self.parts[0], Mark) else b""

    def number(self, name: NumberName) -> Number | None:
        """Return the part of that name."""
        return next((part for part in self.parts if isinstance(part, Number) and part.name == name), None)

    def fixed_size(self, first: int, last: int) -> int:
        """Return how many bytes the parts from one to another take, data of no fixed size left out."""
        return sum(size_of(part) or 0 for part in self.parts[first : last + 1])


class LayoutError(Exception):
    """A phrase makes no sense: `index` is its place, `found` what stands there, `wanted` what should."""

    def __init__(self, index: int, found: str, wanted: str) -> None:
        super().__init__(index, found, wanted)
        self.index, self.found, self.wanted = index, found, wanted


def size_of(part: Part) -> int | None:
    """Return how many bytes a part takes; None: it depends."""
    return len(part.data) if isinstance(part, Mark) else part.size


def parse(phrases: Sequence[str], *, longest: int = 64) -> Layout:
    """Return the layout these phrases describe; LayoutError names the first that makes no sense."""
    names = [_name(index, phrase) for index, phrase in enumerate(phrases)]
    parts = tuple(_part(index, phrase, names) for index, phrase in enumerate(phrases))
    layout = Layout(parts, longest)
    _whole(layout, names)
    return layout


def _name(index: int, phrase: str) -> str:
    if MARK.fullmatch(phrase):
        return ""
    found = PHRASE.fullmatch(phrase)
    if found is None or found["name"] not in {*NUMBERS, "data", *RULES}:
        known = ", ".join((*NUMBERS, "data", *RULES))
        raise LayoutError(index, repr(phrase), f'bytes such as "53 59", or a phrase that begins with {known}')
    return found["name"]


def _part(index: int, phrase: str, names: Sequence[str]) -> Part:
    found = PHRASE.fullmatch(phrase) if names[index] else None
    if found is None:
        return Mark(bytes.fromhex(phrase))
    name, size, low = found["name"], int(found["size"] or 0), found["low"] is not None
    if name in RULES:
        if size or found["what"] == "counts":
            raise LayoutError(index, repr(phrase), f'"{name}", "{name} over data", "{name} low first"')
        first, last = _span(index, found, names) or (0, index - 1)
        if not first <= last < index:
            raise LayoutError(index, repr(phrase), "a checksum over parts that stand before it")
        return Check(name, low, first, last)
    if name == "data":
        if low or found["what"]:
            raise LayoutError(index, repr(phrase), '"data" or "data 2"')
        return Data(size or None)
    if not 1 <= size <= 4 or found["what"] == "over" or (found["what"] and name != "length"):
        raise LayoutError(index, repr(phrase), f'"{name}" and its size in bytes, 1 to 4: "{name} 2"')
    at = names.index("data") if "data" in names else 0
    return Number(
        NUMBERS_BY_NAME[name], size, low, *(_span(index, found, names) or (at, at))
    )  # a length counts the data unless it says more


NUMBERS_BY_NAME: Final[dict[str, NumberName]] = {
    "type": "type", "length": "length", "address": "address", "id": "id"
}  # fmt: skip


def _span(index: int, found: re.Match[str], names: Sequence[str]) -> tuple[int, int] | None:
    """Return the parts "over first..last" names."""
    if found["what"] is None:
        return None
    ends = [found["first"], found["last"] or found["first"]]
    places = {"start": 0, "end": len(names) - 1}
    for name in ends:
        if name not in names and name not in places:
            known = ", ".join(dict.fromkeys((*filter(None, names), *places)))
            raise LayoutError(index, repr(found[0]), f"names of parts: {known}")
    first, last = (places[name] if name in places else names.index(name) for name in ends)
    return first, last


def _whole(layout: Layout, names: Sequence[str]) -> None:
    """See that the parts make a frame whose end can be found."""
    end = max(0, len(names) - 1)
    for name in {*names} - {"", *RULES}:
        if names.count(name) > 1:
            raise LayoutError(end, f"{name} twice", "each of type, length, address, id and data once")
    if "data" not in names:
        raise LayoutError(end, "no data", 'a part "data"')
    at, length = names.index("data"), layout.number("length")
    data = layout.parts[at]
    assert isinstance(data, Data)
    ends_with_mark = at + 1 < len(names) and isinstance(layout.parts[at + 1], Mark)
    if data.size is None and length is None and not ends_with_mark:
        raise LayoutError(
            at, "data of any size", 'a part "length 1" before it, "data 2", or an end such as "0D 0A"'
        )
    if length is not None and names.index("length") > at:
        raise LayoutError(names.index("length"), "length after data", "the length before the data")
    if length is not None and not length.first <= at <= length.last:
        raise LayoutError(names.index("length"), "a length without the data", "a length that counts the data")
    if not (layout.mark or ends_with_mark or any(isinstance(part, Check) for part in layout.parts)):
        raise LayoutError(0, "nothing that tells a frame from noise", "a mark or a checksum")
