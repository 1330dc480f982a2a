"""Where a point stands in a frame and what its bytes mean; `decode` and `encode` are each other's inverse.

Bytes that mean "no value" (a sentinel, a number the sensor cannot measure, digits that are none, data too short for
the point) decode to None.
"""

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from drivers.api import Value

FORMATS: Final[Mapping[str, str]] = {
    "u8": "B", "s8": "b", "u16": "H", "s16": "h", "u32": "I", "s32": "i", "f32": "f"
}  # fmt: skip
BCD: Final = "sign_bcd"  # 3 bytes: a nibble of sign, five digits; 10 02 87 is -287
TEXT: Final = "decimal"  # the rest of the data, a number in ASCII
TYPES: Final = (*FORMATS, BCD, TEXT)
DECIMAL: Final = re.compile(rb"\s*[+-]?\d{1,9}(\.\d{1,9})?\s*")


@dataclass(frozen=True, slots=True)
class Field:
    """A number `at` so many bytes into the data of frames of these types; no types: of every frame.

    With `equals` it is a flag, true for these numbers. Otherwise it is number * scale + offset, and no value outside
    of `minimum` and `maximum` or for one of `sentinels`. `holds`: told on change only, and true as long as the device
    talks at all.
    """

    frames: tuple[int, ...]
    at: int
    type: str = "u8"
    low_first: bool = False
    equals: tuple[int, ...] = ()
    scale: float = 1.0
    offset: float = 0.0
    sentinels: tuple[int, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    holds: bool = False

    @property
    def size(self) -> int:
        """Return how many bytes it takes at least."""
        return 3 if self.type == BCD else 1 if self.type == TEXT else struct.calcsize(FORMATS[self.type])

    def stands_in(self, frame_type: int) -> bool:
        """Say whether frames of this type carry it."""
        return not self.frames or frame_type in self.frames

    def drawn(self) -> tuple[str, str]:
        """Return where it stands and what its bytes mean, for people."""
        frames = ",".join(f"{frame:04X}" for frame in self.frames)
        order = " low first" if self.low_first and self.size > 1 else ""
        equals = " in " + ",".join(map(str, self.equals)) if self.equals else ""
        scale = f" * {self.scale:g}" if self.scale != 1.0 else ""
        offset = f" {self.offset:+g}" if self.offset else ""
        return f"frame {frames} byte {self.at}".replace(
            "  ", " "
        ), self.type + order + equals + scale + offset


def decode(field: Field, data: bytes) -> Value | None:
    """Return what the data of a frame says of a point; None: nothing."""
    raw = _number(field, data[field.at :])
    if raw is None or not math.isfinite(raw) or raw in field.sentinels:
        return None
    if field.equals:
        within = _within(field, raw)
        return raw in field.equals if within else None
    value = raw if field.scale == 1.0 and not field.offset else round(raw * field.scale + field.offset, 6)
    return value if _within(field, value) else None


def encode(field: Field, value: Value | None, data: bytearray) -> None:
    """Write a value into the data of a frame; ValueError if it does not fit. None writes a sentinel or 0."""
    if value is None:
        raw: float = field.sentinels[0] if field.sentinels else 0
    elif field.equals:
        raw = field.equals[0] if value else next(n for n in range(256) if n not in field.equals)
    else:
        raw = (value - field.offset) / field.scale
    written = _bytes(field, raw)
    data.extend(bytes(max(0, field.at + len(written) - len(data))))
    data[field.at : field.at + len(written)] = written


def _within(field: Field, value: float) -> bool:
    low, high = field.minimum, field.maximum
    return (low is None or value >= low) and (high is None or value <= high)


def _number(field: Field, data: bytes) -> int | float | None:
    if field.type == TEXT:
        found = DECIMAL.fullmatch(data)
        return None if found is None else float(data)
    if len(data) < field.size:
        return None
    if field.type == BCD:
        sign, digits = data[0] >> 4, data[:3].hex()[1:]
        return None if sign > 1 or not digits.isdecimal() else int(digits) * (1 - 2 * sign)
    number: int | float = struct.unpack_from(_format(field), data)[0]
    return number


def _bytes(field: Field, raw: float) -> bytes:
    if field.type == TEXT:
        return f"{raw:g}".encode()
    if field.type == BCD:
        whole = round(raw)
        if abs(whole) > 99999:
            raise ValueError(f"{raw} has more than five digits")
        return bytes.fromhex(f"{int(whole < 0)}{abs(whole):05}")
    try:
        return struct.pack(_format(field), raw if field.type == "f32" else round(raw))
    except struct.error as error:
        raise ValueError(f"{raw} is no {field.type}") from error


def _format(field: Field) -> str:
    return ("<" if field.low_first else ">") + FORMATS[field.type]
