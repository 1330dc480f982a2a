"""What a panel's printer is to its driver: how its line runs, and the rules for what it prints."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from drivers.printer.paper import Paper
from drivers.printer.records import Records
from drivers.printer.rules import PANEL, Addressing, Rule


@dataclass(frozen=True, slots=True)
class PrinterWire:
    """A product as it leaves the factory.

    `lines` is the most lines of a record, 1: each line is one. `pause_s` ends what has begun. `regular_s` is the
    longest time in which it prints nothing at all, 0: it prints only what happens, and its silence says nothing.
    """

    rules: tuple[Rule, ...]
    addressing: Addressing
    baud: int = 9600
    parity: str = "none"
    stop_bits: int = 1
    encoding: str = "gb18030"
    lines: int = 1
    longest: int = 240
    pause_s: float = 1.0
    regular_s: float = 0.0
    begins: tuple[bytes, ...] = ()
    codes: Mapping[bytes, int] = field(default_factory=dict)
    address: int = PANEL

    def paper(self) -> Paper:
        """Return fresh paper."""
        return Paper(encoding=self.encoding, longest=self.longest, begins=self.begins, codes=self.codes)

    def records(self) -> Records:
        """Return what puts its lines together."""
        return Records(lines=self.lines, longest=self.longest)

    def address_of(self, text: str) -> int | None:
        """Return the address an installer wrote as the panel prints it; None if it is none."""
        return self.addressing.of_text(text)


@dataclass(frozen=True, slots=True)
class Spoken:
    """Where a point stands: nowhere but in what is printed; the rules say which of it sets the point."""

    def drawn(self) -> tuple[str, str]:
        """Return where it stands and what its bits mean, for people."""
        return "printed", "flag"
