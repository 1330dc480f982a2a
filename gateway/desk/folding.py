"""What a batch of arrivals comes to: each event once, each alert's newest, and the receipts for all. Pure.

Newest is by (epoch, seq), never by arrival: the broker resends, reorders, and sends again what we have. A receipt is
owed for every event that is stored, also for one that came a second time, because its first receipt may be lost.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from gateway.core.chunks import chunks
from gateway.desk.arrivals import Arrival

MOST_RANGES: Final = 1000  # of one receipt, by the contract


def once(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Return each event once, in the order of its number: batches that lock rows in one order never deadlock."""
    first: dict[tuple[str, int, int], Arrival] = {}
    for arrival in arrivals:
        first.setdefault(arrival.key, arrival)
    return [first[key] for key in sorted(first)]


def newest(arrivals: Iterable[Arrival]) -> dict[str, Arrival]:
    """Return the newest event of each alert, whatever order they come in, sorted by alert."""
    found: dict[str, Arrival] = {}
    for arrival in arrivals:
        known = found.get(arrival.alert)
        if known is None or (known.epoch, known.seq) < (arrival.epoch, arrival.seq):
            found[arrival.alert] = arrival
    return {alert: found[alert] for alert in sorted(found)}


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return numbers as ranges, ends included: [1, 2, 3, 7] is [(1, 3), (7, 7)]."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def receipts(arrivals: Iterable[Arrival]) -> list[tuple[str, bytes]]:
    """Return the receipts for what is stored, as (gateway, payload)."""
    stored: dict[tuple[str, int], list[int]] = {}
    for arrival in arrivals:
        stored.setdefault((arrival.gateway, arrival.epoch), []).append(arrival.seq)
    return [
        (gateway, msgspec.json.encode({"epoch": epoch, "stored": part}))
        for (gateway, epoch), numbers in sorted(stored.items())
        for part in chunks(ranges(numbers), MOST_RANGES)
    ]


def by_key(arrivals: Sequence[Arrival]) -> Mapping[tuple[str, int, int], Arrival]:
    """Return the arrivals by their numbers."""
    return {arrival.key: arrival for arrival in arrivals}
