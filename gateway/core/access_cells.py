"""The cells of one line of an access list, each turned into what it means, or into a fault. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from drivers.api import Text
from gateway.core.access import ANY_DOOR, PLACES
from gateway.core.cards import Card, CardError, Flaw, is_pin, written
from gateway.core.faults import NOTHING, Fault, near, same

LONGEST_CELL: Final = 120
YES, NO = frozenset({"yes", "true", "1", "是"}), frozenset({"", "no", "false", "0", "否"})

CARD_WANTED = Text(
    "12:34567、十位数字（含前面的 0）或十六进制卡号",
    "12:34567, ten digits with their leading zeros, or the number in hexadecimal",
)
CARD_HINTS: Final[Mapping[Flaw, Text]] = {
    Flaw.FORM: Text(
        "Excel 会去掉前面的 0：把这一列设为文本；全是数字的十六进制卡号前面写 0x",
        "Excel drops leading zeros: format the column as text; write 0x before a hexadecimal number of digits only",
    ),
    Flaw.RANGE: Text("数字超出这种卡的范围", "a number too large for this kind of card"),
    Flaw.BLANK: Text("全 0 或全 1 不是卡号", "all zeros or all ones is no card"),
}
PIN_WANTED = Text("4 到 8 位数字", "4 to 8 digits")
DOORS_WANTED = Text(
    "门的名称、* 或 building=2/unit=1，用空格分开",
    "names of doors, *, or building=2/unit=1, blanks between them",
)
NAMES_WANTED = Text("时段的名称，用空格分开", "names of schedules, blanks between them")
DAY_WANTED = Text("2026-12-31 或 2026-12-31 18:00", "2026-12-31 or 2026-12-31 18:00")
CELL_WANTED = Text(f"至多 {LONGEST_CELL} 字的一行", f"one line of at most {LONGEST_CELL} characters")

_SEPARATORS = re.compile(r"[\s|,;、，；]+")
_NAME = re.compile(r"[\w.\-]{1,32}")
_LONG_NUMBER = re.compile(r"[0-9]+([0-9]{4})", re.ASCII)
_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::\d{2})?)?", re.ASCII)


@dataclass(slots=True)
class Cells:
    """The cells of one line, each turned into what it means, or into a fault."""

    cells: Mapping[str, str]
    line: int
    faults: list[Fault]

    def fault(self, column: str, found: Text, wanted: Text, hint: Text | None = None) -> None:
        """Note a fault of this line."""
        self.faults.append(Fault(column, found, wanted, hint, line=self.line))

    def card(self) -> Card | None:
        """Return the card."""
        told = self.cells.get("card", "")
        if not told:
            return None
        try:
            return written(told)
        except CardError as error:
            self.fault("card", _hidden(told), CARD_WANTED, CARD_HINTS.get(error.flaw))
            return None

    def pin(self) -> str | None:
        """Return the PIN."""
        told = self.cells.get("pin", "")
        if told and not is_pin(told):
            found = Text(f"{len(told)} 个字符", f"{len(told)} characters")
            hint = Text(
                "Excel 会去掉前面的 0：把这一列设为文本",
                "Excel drops leading zeros: format the column as text",
            )
            self.fault("pin", found, PIN_WANTED, hint)
            return None
        return told or None

    def text(self, column: str, *, needed: bool = False) -> str:
        """Return a cell of free text."""
        told = self.cells.get(column, "")
        if needed and not told:
            self.fault(column, NOTHING, CELL_WANTED)
        elif len(told) > LONGEST_CELL or not told.isprintable():
            self.fault(column, Text(f"“{shown_text(told)}”", f'"{shown_text(told)}"'), CELL_WANTED)
        return told

    def doors(self, kept: dict[str, str]) -> tuple[str, ...]:
        """Return the doors; `kept` holds words said before, so that each is kept once."""
        words = self._words("doors")
        if not words:
            self.fault("doors", NOTHING, DOORS_WANTED)
        for word in words:
            if not is_selector(word):
                parts = [part.partition("=")[0] for part in word.split("/")] if "=" in word else []
                wrong = next((part for part in parts if part not in PLACES), "")
                self.fault(
                    "doors",
                    same(f'"{shown_text(word)}"'),
                    DOORS_WANTED,
                    near(wrong, PLACES) if wrong else None,
                )
        return tuple(kept.setdefault(word, word) for word in words)

    def names(self, kept: dict[str, str]) -> tuple[str, ...]:
        """Return the names of the schedules."""
        words = self._words("schedule")
        for word in words:
            if not _NAME.fullmatch(word):
                self.fault("schedule", same(f'"{shown_text(word)}"'), NAMES_WANTED)
        return tuple(kept.setdefault(word, word) for word in words)

    def moment(self, column: str, offset_h: float) -> float | None:
        """Return a day or time of day in wall seconds."""
        told = self.cells.get(column, "")
        if not told:
            return None
        at = _moment(told, offset_h, end=column == "valid_until")
        if at is None:
            self.fault(column, same(f'"{shown_text(told)}"'), DAY_WANTED)
        return at

    def flag(self, column: str) -> bool:
        """Return a yes or no."""
        told = self.cells.get(column, "").lower()
        if told not in YES | NO:
            self.fault(column, same(f'"{shown_text(told)}"'), Text("是 或 否", "yes or no"))
        return told in YES

    def _words(self, column: str) -> list[str]:
        told = self.cells.get(column, "")
        if len(told) > 4 * LONGEST_CELL:
            self.fault(column, Text(f"{len(told)} 个字符", f"{len(told)} characters"), CELL_WANTED)
            return []
        return [word for word in _SEPARATORS.split(told) if word]


def is_selector(word: str) -> bool:
    """Return whether a word can mean doors: a name, "*", or places."""
    if "=" not in word:
        return word == ANY_DOOR or _NAME.fullmatch(word) is not None
    parts = [part.partition("=") for part in word.split("/")]
    return all(name in PLACES and value for name, _, value in parts)


def _moment(told: str, offset_h: float, *, end: bool) -> float | None:
    """Return wall seconds of a local time; of a day its beginning, or for the end of a validity that of the next."""
    match = _DAY.fullmatch(told)
    if match is None:
        return None
    year, month, day, hour, minute = (int(part or 0) for part in match.groups())
    try:
        local = datetime(year, month, day, hour, minute, tzinfo=UTC)
        local += timedelta(days=1) if end and match[4] is None else timedelta()
    except (ValueError, OverflowError):
        return None
    return local.timestamp() - offset_h * 3600.0


def _hidden(told: str) -> Text:
    """Return what can be told of a card's number that could not be read: its length and its end."""
    end = shown_text(told[-4:]) if len(told) > 6 else ""
    return Text(f"{len(told)} 个字符 …{end}", f"{len(told)} characters …{end}")


def shown_text(told: str) -> str:
    """Return a text as it may be shown: cut, printable, and without a card's number that slipped into its cell."""
    hidden = _LONG_NUMBER.sub(r"…\1", told[:LONGEST_CELL])
    return "".join(each if each.isprintable() else "�" for each in hidden[:40])
