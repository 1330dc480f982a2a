"""What a fire centre is told of what, as data: mapping.toml of this release with a site's own table over it. Pure.

Names become numbers here, once, so that the rest only adds bits. A mistake names the entry, what stood there and what
may stand there; all of them are told, not only the first.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import msgspec

from drivers.api import Text
from drivers.gb26875.tables import Quantity, Tables, standard
from gateway.core.faults import Fault, near, one_of, same, shown
from gateway.core.kinds import Kinds

TEST: Final = "test"
"""Not a bit of its own: it takes away the bit `normal`."""
NORMAL: Final = 1
LIKE_FIRE: Final = "fire.smoke"
PARTS: Final = ("building", "unit", "floor", "address")


class _Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    state: list[str | int] = []
    device: list[str | int] = []
    system: list[str | int] = []
    of: str | int = "fire_alarm"
    acknowledged: list[str | int] = []
    reset: list[str | int] = []
    answered: list[str | int] = []


class _Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    component: str | int
    system: str | int = "fire_alarm"


class _Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    quantity: str | int
    factor: float = 1.0


class _Address(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zone: dict[str, int]
    number: dict[str, int]


class _Shelved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    state: list[str | int] = []


_SECTIONS: Final[Mapping[str, type[msgspec.Struct]]] = {"kind": _Kind, "category": _Category, "unit": _Unit}
_SINGLE: Final[Mapping[str, type[msgspec.Struct]]] = {"address": _Address, "shelved": _Shelved}


@dataclass(frozen=True, slots=True)
class Word:
    """Bits that are set while an alert stands, and whether it takes the bit `normal` away."""

    bits: int = 0
    test: bool = False

    def __bool__(self) -> bool:
        return bool(self.bits) or self.test


@dataclass(frozen=True, slots=True)
class Told:
    """What a kind of alert is to a centre: words of component, device and system; operations as bits."""

    state: Word
    device: Word
    system: Word
    of: int
    acknowledged: int
    reset: int
    answered: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What an analog value is to a centre. `quantity` is None for a user's, which is told as it is."""

    number: int
    factor: float
    quantity: Quantity | None

    def told(self, value: float) -> int | None:
        """Return the number on the wire; None where there is none for this value."""
        if self.quantity is not None:
            return self.quantity.told(value * self.factor)
        scaled = value * self.factor
        return round(scaled) if -32768 <= scaled <= 32767 else None


@dataclass(frozen=True, slots=True)
class Mapped:
    """The whole of it, in numbers. `categories`: category -> (system, component)."""

    kinds: Mapping[str, Told]
    categories: Mapping[str, tuple[int, int]]
    units: Mapping[str, Measured]
    zone: Mapping[str, int]
    number: Mapping[str, int]
    shelved: int
    fire: int


def mapped(kinds: Kinds, own: str = "", file: str = "") -> tuple[Mapped | None, list[Fault]]:
    """Return what a centre is told, and what is wrong with a site's own TOML; None where anything is."""
    faults: list[Fault] = []
    tables = tomllib.loads(_built_in())
    try:
        over = tomllib.loads(own)
    except tomllib.TOMLDecodeError as error:
        wanted = Text("有效的 TOML", "valid TOML")
        return None, [Fault("file", same(str(error)), wanted, file=file)]
    for section in sorted(set(over) - set(tables)):
        hint = near(section, tables)
        faults.append(Fault(section, same(f"[{section}]"), one_of(sorted(tables)), hint, file=file))
    for section in _SECTIONS:
        tables[section] |= _table(over.get(section, {}), section, faults, file)
    for section in _SINGLE:
        tables[section] |= _table(over.get(section, {}), section, faults, file)
    maker = _Maker(standard(), faults, file)
    made = maker.make(tables, kinds)
    return (None if faults else made), faults


def number_in(part: str, text: str) -> int:
    """Return a part of a place as a number: digits, a letter's place in the alphabet, a basement from 61 on; else 0."""
    word = text.strip()
    if word.isascii() and word.isdigit():
        return int(word[:6])
    if part == "floor" and word[:1] in {"-", "B", "b"} and word[1:].isascii() and word[1:].isdigit():
        return 60 + int(word[1:3])
    if len(word) == 1 and word.isascii() and word.isalpha():
        return ord(word.upper()) - ord("A") + 1
    return 0


def _built_in() -> str:
    return resources.files("gateway.services.centre").joinpath("mapping.toml").read_text(encoding="utf-8")


def _table(value: object, key: str, faults: list[Fault], file: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    faults.append(Fault(key, shown(value), Text("一个表", "a table"), file=file))
    return {}


class _Maker:
    """Turns names into numbers and notes what is no name."""

    def __init__(self, tables: Tables, faults: list[Fault], file: str) -> None:
        self._tables, self._faults, self._file = tables, faults, file

    def make(self, tables: Mapping[str, Any], kinds: Kinds) -> Mapped:
        """Return the whole; faults of it are noted."""
        rows = {
            section: {
                name: row
                for name, raw in tables[section].items()
                if (row := self._convert(f'{section}."{name}"', raw, make)) is not None
            }
            for section, make in _SECTIONS.items()
        }
        told = {name: self._told(f'kind."{name}"', row) for name, row in rows["kind"].items()}
        for name in sorted(set(told) - set(kinds.by_name)):
            wanted = Text("kinds.toml 中的种类", "a kind of kinds.toml")
            self._fault(f'kind."{name}"', name, wanted, near(name, kinds.by_name))
        told = {**self._fires(told, kinds), **told}
        address = self._convert("address", tables["address"], _Address) or _Address({}, {})
        for key in ("zone", "number"):
            for part in set(getattr(address, key)) - set(PARTS):
                self._fault(f"address.{key}", part, one_of(PARTS), near(part, PARTS))
        shelved = self._convert("shelved", tables["shelved"], _Shelved) or _Shelved()
        return Mapped(
            kinds=told,
            categories={
                name: (
                    self._number(f'category."{name}".system', "system", row.system, 255),
                    self._number(f'category."{name}".component', "component", row.component, 255),
                )
                for name, row in rows["category"].items()
            },
            units={name: self._measured(f'unit."{name}"', row) for name, row in rows["unit"].items()},
            zone=address.zone,
            number=address.number,
            shelved=self._word("shelved.state", "state", shelved.state).bits,
            fire=self._tables.bits("state", ["fire"]),
        )

    def _fires(self, told: Mapping[str, Told], kinds: Kinds) -> dict[str, Told]:
        """Return what is told of fires that have no entry; one whose entry tells no fire is a fault."""
        fire = self._tables.bits("state", ["fire"])
        names = [name for name, kind in kinds.by_name.items() if kind.fire]
        for name in (name for name in names if name in told):
            if not (told[name].state.bits | told[name].system.bits) & fire:
                wanted = Text("state 或 system 里有 fire", "fire in state or in system")
                self._fault(f'kind."{name}"', name, wanted)
        return {name: told[LIKE_FIRE] for name in names if LIKE_FIRE in told}

    def _told(self, key: str, row: Any) -> Told:
        return Told(
            state=self._word(f"{key}.state", "state", row.state),
            device=self._word(f"{key}.device", "device_state", row.device),
            system=self._word(f"{key}.system", "system_state", row.system),
            of=self._number(f"{key}.of", "system", row.of, 255),
            acknowledged=self._word(f"{key}.acknowledged", "operation", row.acknowledged).bits,
            reset=self._word(f"{key}.reset", "operation", row.reset).bits,
            answered=self._word(f"{key}.answered", "operation", row.answered).bits,
        )

    def _word(self, key: str, table: str, names: Iterable[str | int]) -> Word:
        most = 7 if table in {"operation", "device_state"} else 15
        wanted = [name for name in names if table == "operation" or name != TEST]
        bits = {1 << self._number(key, table, name, most) for name in wanted}
        return Word(sum(bits), test=table != "operation" and TEST in names)

    def _measured(self, key: str, row: Any) -> Measured:
        number = self._number(f"{key}.quantity", "quantity", row.quantity, 255)
        found = self._tables.quantities.get(row.quantity) if isinstance(row.quantity, str) else None
        return Measured(number, row.factor, found)

    def _number(self, key: str, table: str, name: str | int, most: int) -> int:
        if isinstance(name, int):
            if 0 <= name <= most:
                return name
            self._fault(key, name, Text(f"0 到 {most}", f"0 to {most}"))
            return 0
        try:
            return self._tables.number(table, name)
        except KeyError:
            known = sorted(self._tables.named[table])
            named = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
            wanted = Text(f"{table} 表中的名称（{named}）或数字", f"a name of {table} ({named}), or a number")
            self._fault(key, name, wanted, near(name, known))
            return 0

    def _convert(self, key: str, raw: object, make: type[msgspec.Struct]) -> Any:
        try:
            return msgspec.convert(raw, make)
        except msgspec.ValidationError as error:
            self._fault(key, raw, same(str(error)))
            return None

    def _fault(self, key: str, found: object, wanted: Text, hint: Text | None = None) -> None:
        self._faults.append(Fault(key, shown(found), wanted, hint, file=self._file))
