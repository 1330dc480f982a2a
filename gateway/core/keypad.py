"""One reader's keys: digits become a PIN, and who guesses PINs has to wait. Told the time, asks nobody.

Digits come one by one or together; # ends a PIN, * takes it back, and ten seconds without a key forget it.

Guessing is a bucket for each reader: a PIN that opens nothing adds one, one that does takes one out, and it leaks one
in ten minutes. The same PIN takes out one in ten minutes as well: so residents make good what they mistype, and who has
a PIN of their own buys no guesses at their neighbours' with it. When the bucket is full the reader takes no PIN for
30 s, then 60 s, and so on up to 15 minutes; who waits between guesses gets no more of them. Six hours of peace make the
next wait short again. Cards are never held up.
"""

from collections.abc import Hashable
from typing import Final

from gateway.core.cards import PIN_MOST

BETWEEN_KEYS_S: Final = 10.0
MOST_KEYS: Final = 64  # of one report; no reader holds more
GUESSES: Final = 5
LEAK_S: Final = 600.0
FIRST_WAIT_S: Final = 30.0
LONGEST_WAIT_S: Final = 900.0
PEACE_S: Final = 6 * 3600.0


class Keypad:
    """The digits typed so far. What was typed is in no repr."""

    __slots__ = ("_digits", "_last_at")

    def __init__(self) -> None:
        self._digits, self._last_at = "", 0.0

    def press(self, keys: bytes, now: float) -> list[str]:
        """Take keys and return the PINs they end, as typed: one of more than eight digits is told as nine."""
        if now - self._last_at > BETWEEN_KEYS_S:
            self._digits = ""
        self._last_at = now
        done = []
        for key in keys[:MOST_KEYS].decode("ascii", "replace"):
            if key == "#":
                done += [self._digits] if self._digits else []
            elif key.isascii() and key.isdecimal():
                self._digits = (self._digits + key)[: PIN_MOST + 1]
                continue
            elif key != "*":
                continue
            self._digits = ""
        return done


class Guessing:
    """How many PINs were guessed at one reader, and until when it takes none."""

    __slots__ = ("_at", "_credited", "_full", "_locked_at", "_wait_s", "until")

    def __init__(self) -> None:
        self.until = self._locked_at = float("-inf")
        self._full, self._at, self._wait_s = 0.0, 0.0, FIRST_WAIT_S
        self._credited: dict[Hashable, float] = {}  # PINs that took one out, and when

    def locked(self, now: float) -> bool:
        """Return whether PINs have to wait."""
        return now < self.until

    def right(self, now: float, whose: Hashable) -> None:
        """Take note of a PIN that opened the door, told from others by `whose`."""
        self._leak(now)
        self._credited = {each: at for each, at in self._credited.items() if 0.0 <= now - at < LEAK_S}
        if self._full and whose not in self._credited:
            self._credited[whose] = now
            self._full = max(self._full - 1.0, 0.0)

    def wrong(self, now: float) -> float | None:
        """Take note of one that did not; return for how many seconds no PIN is taken, None if the next one is."""
        self._leak(now)
        self._full += 1.0
        if (
            self._full <= GUESSES - 1
        ):  # the fifth of a few minutes: what has leaked since the first counts for nothing
            return None
        if now - self._locked_at > PEACE_S:
            self._wait_s = FIRST_WAIT_S
        wait_s = self._wait_s
        self.until, self._locked_at, self._full = now + wait_s, now, 0.0
        self._wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        return wait_s

    def _leak(self, now: float) -> None:
        self._full = max(self._full - max(now - self._at, 0.0) / LEAK_S, 0.0)
        self._at = now
