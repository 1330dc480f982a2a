"""Card numbers: what a reader sends and what people write become one number. Pure; a doubtful card is no card.

A card is the bits of its payload and the integer they make, parity bits left out, so that one card is the same at a
Wiegand 34 reader, at one that sends its serial number (UID) as bytes, and in a list that has it in decimal:

    from a reader     26 bits   even parity over the first 13, odd over the last 13: 24 bits (HID H10301)
                      34 bits   the same with 17: 32 bits
                      37 bits   the same with 19, the middle bit in both: 35 bits (HID H10302, H10304)
                      32, 56, 64, 80 bits, or so many in whole bytes: a UID of ISO 14443-3, no parity
    as people write   12:34567      facility and number: 24 bits
                      0012345678    ten decimal digits: 32 bits
                      04A1B2C3      hexadecimal, 4 bits a digit: 8, 14, 16 or 20 of them, also as 04:A1:B2:C3.
                                    0x must stand before it where every digit is decimal, for a spreadsheet
                                    makes 12345678 of 0012345678
                      w26:12:34567  w34:123:45678  w37:1234567  w37:12:34567   the format is said

Readers can be set to turn the bytes of a UID round; the list must have what the reader sends. Numbers of other
lengths never match, so a 24 bit reading never opens for a 32 bit card that happens to end alike.
"""

import enum
import re
import unicodedata
from typing import Final

import msgspec

UID_BITS: Final = frozenset({32, 56, 64, 80})
PIN_LEAST, PIN_MOST = 4, 8

_WIEGAND: Final = frozenset({26, 34, 37})
_NUMBER_BITS: Final = {26: 16, 34: 16, 37: 19}  # of a facility and a number, the number's share
_LONGEST = 40
_SAID = re.compile(r"W(26|34|37):(?:(\d{1,5}):)?(\d{1,11})", re.ASCII)
_FACILITY = re.compile(r"(\d{1,3})[:,](\d{1,5})", re.ASCII)
_HEX = re.compile(r"(0X)?([0-9A-F]{2}(?:[:\- ]?[0-9A-F]{2})+)", re.ASCII)


class Flaw(enum.StrEnum):
    """Why something is no card."""

    PARITY = "parity"
    LENGTH = "length"  # a number of bits no format has
    BLANK = "blank"  # all zeros or all ones: a broken wire, not a card
    FORM = "form"  # written in no form we know
    RANGE = "range"  # written in one, but too large for it


class CardError(ValueError):
    """Not a card, and `flaw` says why. It never holds the number."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


class Card(msgspec.Struct, frozen=True, gc=False):
    """A card's payload: how many bits, and the number they make. The number never shows in a repr."""

    bits: int
    number: int

    def __repr__(self) -> str:
        return f"Card({self.bits} bits, {masked(self.tail)})"

    @property
    def tail(self) -> str:
        """Return the last four digits as they are printed: of the number, or of the UID in hexadecimal."""
        if self.bits == 24:
            return f"{self.number & 0xFFFF:05d}"[-4:]
        if self.bits in {32, 35}:
            return f"{self.number:010d}"[-4:]
        return f"{self.number:04X}"[-4:]

    @property
    def packed(self) -> bytes:
        """Return the bytes that stand for it alone: the bits, then the number."""
        return self.bits.to_bytes(2, "big") + self.number.to_bytes((self.bits + 7) // 8, "big")


def masked(tail: str) -> str:
    """Return a card's last digits as people see them; empty where there is no card."""
    return f"…{tail}" if tail else ""


def from_reader(bits: int, data: bytes) -> Card:
    """Return the card of `bits` bits, left aligned in `data`; 0 bits: whole bytes. CardError if there is none."""
    length = bits or 8 * len(data)
    if length > 8 * len(data):
        raise CardError(Flaw.LENGTH)
    held = data[: (length + 7) // 8]
    value = int.from_bytes(held, "big") >> (8 * len(held) - length)
    if bits in _WIEGAND:
        return _whole(Card(bits - 2, _without_parity(bits, value)))
    if length in UID_BITS:
        return _whole(Card(length, value))
    raise CardError(Flaw.LENGTH)


def written(text: str) -> Card:
    """Return the card somebody wrote down; CardError if it is not clear which that is."""
    if len(text) > _LONGEST:
        raise CardError(Flaw.FORM)
    told = unicodedata.normalize("NFKC", text).strip().upper()
    if match := _SAID.fullmatch(told):
        return _whole(_said(int(match[1]), match[2], int(match[3])))
    if match := _FACILITY.fullmatch(told):
        return _whole(_said(26, match[1], int(match[2])))
    if re.fullmatch(r"[0-9]{10}", told):
        return _whole(_fitting(32, int(told)))
    match = _HEX.fullmatch(told)
    digits = re.sub(r"[:\- ]", "", match[2]) if match else ""
    if match is None or 4 * len(digits) not in UID_BITS:
        raise CardError(Flaw.FORM)
    if digits.isdecimal() and not match[1] and digits == told:
        raise CardError(Flaw.FORM)  # a decimal number that lost its zeros, or a UID: not for us to guess
    return _whole(Card(4 * len(digits), int(digits, 16)))


def is_pin(text: str) -> bool:
    """Return whether a text can be a PIN: four to eight of 0-9."""
    return PIN_LEAST <= len(text) <= PIN_MOST and text.isascii() and text.isdecimal()


def _without_parity(bits: int, value: int) -> int:
    half = (bits + 1) // 2
    first, last = value >> (bits - half), value & ((1 << half) - 1)
    if first.bit_count() % 2 != 0 or last.bit_count() % 2 != 1:
        raise CardError(Flaw.PARITY)
    return value >> 1 & ((1 << (bits - 2)) - 1)


def _said(bits: int, facility: str | None, number: int) -> Card:
    if facility is None:
        return _fitting(bits - 2, number)
    share = _NUMBER_BITS[bits]
    if number >> share:
        raise CardError(Flaw.RANGE)
    return _fitting(bits - 2, int(facility) << share | number)


def _fitting(bits: int, number: int) -> Card:
    if number >> bits:
        raise CardError(Flaw.RANGE)
    return Card(bits, number)


def _whole(card: Card) -> Card:
    if card.number in {0, (1 << card.bits) - 1}:
        raise CardError(Flaw.BLANK)
    return card
