"""Cards as a reader sends them, for tests and benches: the bits with their parity, left aligned."""

from drivers.api import Presented
from gateway.core.cards import Card


def wiegand(bits: int, payload: int) -> bytes:
    """Return a Wiegand frame of 26, 34 or 37 bits, written from the standard's words and not from our reader of it."""
    body = f"{payload:0{bits - 2}b}"
    half = (bits + 1) // 2 - 1  # data bits each parity bit looks after
    even = str(body[:half].count("1") % 2)
    odd = str((body[-half:].count("1") + 1) % 2)
    told = even + body + odd
    return int(told.ljust((bits + 7) // 8 * 8, "0"), 2).to_bytes((bits + 7) // 8, "big")


def presented(card: Card, *, reader: str = "reader-1", at: float = 0.0) -> Presented:
    """Return a card as the driver of a reader reports it."""
    if card.bits in {24, 32, 35}:
        return Presented(reader, "card", card.bits + 2, wiegand(card.bits + 2, card.number), at)
    return Presented(reader, "card", 0, card.number.to_bytes(card.bits // 8, "big"), at)


def keys(typed: str, *, reader: str = "reader-1", at: float = 0.0) -> Presented:
    """Return keys as the driver of a reader reports them."""
    return Presented(reader, "keys", len(typed), typed.encode(), at)
