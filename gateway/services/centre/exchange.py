"""Who owes whom an answer on one connection (6.1 to 6.5): serial numbers, confirmations, re-sends. Pure, told `now`.

Every packet we begin with has a serial number of its own until it is answered under that number; one that is not
answered in time, or is refused, is sent again under the same number. After the last re-send a refused packet is given
up (the centre is there and does not want it), and so is an unanswered one, if another was confirmed since: a centre may
just ignore what it does not know. If none was, the centre is gone. Nothing counts as an answer but a confirmation with
a number that is open, from the centre's address, to ours.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from drivers.gb26875.frames import SERIALS, Command, Frame

Key: TypeAlias = object
ANSWERS: Final = frozenset({Command.CONFIRM, Command.DENY})
QUESTIONS: Final = frozenset({Command.CONTROL, Command.REQUEST})


@dataclass(frozen=True, slots=True)
class Ends:
    """The two addresses, and the user's version in every packet."""

    ours: int
    theirs: int
    user_version: int = 1


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer may take, and how often a packet is sent again (6.5: at most 10 s, three times)."""

    timeout_s: float = 5.0
    resends: int = 3


@dataclass(frozen=True, slots=True)
class Settled:
    """A packet of ours is done with: confirmed, or refused or ignored to the last; after so many `tries`."""

    key: Key
    confirmed: bool
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """The centre wants something of us."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Ignored:
    """A packet that means nothing here, and why."""

    why: str


@dataclass(slots=True)
class _Open:
    key: Key
    unit: Callable[[], bytes]
    sent_at: float
    tries: int = 1


@dataclass(slots=True)
class Exchange:
    """The open packets of one connection. `stamp` gives the six bytes of the time a packet is sent."""

    ends: Ends
    patience: Patience
    stamp: Callable[[], bytes]
    ignored: Counter[str] = field(default_factory=Counter)
    resent: int = 0
    refused: int = 0
    _open: dict[int, _Open] = field(default_factory=dict)
    _serial: int = -1
    _confirmed_at: float = float("-inf")

    @property
    def open(self) -> int:
        """Return how many packets wait for an answer."""
        return len(self._open)

    @property
    def keys(self) -> list[Key]:
        """Return what they are."""
        return [each.key for each in self._open.values()]

    @property
    def doubtful(self) -> bool:
        """Return whether one is sent for the last time, and it is not known yet whether the centre is gone."""
        last = max(self.patience.resends, 1)
        return any(each.tries > last and not self._is_ignored(each) for each in self._open.values())

    def begin(self, unit: Callable[[], bytes], key: Key, now: float) -> Frame:
        """Return a new packet; what comes of it is told of `key`. `unit` is asked anew each time it is sent."""
        self._serial = (self._serial + 1) % SERIALS
        while self._serial in self._open:
            self._serial = (self._serial + 1) % SERIALS
        self._open[self._serial] = _Open(key, unit, now)
        return self._frame(self._serial, Command.SEND, unit())

    def answer(self, to: Frame, command: Command, unit: bytes = b"") -> Frame:
        """Return our answer to a packet of the centre, under its number."""
        return self._frame(to.serial, command, unit)

    def receive(self, frame: Frame, now: float) -> Settled | Asked | Ignored | Frame:
        """Take in a packet; a Frame is one to send again at once."""
        if (frame.source, frame.destination) != (self.ends.theirs, self.ends.ours):
            return self._ignore(f"a packet from address {frame.source} to {frame.destination}")
        if frame.command in ANSWERS:
            return self._answered(frame, now)
        if frame.command == Command.RESPONSE:
            return self._ignore("a response to a question nobody asked")
        return Asked(frame)

    def due(self, now: float) -> list[Frame | Settled] | None:
        """Return the packets to send again now, and what was ignored to the last; None: the centre is gone."""
        late = [(serial, each) for serial, each in self._open.items() if self._due(each) <= now]
        if any(each.tries > self.patience.resends and not self._is_ignored(each) for _, each in late):
            return None
        return [
            self._given_up(serial, each)
            if each.tries > self.patience.resends
            else self._again(serial, each, now)
            for serial, each in late
        ]

    def next_due(self) -> float | None:
        """Return when `due` has something."""
        return min((self._due(each) for each in self._open.values()), default=None)

    def _answered(self, frame: Frame, now: float) -> Settled | Ignored | Frame:
        each = self._open.get(frame.serial)
        if each is None:
            return self._ignore("an answer under a number that is not open")
        if frame.command == Command.CONFIRM:
            del self._open[frame.serial]
            self._confirmed_at = now
            return Settled(each.key, confirmed=True, tries=each.tries)
        if each.tries <= self.patience.resends:
            return self._again(frame.serial, each, now)
        return self._given_up(frame.serial, each)

    def _given_up(self, serial: int, each: _Open) -> Settled:
        del self._open[serial]
        self.refused += 1
        return Settled(each.key, confirmed=False, tries=each.tries)

    def _is_ignored(self, each: _Open) -> bool:
        """Return whether another packet was confirmed since this one was last sent."""
        return self._confirmed_at >= each.sent_at

    def _due(self, each: _Open) -> float:
        return each.sent_at + self.patience.timeout_s

    def _again(self, serial: int, each: _Open, now: float) -> Frame:
        each.tries, each.sent_at = each.tries + 1, now
        self.resent += 1
        return self._frame(serial, Command.SEND, each.unit())

    def _frame(self, serial: int, command: Command, unit: bytes) -> Frame:
        ends = self.ends
        return Frame(serial, command, ends.ours, ends.theirs, self.stamp(), unit, ends.user_version)

    def _ignore(self, why: str) -> Ignored:
        self.ignored[why.partition(" from ")[0]] += 1
        return Ignored(why)
