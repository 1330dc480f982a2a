"""A simulated line in memory: for tests on virtual time, where a million exchanges take no real second each."""

from drivers.api import LineError, LineSettings
from drivers.sim.shell import LineTimer, Wire
from drivers.transport import ByteStream, OnData, OnLost


class MemoryLine:
    """A port that needs no operating system: hand `open` to a driver in place of `transport.open_stream`."""

    def __init__(self, line: Wire) -> None:
        self.line = line
        self._stream: _MemoryPort | None = None
        line.on_plug = self._plugged

    async def open(self, settings: LineSettings, on_data: OnData, on_lost: OnLost) -> ByteStream:
        """Open the port; LineError while it is unplugged or somebody has it."""
        if not self.line.plugged:
            raise LineError("open", settings.port, "is it plugged in?")
        if self._stream is not None and self._stream.is_open:
            raise LineError("open", settings.port, "somebody else has it open")
        self._stream = _MemoryPort(self.line, on_data, on_lost)
        return self._stream

    def _plugged(self, plugged: bool) -> None:
        if not plugged and self._stream is not None:
            self._stream.lose()


class _MemoryPort:
    """The master's end."""

    def __init__(self, line: Wire, on_data: OnData, on_lost: OnLost) -> None:
        self.is_open = True
        self._on_lost = on_lost
        self._timer = LineTimer(line, on_data)
        self._timer.arm()  # some devices speak before they are asked

    def write(self, data: bytes) -> None:
        if self.is_open:
            self._timer.receive(data)

    def unsent(self) -> int:
        return 0

    def close(self) -> None:
        self.is_open = False
        self._timer.stop()

    def lose(self) -> None:
        if self.is_open:
            self.close()
            self._on_lost(OSError("unplugged"))
