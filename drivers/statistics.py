"""What a line and its devices did: counters, round trips, the share of the last minute, who shares an address."""

from collections.abc import Sequence
from typing import Final

from drivers.api import Device
from drivers.figures import DeviceStatistics
from drivers.timeouts import Window

MINUTE: Final = 60
# Two devices on one address answer together and garble each other, again and again, while the rest of the
# line is clean: one damaged reply in twenty, five of them at least, and five times what the others have.
DUPLICATE_ERRORS: Final = 5
DUPLICATE_RATE: Final = 0.05
DUPLICATE_RATIO: Final = 5.0


class Counters:
    """Counts of one device since its line was made."""

    __slots__ = (
        "crc_errors",
        "exceptions",
        "good",
        "last_good_at",
        "late",
        "polls",
        "retries",
        "round_trips",
        "timeouts",
    )

    def __init__(self) -> None:
        self.polls = self.good = self.timeouts = self.crc_errors = 0
        self.retries = self.late = self.exceptions = 0
        self.last_good_at: float | None = None
        self.round_trips = Window()

    def snapshot(
        self, device: str, address: int, *, online: bool, timeout_s: float, suspect_duplicate: bool
    ) -> DeviceStatistics:
        """Return the counts as others see them."""
        return DeviceStatistics(
            device=device,
            address=address,
            online=online,
            last_good_at=self.last_good_at,
            round_trip_p50_s=self.round_trips.percentile(0.5),
            round_trip_p99_s=self.round_trips.percentile(0.99),
            timeout_s=timeout_s,
            polls=self.polls,
            good=self.good,
            timeouts=self.timeouts,
            crc_errors=self.crc_errors,
            retries=self.retries,
            late=self.late,
            exceptions=self.exceptions,
            suspect_duplicate=suspect_duplicate,
        )


def snapshots(rows: Sequence[tuple[Device, Counters, bool, float]]) -> tuple[DeviceStatistics, ...]:
    """Return the counts of all devices of a line; a row has device, counts, online and its time-out in seconds."""
    every = [counters for _, counters, _, _ in rows]
    return tuple(
        counters.snapshot(
            device.name,
            device.address,
            online=online,
            timeout_s=timeout_s,
            suspect_duplicate=suspects_duplicate(counters, [each for each in every if each is not counters]),
        )
        for device, counters, online, timeout_s in rows
    )


def suspects_duplicate(one: Counters, others: list[Counters]) -> bool:
    """Say whether a device's replies are damaged so much more often than the others' that two may answer."""
    if one.crc_errors < DUPLICATE_ERRORS or one.crc_errors < DUPLICATE_RATE * one.polls:
        return False
    polls = sum(other.polls for other in others)
    rest = sum(other.crc_errors for other in others) / polls if polls else 0.0
    return one.crc_errors / one.polls > DUPLICATE_RATIO * rest


class Utilisation:
    """The share of the last minute a wire was busy, second by second."""

    __slots__ = ("_busy", "_second", "_since")

    def __init__(self, now: float) -> None:
        self._busy = [0.0] * MINUTE
        self._second = int(now)
        self._since = now

    def busy(self, duration_s: float, now: float) -> None:
        """Note that the wire was busy for `duration_s` until `now`."""
        if now >= self._second + 1:
            self._advance(now)
        self._busy[self._second % MINUTE] += duration_s

    def share(self, now: float) -> float:
        """Return 0 to 1."""
        self._advance(now)
        return min(1.0, sum(self._busy) / max(1.0, min(MINUTE, now - self._since)))

    def _advance(self, now: float) -> None:
        second = int(now)
        if second <= self._second:
            return
        for passed in range(max(self._second + 1, second - MINUTE + 1), second + 1):
            self._busy[passed % MINUTE] = 0.0
        self._second = second
