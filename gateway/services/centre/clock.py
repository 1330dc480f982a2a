"""What a centre's word on the time is worth: never our clock, at most the times we write to that centre. Pure.

A centre may order a clock to be set (type 90). The gateway's own clock is set by NTP and by nothing a peer says:
schedules of doors, the validity of cards and the record itself hang on it. So an order changes nothing here. While
our clock is set by somebody the answer is whether the two agree. While it is not, and the site says `take_clock`, the
difference is added to the times *that centre* is told: a centre that lies about the time deceives only itself.
"""

from dataclasses import dataclass
from typing import Final

from gateway.core.events import Clock

AGREE_S: Final = 60.0
EARLIEST: Final = 1_767_225_600.0  # 2026-01-01: no such gateway was about before
LONGEST_S: Final = 50 * 365.25 * 86_400.0


@dataclass(slots=True)
class CentreClock:
    """The times one centre is told. `ahead_s` is added to those our own clock was not trusted for."""

    take: bool
    ahead_s: float = 0.0

    def told(self, theirs: float, ours: float, clock: Clock) -> tuple[bool, str]:
        """Take in an order; return whether it is confirmed, and what to put on record."""
        away = theirs - ours
        if abs(away) <= AGREE_S:
            return True, f"its time is ours within {AGREE_S:.0f} s"
        if clock is Clock.SYNCED:
            return False, f"its time is {away:+.0f} s from ours, which is synchronised and stays"
        if not self.take:
            return False, f"its time is {away:+.0f} s from ours, and take_clock is off"
        if not EARLIEST <= theirs <= EARLIEST + LONGEST_S:
            return False, "its time cannot be right"
        self.ahead_s = away
        return True, f"the times it is told are moved by {away:+.0f} s while our clock is not set"

    def wall(self, wall: float, clock: Clock) -> float:
        """Return a time as this centre is told it."""
        return wall if clock is Clock.SYNCED else wall + self.ahead_s
