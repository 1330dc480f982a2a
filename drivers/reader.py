"""Typed reading of TOML tables that notes every mistake and goes on.

A reader is asked for one key after the other; each answer has the type asked for, even when the file has it
wrong: then the mistake is noted and a harmless stand-in comes back, so that one pass finds them all. What
nobody asked for by the time of `finish` is a key the file should not have.
"""

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from drivers.api import ProfileError

ELSEWHERE: Final = {
    "i16": "s16", "int16": "s16", "i32": "s32", "int32": "s32", "uint16": "u16", "uint32": "u32",
    "float": "f32", "float32": "f32",
}  # fmt: skip
"""What other tools call these types: by its letters alone "i16" is as near to u16, which loses the sign."""


class _Required:
    """Stands for "no default"."""


REQUIRED: Final = _Required()


class TableReader:
    """One table of a file. `key` is its path in the file: "point[3]"; empty for the whole file."""

    def __init__(
        self, table: Mapping[str, object], *, file: str, key: str, errors: list[ProfileError]
    ) -> None:
        self._table, self._file, self.key, self._errors = table, file, key, errors
        self._asked: list[str] = []

    def text(self, name: str, default: str | _Required = REQUIRED, *, choices: Collection[str] = ()) -> str:
        """Return a text, one of `choices` if there are any."""
        wanted = _alternatives(choices) if choices else "a text"
        value = self._take(name, default, str, wanted)
        if not isinstance(value, str):
            return ""
        if choices and value not in choices:
            self.error(name, repr(value), wanted + did_you_mean(value, choices))
        return value

    def integer(
        self, name: str, default: int | _Required = REQUIRED, *, minimum: int = 0, maximum: int = 0xFFFF
    ) -> int:
        """Return a whole number between `minimum` and `maximum`."""
        wanted = f"a whole number from {minimum} to {maximum}"
        value = self._take(name, default, int, wanted)
        if not isinstance(value, int):
            return minimum
        if not minimum <= value <= maximum:
            self.error(name, str(value), wanted)
        return value

    def number(
        self,
        name: str,
        default: float | _Required = REQUIRED,
        *,
        minimum: float = -1e12,
        maximum: float = 1e12,
    ) -> float:
        """Return a number between `minimum` and `maximum`."""
        wanted = f"a number from {minimum:g} to {maximum:g}"
        value = self._take(name, default, int | float, wanted)
        if not isinstance(value, int | float):
            return minimum
        if not minimum <= value <= maximum:
            self.error(name, f"{value:g}", wanted)
        return float(value)

    def flag(self, name: str, default: bool | _Required = REQUIRED) -> bool:
        """Return true or false."""
        value = self._take(name, default, bool, "true or false")
        return value if isinstance(value, bool) else False

    def integers(self, name: str, *, maximum: int = 0xFFFF) -> tuple[int, ...]:
        """Return a list of whole numbers, or a single one as such a list; () if it is not there."""
        wanted = f"whole numbers from 0 to {maximum}"
        value = self._take(name, (), int | list | tuple, wanted)
        numbers = value if isinstance(value, list | tuple) else [value]
        if all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= maximum for n in numbers):
            return tuple(n for n in numbers if isinstance(n, int))
        self.error(name, _show(value), wanted)
        return ()

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; () if it is not there."""
        value = self._take(name, (), list | tuple, "a list of texts")
        texts = value if isinstance(value, list | tuple) else ()
        if not all(isinstance(text, str) for text in texts):
            self.error(name, _show(value), "a list of texts")
        return tuple(str(text) for text in texts)

    def table(self, name: str, *, required: bool = False) -> "TableReader":
        """Return the table under a key; an empty one if it is not there."""
        value = self._take(name, REQUIRED if required else {}, dict, "a table")
        return self._below(value if isinstance(value, dict) else {}, name)

    def tables(self, name: str) -> list["TableReader"]:
        """Return the tables of a list ([[name]]); [] if it is not there."""
        value = self._take(name, (), list | tuple, f"tables written [[{name}]]")
        items = value if isinstance(value, list | tuple) else ()
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                self.error(f"{name}[{index}]", _show(item), "a table")
        return [self._below(t, f"{name}[{i}]") for i, t in enumerate(items) if isinstance(t, dict)]

    def has(self, name: str) -> bool:
        """Say whether the key is there, without asking for it."""
        return name in self._table

    def raw(self, name: str) -> object:
        """Return what stands under a key as it is, None if nothing does."""
        self._asked.append(name)
        return self._table.get(name)

    def plain(self) -> dict[str, object]:
        """Return the table as it is, and take all its keys for asked."""
        self._asked.extend(self._table)
        return dict(self._table)

    def one_of(self, names: Collection[str]) -> str | None:
        """Return which of these keys is there; notes a mistake unless it is exactly one."""
        self._asked.extend(names)
        found = [name for name in names if name in self._table]
        if len(found) != 1:
            close = "" if found else _guess_any(self._table, names)
            self.error(
                "", " and ".join(found) or "none of them", f"exactly one of {_alternatives(names)}{close}"
            )
        return found[0] if len(found) == 1 else None

    def error(self, name: str, found: str, wanted: str) -> None:
        """Note a mistake under a key of this table ("" for the table itself)."""
        self._errors.append(ProfileError(self._file, self._path(name), found, wanted))

    def finish(self) -> None:
        """Note every key that nobody asked for."""
        for name in self._table:
            if name not in self._asked:
                known = ", ".join(dict.fromkeys(self._asked))
                self.error(name, "an unknown key", f"one of {known}{did_you_mean(name, self._asked)}")

    def _path(self, name: str) -> str:
        return ".".join(part for part in (self.key, name) if part) or "file"

    def _below(self, table: Mapping[str, object], name: str) -> "TableReader":
        return TableReader(table, file=self._file, key=self._path(name), errors=self._errors)

    def _take(self, name: str, default: object, kind: object, wanted: str) -> object:
        """Return what is there if it is of that kind, else note the mistake and return None."""
        self._asked.append(name)
        if name not in self._table:
            if default is REQUIRED:
                close = difflib.get_close_matches(name, self._table, n=1)
                self.error(name, f"{close[0]!r} in its place" if close else "nothing", wanted)
                return None
            return default
        value = self._table[name]
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):  # type: ignore[arg-type]
            return value
        self.error(name, _show(value), wanted)
        return None


def is_beyond_toml(value: object) -> bool:
    """Say whether a number in there has more than the 64 bits that TOML allows; tomllib lets it pass."""
    if isinstance(value, dict | list):
        return any(map(is_beyond_toml, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and not -(1 << 63) <= value < 1 << 63


def _show(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _alternatives(choices: Iterable[str]) -> str:
    return " | ".join(choices)


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return " (did you mean X?)" with the choice closest to a word, or "" if none is close."""
    known = list(choices)
    other = ELSEWHERE.get(word, "")
    close = [other] if other in known else difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _guess_any(words: Iterable[str], choices: Collection[str]) -> str:
    return next((guess for word in words if (guess := did_you_mean(word, choices))), "")
