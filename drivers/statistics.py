"""What a line and its devices did: counters, round trips, the share of the last minute, who shares an address."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from drivers.api import Device
from drivers.figures import DeviceStatistics
from drivers.timeouts import Window

MINUTE: Final = 60
SPAN: Final = 500  # polls that count as lately, at least
FEW: Final = 200  # polls that tell nothing yet
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
        "lately",
        "polls",
        "retries",
        "round_trips",
        "there",
        "timeouts",
    )

    def __init__(self) -> None:
        self.polls = self.good = self.timeouts = self.crc_errors = 0
        self.retries = self.late = self.exceptions = 0
        self.last_good_at: float | None = None
        self.round_trips = Window()
        # the second since it was last away: that tells of its line
        self.lately, self.there = Lately(), Lately()

    @property
    def now(self) -> "Count":
        """Return what tells how well it is heard, counted since its line was made."""
        return Count(self.polls, self.crc_errors, self.timeouts + self.crc_errors + self.late)

    def snapshot(
        self,
        device: str,
        address: int,
        *,
        online: bool,
        timeout_s: float,
        there: "Count",
        suspect_duplicate: bool,
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
            broken_lately=there.broken / there.polls if there.polls >= FEW else None,
        )


class Count(NamedTuple):
    """How often a device was asked, how many of its answers came damaged, how many damaged, late or not at all."""

    polls: int = 0
    crc_errors: int = 0
    broken: int = 0

    def since(self, before: "Count") -> "Count":
        """Return what was counted since another count."""
        return Count(*(now - then for now, then in zip(self, before, strict=True)))


class Lately:
    """The counts of the latest polls, 500 to 1000 if somebody looks that often.

    Over years a line that went bad would not be seen for weeks by counts since its start, nor one that was mended.
    """

    __slots__ = ("_before", "_next")

    def __init__(self) -> None:
        self._before = self._next = Count()

    def of(self, now: Count, *, anew: bool = False) -> Count:
        """Return what was counted lately, and mark how far it has come; `anew` begins from nothing."""
        if anew:
            self._before = self._next = now
        elif now.polls - self._next.polls >= SPAN:
            self._before, self._next = self._next, now
        return now.since(self._before)


def snapshots(rows: Sequence[tuple[Device, Counters, bool, float]]) -> tuple[DeviceStatistics, ...]:
    """Return the counts of all devices of a line; a row has device, counts, online and its time-out in seconds."""
    every = [counters.lately.of(counters.now) for _, counters, _, _ in rows]
    return tuple(
        counters.snapshot(
            device.name,
            device.address,
            online=online,
            timeout_s=timeout_s,
            there=counters.there.of(counters.now, anew=not online),
            suspect_duplicate=suspects_duplicate(every[i], [*every[:i], *every[i + 1 :]]),
        )
        for i, (device, counters, online, timeout_s) in enumerate(rows)
    )


def suspects_duplicate(one: Count, others: Sequence[Count]) -> bool:
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
