"""What a record means: the first rule whose pattern is found in it says which points become what, and at which address.

An address is a number put together from the numbers a panel prints: with { loop = 1000, device = 1 } loop 4, device 17
is 4017. An installer writes it in his list as it is printed, "004-017", or as the number.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_NUMBER: Final = re.compile(r"\d{1,9}", re.ASCII)
MOST_ADDRESS: Final = 999_999_999
PANEL: Final = 0
"""The address of the panel itself, and of all that it prints without one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of record. No `sets`: it is known and says nothing.

    `everywhere`: what it sets, it sets for every address of the panel: a reset. `adds` is added to its addresses, where
    a panel numbers its modules as it does its detectors. `sample` is such a record as it is printed, with the groups of
    the pattern to be filled in: "{loop:03}-{device:03}".
    """

    name: str
    pattern: re.Pattern[str]
    sets: Mapping[str, bool]
    everywhere: bool
    adds: int
    sample: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a record says: which rule knew it, the address it is about, what the panel itself says of where that is.

    `which` tells apart what has no address, as it is printed: a zone, an input of the panel.
    """

    rule: Rule
    address: int
    place: str
    which: str = ""


@dataclass(frozen=True, slots=True)
class Addressing:
    """How the numbers in a record make an address: each named group times its weight."""

    weights: Mapping[str, int]

    def of_groups(self, groups: Mapping[str, str | None]) -> int:
        """Return the address of what a pattern found; PANEL where it found none, or something that is no number."""
        try:
            return sum(int(groups.get(name) or 0) * weight for name, weight in self.weights.items())
        except ValueError:
            return PANEL  # its text says where: better the panel as the place than no fire

    def of_text(self, text: str) -> int | None:
        """Return the address somebody wrote as it is printed, or as the number; None if it is neither."""
        numbers = [int(number) for number in _NUMBER.findall(text)]
        if len(numbers) == len(self.weights):
            address = sum(
                number * weight for number, weight in zip(numbers, self.weights.values(), strict=True)
            )
        elif len(numbers) == 1:
            address = numbers[0]
        else:
            return None
        return address if PANEL < address <= MOST_ADDRESS else None

    def parts_of(self, address: int) -> dict[str, int]:
        """Return the numbers a panel prints for an address: the weights must fall for that."""
        parts = {}
        for name, weight in self.weights.items():
            parts[name], address = divmod(address, weight)
        return parts


def meaning_of(text: str, rules: Sequence[Rule], addressing: Addressing) -> Meaning | None:
    """Return what a record means; None: no rule knows it."""
    for rule in rules:
        if (found := rule.pattern.search(text)) is not None:
            groups = found.groupdict()
            address = addressing.of_groups(groups)
            place = (groups.get("place") or "").strip()
            return Meaning(rule, address + rule.adds if address else PANEL, place, groups.get("which") or "")
    return None
