"""The shell around a panel's printer port: opens it, hands what comes on, and knows when nothing comes any more.

Nothing is ever sent. XON, XOFF and the like are no matter: the port is set to ignore them. A port that goes in the
middle of a record takes nothing with it: what had come by then is heard, and looked at for the second time, before the
line is told as down. So is a record before the next one of the same breath, which may be the reset: an adapter behind a
network hands on what it held back all at once. A panel prints its fire once.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from drivers.api import LineError, LineSettings
from drivers.port_keeper import PortKeeper
from drivers.printer.listening import Listening
from drivers.printer.records import Record
from drivers.printer.wire import PrinterWire
from drivers.statistics import Utilisation
from drivers.transport import OpenStream

MOMENT_S: Final = 0.02
LOOK_S: Final = 1.0  # the longest sleep: silences are seen so late at most


class Line:
    """One port with one panel behind it."""

    def __init__(
        self,
        settings: LineSettings,
        wire: PrinterWire,
        listening: Listening,
        *,
        open_stream: OpenStream,
        clock: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.utilisation = Utilisation(clock())
        self.opened = self.looks = 0
        self._wire, self._listening = wire, listening
        self._open_stream, self._clock = open_stream, clock
        self._paper, self._records = wire.paper(), wire.records()
        self._heard_at = self._looked_at = clock()
        self._timer: asyncio.TimerHandle | None = None
        self._looks: deque[Callable[[], None]] = deque()  # to be had in a moment
        self._keeper = PortKeeper(settings.port, lambda error: listening.port_changed(error, clock()))

    async def run(self) -> None:
        """Keep the port open and listen until cancelled."""
        await self._keeper.run(self._serve)

    def soon(self, what: Callable[[], None]) -> None:
        """Do something a moment later, when whoever asks is done: a second look must not be the first."""
        self._looks.append(what)
        asyncio.get_running_loop().call_later(MOMENT_S, self._keeper.guard, self._look_again)

    async def _serve(self) -> LineError | None:
        """Open the port and hear it until it is gone; return why."""
        gone = self._keeper.gone()
        self._paper, self._records = self._wire.paper(), self._wire.records()
        stream = await self._open_stream(
            self.settings, lambda data: self._keeper.guard(self._on_data, data), self._keeper.lost
        )
        self.opened += 1
        try:
            self._looked_at = self._clock()
            self._listening.port_changed(None, self._looked_at)
            self._arm()
            return await gone
        finally:
            stream.close()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._hear_rest(self._heard_at)
            while self._looks:
                self._look_again()

    def _look_again(self) -> None:
        if self._looks:
            self._looks.popleft()()

    def _hear_rest(self, at: float) -> None:
        """Take what has begun as it is."""
        self._hear((*self._records.take(self._paper.rest()), *self._records.rest()), at)

    def _hear(self, records: Iterable[Record], at: float) -> None:
        for record in records:
            for _ in range(len(self._looks)):
                self._look_again()
            self._listening.heard(record, at)

    def _on_data(self, data: bytes) -> None:
        now = self._heard_at = self._clock()
        self._keeper.answered()
        self.utilisation.busy(len(data) * self.settings.char_s, now)
        self._hear(self._records.take(self._paper.feed(data)), now)
        if self._paper.is_waiting or self._records.is_waiting:
            self._arm()

    def _look(self) -> None:
        now = self._looked_at = self._clock()
        self._timer = None
        self.looks += 1
        if now - self._heard_at >= self._wire.pause_s - 1e-6:
            self._hear_rest(now)
        self._listening.watch(now)
        self._arm()

    def _arm(self) -> None:
        """Be back when what has begun counts as ended, or in a while, however much comes meanwhile."""
        if self._timer is not None:
            self._timer.cancel()
        at = self._looked_at + LOOK_S
        if self._paper.is_waiting or self._records.is_waiting:
            at = min(at, self._heard_at + self._wire.pause_s)
        in_s = max(0.0, at - self._clock())
        self._timer = asyncio.get_running_loop().call_later(in_s, self._keeper.guard, self._look)
