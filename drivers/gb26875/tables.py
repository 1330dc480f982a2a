"""Names of the standard's numbers, read from tables.toml: both ways, for what is sent and for what is shown."""

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, TypeAlias

from drivers.api import Text

TABLES: Final = ("system", "component", "state", "system_state", "device_state", "operation", "quantity")


@dataclass(frozen=True, slots=True)
class Entry:
    """One number of a table, in words."""

    name: str
    number: int
    title: Text


@dataclass(frozen=True, slots=True)
class Quantity:
    """What an analog value is of: one `step` of its `unit` is 1 on the wire, from `least` to `most` of the unit."""

    name: str
    number: int
    step: float
    unit: str
    least: float
    most: float
    title: Text

    def told(self, value: float) -> int | None:
        """Return a value as it goes on the wire; None where the standard has no number for it."""
        steps = round(value / self.step) if self.least <= value <= self.most else None
        return steps if steps is not None and -32768 <= steps <= 32767 else None


Table: TypeAlias = Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Tables:
    """All of them, by name."""

    named: Mapping[str, Table]
    quantities: Mapping[str, Quantity]

    def number(self, table: str, name: str) -> int:
        """Return the number of a name; KeyError if the table has none."""
        return self.named[table][name].number

    def title(self, table: str, number: int) -> Text:
        """Return a number in words; the number itself where it is a user's or unknown."""
        found = (each.title for each in self.named[table].values() if each.number == number)
        return next(found, Text(f"类型 {number}", f"type {number}"))

    def bits(self, table: str, names: Iterable[str]) -> int:
        """Return the word in which the bits of these names are set."""
        return sum({1 << self.number(table, name) for name in names})

    def set_bits(self, table: str, word: int) -> list[Entry]:
        """Return what is set in a word, lowest bit first."""
        entries = sorted(self.named[table].values(), key=lambda each: each.number)
        return [each for each in entries if word >> each.number & 1]


@functools.cache
def standard() -> Tables:
    """Return the tables of the standard. The file is part of the code: it is read as an import is."""
    text = resources.files("drivers.gb26875").joinpath("tables.toml").read_text(encoding="utf-8")
    return _tables(tomllib.loads(text))


def _tables(file: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Tables:
    named = {
        table: {
            name: Entry(name, each["number"], Text(each["zh"], each["en"])) for name, each in rows.items()
        }
        for table, rows in file.items()
    }
    quantities = {
        name: Quantity(
            name,
            each["number"],
            each["step"],
            each["unit"],
            each["least"],
            each["most"],
            Text(each["zh"], each["en"]),
        )
        for name, each in file["quantity"].items()
    }
    return Tables(named, quantities)
