"""The four tables of a Modbus device, sparse: what is not there answers exception 2, as in a real product."""

import itertools
from collections.abc import Sequence
from typing import Final

from drivers.modbus.wire import Register, Table

TABLE_OF: Final[dict[int, Table]] = {
    1: "coil",
    2: "discrete",
    3: "holding",
    4: "input",
    5: "coil",
    6: "holding",
    15: "coil",
    16: "holding",
}
BRIDGED_SPAN: Final = 64  # products answer for small holes between their registers, not for large ones


class Image:
    """Coils, discrete inputs, holding and input registers of one device."""

    def __init__(self) -> None:
        self._tables: dict[Table, dict[int, int]] = {"coil": {}, "discrete": {}, "holding": {}, "input": {}}

    def add(self, register: Register) -> None:
        """Make a register exist; it keeps its words if it does already."""
        words = self._tables[register.table]
        for address in range(register.address, register.address + register.count):
            words.setdefault(address, 0)

    def bridge(self) -> None:
        """Fill the small holes between registers with zeros."""
        for words in self._tables.values():
            known = sorted(words)
            for low, high in itertools.pairwise(known):
                if high - low <= BRIDGED_SPAN:
                    words.update(dict.fromkeys(range(low + 1, high), 0))

    def exists(self, table: Table) -> bool:
        """Say whether the device has this table at all."""
        return bool(self._tables[table])

    def has(self, table: Table, address: int, count: int = 1) -> bool:
        """Say whether all of the words exist."""
        words = self._tables[table]
        return all(at in words for at in range(address, address + count))

    def read(self, table: Table, address: int, count: int) -> tuple[int, ...] | None:
        """Return the words, or None if one of them does not exist."""
        words = self._tables[table]
        try:
            return tuple([words[at] for at in range(address, address + count)])
        except KeyError:
            return None

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Set words that exist: whoever calls has asked `has`."""
        self._tables[table].update(enumerate(values, start=address))

    def words(self, register: Register) -> tuple[int, ...]:
        """Return the words of a register that exists."""
        words = self._tables[register.table]
        return tuple([words[register.address + index] for index in range(register.count)])
