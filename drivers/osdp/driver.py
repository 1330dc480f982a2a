"""OSDP: the driver of one line, put together. What the parts are is told in the package."""

import time
from collections.abc import Callable, Mapping, Sequence

from drivers.api import Device, Done, LineError, LineSettings, ReportTo
from drivers.figures import LineStatistics
from drivers.osdp.supervision import REPLY_S, unusable
from drivers.osdp.wire import Place
from drivers.statistics import snapshots
from drivers.transport import OpenStream, open_stream


class OsdpDriver:
    """Speaks to the readers of one line; see `drivers.api.Driver`.

    `clock` must be that of the event loop it runs on. A device without a key is told as offline and never asked.
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
        # libosdp is loaded where a line speaks OSDP, and nowhere else
        from drivers.osdp.acting import Acting
        from drivers.osdp.line import Line
        from drivers.osdp.member import Member
        from drivers.osdp.panel import Seat
        from drivers.osdp.peripherals import Peripherals

        self._clock = clock
        keyed = [device for device in devices if not unusable(device.key)]
        self._keyless = {device.name: device for device in devices if unusable(device.key)}
        self._members = [Member(number, device) for number, device in enumerate(keyed)]
        self._by_name = {member.device.name: member for member in self._members}
        keyless = {name: unusable(device.key) for name, device in self._keyless.items()}
        self._peripherals = Peripherals(settings.name, self._members, keyless, report, clock())
        self._line = Line(
            settings,
            [Seat(device.address, device.key) for device in keyed],
            self._peripherals,
            open_stream=open_stream,
            clock=clock,
        )
        self._peripherals.line = self._line
        self._acting = Acting(self._peripherals, clock)

    async def run(self) -> None:
        """Open the line and poll until cancelled."""
        await self._line.run()

    def read_soon(self, device: str, point: str) -> None:
        """Ask for the status a point stands in, ahead of its time; KeyError if there is no such point."""
        if device in self._keyless:
            self._keyless[device].profile.point(point)
            return
        member = self._by_name[device]
        place = member.device.profile.point(point).wire
        assert isinstance(place, Place)
        member.ask_soon(place.kind, self._clock())
        self._peripherals.hurry(member)

    async def act(self, device: str, action: str, arguments: Mapping[str, float], *, deadline: float) -> Done:
        """Carry out an action before `deadline` or not at all; raises DriverError."""
        if device in self._keyless:
            self._keyless[device].profile.action(action)
            raise LineError("act", device, unusable(self._keyless[device].key))
        return await self._acting.act(self._by_name[device], action, arguments, deadline=deadline)

    def statistics(self) -> LineStatistics:
        """Return what the line did so far."""
        line, roll = self._line, self._peripherals.supervision.roll
        rows = [
            (member.device, member.counters, roll.online(member.number), REPLY_S) for member in self._members
        ]
        return LineStatistics(
            line=line.settings.name,
            up=roll.up is True,
            utilisation=line.utilisation.share(self._clock()),
            polls=sum(member.counters.polls for member in self._members),
            noise_bytes=line.noise_bytes,
            reopened=max(0, line.opened - 1),
            echo=line.echo,
            devices=snapshots(rows),
        )
