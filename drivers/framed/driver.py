"""Framed devices: the driver of one line, put together. What the parts are is told in the package."""

import time
from collections.abc import Callable, Mapping, Sequence

from drivers.api import Device, DeviceError, Done, LineSettings, ReportTo
from drivers.crowding import THINKING_S, Asked, crowding
from drivers.figures import LineStatistics
from drivers.framed.line import Line
from drivers.framed.listening import Listening
from drivers.framed.member import Ask, Member
from drivers.statistics import snapshots
from drivers.transport import OpenStream, open_stream


class FramedDriver:
    """Asks and hears the devices of one line; see `drivers.api.Driver`.

    All of them are of one framing, and there are several only if their frames have an address (gateway/core/fitting.py
    sees to both). `clock` must be that of the event loop it runs on.
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
        self._clock = clock
        self._members = [Member(number, device, clock()) for number, device in enumerate(devices)]
        self._by_name = {member.device.name: member for member in self._members}
        self._wanted = crowding(_asked(settings, self._members)).wanted
        self._listening = Listening(settings.name, self._members, report, clock())
        layout = self._members[0].layout
        self._line = Line(settings, layout, self._listening, open_stream=open_stream, clock=clock)
        self._listening.bus = self._line.bus

    async def run(self) -> None:
        """Open the line and listen until cancelled."""
        await self._line.run()

    def read_soon(self, device: str, point: str) -> None:
        """Ask for a point at once, or pass on what is said of it next; KeyError if there is no such point."""
        member = self._by_name[device]
        member.known[point].hurried = True
        ask = member.ask_for(point)
        if ask is not None:
            self._line.bus.hasten(ask)
            self._line.kick()

    async def act(self, device: str, action: str, arguments: Mapping[str, float], *, deadline: float) -> Done:
        """Refuse: these devices take no orders (tables.py lets no profile have an action)."""
        del arguments, deadline
        self._by_name[device].device.profile.action(action)
        raise DeviceError("act", device, "it takes no orders")

    def statistics(self) -> LineStatistics:
        """Return what the line did so far. Its looks at who is silent count as polls: by them it is seen to run."""
        line, roll = self._line, self._listening.roll
        rows = [
            (each.device, each.counters, roll.online(each.number), each.device.profile.timing.timeout_s)
            for each in self._members
        ]
        return LineStatistics(
            line=line.settings.name,
            up=roll.up is True,
            utilisation=line.utilisation.share(self._clock()),
            polls=line.looks + sum(each.counters.polls for each in self._members),
            noise_bytes=line.noise_bytes,
            reopened=max(0, line.opened - 1),
            echo=line.echo,
            devices=snapshots(rows),
            wanted=self._wanted,
        )


def asked(settings: LineSettings, devices: Sequence[Device]) -> list[Asked]:
    """Return what a line with these devices is asked for; what they say by themselves is known to nobody before."""
    return _asked(settings, [Member(number, device, 0.0) for number, device in enumerate(devices)])


def _asked(settings: LineSettings, members: Sequence[Member]) -> list[Asked]:
    """Return what is asked for. How long an answer is depends, so it counts with what it has at least."""
    silences_s = max(THINKING_S, settings.gap_s) + settings.gap_s
    return [
        Asked(ask.priority, ask.interval_s, _characters(ask) * settings.char_s + silences_s)
        for member in members
        for ask in member.asks
    ]


def _characters(ask: Ask) -> int:
    layout = ask.member.layout
    return len(ask.sent) + layout.fixed_size(0, len(layout.parts) - 1)
