"""What a point and a product are on the OSDP wire, and the steps its actions are made of.

A point is one byte of a status reply: an input, an output, or one of the two local states. A step is one command:
an output that the peripheral times by itself, a light, a buzzer, a line of text.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

Kind: TypeAlias = Literal["local", "input", "output"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
LOCAL: Final = ("tamper", "power")  # the bytes of osdp_LSTATR; 1: tampered with, no supply

# osdp_OUT, control code: what an output does, and what becomes of a timer that is running
CODES: Final = {"off": 1, "on": 2, "off_after": 3, "on_after": 4, "on_timed": 5, "off_timed": 6}
TIMED: Final = frozenset(("on_timed", "off_timed"))
COLORS: Final = {
    "black": 0, "red": 1, "green": 2, "amber": 3, "blue": 4, "magenta": 5, "cyan": 6, "white": 7
}  # fmt: skip
TICK_S: Final = 0.1
MOST_TIMED_S: Final = 25.5  # libosdp's binding keeps eight bits of the sixteen that a timer has on the wire
MOST_TEXT: Final = 32  # bytes


@dataclass(frozen=True, slots=True)
class OsdpWire:
    """A product as it leaves the factory."""

    baud: int = 9600
    address: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a point stands: which byte of which status. `invert` turns it over."""

    kind: Kind
    number: int
    invert: bool = False

    def drawn(self) -> tuple[str, str]:
        """Return where it stands and what it means, for people."""
        what = LOCAL[self.number] if self.kind == "local" else str(self.number)
        return f"{self.kind} {what}", "bit, inverted" if self.invert else "bit"


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time: given, or by the name of an argument."""

    given: float = 0.0
    argument: str | None = None


@dataclass(frozen=True, slots=True)
class OutputStep:
    """Switch an output; with a timed code the peripheral switches it back, whatever becomes of us."""

    number: int
    code: str
    seconds: Seconds = Seconds()


@dataclass(frozen=True, slots=True)
class LedStep:
    """Light a reader's lamp: for a time, then as it was, or from now on if `seconds` is 0."""

    number: int
    color: str
    blink: str  # the other colour of a blinking lamp; the same: steady
    on_s: float
    off_s: float
    seconds: Seconds
    reader: int = 0


@dataclass(frozen=True, slots=True)
class BuzzerStep:
    """Sound a reader's buzzer `times` times; 0 times: until told otherwise."""

    on_s: float
    off_s: float
    times: int
    reader: int = 0


@dataclass(frozen=True, slots=True)
class TextStep:
    """Show a line of text, for a time or, with 0 seconds, from now on."""

    text: str
    seconds: Seconds
    reader: int = 0


Step: TypeAlias = OutputStep | LedStep | BuzzerStep | TextStep


@dataclass(frozen=True, slots=True)
class ActionWire:
    """The steps of an action, in order."""

    steps: tuple[Step, ...]
