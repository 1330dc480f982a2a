"""What devices said in words, for the notes of their alerts: a panel's own line tells more than ours. Pure.

A note has the last thing a device said; where that only adds to what stood already, the last few, so that the second
detector nobody listed does not wipe out the first. A panel that prints its whole memory, or noise that can be read, has
thousands of lines that nobody understands: each is an event of its own, and the alert tells a few of them a minute.
"""

from collections import deque
from typing import Final

from gateway.core.events import SaidBody

UNKNOWN_KIND: Final = "panel.unknown_line"
KEPT: Final = 5
WITHIN_S: Final = 60.0


class Sayings:
    """The last words of each device; what nobody understands is kept apart."""

    def __init__(self) -> None:
        self._known: dict[str, deque[str]] = {}
        self._unknown: dict[str, deque[str]] = {}
        self._told_at: dict[str, deque[float]] = {}

    def take(self, body: SaidBody) -> None:
        """Remember what a device said."""
        shelf = self._unknown if body.unknown else self._known
        words = shelf.setdefault(body.device, deque(maxlen=KEPT))
        if not (body.more or body.unknown):
            words.clear()
        if body.text not in words:
            words.append(body.text)

    def of(self, device: str) -> str | None:
        """Return what a device said of what it is in alarm for; None: nothing."""
        return _joined(self._known.get(device))

    def unknown(self, device: str) -> str:
        """Return the last things of a device that nobody here understood."""
        return _joined(self._unknown.get(device)) or ""

    def may_tell(self, device: str, now: float) -> bool:
        """Say whether its alert may tell now what was not understood: `KEPT` times within a minute; take note of it."""
        told = self._told_at.setdefault(device, deque(maxlen=KEPT))
        if len(told) == KEPT and now - told[0] < WITHIN_S:
            return False
        told.append(now)
        return True


def _joined(words: deque[str] | None) -> str | None:
    return " | ".join(words) if words else None
