"""What a point and a product are on the Modbus wire, and the arithmetic from words to values.

A `Register` says where a point's words stand and what they mean; `decode` and `encode` are each other's
inverse, so that the simulator can play any product its profile describes. A word that means "no value" (a
sentinel, BCD that is none, a float that is no number) decodes to None.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from drivers.api import Value
from drivers.modbus.codec import ReadRequest

Table: TypeAlias = Literal["coil", "discrete", "holding", "input"]
Kind: TypeAlias = Literal["bit", "u16", "s16", "u32", "s32", "f32", "bcd16", "bcd32"]
WordOrder: TypeAlias = Literal["big", "little"]

READ_FUNCTION: Final[Mapping[str, int]] = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
BIT_TABLES: Final = frozenset(("coil", "discrete"))
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_WIDE = frozenset(("u32", "s32", "f32", "bcd32"))


@dataclass(frozen=True, slots=True)
class Register:
    """Where a point stands and what its words mean.

    A `bit` in a register is true when the word under `mask` is one of `equals`, or without `equals` when any
    bit of the mask is set; `invert` turns it over. A number is (word under `mask`, moved right) * scale +
    offset. `sentinels` are raw words that mean "no value". `word_order` big: the high word comes first.
    """

    table: Table
    address: int
    type: Kind = "u16"
    mask: int = 0  # 0: all bits
    equals: tuple[int, ...] = ()
    invert: bool = False
    word_order: WordOrder = "big"
    scale: float = 1.0
    offset: float = 0.0
    sentinels: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        """How many bits or registers it takes."""
        return 2 if self.type in _WIDE else 1

    @property
    def request(self) -> ReadRequest:
        """The read that fetches it alone."""
        return ReadRequest(READ_FUNCTION[self.table], self.address, self.count)

    def drawn(self) -> tuple[str, str]:
        """Return where it stands and what its bits mean, for people."""
        mask = f" & {self.mask:#06x}" if self.mask else ""
        equals = " in " + ",".join(str(word) for word in self.equals) if self.equals else ""
        order = " low word first" if self.count == 2 and self.word_order == "little" else ""
        scale = f" * {self.scale:g}" if self.scale != 1.0 else ""
        offset = f" {self.offset:+g}" if self.offset else ""
        what = ("not " if self.invert else "") + self.type + mask + equals + order + scale + offset
        return f"{self.table} {self.address} ({self.address:#06x})", what


@dataclass(frozen=True, slots=True)
class Identify:
    """A read that tells a product from others on a scan: its value lies between `minimum` and `maximum`."""

    register: Register
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Identity:
    """What a unit says of itself. `form` "": the number of `register`; else that of `words` registers from it on."""

    what: Literal["serial", "firmware"]
    register: Register
    form: Literal["", "hex", "text"] = ""
    words: int = 1

    @property
    def request(self) -> ReadRequest:
        """The read that fetches it."""
        return ReadRequest(READ_FUNCTION[self.register.table], self.register.address, self.words)


@dataclass(frozen=True, slots=True)
class Freeze:
    """A point that must change at least every `within_s`, or the device hangs and its values mean nothing."""

    point: str
    within_s: float


@dataclass(frozen=True, slots=True)
class ModbusWire:
    """What a product is on a line: factory settings, limits, how to tell it and how to see that it lives.

    `max_read` is the most registers it gives in one reply. `bridge` False: a read must not touch
    registers the profile does not list.
    """

    baud: int = 9600
    parity: str = "none"
    stop_bits: int = 1
    address: int = 1
    max_read: int = 125
    bridge: bool = True
    identify: Identify | None = None
    freeze: Freeze | None = None
    identity: tuple[Identity, ...] = ()


def decode(register: Register, words: Sequence[int]) -> Value | None:
    """Return the value of the words (or bits) read from a register on; None if they say that there is none."""
    raw = _joined(register, words) if register.type in _WIDE else words[0]
    if raw in register.sentinels:
        return None
    if register.type == "bit":
        masked = raw & (register.mask or 0xFFFF)
        return (masked in register.equals if register.equals else masked != 0) != register.invert
    number = _number(register, raw)
    if number is None:
        return None
    if register.scale == 1.0 and register.offset == 0.0:
        return number
    return round(number * register.scale + register.offset, 9)


def encode(register: Register, value: Value | None, current: Sequence[int] = (0, 0)) -> tuple[int, ...]:
    """Return the words a device shows for a value, keeping the bits of `current` that belong to others.

    None becomes the first sentinel, or NaN; ValueError where the product has no way to say "no value" and
    where the value does not fit.
    """
    before = _joined(register, current)
    if value is None:
        return _split(register, _none_of(register))
    if register.type == "bit":
        return _split(register, _flag(register, before, bool(value) != register.invert))
    plain = (value - register.offset) / register.scale
    raw = _float_bits(plain) if register.type == "f32" else _raw(register, round(plain))
    if not register.mask:
        return _split(register, raw)
    raw <<= _shift(register.mask)
    if raw & ~register.mask:
        raise ValueError(f"{value} does not fit under mask {register.mask:#06x}")
    return _split(register, before & ~register.mask | raw)


def _joined(register: Register, words: Sequence[int]) -> int:
    if register.count == 1:
        return words[0]
    high, low = words[:2] if register.word_order == "big" else (words[1], words[0])
    return high << 16 | low


def _split(register: Register, raw: int) -> tuple[int, ...]:
    if register.count == 1:
        return (raw,)
    high, low = raw >> 16, raw & 0xFFFF
    return (high, low) if register.word_order == "big" else (low, high)


def _number(register: Register, raw: int) -> int | float | None:
    if register.type == "f32":
        number: float = struct.unpack(">f", raw.to_bytes(4, "big"))[0]
        return number if math.isfinite(number) else None
    if register.mask:
        raw = (raw & register.mask) >> _shift(register.mask)
    if register.type in {"bcd16", "bcd32"}:
        digits = f"{raw:x}"
        return int(digits) if digits.isdecimal() else None
    if register.type in {"s16", "s32"}:
        top = 1 << (16 * register.count - 1)
        return (raw ^ top) - top
    return raw


def _float_bits(number: float) -> int:
    try:
        return int.from_bytes(struct.pack(">f", number), "big")
    except OverflowError as error:
        raise ValueError(f"{number} does not fit into f32") from error


def _raw(register: Register, number: int) -> int:
    """Return the bits of a whole number; ValueError if the register has too few of them."""
    size = 16 * register.count
    if register.type in {"bcd16", "bcd32"}:
        low, high, raw = 0, 10 ** (size // 4) - 1, int(str(max(number, 0)), 16)
    elif register.type in {"s16", "s32"}:
        low, high, raw = -(1 << size - 1), (1 << size - 1) - 1, number & (1 << size) - 1
    else:
        low, high, raw = 0, (1 << size) - 1, number
    if not low <= number <= high:
        raise ValueError(f"{number} does not fit into {register.type}")
    return raw


def _flag(register: Register, before: int, on: bool) -> int:
    mask = register.mask or (1 if register.table in BIT_TABLES else 0xFFFF)
    if register.equals:
        others = (n for n in range(0x10000) if n & mask == n and n not in register.equals)
        return before & ~mask & 0xFFFF | (register.equals[0] if on else next(others))
    if not on:
        return before & ~mask & 0xFFFF
    return before if before & mask else before | mask & -mask


def _none_of(register: Register) -> int:
    if register.sentinels:
        return register.sentinels[0]
    if register.type == "f32":
        return 0x7FC00000
    raise ValueError(f"{register.type} at {register.address} has no word for 'no value'")


def _shift(mask: int) -> int:
    """Return how many bits stand to the right of a mask."""
    return (mask & -mask).bit_length() - 1
