"""Text messages as a modem takes them: SMS-SUBMIT PDUs (3GPP TS 23.040, alphabets of TS 23.038). Pure.

English goes in 7 bits (160 characters), anything else in UCS-2 (70). A longer text is cut into parts of 153 or 67 that
the phone joins again by the header in front of each; never inside a character. The service centre is the SIM's own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED: Final = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip
ESCAPE: Final = 0x1B
MOST_PARTS: Final = 5
ONE_DAY: Final = 0xA7  # validity period, 23.040 9.2.3.12.1: 143 + n half hours from 12 h

_SUBMIT, _RELATIVE, _HEADER = 0x01, 0x10, 0x40
_INTERNATIONAL, _UNKNOWN = 0x91, 0x81
_NUMBER = re.compile(r"\+?[0-9]{3,20}")


class NumberError(ValueError):
    """A text is no telephone number."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One message: `text` is hexadecimal as sent, `length` what AT+CMGS is told (without the service centre)."""

    text: str
    length: int


def submit(number: str, text: str, *, reference: int = 0, validity: int = ONE_DAY) -> list[Pdu]:
    """Return a text as messages to a number; `reference` joins their parts. A text too long is cut; NumberError."""
    seven = _septets(text)
    units = [each.encode("utf-16-be") for each in text] if seven is None else seven
    most, each_part = (140, 134) if seven is None else (160, 153)
    parts = _parts(units, each_part) if sum(map(len, units)) > most else [units]
    if len(parts) > MOST_PARTS:
        return submit(number, _shorter(text, parts), reference=reference, validity=validity)
    headers = [
        bytes([5, 0, 3, reference & 0xFF, len(parts), index + 1]) if len(parts) > 1 else b""
        for index in range(len(parts))
    ]
    return [
        _pdu(number, header, b"".join(part), seven=seven is not None, validity=validity)
        for header, part in zip(headers, parts, strict=True)
    ]


def is_number(text: str) -> bool:
    """Return whether a text is a telephone number: digits, perhaps a plus in front."""
    return _NUMBER.fullmatch(text) is not None


def _shorter(text: str, parts: Sequence[Sequence[bytes]]) -> str:
    """Return the beginning of a text that fits, with a sign that it was cut."""
    kept = sum(len(part) for part in parts[:MOST_PARTS])
    mark = "..." if _septets(text) is not None else "…"
    return text[: kept - 2 * len(mark)] + mark


def _pdu(number: str, header: bytes, content: bytes, *, seven: bool, validity: int) -> Pdu:
    first = _SUBMIT | _RELATIVE | (_HEADER if header else 0)
    if seven:
        fill = -len(header) * 8 % 7
        length = (len(header) * 8 + fill) // 7 + len(content)
        content = _packed(content, fill)
    else:
        length = len(header) + len(content)
    tail = bytes([0, 0 if seven else 8, validity, length]) + header + content
    body = bytes([first, 0]) + _address(number) + tail
    return Pdu((b"\0" + body).hex().upper(), len(body))


def _address(number: str) -> bytes:
    """Return a number in semi-octets, the first digit low (23.040 9.1.2.5)."""
    if not is_number(number):
        raise NumberError(number)
    digits = number.removeprefix("+")
    kind = _INTERNATIONAL if number.startswith("+") else _UNKNOWN
    even = digits + "F" * (len(digits) % 2)
    swapped = "".join(even[index + 1] + even[index] for index in range(0, len(even), 2))
    return bytes([len(digits), kind]) + bytes.fromhex(swapped)


def _septets(text: str) -> list[bytes] | None:
    """Return each character in the 7-bit alphabet, one septet a byte; None if one has no place in it."""
    found = []
    for each in text:
        if each in EXTENDED:
            found.append(bytes([ESCAPE, EXTENDED[each]]))
        elif each in BASIC and each != "\x1b":
            found.append(bytes([BASIC.index(each)]))
        else:
            return None
    return found


def _packed(septets: bytes, fill: int) -> bytes:
    """Return septets in octets, the first lowest, after so many bits of nothing (23.038 6.1.2.1)."""
    value = 0
    for index, each in enumerate(septets):
        value |= each << (7 * index)
    bits = fill + 7 * len(septets)
    return (value << fill).to_bytes((bits + 7) // 8, "little")


def _parts(units: Sequence[bytes], most: int) -> list[list[bytes]]:
    """Return the characters in parts of at most so many bytes, none of them cut."""
    parts: list[list[bytes]] = [[]]
    size = 0
    for each in units:
        if size + len(each) > most:
            parts.append([])
            size = 0
        parts[-1].append(each)
        size += len(each)
    return parts
