"""Checksums a frame may carry, by name: how many bytes each takes and how it is reckoned.

The CRCs are those of the catalogue of parametrised CRC algorithms: `crc16_modbus` (reflected 8005, from FFFF),
`crc16_arc` (the same from 0; ZKTeco), `crc16_xmodem` (1021 from 0), `crc16_ccitt` (1021 from FFFF).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """One checksum: its size in bytes, and its value over some bytes."""

    size: int
    value: Callable[[bytes], int]


def _reflected(data: bytes, crc: int) -> int:
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def _forward(data: bytes, crc: int) -> int:
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


RULES: Final[Mapping[str, Rule]] = {
    "sum": Rule(1, lambda data: sum(data) & 0xFF),
    "xor": Rule(1, lambda data: reduce(xor, data, 0)),
    "not_xor": Rule(1, lambda data: ~reduce(xor, data, 0) & 0xFF),
    "crc16_modbus": Rule(2, lambda data: _reflected(data, 0xFFFF)),
    "crc16_arc": Rule(2, lambda data: _reflected(data, 0)),
    "crc16_xmodem": Rule(2, lambda data: _forward(data, 0)),
    "crc16_ccitt": Rule(2, lambda data: _forward(data, 0xFFFF)),
}
