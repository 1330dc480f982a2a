"""Which devices' retained states must be told: pure bookkeeping, told `now`.

How it works: rows of the readings lane are taken in batches. A batch only says which devices changed; each is
published once, with its latest values, however many rows it had. When all of a batch are confirmed the cursor
moves to its last row, and the next batch begins.
"""

from collections.abc import Iterable
from typing import Final

from gateway.core.events import DoorBody, Event, LinkBody, ReadingBody
from gateway.runtime.journal.rows import Position

EXPIRY_S: Final = 3_600
REFRESH_S: Final = 1_800.0  # a state is told again before the broker lets it expire
RETRY_S: Final = 30.0


class States:
    """The readings lane between journal and broker."""

    def __init__(self, cursor: Position) -> None:
        self.cursor = cursor
        self.thinned = 0  # rows that needed no message of their own
        self._end = cursor
        self._told: dict[str, float] = {}
        self._hinted: dict[str, None] = {}
        self._dirty: dict[str, float] = {}  # device -> not before
        self._flying: set[str] = set()

    @property
    def idle(self) -> bool:
        """Return whether the batch is done, so that the next may begin."""
        return not self._dirty and not self._flying

    @property
    def waiting(self) -> bool:
        """Return whether rows of this batch are not confirmed."""
        return self._end > self.cursor

    def changed(self, device: str) -> None:
        """Have a device told in the next batch."""
        self._hinted[device] = None

    def begin(self, rows: Iterable[Event]) -> None:
        """Start a batch of these rows and of the devices that were hinted at; only when idle."""
        count = 0
        for row in rows:
            count += 1
            self._end = (row.epoch, row.seq)
            match row.body:
                case ReadingBody(device=name) | LinkBody(what="device", name=name) | DoorBody(door=name):
                    self._dirty[name] = 0.0
                case _:
                    pass
        self.thinned += max(count - len(self._dirty), 0)
        self._dirty.update(dict.fromkeys(self._hinted, 0.0))
        self._hinted.clear()
        self._settle()

    def due(self, now: float) -> str | None:
        """Return a device to tell now, or None."""
        return next((device for device, at in self._dirty.items() if at <= now), None)

    def sent(self, device: str, now: float) -> None:
        """Take note that a device's state was published."""
        self._dirty.pop(device, None)
        self._flying.add(device)
        self._told[device] = now

    def unknown(self, device: str) -> None:
        """Take note that there is nothing to tell of a device."""
        self._dirty.pop(device, None)
        self._told.pop(device, None)
        self._settle()

    def confirmed(self, device: str) -> None:
        """Take in the broker's acknowledgement."""
        self._flying.discard(device)
        self._settle()

    def refused(self, device: str, now: float) -> None:
        """Take in the broker's refusal; the device is told again later."""
        self._flying.discard(device)
        self._dirty[device] = now + RETRY_S

    def link_lost(self) -> None:
        """The connection is over: what was on its way is told again."""
        self._dirty.update(dict.fromkeys(self._flying, 0.0))
        self._flying.clear()

    def refresh(self, now: float, *, every_s: float = REFRESH_S) -> None:
        """Have devices told again that were last told `every_s` ago; 0 for all, when the broker forgot them."""
        for device, at in self._told.items():
            if now - at >= every_s:
                self.changed(device)

    def _settle(self) -> None:
        if self.idle:
            self.cursor = self._end
