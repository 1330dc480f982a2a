"""What libosdp says of a peripheral, as reports: a card, keys, states. Pure; what is malformed says nothing.

A card's bits are left aligned as they came; what follows the last of them in its byte is cleared. Keys are digits
in ASCII, 0D for # and 7F for * (IEC 60839-11-5, osdp_KEYPAD); other keys have no meaning at a door.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from drivers.api import Point, Presented
from drivers.osdp.wire import Kind, Place

Event: TypeAlias = Mapping[str, object]

# the numbers of osdp_sys, which is imported only where a line speaks OSDP (panel.py compares them)
CARD, KEYS, STATUS, NOTIFICATION = 1, 2, 4, 5
PERIPHERAL_STATUS: Final = 2
STATUS_KINDS: Final[Mapping[int, Kind]] = {0: "input", 1: "output", 2: "local"}
WHOLE_BITS: Final = frozenset((0, 1))  # card formats that are told in bits: unspecified, Wiegand
KEY_CODES: Final = {0x0D: "#", 0x7F: "*", **{ord(key): key for key in "0123456789*#"}}


@dataclass(frozen=True, slots=True)
class States:
    """A status reply: one byte for each input, output, or local state."""

    kind: Kind
    values: tuple[int, ...]


def presented(device: str, event: Event, at: float) -> Presented | None:
    """Return the card or the keys of an event, None if there are none in it."""
    data = event.get("data")
    if not isinstance(data, bytes):
        return None
    if event.get("event") == KEYS:
        keys = "".join(KEY_CODES.get(code, "") for code in data)
        return Presented(device, "keys", len(keys), keys.encode(), at) if keys else None
    if event.get("event") != CARD:
        return None
    if event.get("format") not in WHOLE_BITS:
        return Presented(device, "card", 0, data, at) if data else None
    bits = event.get("length")
    if not isinstance(bits, int) or not 0 < bits <= 8 * len(data):
        return None
    return Presented(device, "card", bits, _left_aligned(data, bits), at)


def states(event: Event) -> States | None:
    """Return the states of an event, None if there are none in it."""
    report, kind = event.get("report"), event.get("type")
    if event.get("event") != STATUS or not isinstance(report, bytes) or not isinstance(kind, int):
        return None
    return States(STATUS_KINDS[kind], tuple(report)) if kind in STATUS_KINDS else None


def values(points: Iterable[Point], told: States) -> list[tuple[Point, bool | None]]:
    """Return what a status reply says of each point that stands in it; None for one the peripheral has not."""
    found: list[tuple[Point, bool | None]] = []
    for point in points:
        place = point.wire
        assert isinstance(place, Place)
        if place.kind == told.kind:
            there = place.number < len(told.values)
            found.append((point, bool(told.values[place.number]) != place.invert if there else None))
    return found


def _left_aligned(data: bytes, bits: int) -> bytes:
    kept = data[: (bits + 7) // 8]
    spare = 8 * len(kept) - bits
    return (int.from_bytes(kept, "big") >> spare << spare).to_bytes(len(kept), "big")
