"""What a panel's printer means for us: its records become readings of the devices they are about; nothing is lost.

A panel prints what changes, once. So what a record sets is held, and said again when somebody asks to see it again: the
second look at a fire is at what the panel printed, which has judged it already. After a start nothing is known until
something is printed, and what stood before stands.

A record about an address nobody listed, or about none, is the panel's own: its text goes with it. One that no rule
knows is told in its own words, as `unknown`; one that is mere noise is counted, and after `NOISE` of them in a row the
line is told as unreadable (a wrong baud rate, a broken wire), until something can be read again.

The line is up as soon as its port is. Where a panel prints regularly, silence for two and a half times as long means
that it is down; where it prints only what happens, a cut wire looks like a quiet day, and `check` says so.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from drivers.api import Device, DeviceReport, LineError, LineReport, Quality, Reading, ReportTo, Said
from drivers.printer.records import Record
from drivers.printer.rules import PANEL, Meaning, meaning_of
from drivers.printer.wire import PrinterWire
from drivers.statistics import Counters

BEATS_MISSED: Final = 2.5
NOISE: Final = 3
LONGEST_RAW: Final = 64  # bytes shown of what cannot be read
MOST_HELD: Final = 1024  # places where one point is true: a loop has 242, and a panel at most a few of them

Where: TypeAlias = tuple[int, str]  # an address, and what tells apart what has none
BEYOND: Final[Where] = (-1, "")  # stands for all places beyond `MOST_HELD`, of which only a reset is sure


class Member:
    """One address of the panel, or the panel itself with all that nobody listed.

    `held` has what was printed of each point: where it is true, nowhere if it was printed as false. Where a point is
    true in more places than can be remembered, nobody can say any more which was the last of them, and it stays true
    until the panel is reset.
    """

    __slots__ = ("counters", "device", "held")

    def __init__(self, device: Device) -> None:
        self.device = device
        self.counters = Counters()
        self.held: dict[str, set[Where]] = {}

    def set(self, point: str, value: bool, where: Where) -> None:
        """Take what was printed of a point somewhere."""
        there = self.held.setdefault(point, set())
        if value:
            there.add(where if len(there) < MOST_HELD else BEYOND)
        else:
            there -= {where, (where[0], "")}  # nobody knows which it was that came without its name

    def standing(self, points: Mapping[str, bool], where: Where) -> bool:
        """Say whether one of the points that become true here is true already, elsewhere."""
        return any(value and self.held.get(name, set()) - {where} for name, value in points.items())


class Listening:
    """Turns records and silence into reports."""

    def __init__(self, line: str, devices: Sequence[Device], report: ReportTo, now: float) -> None:
        self.members = [Member(device) for device in devices]
        self.counts: Counter[str] = Counter()
        self.up: bool | None = None
        self.noise = 0  # unreadable records in a row
        self.noise_bytes = 0  # of all of them
        self._by_name = {member.device.name: member for member in self.members}
        self._by_address = {member.device.address: member for member in self.members}
        self._panel = self._by_address.get(PANEL, self.members[0])
        wire = self._panel.device.profile.wire
        assert isinstance(wire, PrinterWire)
        self._wire = wire
        self._line, self._report = line, report
        self._online = False
        self._heard_at = now

    def heard(self, record: Record, now: float) -> None:
        """Take a record."""
        meaning = meaning_of(record.text, self._wire.rules, self._wire.addressing)
        if meaning is None and not record.readable:
            self._unreadable(record, now)
            return
        self._readable(now)
        if meaning is None:
            self.counts["unknown"] += 1
            self._wonder(record, now)
            return
        self.counts[meaning.rule.name] += 1
        if meaning.rule.everywhere:
            self._everywhere(meaning, record, now)
        else:
            self._one(meaning, record, now)

    def member(self, device: str) -> Member:
        """Return an address by its name; KeyError if there is none."""
        return self._by_name[device]

    def again(self, member: Member, point: str, now: float) -> None:
        """Say a point again, by what was printed; nothing is said of what never was."""
        if self.up and point in member.held:
            self._read(member, [point], now)

    def watch(self, now: float) -> None:
        """Look whether a panel that prints regularly is silent for too long."""
        regular_s = self._wire.regular_s
        if regular_s and self.up and now - self._heard_at >= regular_s * BEATS_MISSED:
            self._down(f"the panel printed nothing for {(now - self._heard_at) / 60:.0f} minutes", now)

    def port_changed(self, error: LineError | None, now: float) -> None:
        """Take that the port was opened (None), or why it is not open."""
        if error is not None:
            self._down(str(error), now)
        else:
            self._heard_at = now
            self._rise("the port is open", now)

    def _everywhere(self, meaning: Meaning, record: Record, now: float) -> None:
        sets = meaning.rule.sets
        self._say(self._panel, record, sets, now)
        for member in self.members:
            for point, value in sets.items():
                member.held[point] = {(member.device.address, "")} if value else set()
            self._read(member, sets, now)

    def _one(self, meaning: Meaning, record: Record, now: float) -> None:
        sets, where = meaning.rule.sets, (meaning.address, meaning.which)
        member = self._by_address.get(meaning.address)
        if member is None:
            self.counts["unlisted"] += 1
            member = self._panel
        self._say(member, record, sets, now, more=member.standing(sets, where))
        for point, value in sets.items():
            member.set(point, value, where)
        self._read(member, sets, now)

    def _read(self, member: Member, points: Iterable[str], now: float) -> None:
        member.counters.good += 1
        member.counters.last_good_at = now
        for point in points:
            self._report(Reading(member.device.name, point, bool(member.held[point]), Quality.GOOD, now))

    def _say(
        self, member: Member, record: Record, sets: Mapping[str, bool], now: float, *, more: bool = False
    ) -> None:
        points = tuple(name for name, value in sets.items() if value)
        self._report(Said(member.device.name, _plain(record), now, points, more))

    def _wonder(self, record: Record, now: float) -> None:
        """Tell what nobody here understands."""
        self._report(Said(self._panel.device.name, _plain(record), now, unknown=True))

    def _readable(self, now: float) -> None:
        """Something could be read: the panel is there, and its line is good."""
        self._heard_at = now
        if self.noise >= NOISE:
            self._report(DeviceReport(self._panel.device.name, True, "what it prints can be read", now))
        self.noise = 0
        self._rise("the panel prints", now)
        if not self._online:
            self._online = True
            for member in self.members:
                self._report(DeviceReport(member.device.name, True, "the panel prints", now))

    def _unreadable(self, record: Record, now: float) -> None:
        self.counts["unreadable"] += 1
        self.noise_bytes += len(record.raw)
        self.noise += 1
        if self.noise < NOISE:
            self._wonder(record, now)
        elif self.noise == NOISE:
            shown = record.raw[:LONGEST_RAW].hex(" ")
            reason = f"what it prints cannot be read, is the baud rate right? {shown}"
            self._report(DeviceReport(self._panel.device.name, False, reason, now))

    def _rise(self, reason: str, now: float) -> None:
        if not self.up:
            self.up = True
            self._report(LineReport(self._line, True, reason, now))

    def _down(self, reason: str, now: float) -> None:
        if self.up is False:
            return
        self.up, self._online = False, False
        self._report(LineReport(self._line, False, reason, now))
        for member in self.members:
            for point, there in member.held.items():
                self._report(Reading(member.device.name, point, bool(there), Quality.STALE, now))


def _plain(record: Record) -> str:
    """Return a record as one line."""
    return " ".join(record.text.split())
