"""A fire panel heard through its printer: the driver of one port, put together. See the package."""

import time
from collections.abc import Callable, Mapping, Sequence

from drivers.api import Device, DeviceError, Done, LineSettings, ReportTo
from drivers.figures import LineStatistics
from drivers.printer.line import Line
from drivers.printer.listening import NOISE, Listening
from drivers.printer.wire import PrinterWire
from drivers.statistics import snapshots
from drivers.transport import OpenStream, open_stream


class PrinterDriver:
    """Hears one panel; see `drivers.api.Driver`. All devices of its line are addresses of that panel."""

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
        self._listening = Listening(settings.name, devices, report, clock())
        wire = devices[0].profile.wire
        assert isinstance(wire, PrinterWire)
        self._line = Line(settings, wire, self._listening, open_stream=open_stream, clock=clock)

    async def run(self) -> None:
        """Open the port and listen until cancelled."""
        await self._line.run()

    def read_soon(self, device: str, point: str) -> None:
        """Say a point again, as it was printed; KeyError if there is no such point."""
        member = self._listening.member(device)
        member.device.profile.point(point)
        self._line.soon(lambda: self._listening.again(member, point, self._clock()))

    async def act(self, device: str, action: str, arguments: Mapping[str, float], *, deadline: float) -> Done:
        """Refuse: nobody tells a panel anything through its printer."""
        del action, arguments, deadline
        raise DeviceError("act", device, "it takes no orders")

    def statistics(self) -> LineStatistics:
        """Return what the line did so far. Its looks count as polls: by them it is seen to run."""
        listening = self._listening
        readable = listening.up is True and listening.noise < NOISE
        rows = [(each.device, each.counters, readable, 0.0) for each in listening.members]
        return LineStatistics(
            line=self._line.settings.name,
            up=listening.up is True,
            utilisation=self._line.utilisation.share(self._clock()),
            polls=self._line.looks,
            noise_bytes=listening.noise_bytes,
            reopened=max(0, self._line.opened - 1),
            echo=None,
            devices=snapshots(rows),
        )
