"""Who of a line's peripherals is there, why not, and when to try again. No clock, no I/O: it is told the time.

                    restart                    in secure channel
    RESTING ------------------------> STARTING ------------------> UP
       ^        its pause is over         |                         |
       |                                  | refused, silent         | dropped: at once again;
       +----------------------------------+-------------------------+ silent: after a pause

A reply that is missing once is asked for again by libosdp, with the same number, so that the peripheral can repeat
what it had to say (IEC 60839-11-5, 5.9). Missing twice, the peripheral is put to rest and tried again, after
0.5 s and then ever more seldom, so that the others keep their pace. What is told outside is up to `Roll`: offline
after three seconds; the line and not its devices when everybody is silent. A peripheral that answers but
refuses, by key or by nature, is offline at once, with words for whoever is sent there.
"""

import enum
from collections.abc import Sequence
from typing import Final

from drivers.bus import probe_pause_s
from drivers.osdp import frames
from drivers.osdp.frames import Frame
from drivers.presence import Change, Roll

REPLY_S: Final = 0.2  # what a peripheral may take to answer (IEC 60839-11-5, 5.7)
PATIENCE_S: Final = 0.19  # libosdp begins its own pause of 0.8 s at 0.2 s
SETTLED_S: Final = 2.0  # who was up for so long has nothing against him
FAST_RESTARTS: Final = 5  # in a row, none of which lasted so long
SILENT: Final = "silent"
NO_KEY: Final = "no key: pair it with compound-gateway osdp pair, and give its key_file"
KNOWN_KEY: Final = "its key is the default one that everybody knows: pair it with compound-gateway osdp pair"
OTHER_KEY: Final = "it has another key than key_file, or none yet: set it to install mode and pair it again"
PLAIN_ONLY: Final = "it has no secure channel, and plain OSDP is refused here: replace it or update it"
UNWILLING: Final = "it refuses the secure channel: pair it with compound-gateway osdp pair"


class Phase(enum.Enum):
    """How far we are with a peripheral."""

    RESTING = enum.auto()
    STARTING = enum.auto()
    UP = enum.auto()


class _Station:
    """What is known of one peripheral."""

    __slots__ = ("asked", "failed", "last", "phase", "plain", "resume_at", "silences", "since")

    def __init__(self, now: float) -> None:
        self.phase = Phase.RESTING
        self.resume_at = self.since = now
        self.failed = self.silences = 0  # starts in a row; replies missing in a row
        self.asked = 0  # code of the last command
        self.last: Frame | None = None  # the reply to it
        self.plain = False  # its capabilities lack the secure channel


class Supervision:
    """The peripherals of one line, numbered from 0. What changed for others comes back from each call."""

    def __init__(self, count: int, now: float) -> None:
        self.roll = Roll(count, now)
        self._stations = [_Station(now) for _ in range(count)]

    def up(self, seat: int) -> bool:
        """Say whether a peripheral is in secure channel."""
        return self._stations[seat].phase is Phase.UP

    def any_busy(self) -> bool:
        """Say whether anybody is started or up."""
        return any(one.phase is not Phase.RESTING for one in self._stations)

    def refused(self, seat: int) -> str:
        """Return the words for a refusal of the last command, "" if it was none."""
        reply = self._stations[seat].last
        if reply is None or reply.code != frames.NAK:
            return ""
        reason = (
            frames.NAK_REASONS.get(reply.data[0]) if reply.data else None
        )  # in secure channel it is not to be seen
        return "the device says no" + (f": {reason}" if reason else "")

    def due(self, now: float) -> list[int]:
        """Return who is to be restarted now."""
        resting = [s for s, one in enumerate(self._stations) if one.phase is Phase.RESTING]
        return [seat for seat in resting if self._stations[seat].resume_at <= now]

    def next_at(self) -> float | None:
        """Return when somebody is due."""
        return min((one.resume_at for one in self._stations if one.phase is Phase.RESTING), default=None)

    def started(self, seat: int, now: float) -> None:
        """A restart was begun."""
        one = self._stations[seat]
        one.phase, one.since = Phase.STARTING, now
        one.silences, one.last, one.plain = 0, None, False

    def polled(self, seat: int) -> bool:
        """Say whether the last command was a poll to which the peripheral had nothing to say."""
        one = self._stations[seat]
        return one.asked == frames.POLL and one.last is not None and one.last.code == frames.ACK

    def last_asked(self, seat: int) -> int:
        """Return the code of the last command."""
        return self._stations[seat].asked

    def asked(self, seat: int, code: int) -> None:
        """A command went out."""
        one = self._stations[seat]
        one.asked, one.last = code, None

    def answered(self, seat: int, reply: Frame, now: float) -> Sequence[Change]:
        """An undamaged reply came."""
        one = self._stations[seat]
        one.last, one.silences = reply, 0
        if reply.code == frames.CAPABILITY_LIST and not reply.block:
            one.plain = not reply.capabilities.get(frames.SECURITY, (0, 0))[0] & 1
        return self.roll.answered(seat, now) if one.phase is Phase.UP else ()

    def secured(self, seat: int, now: float) -> Sequence[Change]:
        """A peripheral is in secure channel."""
        one = self._stations[seat]
        one.phase, one.since = Phase.UP, now
        return self.roll.answered(seat, now)

    def missed(self, seat: int, *, final: bool, now: float) -> tuple[bool, Sequence[Change]]:
        """A reply is missing; return whether to stop waiting. `final`: this one may not be repeated later."""
        one = self._stations[seat]
        one.silences += 1
        changes = self.roll.failed(seat, SILENT, now)
        return final or one.silences > 1 or one.phase is Phase.STARTING, changes

    def dropped(self, seat: int, now: float) -> Sequence[Change]:
        """The peripheral is out of the secure channel, or did not get into it."""
        one = self._stations[seat]
        if one.phase is Phase.RESTING:
            return ()
        was_up = one.phase is Phase.UP
        one.failed = 0 if was_up and now - one.since >= SETTLED_S else one.failed + 1
        reason = _reason(one)
        # A refusal, or one lost reply that could not be asked for again, is no reason to stay away.
        at_once = was_up and one.failed <= FAST_RESTARTS and (one.last is not None or one.silences <= 1)
        one.phase = Phase.RESTING
        one.resume_at = now if at_once else now + probe_pause_s(max(one.failed - 1, 0), fire=False)
        return self.roll.refused(seat, reason, now) if reason else ()

    def lost(self, reason: str, now: float) -> Sequence[Change]:
        """The port is gone."""
        for one in self._stations:
            one.phase = Phase.RESTING
            one.resume_at, one.failed = now, 0
        return self.roll.port_lost(reason)

    def opened(self, now: float) -> None:
        """The port is open, and everybody is being started."""
        self.roll.port_opened(now)
        for seat in range(len(self._stations)):
            self.started(seat, now)


def unusable(key: bytes | None) -> str:
    """Return why nobody can be spoken to with this key, "" if it will do."""
    if key is None:
        return NO_KEY
    if len(key) != frames.KEY_BYTES:
        return f"its key has {len(key)} bytes, wanted {frames.KEY_BYTES}"
    return KNOWN_KEY if key == frames.DEFAULT_KEY else ""


def _reason(one: _Station) -> str:
    """Return why a peripheral that answers does not come up, "" if that is not known."""
    if one.phase is not Phase.STARTING:
        return ""
    if one.plain:
        return PLAIN_ONLY
    reply = one.last
    if reply is None:
        return ""
    if one.asked == frames.CHALLENGE:
        return OTHER_KEY if reply.code == frames.CLIENT_CRYPTOGRAM else UNWILLING
    return OTHER_KEY if one.asked == frames.CRYPTOGRAM else ""
