"""Who is there: when a silent device counts as away, and when it is not the devices but the line.

A device is away after two failed exchanges in a row and three seconds without an answer: then its points are
stale. Whether it is told alone depends on the others: if somebody answered since it fell silent, the line is
fine and the device is not. If nobody did, it is held back until somebody answers, or until everybody has been
silent for five seconds: then the *line* is down, once, instead of all that hang on it (a brown-out, a cut
cable, a swapped pair). A frozen device answers, but always the same: it is away too.
"""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

AWAY_FAILURES: Final = 2
AWAY_S: Final = 3.0
LINE_DOWN_S: Final = 5.0


class Turn(enum.Enum):
    """What changed."""

    ONLINE = enum.auto()  # a device answers, for the first time or again
    OFFLINE = enum.auto()
    STALE = enum.auto()  # a device's values are no longer known; says nothing about why
    ASK_OTHERS = enum.auto()  # a device is silent and nobody else was asked since: ask, to know whom to blame
    LINE_UP = enum.auto()
    LINE_DOWN = enum.auto()


@dataclass(frozen=True, slots=True)
class Change:
    """Something to tell. `device` is None for the line."""

    turn: Turn
    device: int | None
    reason: str = ""


class _Presence:
    """What is known of one device."""

    __slots__ = ("failed_at", "failures", "frozen", "online", "quiet_since", "reason", "stale")

    def __init__(self, now: float) -> None:
        self.online: bool | None = None  # as told; None: nothing told yet
        self.stale = self.frozen = False
        self.failures = 0  # in a row
        self.failed_at = now  # the first of them
        self.quiet_since = now
        self.reason = ""


class Roll:
    """All devices of one line, numbered from 0. Each call returns what changed by it."""

    def __init__(self, count: int, now: float) -> None:
        self.up: bool | None = None
        self._devices = [_Presence(now) for _ in range(count)]
        self._answered_at = now  # anybody's last answer

    def online(self, device: int) -> bool:
        """Say whether a device answers and its values are alive."""
        one = self._devices[device]
        return one.online is True and not one.stale

    def failures(self, device: int) -> int:
        """Return how many exchanges in a row failed."""
        return self._devices[device].failures

    def everybody_failed(self) -> bool:
        """Say whether each device was asked often enough, without an answer, to be believed away."""
        return all(one.failures >= AWAY_FAILURES for one in self._devices)

    def nobody_for_s(self, now: float) -> float:
        """Return how long nobody has answered."""
        return now - self._answered_at

    def answered(self, device: int, now: float) -> Sequence[Change]:
        """A device gave a valid frame, good or exception."""
        one = self._devices[device]
        self._answered_at = one.quiet_since = now
        one.failures = 0
        if self.up and one.online and not one.stale:
            return ()
        changes: list[Change] = []
        if not self.up:
            self._restart(now)
            self.up = True
            changes.append(Change(Turn.LINE_UP, None, "answers"))
        if not one.frozen:
            one.stale = False
            if not one.online:
                one.online = True
                changes.append(Change(Turn.ONLINE, device, "answers"))
        return changes

    def failed(self, device: int, reason: str, now: float) -> Sequence[Change]:
        """An exchange with a device failed; `reason` says how: silent, garbled."""
        one = self._devices[device]
        if one.failures == 0:
            one.failed_at = now
        one.failures += 1
        one.reason = reason
        return [*self._away(now), *self._line_down(now)]

    def frozen(self, device: int) -> Sequence[Change]:
        """A device answers, but what should change does not."""
        one = self._devices[device]
        if one.frozen:
            return ()
        one.frozen = True
        return [*self._stale(device), *self._offline(device, "frozen")]

    def thawed(self, device: int, now: float) -> Sequence[Change]:
        """What should change does change."""
        one = self._devices[device]
        if not one.frozen:
            return ()
        one.frozen = False
        return self.answered(device, now)

    def refused(self, device: int, reason: str, now: float) -> Sequence[Change]:
        """A device is there, and will not work with us: away at once, and the line is fine."""
        one = self._devices[device]
        self._answered_at = one.quiet_since = now
        one.failures = 0
        changes: list[Change] = []
        if not self.up:
            self._restart(now)
            self.up = True
            changes.append(Change(Turn.LINE_UP, None, "answers"))
        if one.online is False and one.reason != reason:
            one.online = None  # told as away for another reason
        one.reason = reason
        return [*changes, *self._stale(device), *self._offline(device, reason)]

    def port_lost(self, reason: str) -> Sequence[Change]:
        """The port is gone or cannot be opened."""
        down = [] if self.up is False else [Change(Turn.LINE_DOWN, None, reason)]
        self.up = False
        return [*down, *(change for device in self._all() for change in self._stale(device))]

    def port_opened(self, now: float) -> None:
        """The port is there again; who hangs on it is not known yet."""
        self._restart(now)

    def _restart(self, now: float) -> None:
        """Give everybody the time to answer that a line just opened gives them."""
        self._answered_at = now
        for one in self._devices:
            one.failures, one.quiet_since = 0, now

    def _all(self) -> Iterable[int]:
        return range(len(self._devices))

    def _away(self, now: float) -> list[Change]:
        changes: list[Change] = []
        for device in self._all():
            one = self._devices[device]
            if one.failures < AWAY_FAILURES or now - one.quiet_since < AWAY_S:
                continue
            news = self._stale(device)
            changes += news
            if one.online is False or self.up is False:
                continue
            if len(self._devices) == 1 or self._answered_at >= one.failed_at:
                changes += self._offline(device, one.reason)
            elif news:
                changes.append(Change(Turn.ASK_OTHERS, device))
        return changes

    def _line_down(self, now: float) -> list[Change]:
        if self.up is False or len(self._devices) < 2 or now - self._answered_at < LINE_DOWN_S:
            return []
        if not self.everybody_failed():
            return []
        self.up = False
        stale = [change for device in self._all() for change in self._stale(device)]
        return [Change(Turn.LINE_DOWN, None, "every device is silent"), *stale]

    def _stale(self, device: int) -> list[Change]:
        one = self._devices[device]
        if one.stale:
            return []
        one.stale = True
        return [Change(Turn.STALE, device)]

    def _offline(self, device: int, reason: str) -> list[Change]:
        one = self._devices[device]
        if one.online is False:
            return []
        one.online = False
        return [Change(Turn.OFFLINE, device, reason)]
