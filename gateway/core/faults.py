"""What is wrong in a file a person wrote: where, what was found, what was wanted, how to mend it."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from drivers.api import Text

LONGEST = 60  # of a value that is shown back

_PASSWORD = re.compile(r"(//[^/@:\s]*:).*@")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend, in both languages. A `warning` leaves the file usable.

    `beside`: it is a file of its own that is wrong, and only one wing needs it. Nobody may put it in force anew, but a
    start goes on without it: what a power cut left half written must not keep fire and doors waiting for a person.

    `key` is the path of the value, like `bus[0].device[2].address`; `line` is None where it is not known.
    """

    key: str
    found: Text
    wanted: Text
    hint: Text | None = None
    warning: bool = False
    file: str = ""
    line: int | None = None
    beside: bool = False

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        told = f"{where}: {self.key}: found {self.found.en}, wanted {self.wanted.en}"
        return told + (f" ({self.hint.en})" if self.hint else "")


class ConfigError(Exception):
    """A configuration nothing can be started with; `faults` holds all that is wrong, warnings too."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults if not fault.warning))
        self.faults = faults


def same(text: str) -> Text:
    """Return a text that reads the same in both languages: a name, a number."""
    return Text(text, text)


NOTHING = Text("没有", "nothing")


def shown(value: object) -> Text:
    """Return a value as it stands in TOML, cut to a readable length, without any password in it."""
    match value:
        case bool():
            return same("true" if value else "false")
        case str():
            return same(_quoted(value))
        case dict():
            return Text(f"一个含 {len(value)} 项的表", f"a table of {len(value)}")
        case list():
            return Text(f"一个含 {len(value)} 项的列表", f"a list of {len(value)}")
        case int() if value.bit_length() > 128:  # Python refuses to print numbers of thousands of digits
            return Text("一个极大的整数", "an enormous number")
        case _:
            return same(str(value)[:LONGEST])


def near(word: str, words: Iterable[str]) -> Text | None:
    """Return the hint that names the word most like `word`; None if none is."""
    close = difflib.get_close_matches(word[:LONGEST], list(words), n=1, cutoff=0.6)
    return Text(f"是不是想写 {close[0]}？", f"did you mean {close[0]}?") if close else None


def one_of(words: Iterable[object]) -> Text:
    """Return the text that lists what is allowed."""
    listed = ", ".join(str(word) for word in words)
    return Text(f"以下之一：{listed}", f"one of {listed}")


def _quoted(value: str) -> str:
    safe = _PASSWORD.sub(r"\1***@", value)
    printable = "".join(each if each.isprintable() else "�" for each in safe[: LONGEST + 1])
    return f'"{printable[:LONGEST]}…"' if len(printable) > LONGEST else f'"{printable}"'
