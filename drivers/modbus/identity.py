"""What a unit says of itself: serial number and firmware, as words in registers, and what they read as. Pure.

They are read when a device comes, and once a day: whoever swaps a unit switches it off, so the new one is met as it
comes. A number is told as its maker writes it; what no source says how to read is told as the hex digits that stand
there, which tells two units apart as well.
"""

from collections.abc import Sequence

from drivers.modbus.wire import Identity, decode, encode


def read(identity: Identity, words: Sequence[int]) -> str:
    """Return what it says; "" where it says nothing: no number, nothing but zeros or ones, no printable text."""
    if not any(words) or all(word == 0xFFFF for word in words):
        return ""
    if identity.form == "hex":
        return "".join(f"{word:04X}" for word in words)
    if identity.form == "text":
        told = b"".join(word.to_bytes(2, "big") for word in words).rstrip(b"\0 ")
        return told.decode("ascii") if told.isascii() and told.decode("ascii").isprintable() else ""
    value = decode(identity.register, words)
    return "" if value is None else f"{value:.10g}"


def write(identity: Identity, told: str) -> tuple[int, ...]:
    """Return the words that say this; ValueError for what cannot be said so."""
    if not identity.form:
        return encode(identity.register, float(told))
    data = bytes.fromhex(told) if identity.form == "hex" else told.encode("ascii")
    if len(data) > 2 * identity.words:
        raise ValueError(f"{told!r} takes more than {identity.words} registers")
    data = data.ljust(2 * identity.words, b"\0")
    return tuple(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
