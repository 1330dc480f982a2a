"""What the frames of a line mean, and what its silences mean: readings, devices that come and go.

A frame says by itself whose it is and what it is about, so it is believed whenever it comes: asked for, late, or told
unasked. What a device says many times a second is told on when it changed by more than the point's deadband, when
somebody wants to see it again, and else once in the point's interval.

A device that only answers is away when it does not, as on any line. One that speaks by itself is away when two and a
half of its heartbeats are missing, or when it stops to answer what it has answered before. A question that it never
answered, while it speaks, only leaves the points in its answer unknown. A device that speaks, while the value that
must change does not, hangs: its values mean nothing either.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from drivers.api import DeviceReport, LineError, LineReport, Quality, Reading, ReportTo, Value
from drivers.bus import Bus, doubled_s, probe_pause_s
from drivers.framed.codec import Frame
from drivers.framed.member import Ask, Known, Member
from drivers.framed.values import decode
from drivers.presence import AWAY_FAILURES, AWAY_S, LINE_DOWN_S, Change, Roll, Turn

STALE_FAILURES: Final = 3  # of one question, after which what its answer has is not known any more
FIRST_AGAIN_S: Final = 0.5
LAST_AGAIN_S: Final = 5.0
REOPEN_EVERY_S: Final = 30.0  # while a port is open and nobody speaks: some adapters hang
EARLY_SHARE: Final = 0.5  # of an interval, after which it is told again: an answer may come a little early


class Listening:
    """Turns frames and silences into reports. `bus` is the line's queue of questions."""

    def __init__(self, line: str, members: Sequence[Member], report: ReportTo, now: float) -> None:
        self.members = members
        self.roll = Roll(len(members), now)
        self.bus: Bus[Ask]
        self._line, self._report = line, report
        self._reopened_at = now

    def whose(self, frame: Frame) -> Member | None:
        """Return who sent a frame; None: nobody we know."""
        if len(self.members) == 1 and self.members[0].layout.number("address") is None:
            return self.members[0]
        return next((each for each in self.members if each.device.address == frame.address), None)

    def heard(self, member: Member, frame: Frame, now: float) -> None:
        """Take a good frame of a device."""
        counters = member.counters
        counters.good += 1
        last_at = counters.last_good_at
        if not self.roll.online(member.number) and last_at is not None and now - last_at >= AWAY_S:
            # silent for seconds: perhaps without power, and then its values mean nothing for a while
            member.warm_at = now + member.device.profile.timing.warm_up_s
        if not self.roll.online(member.number):  # nobody could see what must change: that time does not count
            member.beat_at += now - member.heard_at
        counters.last_good_at = member.heard_at = now
        if member.suspended:
            self._resume(member, now)
        self._tell(self.roll.answered(member.number, now), now)
        for known in member.known.values():
            if known.field.stands_in(frame.type):
                self._value(member, known, decode(known.field, frame.data), now)
            elif known.field.holds and known.heard_at > float("-inf"):
                self._pass_on(member, known, now)

    def answered(self, ask: Ask, round_trip_s: float, now: float) -> None:
        """Take that a question was answered, by a frame that `heard` has had."""
        ask.ever_answered = True
        ask.member.counters.polls += 1
        ask.member.counters.round_trips.add(round_trip_s)
        self.bus.done(ask, now, round_trip_s)

    def missed(self, ask: Ask, took_s: float, now: float, *, damaged: bool) -> None:
        """Take that a question was not answered in time."""
        member = ask.member
        member.counters.polls += 1
        member.counters.crc_errors += damaged
        member.counters.timeouts += not damaged
        if ask.failures == 0:
            ask.first_failed_at = now
        self.bus.failed(ask, now + doubled_s(FIRST_AGAIN_S, ask.failures, LAST_AGAIN_S), took_s)
        # A question never answered by a device that speaks may be one its firmware does not know.
        if ask.ever_answered or not member.counters.good:
            self._tell(self.roll.failed(member.number, "damaged" if damaged else "silent", now), now)
        if member.suspended or self.roll.failures(member.number) >= AWAY_FAILURES:
            self._suspend(member, now - took_s)
        elif ask.failures == STALE_FAILURES:
            names = (p.name for p in ask.points if member.known[p.name].heard_at < ask.first_failed_at)
            self._stale(member, names, now)

    def watch(self, now: float) -> bool:
        """Look who is silent for too long; return whether to open the port anew."""
        for member in self.members:
            at = member.silent_at()
            if at is not None and now >= at:
                for _ in range(AWAY_FAILURES):
                    self._tell(self.roll.failed(member.number, "no heartbeat", now), now)
            freeze = member.freeze
            if freeze and self.roll.online(member.number) and now - member.beat_at > freeze.within_s:
                self._tell(self.roll.frozen(member.number), now)
        longest_s = max((LINE_DOWN_S, *(member.silent_s for member in self.members)))
        silent = self.roll.nobody_for_s(now) >= longest_s and self.roll.everybody_failed()
        if silent and now - self._reopened_at >= REOPEN_EVERY_S:
            self._reopened_at = now
            return True
        return False

    def port_changed(self, error: LineError | None, now: float) -> None:
        """Take that the port was opened (None), or why it is not open."""
        if error is not None:
            self._tell(self.roll.port_lost(str(error)), now)
            return
        self.roll.port_opened(now)
        for member in self.members:
            member.heard_at = member.ready_at = member.beat_at = now
            self._resume(member, now)

    def _value(self, member: Member, known: Known, value: Value | None, now: float) -> None:
        freeze = member.freeze
        if freeze is not None and freeze.point == known.point.name and value != member.beat_value:
            member.beat_value, member.beat_at = value, now
            self._tell(self.roll.thawed(member.number, now), now)
        known.value, known.heard_at = value, now
        self._pass_on(member, known, now)

    def _pass_on(self, member: Member, known: Known, now: float) -> None:
        """Report a point, if it is time to."""
        value = known.value if now >= member.warm_at else None
        rested = now - known.told_at >= EARLY_SHARE * known.point.interval_s
        if not (rested or known.hurried or _changed(known.told, value, known.point.deadband)):
            return
        known.told, known.told_at, known.hurried = value, now, False
        alive = self.roll.online(member.number)
        quality = Quality.BAD if value is None else Quality.GOOD if alive else Quality.STALE
        name, point = member.device.name, known.point
        self._report(Reading(name, point.name, value, quality, now, point.unit))

    def _suspend(self, member: Member, asked_at: float) -> None:
        pause_s = probe_pause_s(member.failed_probes, fire=member.fire)
        probe = member.asks[member.failed_probes % len(member.asks)]
        member.suspended = True
        self.bus.suspend(member.asks, probe, asked_at + pause_s)
        member.failed_probes += 1

    def _resume(self, member: Member, now: float) -> None:
        member.suspended, member.failed_probes = False, 0
        for ask in member.asks:
            ask.failures = 0
        self.bus.resume(member.asks, lambda _: now)

    def _tell(self, changes: Sequence[Change], now: float) -> None:
        for change in changes:
            if change.device is None:
                self._report(LineReport(self._line, change.turn is Turn.LINE_UP, change.reason, now))
                continue
            member = self.members[change.device]
            match change.turn:
                case Turn.STALE:
                    self._stale(member, member.known, now)
                case Turn.ASK_OTHERS:
                    self._ask_others(member, now)
                case Turn.ONLINE | Turn.OFFLINE:
                    online = change.turn is Turn.ONLINE
                    self._report(DeviceReport(member.device.name, online, change.reason, now))

    def _stale(self, member: Member, points: Iterable[str], now: float) -> None:
        for name in points:
            known = member.known[name]
            known.heard_at = known.told_at = float("-inf")
            unit = known.point.unit
            self._report(Reading(member.device.name, name, known.value, Quality.STALE, now, unit))

    def _ask_others(self, silent: Member, now: float) -> None:
        for member in self.members:
            if member is not silent and not member.suspended and member.asks:
                self.bus.queue(member.asks[0], now)


def _changed(told: Value | None, value: Value | None, deadband: float) -> bool:
    if told is None or value is None or isinstance(value, bool):
        return told != value
    return abs(value - told) > deadband
