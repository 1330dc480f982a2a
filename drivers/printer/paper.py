"""What stands on a printer's paper: bytes in, lines of text out, past what only moves the print head. Pure.

A line ends with CR, LF, CR LF, VT, FF, or when nothing comes any more (`rest`). What a printer is told by codes of ESC,
FS, GS and DLE (ESC/POS, and the older ones of micro printers in Chinese panels) leaves no mark; their parameters may be
any byte, a line feed among them, so they are counted off by a table, which a profile may amend. Pictures are skipped
too, yet never more than `MOST_SKIPPED` bytes: noise that looks like the head of a picture must not eat a fire.

In GBK and GB 18030 no byte of a character is below 0x30, so lines are cut before they are decoded. GB 18030 has a
character for nearly any bytes, so noise at a wrong baud rate is Chinese too, yet of letters nobody prints: `broken`
counts those outside of GB 2312, and outside of ASCII where the panel writes no Chinese.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MOST_SKIPPED: Final = 2_048
LINE_ENDS: Final = frozenset(b"\n\v\f\r")
READABLE: Final[Mapping[str, str]] = {"gb18030": "gb2312"}  # what a panel prints of it; of all others ASCII
LEADS: Final = frozenset(b"\x10\x1b\x1c\x1d")  # DLE, ESC, FS, GS

CODES: Final[Mapping[bytes, int]] = {
    **{bytes((0x1B, code)): 1 for code in b" !-3=?ACJNQRUVWadelrt{"},
    **{bytes((0x1B, code)): 2 for code in b"$\\c"},
    b"\x1bp": 3,
    b"\x1bK": -2, b"\x1b*": -3, b"\x1dv": -6,
    **{bytes((0x1C, code)): 1 for code in b"!-CW"},
    **{bytes((0x1C, code)): 2 for code in b"Sp"},
    **{bytes((0x1D, code)): 1 for code in b"!/BHIVafhkrw"},
    **{bytes((0x1D, code)): 2 for code in b"$LPW\\"},
    **{bytes((0x10, code)): 1 for code in b"\x04\x05"},
    b"\x10\x14": 3,
}  # fmt: skip
"""How many bytes follow each code; below 0 it is the head of a picture, so many bytes long.

What is not in here has none. Where makers differ, the smaller number stands here: a parameter is mostly a small number,
which is no text anyhow, while a parameter that is none would eat half a character.
"""


@dataclass(frozen=True, slots=True)
class Printed:
    """One line as it stands on the paper. `raw` are its bytes without codes; `begins`: a code before it starts anew."""

    text: str
    raw: bytes
    broken: int = 0
    begins: bool = False


class Paper:
    """Takes the bytes of one printer. `begins` are codes that start a record; `codes` amend the table."""

    def __init__(
        self,
        *,
        encoding: str,
        longest: int,
        begins: tuple[bytes, ...] = (),
        codes: Mapping[bytes, int] = {},
    ) -> None:
        self._encoding, self._longest, self._begins = encoding, longest, begins
        self._codes = {**CODES, **codes}
        self._line = bytearray()
        self._code = b""  # a code, as far as it has come
        self._skip = 0  # bytes of it to come that say nothing
        self._size_of = 0  # bytes to come that say how large a picture is
        self._size = bytearray()
        self._begun = self._after_cr = False

    @property
    def is_waiting(self) -> bool:
        """Say whether something has come that is no whole line yet."""
        return bool(self._line or self._code or self._skip or self._size_of)

    def feed(self, data: bytes) -> list[Printed]:
        """Take bytes; return the lines that end in them. An empty line is one; a form feed after it is none."""
        lines: list[Printed] = []
        for byte in data:
            if self._skip:
                self._skip -= 1
            elif self._size_of:
                self._measure(byte)
            elif self._code:
                lines += self._go_on(byte)
            elif byte in LEADS:
                self._code = bytes((byte,))
            elif byte in LINE_ENDS:
                if self._line or (byte in b"\r\n" and not (byte == 0x0A and self._after_cr)):
                    lines.append(self._end())
            elif byte >= 0x20 or byte == 0x09:
                self._line.append(byte)
                if len(self._line) >= self._longest:
                    lines.append(self._end())
            self._after_cr = byte == 0x0D
        return lines

    def rest(self) -> list[Printed]:
        """Nothing comes any more: return what stands there without an end, and forget what was half told."""
        self._code, self._skip, self._size_of = b"", 0, 0
        return [self._end()] if self._line else []

    def _go_on(self, byte: int) -> list[Printed]:
        """Take the second byte of a code; one that begins a record ends the line before it."""
        code, self._code = self._code + bytes((byte,)), b""
        ended: list[Printed] = []
        if code in self._begins:
            ended = [self._end()] if self._line else []
            self._begun = True
        follows = self._codes.get(code, 0)
        if follows >= 0:
            self._skip = follows
        else:
            self._size_of = -follows
            self._size.clear()
        return ended

    def _measure(self, byte: int) -> None:
        """Take a byte of a picture's head, which says how large it is."""
        self._size.append(byte)
        self._size_of -= 1
        if self._size_of:
            return
        match list(self._size):
            case [low, high]:  # ESC K: columns of 8 dots
                size = low + 256 * high
            case [density, low, high]:  # ESC *: from 32 on columns of 24 dots
                size = (low + 256 * high) * (3 if density >= 32 else 1)
            case [*_, wide, wider, tall, taller]:  # GS v 0: bytes across, dots down
                size = (wide + 256 * wider) * (tall + 256 * taller)
            case _:
                size = 0
        self._skip = min(size, MOST_SKIPPED)

    def _end(self) -> Printed:
        raw, begun = bytes(self._line), self._begun
        self._line.clear()
        self._begun = False
        text = raw.decode(self._encoding, "replace").replace("\t", " ").strip()
        kept = text.encode(READABLE.get(self._encoding, "ascii"), "ignore").decode("gb2312", "ignore")
        return Printed(text, raw, len(text) - sum(letter.isprintable() for letter in kept), begun)
