"""The machine under the gateway: what is measured of it, and when a person must act on it. Pure, told the time.

A limit has two edges and two patiences, so that a value which trembles about it is one alert and not fifty: it is
wrong after so long beyond the one, and well again after so long within the other. What a machine does not tell is
no trouble of its own.

80 °C is where a Raspberry Pi begins to slow down; under-voltage corrupts cards, so one look is enough. A card is
worn when it says so itself (JEDEC eMMC 5.1, DEVICE_LIFE_TIME_EST, in tenths), or when what is written to it would
use up a new one of the endurance given (`card_tbw`) within a year.
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

DAY_S: Final = 86_400.0
HOUR_S: Final = 3_600.0
YEAR_D: Final = 365.25

HOT_C, COOL_C = 80.0, 75.0
LOW_BYTES, ROOM_BYTES = 1_000_000_000, 1_200_000_000
LOW_SHARE, ROOM_SHARE = 0.05, 0.07
WORN_SHARE: Final = 0.9
SHORT_YEARS, LONG_YEARS = 1.0, 1.5

Link: TypeAlias = Literal["heat", "power", "room", "card", "clock", "update"]
"""What of the machine the gateway lives by, as in the `link` of a kind of alert."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One look at the machine; None for what it does not tell. Written bytes count since process start and boot."""

    temperature_c: float | None = None
    undervoltage: bool | None = None
    undervoltage_since_boot: bool | None = None
    throttled: bool | None = None
    rtc: bool | None = None
    disk_bytes: int | None = None
    disk_free_bytes: int | None = None
    inodes: int | None = None
    inodes_free: int | None = None
    memory_bytes: int | None = None
    memory_available_bytes: int | None = None
    rss_bytes: int | None = None
    descriptors: int | None = None
    descriptors_max: int | None = None
    card: str | None = None
    card_life_used: float | None = None  # share of its endurance, the upper edge of what the card says
    card_written_bytes: int | None = None
    written_bytes: int | None = None
    update_taken_back: str | None = None  # which new version was not healthy, and why


@dataclass(frozen=True, slots=True)
class Seen:
    """The latest look with what only time tells. Per day: over the last day; None before there was an hour of it."""

    measured: Measured = Measured()
    clock_synced: bool = True
    written_bytes_per_day: float | None = None
    card_written_bytes_per_day: float | None = None
    card_years: float | None = None  # that a new card would last at this rate


@dataclass(frozen=True, slots=True)
class Change:
    """Something the gateway lives by went wrong or is well again."""

    link: Link
    up: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Limit:
    """`wrong` and `well` are the two edges; between them nothing changes. Patiences in seconds."""

    link: Link
    wrong: Callable[[Seen], bool]
    well: Callable[[Seen], bool]
    told: Callable[[Seen], str]
    wrong_s: float = 0.0
    well_s: float = 0.0


class Wear:
    """Bytes a day, from a counter that only grows; one that starts again is taken up anew."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, count: int | None, now: float) -> None:
        """Take in the counter; a sample an hour is kept, and the latest."""
        if count is None:
            return
        samples = self._samples
        if samples and count < samples[-1][1]:
            samples.clear()
        if len(samples) > 1 and now - samples[-2][0] < HOUR_S:
            samples.pop()
        samples.append((now, count))
        while len(samples) > 2 and now - samples[1][0] >= DAY_S:
            samples.popleft()

    def per_day(self) -> float | None:
        """Return bytes a day over the last day or what there is of it; None before an hour has passed."""
        if not self._samples:
            return None
        (began, first), (ended, last) = self._samples[0], self._samples[-1]
        return (last - first) / (ended - began) * DAY_S if ended - began >= HOUR_S else None


class Judge:
    """Says what changed for a person. `wrong` are the links that an earlier life left wrong."""

    def __init__(self, wrong: Collection[str] = ()) -> None:
        self._wrong = set(wrong)
        self._since: dict[str, float] = {}

    def look(self, seen: Seen, now: float) -> list[Change]:
        """Return the changes that this look brings."""
        changes = []
        for limit in LIMITS:
            was_wrong = limit.link in self._wrong
            turned = limit.well(seen) if was_wrong else limit.wrong(seen)
            if not turned:
                self._since.pop(limit.link, None)
                continue
            since = self._since.setdefault(limit.link, now)
            if now - since >= (limit.well_s if was_wrong else limit.wrong_s):
                del self._since[limit.link]
                self._wrong ^= {limit.link}
                changes.append(Change(limit.link, up=was_wrong, reason=limit.told(seen)))
        return changes


def years_of_card(tbw: float, bytes_per_day: float | None) -> float | None:
    """Return how long a new card of an endurance in terabytes lasts; None where either is not known."""
    if not tbw or not bytes_per_day:
        return None
    return tbw * 1e12 / (bytes_per_day * YEAR_D)


def _share(part: int | None, whole: int | None) -> float:
    return 1.0 if part is None or not whole else part / whole


def _narrow(seen: Seen, share: float, room: int) -> bool:
    """Say whether room or names for files run out: little of the disk, and little in itself."""
    m = seen.measured
    little = _share(m.disk_free_bytes, m.disk_bytes) < share and (m.disk_free_bytes or 0) < room
    return little or _share(m.inodes_free, m.inodes) < share


def _room(seen: Seen) -> str:
    m = seen.measured
    bytes_free, inodes_free = (m.disk_free_bytes or 0) / 1e6, _share(m.inodes_free, m.inodes)
    return f"{bytes_free:.0f} MB and {inodes_free:.0%} of the inodes free"


def _worn(seen: Seen) -> bool:
    years = seen.card_years
    return (seen.measured.card_life_used or 0.0) >= WORN_SHARE or (years is not None and years < SHORT_YEARS)


def _sound(seen: Seen) -> bool:
    years = seen.card_years
    return (seen.measured.card_life_used or 0.0) < WORN_SHARE and (years is None or years > LONG_YEARS)


def _card(seen: Seen) -> str:
    used, years = seen.measured.card_life_used, seen.card_years
    facts = [] if used is None else [f"{used:.0%} of its life used"]
    return ", ".join(facts + ([] if years is None else [f"a new one would last {years:.1f} years"]))


LIMITS: Final = (
    Limit(
        "heat",
        wrong=lambda seen: (seen.measured.temperature_c or 0.0) >= HOT_C,
        well=lambda seen: (seen.measured.temperature_c or 0.0) < COOL_C,
        told=lambda seen: f"{seen.measured.temperature_c or 0.0:.0f} °C",
        wrong_s=60.0,
        well_s=300.0,
    ),
    Limit(
        "power",
        wrong=lambda seen: seen.measured.undervoltage is True,
        well=lambda seen: seen.measured.undervoltage is not True,
        told=lambda seen: "under-voltage" if seen.measured.undervoltage else "voltage is good",
        well_s=600.0,
    ),
    Limit(
        "room",
        wrong=lambda seen: _narrow(seen, LOW_SHARE, LOW_BYTES),
        well=lambda seen: not _narrow(seen, ROOM_SHARE, ROOM_BYTES),
        told=_room,
        wrong_s=120.0,
        well_s=60.0,
    ),
    Limit("card", wrong=_worn, well=_sound, told=_card, wrong_s=60.0, well_s=DAY_S),
    Limit(
        "clock",
        wrong=lambda seen: not seen.clock_synced,
        well=lambda seen: seen.clock_synced,
        told=lambda seen: "the clock is set" if seen.clock_synced else "nobody sets the clock",
        wrong_s=900.0,
    ),
    Limit(
        "update",
        wrong=lambda seen: seen.measured.update_taken_back is not None,
        well=lambda seen: seen.measured.update_taken_back is None,
        told=lambda seen: seen.measured.update_taken_back or "the new version is healthy",
    ),
)
