"""UUID version 7: the name of one alert's life, in order of time. Time and random bits are arguments.

Layout of RFC 9562, section 5.7: 48 bits of milliseconds since 1970, version 7, 12 random bits, variant 10,
62 random bits.
"""

import uuid

RANDOM_BITS = 74


def uuid7(time_ms: int, random_bits: int) -> str:
    """Return a UUIDv7 from milliseconds since 1970 and `RANDOM_BITS` random bits; more bits are ignored."""
    high = (random_bits >> 62) & 0xFFF
    low = random_bits & ((1 << 62) - 1)
    value = (time_ms & ((1 << 48) - 1)) << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low
    return str(uuid.UUID(int=value))
