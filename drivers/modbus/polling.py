"""What the answers of a line mean: readings, devices that come and go, blocks that fall apart.

The pure half of the driver: `finished` is told what each exchange came to and when, and puts the question back
into the bus's queue. A damaged answer is asked for once more at once; a device silent twice in a row is only
probed from then on; a block the device refuses twice is split, and a register it does not have is told as bad
once and tried again every minute. A device that has said nothing but that it is busy for ten seconds is away as well:
nobody knows what it sees. So is a detector that answers, but does not tell whether there is a fire.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from drivers.api import (
    DeviceReport,
    Identified,
    LineError,
    LineReport,
    Point,
    Priority,
    Quality,
    Reading,
    ReportTo,
    Value,
)
from drivers.bus import Bus, doubled_s, probe_pause_s
from drivers.modbus import identity
from drivers.modbus.blocks import split
from drivers.modbus.codec import ExceptionReply, ReadReply
from drivers.modbus.exchange import Answer, Failure
from drivers.modbus.member import About, Ask, Ended, Member, Poll
from drivers.presence import AWAY_FAILURES, LINE_DOWN_S, Change, Roll, Turn
from drivers.timeouts import FLOOR_S

BELIEVED_REFUSALS: Final = 2  # in a row: one bad frame must not take a block apart
TROUBLED_REFUSALS: Final = 4  # in a row, of a device that says it has a fault: that may pass in some seconds
REFUSED_AGAIN_S: Final = 60.0
TROUBLE_AGAIN_S: Final = 5.0
BUSY_AGAIN_S: Final = 1.0
BUSY_S: Final = 10.0  # who has said nothing else for so long tells as little as one that is silent
FIRST_AGAIN_S: Final = 0.5  # a block that stays silent while the device answers others
LAST_AGAIN_S: Final = 60.0
STALE_FAILURES: Final = 3  # of one block, after which its points are stale
ABOUT_AFTER_S: Final = 5.0  # by then who is absent is known, and is not asked
ABOUT_TWICE_S: Final = 1.0
REOPEN_EVERY_S: Final = 30.0  # while a port is open and nobody answers
PATIENT_EVERY: Final = 16  # probes, one of which waits as long as the datasheet says

BUSY: Final = frozenset((5, 6))  # acknowledge, server device busy (V1.1b3, 7)
ABSENT: Final = frozenset((10, 11))  # a TCP gateway speaking for a device that is silent
ILLEGAL: Final = frozenset((1, 2, 3))  # function, address, value


class Polling:
    """Turns answers into reports. `bus` is the line's queue, `reopen` opens its port anew."""

    def __init__(self, line: str, members: Sequence[Member], report: ReportTo, now: float) -> None:
        self.members = members
        self.roll = Roll(len(members), now)
        self.answered: Callable[[], None] = lambda: None
        self.reopen: Callable[[], None] = lambda: None
        self.bus: Bus[Ask]
        self._line, self._report = line, report
        self._reopened_at = now

    def timeout_s(self, ask: Ask, wire_s: float) -> float:
        """Return how long an exchange may take that is `wire_s` long on the wire.

        Who has been silent is given what the others need and no more: the healthy pay for it.
        """
        member = ask.member
        limit_s = member.timeout.exchange_s(wire_s)
        known = member.counters.good or not self.roll.failures(member.number)
        if (known and ask.level != Priority.PROBE) or member.patient:
            return limit_s
        if member.failed_probes and member.failed_probes % PATIENT_EVERY == 0:
            return limit_s
        others = [m.timeout.typical_s for m in self.members if self.roll.online(m.number)]
        return min(limit_s, max(FLOOR_S, wire_s + max(others))) if others else limit_s

    def finished(self, ask: Ask, answer: Answer, ended: Ended) -> None:
        """Take what an exchange came to."""
        if not ask.question.address:
            return  # a broadcast has no answer
        member, now, took_s = ask.member, ended.at, ended.took_s
        counters = member.counters
        counters.polls += 1
        if isinstance(answer, ExceptionReply) and answer.code in ABSENT:
            answer = Failure.SILENT
        if isinstance(ask, Poll) and _is_busy_too_long(ask, answer, now):
            answer = Failure.BUSY
        if isinstance(answer, Failure):
            counters.timeouts += answer is Failure.SILENT
            counters.crc_errors += answer is Failure.DAMAGED
            counters.exceptions += answer is Failure.BUSY
            if isinstance(ask, Poll):
                self._failed(ask, answer, now, took_s)
            elif isinstance(ask, About):
                self._kept_back(ask, now, took_s)
            return
        member.timeout.answered(ended.turnaround_s)
        counters.round_trips.add(ended.round_trip_s)
        self._present(member, now)
        if isinstance(answer, ExceptionReply):
            counters.exceptions += 1
            if isinstance(ask, Poll):
                self._refused(ask, answer, now, took_s)
            elif isinstance(ask, About):
                self._kept_back(ask, now, took_s)
            return
        counters.good += 1
        counters.last_good_at = now
        if isinstance(ask, Poll) and isinstance(answer, ReadReply):
            self._read(ask, answer, now, took_s)
        elif isinstance(ask, About) and isinstance(answer, ReadReply):
            self._introduced(ask, answer, now, took_s)

    def late(self, address: int, turnaround_s: float) -> None:
        """Take a reply that came after its time-out: the device lives, and is slower than we thought."""
        for member in self.members:
            if member.device.address == address:
                member.counters.late += 1
                member.timeout.came_late(turnaround_s)
                member.patient = True

    def port_changed(self, error: LineError | None, now: float) -> None:
        """Take that the port was opened (None), or why it is not open."""
        if error is not None:
            self._tell(self.roll.port_lost(str(error)), now)
            return
        self.roll.port_opened(now)
        for member in self.members:
            member.ready_at = now
            if not member.senseless:
                for poll in member.polls:
                    poll.failures = 0
                self._back(member, now)
            elif not member.suspended:  # asked first each time, it would hide all others
                self._suspend(member, now)

    def _present(self, member: Member, now: float) -> None:
        """Note that a device gave a valid frame."""
        member.senseless = False
        if member.suspended:
            if not self.roll.online(member.number) and member.counters.good:
                # silent for seconds: perhaps without power, and then its values mean nothing for a while
                member.warm_at = now + member.device.profile.timing.warm_up_s
            self._back(member, now)
        if not self.roll.online(member.number):  # nobody could see what must change: that time does not count
            member.beat_at += now - (member.counters.last_good_at or now)
        if changes := self.roll.answered(member.number, now):
            self._tell(changes, now)
        self.answered()

    def _read(self, poll: Poll, reply: ReadReply, now: float, took_s: float) -> None:
        member = poll.member
        member.answered_poll = poll
        poll.retried = poll.told_stale = False
        poll.refusals = 0
        if poll.told_blind:
            self._sees(poll, now)
        self.bus.done(poll, now, took_s)
        name, last, warm = member.device.name, member.last, now >= member.warm_at
        if reply is not poll.reply:  # nearly always it says what it said before
            poll.reply, poll.values = reply, poll.block.values(reply)
        values = poll.values
        if member.freeze is not None:
            self._feel_pulse(member, values, now)
        good = Quality.GOOD if self.roll.online(member.number) else Quality.STALE
        for point, value in values:
            if value is not None and warm:
                last[point.name] = value
                self._report(Reading(name, point.name, value, good, now, point.unit))
            else:
                self._report(Reading(name, point.name, None, Quality.BAD, now, point.unit))

    def _failed(self, poll: Poll, failure: Failure, now: float, took_s: float) -> None:
        member = poll.member
        if failure is Failure.DAMAGED and not poll.retried:
            poll.retried = True
            member.counters.retries += 1
            self.bus.spend(poll, took_s)
            self.bus.hasten(poll)
            return
        poll.retried = False
        if failure is Failure.SILENT and not member.suspended:
            member.timeout.timed_out()
        asked_due = poll.due
        self.bus.failed(poll, now, took_s)
        # One lost reply must not cost a device that answers a whole cycle: it keeps its deadline.
        keeps = poll.failures <= 1 and member.counters.good
        self.bus.queue(poll, asked_due if keeps else now + _again_s(poll))
        if member.suspended or not poll.told_stale or member.answered_poll in {None, poll}:
            # else it is known as one silent block of a device that answers, and says nothing of the device
            self._tell(self.roll.failed(member.number, failure.value, now), now)
        if member.suspended or self.roll.failures(member.number) >= AWAY_FAILURES:
            self._suspend(member, now - took_s)
        elif poll.failures >= STALE_FAILURES and not poll.told_stale:
            poll.told_stale = True
            self._stale(member, (point.name for point in poll.block.points), now)
        if not member.suspended and poll.failures >= STALE_FAILURES:
            self._blind(poll, failure.value, now)
        # An opened port begins with the first device again: all have their turn before, or the last are never asked.
        silent_s, since_s = self.roll.nobody_for_s(now), now - self._reopened_at
        if silent_s >= LINE_DOWN_S and since_s >= REOPEN_EVERY_S and self.roll.everybody_failed():
            self._reopened_at = now
            self.reopen()

    def _introduced(self, about: About, reply: ReadReply, now: float, took_s: float) -> None:
        """Take what a unit says of itself; what is new is looked at twice before it is told."""
        told = identity.read(about.identity, reply.values)
        if told and told != about.seen:
            about.seen, about.failures = told, 0
            self.bus.spend(about, took_s)
            self.bus.queue(about, now + ABOUT_TWICE_S)
            return
        self.bus.done(about, now, took_s)
        if told:
            self._report(Identified(about.member.device.name, about.identity.what, told, now))

    def _kept_back(self, about: About, now: float, took_s: float) -> None:
        """Take that a unit says nothing of itself. That is no fault of it, and it is asked more and more seldom."""
        if about.member.suspended:
            self.bus.spend(about, took_s)  # it fell silent just then: it is asked when it is back
            return
        pause_s = doubled_s(REFUSED_AGAIN_S, about.failures, about.interval_s)
        self.bus.failed(about, now + pause_s, took_s)

    def _suspend(self, member: Member, asked_at: float) -> None:
        pause_s = probe_pause_s(member.failed_probes, fire=member.fire)
        if member.suspended:
            member.patient = False
        member.suspended = True
        for about in member.about:
            self.bus.park(about)
        self.bus.suspend(member.polls, member.probe(), asked_at + pause_s)
        member.failed_probes += 1

    def _back(self, member: Member, now: float) -> None:
        member.suspended = member.patient = False
        member.failed_probes = 0
        self.bus.resume(member.polls, lambda poll: now + _again_s(poll))
        self.bus.resume(member.about, lambda _: now + ABOUT_AFTER_S)

    def _refused(self, poll: Poll, reply: ExceptionReply, now: float, took_s: float) -> None:
        """Take an exception: wait for a busy device, split a block, or give a register up."""
        self.bus.spend(poll, took_s)
        poll.failures = 0
        if reply.code in BUSY:
            self.bus.queue(poll, now + min(poll.interval_s, BUSY_AGAIN_S))
            return
        poll.refusals += 1
        if poll.refusals < BELIEVED_REFUSALS:
            self.bus.hasten(poll)
            return
        parts = split(poll.block) if reply.code in ILLEGAL else (poll.block,)
        if len(parts) > 1:
            self._replace(poll, [Poll(poll.member, part) for part in parts], now)
            return
        again_s = REFUSED_AGAIN_S if reply.code in ILLEGAL else TROUBLE_AGAIN_S
        self.bus.queue(poll, now + max(again_s, poll.interval_s))
        if reply.code in ILLEGAL or poll.refusals >= TROUBLED_REFUSALS:
            self._blind(poll, f"exception {reply.code}", now)
        if poll.refusals == BELIEVED_REFUSALS:
            for point in poll.block.points:
                name = poll.member.device.name
                self._report(Reading(name, point.name, None, Quality.BAD, now, point.unit))

    def _blind(self, poll: Poll, why: str, now: float) -> None:
        """Tell a detector as away that answers, but does not tell whether there is a fire: nobody else would notice."""
        if poll.priority is not Priority.FIRE or poll.told_blind:
            return
        poll.told_blind = True
        points = ", ".join(point.name for point in poll.block.points)
        self._report(DeviceReport(poll.member.device.name, False, f"does not tell {points}: {why}", now))

    def _sees(self, poll: Poll, now: float) -> None:
        """Take that a block is told again for which its device was told as away."""
        member, poll.told_blind = poll.member, False
        if self.roll.online(member.number) and not any(each.told_blind for each in member.polls):
            self._report(DeviceReport(member.device.name, True, "answers", now))

    def _replace(self, poll: Poll, parts: list[Poll], now: float) -> None:
        member = poll.member
        self.bus.forget(poll)
        at = member.polls.index(poll)
        member.polls[at : at + 1] = parts
        member.compare()
        if member.answered_poll is poll:
            member.answered_poll = None
        for part in parts:
            part.told_blind = poll.told_blind
            self.bus.queue(part, now)

    def _feel_pulse(self, member: Member, values: Iterable[tuple[Point, Value | None]], now: float) -> None:
        """See whether what must change does; a device that hangs repeats itself for ever."""
        assert member.freeze is not None
        for point, value in values:
            if point.name != member.freeze.point:
                continue
            if value != member.beat_value:
                member.beat_value, member.beat_at = value, now
                self._tell(self.roll.thawed(member.number, now), now)
            elif now - member.beat_at > member.freeze.within_s:
                self._tell(self.roll.frozen(member.number), now)

    def _tell(self, changes: Sequence[Change], now: float) -> None:
        for change in changes:
            if change.device is None:
                self._report(LineReport(self._line, change.turn is Turn.LINE_UP, change.reason, now))
                if change.turn is Turn.LINE_DOWN:
                    self._reopened_at = now - REOPEN_EVERY_S
                continue
            member = self.members[change.device]
            match change.turn:
                case Turn.STALE:
                    self._stale(member, (point.name for point in member.device.profile.points), now)
                case Turn.ASK_OTHERS:
                    self._ask_others(member, now)
                case Turn.ONLINE | Turn.OFFLINE:
                    online = change.turn is Turn.ONLINE
                    for poll in member.polls if online else ():
                        poll.told_blind = False  # it is told anew, where it still is
                    self._report(DeviceReport(member.device.name, online, change.reason, now))

    def _stale(self, member: Member, points: Iterable[str], now: float) -> None:
        device = member.device
        for name in points:
            unit = device.profile.point(name).unit
            self._report(Reading(device.name, name, member.last.get(name), Quality.STALE, now, unit))

    def _ask_others(self, silent: Member, now: float) -> None:
        for member in self.members:
            if member is not silent and not member.suspended:
                told = next((poll for poll in member.polls if not poll.told_stale), member.polls[0])
                self.bus.queue(told, now)


def _is_busy_too_long(poll: Poll, answer: Answer, now: float) -> bool:
    """Take note of an answer that says busy; return whether nothing else was said for too long."""
    if isinstance(answer, ExceptionReply) and answer.code in BUSY:
        poll.busy_since = now if poll.busy_since is None else poll.busy_since
        return now - poll.busy_since >= BUSY_S
    if not isinstance(answer, Failure):
        poll.busy_since = None
    return False


def _again_s(poll: Ask) -> float:
    """Return how long to leave a question alone that failed: a block can be silent in a device that is not."""
    return doubled_s(FIRST_AGAIN_S, poll.failures - 1, LAST_AGAIN_S) if poll.failures > 1 else 0.0
