"""Modbus RTU and Modbus TCP: the driver of one line, put together.

bus.py        who is asked next            exchange.py   one question and its answer
presence.py   who is there                 line.py       the stream, the timer
polling.py    what answers mean            acting.py     actions
"""

import time
from collections.abc import Callable, Mapping, Sequence

from drivers.api import Device, Done, LineSettings, ReportTo
from drivers.crowding import THINKING_S, Asked, crowding
from drivers.figures import LineStatistics
from drivers.modbus.acting import Acting
from drivers.modbus.exchange import Question
from drivers.modbus.line import Line
from drivers.modbus.member import Member
from drivers.modbus.polling import Polling
from drivers.statistics import snapshots
from drivers.transport import OpenStream, open_stream


class ModbusDriver:
    """Polls the devices of one line and reports; see `drivers.api.Driver`.

    `clock` must be that of the event loop it runs on. `open_stream` is how the port is opened: tests hand in
    a line in memory.
    """

    def __init__(
        self,
        settings: LineSettings,
        devices: Sequence[Device],
        report: ReportTo,
        *,
        clock: Callable[[], float] = time.monotonic,
        open_stream: OpenStream = open_stream,
    ) -> None:
        now = clock()
        self._clock = clock
        self._members = _members(settings, devices, now)
        self._wanted = crowding(_asked(settings, self._members)).wanted
        self._by_name = {member.device.name: member for member in self._members}
        self._polling = Polling(settings.name, self._members, report, now)
        self._line = Line(
            settings,
            [poll for member in self._members for poll in member.polls],
            open_stream=open_stream,
            clock=clock,
            timeout_of=self._polling.timeout_s,
            finished=self._polling.finished,
            late=self._polling.late,
            port_changed=self._polling.port_changed,
        )
        self._polling.bus = self._line.bus
        self._polling.answered = self._line.answered
        self._polling.reopen = self._line.reopen
        self._acting = Acting(
            self._line, clock, online=lambda member: self._polling.roll.online(member.number)
        )

    async def run(self) -> None:
        """Open the line and poll until cancelled."""
        await self._line.run()

    def read_soon(self, device: str, point: str) -> None:
        """Read a point again at once, ahead of all but commands; KeyError if there is no such point."""
        member = self._by_name[device]
        member.device.profile.point(point)
        poll = member.poll_of(point)
        if poll is not None:
            self._line.bus.hasten(poll)
            self._line.kick()

    async def act(self, device: str, action: str, arguments: Mapping[str, float], *, deadline: float) -> Done:
        """Carry out an action before `deadline` or not at all; raises DriverError."""
        return await self._acting.act(self._by_name[device], action, arguments, deadline=deadline)

    def statistics(self) -> LineStatistics:
        """Return what the line did so far."""
        line, roll = self._line, self._polling.roll
        rows = [
            (member.device, member.counters, roll.online(member.number), member.timeout.turnaround_limit_s)
            for member in self._members
        ]
        return LineStatistics(
            line=line.settings.name,
            up=roll.up is True,
            utilisation=line.utilisation.share(self._clock()),
            polls=sum(member.counters.polls for member in self._members),
            noise_bytes=line.conversation.noise_bytes,
            reopened=max(0, line.opened - 1),
            echo=line.conversation.echo.heard,
            devices=snapshots(rows),
            wanted=self._wanted,
        )


def asked(settings: LineSettings, devices: Sequence[Device]) -> list[Asked]:
    """Return what a line with these devices is asked for."""
    return _asked(settings, _members(settings, devices, 0.0))


def _asked(settings: LineSettings, members: Sequence[Member]) -> list[Asked]:
    """Return what is asked for; nothing where there is no serial wire: only that time is known."""
    if settings.port.startswith("tcp://"):
        return []
    return [
        Asked(poll.priority, poll.interval_s, _exchange_s(poll.question, settings))
        for member in members
        for poll in member.polls
    ]


def _exchange_s(question: Question, settings: LineSettings) -> float:
    """Return the time of the line that one exchange takes: both frames, what the device thinks, and the silences."""
    wire_s = (len(question.frame) + question.reply_size) * settings.char_s
    return wire_s + max(THINKING_S, settings.gap_s) + settings.gap_s


def _members(settings: LineSettings, devices: Sequence[Device], now: float) -> list[Member]:
    return [
        Member(number, device, char_s=settings.char_s, gap_s=settings.gap_s, now=now)
        for number, device in enumerate(devices)
    ]
