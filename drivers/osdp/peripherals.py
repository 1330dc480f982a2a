"""What happens on an OSDP line, as reports; and which command goes to a peripheral next.

One command at a time is given to libosdp, so that none can wait there unseen and go out too late. Commands of
people go first, then status questions, each when its points are due. Cards and keys that a peripheral kept while it
was away are not told: whoever held the card there may have left, and somebody else stands at the door.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from drivers.api import DeviceReport, Identified, LineError, LineReport, Point, Quality, Reading, ReportTo
from drivers.osdp import events
from drivers.osdp.events import Event
from drivers.osdp.frames import Frame
from drivers.osdp.line import Line
from drivers.osdp.member import STATUS_CODES, Errand, Member
from drivers.osdp.panel import PeripheralId
from drivers.osdp.supervision import Supervision
from drivers.osdp.wire import Kind
from drivers.presence import Change, Turn

logger = logging.getLogger(__name__)

KEPT_S: Final = 3.0  # a card that a peripheral kept for longer, while nobody asked, opens no door


class Peripherals:
    """The peripherals of one line (see line.Watcher). `keyless` are those without a key, and what is wrong with it."""

    def __init__(
        self, line: str, members: Sequence[Member], keyless: Mapping[str, str], report: ReportTo, now: float
    ) -> None:
        self.members = members
        self.supervision = Supervision(len(members), now)
        self.line: Line
        self._name, self._keyless, self._report = line, keyless, report
        self._keyless_told = False

    def queue(self, member: Member, errand: Errand) -> None:
        """Have a command sent as soon as the peripheral is up and the line free."""
        member.waiting.append(errand)
        self.hurry(member)

    def hurry(self, member: Member) -> None:
        """Give libosdp the next command if it has none."""
        if self.supervision.up(member.number):
            self.line.kick()

    def drop(self, member: Member, errand: Errand) -> None:
        """Take a command back; one that is on its way already cannot be."""
        if errand in member.waiting:
            member.waiting.remove(errand)
        elif member.current is errand and not errand.sent:
            self.line.flush(member.number)

    # --- what the line tells (line.Watcher) ------------------------------------------------------

    def port_changed(self, error: LineError | None, now: float) -> None:
        """The port is open, or why it is not."""
        if error is not None:
            self._tell(self.supervision.lost(str(error), now), now)
            for member in self.members:
                self._abandon(member)
            return
        self.supervision.opened(now)
        for member in self.members:
            self._abandon(member)
        if not self._keyless_told:
            self._keyless_told = True
            for name, reason in self._keyless.items():
                self._report(DeviceReport(name, False, reason, now))

    def asked(self, seat: int, code: int, now: float) -> bool:
        """A command is about to be sent; False if its deadline has passed: libosdp repeats a busy one on its own."""
        member = self.members[seat]
        self.supervision.asked(seat, code)
        if member.current is not None and member.current.code == code:
            if now >= member.current.deadline:
                return False
            member.current.sent = True
        member.counters.polls += 1
        return True

    def replied(self, seat: int, reply: Frame, round_trip_s: float, now: float) -> None:
        """A good reply came."""
        counters = self.members[seat].counters
        if counters.last_good_at is not None and now - counters.last_good_at > KEPT_S:
            self.members[seat].draining = True
        counters.round_trips.add(round_trip_s)
        counters.good += 1
        counters.last_good_at = now
        self._tell(self.supervision.answered(seat, reply, now), now)
        if self.supervision.polled(seat):
            self.members[seat].draining = False
        counters.exceptions += bool(self.supervision.refused(seat))

    def missed(self, seat: int, *, damaged: bool, now: float) -> bool:
        """No good reply came in time."""
        member = self.members[seat]
        member.counters.timeouts += not damaged
        member.counters.crc_errors += damaged
        errand = member.current
        final = errand is not None and errand.answer is not None
        if final:
            self.line.forget_unsent()
        give_up, changes = self.supervision.missed(seat, final=final, now=now)
        member.counters.retries += not give_up
        self._tell(changes, now)
        return give_up

    def linked(self, seat: int, up: bool, now: float) -> None:
        """A peripheral is in secure channel, or no longer."""
        member = self.members[seat]
        if up:
            member.identity = peripheral = self.line.identity(seat)
            member.ask_all(now)
            self._tell(self.supervision.secured(seat, now), now)
            if peripheral is not None:
                self._introduce(member.device.name, peripheral, now)
            self._tell_missing(member, now)
            self._next(member, now)
        else:
            self._tell(self.supervision.dropped(seat, now), now)
            self.line.flush(seat)

    def _introduce(self, name: str, told: PeripheralId, now: float) -> None:
        """Report which reader it is (osdp_PDID); nobody writes a number of zeros or of ones on a label."""
        firmware = f"{told.firmware >> 16}.{told.firmware >> 8 & 0xFF}.{told.firmware & 0xFF}"
        if told.serial not in (0, 0xFFFFFFFF):
            self._report(Identified(name, "serial", str(told.serial), now))
        self._report(Identified(name, "firmware", firmware, now))

    def told(self, seat: int, event: Event, now: float) -> None:
        """A peripheral told something."""
        member = self.members[seat]
        if (presented := events.presented(member.device.name, event, now)) is not None:
            if member.draining:
                logger.info("%s: what was presented while it was away counts for nothing", member.device.name)
            else:
                self._report(presented)
        elif (told := events.states(event)) is not None:
            values = events.values(member.points[told.kind], told)
            # libosdp has said `done` by now, so what was asked is seen by the last command
            asked = self.supervision.last_asked(seat) == STATUS_CODES[told.kind]
            member.told(told.kind, values, asked=asked)
            for point, value in values:
                quality = Quality.BAD if value is None else Quality.GOOD
                member.last[point.name] = value
                self._report(Reading(member.device.name, point.name, value, quality, now, point.unit))

    def done(self, seat: int, acknowledged: bool, now: float) -> None:
        """The command of a seat has come to its end."""
        member = self.members[seat]
        errand, member.current = member.current, None
        if errand is None:
            return
        if errand.kind is not None and not acknowledged and self.supervision.refused(seat):
            self._refused(member, errand.kind, now)
        errand.refusal = self.supervision.refused(seat) if errand.sent and not acknowledged else ""
        if errand.answer is not None and not errand.answer.done():
            errand.answer.set_result(acknowledged)
        if acknowledged and member.waiting:
            self._next(member, now)

    def due(self, now: float) -> Sequence[int]:
        """Return who is to be started anew, and give libosdp the commands that are due.

        A status is asked for right after an idle poll: the next poll then comes half as late as it would if it
        had to make room.
        """
        for member in self.members:
            if self.supervision.up(member.number) and (
                member.waiting or self.supervision.polled(member.number)
            ):
                self._next(member, now)
        due = self.supervision.due(now)
        for seat in due:
            self.supervision.started(seat, now)
        return due

    def urgent(self, seat: int) -> bool:
        """Say whether libosdp has a command for a peripheral."""
        return self.members[seat].current is not None

    def next_at(self) -> float | None:
        """Return when somebody is due."""
        return self.supervision.next_at()

    def working(self) -> bool:
        """Say whether anybody is spoken to at all."""
        return self.supervision.any_busy()

    # ---------------------------------------------------------------------------------------------

    def _next(self, member: Member, now: float) -> None:
        """Give libosdp what the peripheral is to do next. It takes commands of a peripheral that is up only."""
        if member.current is not None:
            return
        errand = member.waiting.popleft() if member.waiting else member.next_status(now)
        if errand is None:
            return
        member.current = errand
        if not self.line.submit(member.number, errand.command):
            member.current = None
            if errand.answer is not None:
                member.waiting.appendleft(errand)
            else:
                member.ask_all(now)

    def _refused(self, member: Member, kind: Kind, now: float) -> None:
        """A peripheral refused to tell a status; where it does not tell it by itself, nobody knows it from here on."""
        if not member.refused(kind, now):
            return
        logger.info("%s does not tell its %s states when asked", member.device.name, kind)
        if kind not in member.tells:
            self._unknown(member, member.points[kind], now)

    def _tell_missing(self, member: Member, now: float) -> None:
        """Tell of points the peripheral says it does not have: nobody is to wait for them."""
        for kind, points in member.points.items():
            if not member.has(kind):
                self._unknown(member, points, now)

    def _unknown(self, member: Member, points: Iterable[Point], now: float) -> None:
        for point in points:
            self._report(Reading(member.device.name, point.name, None, Quality.BAD, now, point.unit))

    def _abandon(self, member: Member) -> None:
        """Nobody will say what became of the command libosdp had."""
        errand, member.current = member.current, None
        if errand is not None and errand.answer is not None and not errand.answer.done():
            errand.answer.set_result(False)

    def _tell(self, changes: Iterable[Change], now: float) -> None:
        for change in changes:
            if change.device is None:
                self._report(LineReport(self._name, change.turn is Turn.LINE_UP, change.reason, now))
                continue
            member = self.members[change.device]
            if change.turn is Turn.STALE:
                self._stale(member, member.device.profile.points, now)
            elif change.turn in {Turn.ONLINE, Turn.OFFLINE}:
                online = change.turn is Turn.ONLINE
                self._report(DeviceReport(member.device.name, online, change.reason, now))

    def _stale(self, member: Member, points: Iterable[Point], now: float) -> None:
        name = member.device.name
        for point in points:
            self._report(
                Reading(name, point.name, member.last.get(point.name), Quality.STALE, now, point.unit)
            )
