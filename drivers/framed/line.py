"""The shell around one line of frames: owns the port and one timer, asks what the bus picks, hands frames on.

Whoever speaks is heard at any time; a question only adds that an answer is waited for. An adapter that hears itself
hands our own question back: a frame that is the question, byte for byte, answers nothing.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from drivers.api import FrameError, LineError, LineSettings
from drivers.bus import Bus
from drivers.framed.codec import Frame, decode, encode
from drivers.framed.layout import Layout
from drivers.framed.listening import Listening
from drivers.framed.member import Ask
from drivers.port_keeper import PortKeeper
from drivers.statistics import Utilisation
from drivers.transport import ByteStream, OpenStream

LOOK_S: Final = 1.0  # the longest sleep: silences are seen so late at most
STALL_S: Final = 0.3  # that the rest of a frame may take: what comes later begins anew
EARLY_S: Final = 1e-6  # a timer may fire a hair before its time


@dataclass(frozen=True, slots=True)
class _Waiting:
    """The question whose answer is awaited."""

    ask: Ask
    at: float
    until: float


class Line:
    """One line, all of whose devices frame what they say alike."""

    def __init__(
        self,
        settings: LineSettings,
        layout: Layout,
        listening: Listening,
        *,
        open_stream: OpenStream,
        clock: Callable[[], float],
    ) -> None:
        now = clock()
        self.settings = settings
        self.utilisation = Utilisation(now)
        self.opened = self.noise_bytes = self.looks = 0
        self.echo: bool | None = None
        asks = [ask for member in listening.members for ask in member.asks]
        self.bus: Bus[Ask] = Bus(asks, lambda ask: ask.member.ready_at, now)
        self._layout, self._listening = layout, listening
        self._open_stream, self._clock = open_stream, clock
        self._stream: ByteStream | None = None
        self._loop: asyncio.AbstractEventLoop  # known once it runs
        self._timer: asyncio.TimerHandle | None = None
        self._buffer = bytearray()
        self._waiting: _Waiting | None = None
        self._missed: Ask | None = None  # whose answer may still crawl in, until `_late_until`
        self._damaged = False  # something came that was no frame, while an answer was awaited
        self._late_until = self._free_at = self._watch_at = self._heard_at = now
        self._keeper = PortKeeper(settings.port, lambda error: listening.port_changed(error, clock()))

    async def run(self) -> None:
        """Keep the port open and the line talking until cancelled."""
        self._loop = asyncio.get_running_loop()
        await self._keeper.run(self._serve)

    def kick(self) -> None:
        """Look at the queue again: something is wanted at once."""
        if self._stream is not None and self._waiting is None:
            self._arm(max(self._free_at, self._clock()))

    async def _serve(self) -> LineError | None:
        """Open the port and serve it until it is gone; return why, None if it is only to be opened anew."""
        gone = self._keeper.gone()
        self._buffer.clear()
        self._stream = await self._open_stream(
            self.settings, lambda data: self._keeper.guard(self._on_data, data), self._keeper.lost
        )
        self.opened += 1
        try:
            now = self._clock()
            self._free_at, self._watch_at = now + self.settings.gap_s, now + LOOK_S
            self._listening.port_changed(None, now)
            self._arm(self._free_at)
            return await gone
        finally:
            self._stop()

    def _stop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting is not None:
            self.bus.queue(self._waiting.ask, self._clock())
        self._waiting = self._missed = None

    def _on_data(self, data: bytes) -> None:
        now = self._clock()
        self.utilisation.busy(len(data) * self.settings.char_s, now)
        if now - self._heard_at > STALL_S:
            self.noise_bytes += len(self._buffer)
            self._buffer.clear()
        self._heard_at = now
        self._buffer += data
        while (frame := self._next_frame()) is not None:
            self._take(frame, now)

    def _next_frame(self) -> Frame | None:
        while True:
            try:
                return decode(self._layout, self._buffer)
            except FrameError as error:
                self.noise_bytes += len(error.data)
                self._damaged = True

    def _take(self, frame: Frame, now: float) -> None:
        waiting = self._waiting
        if waiting is not None and encode(self._layout, frame) == waiting.ask.sent:
            self.echo = True
            return
        member = self._listening.whose(frame)
        if member is None:
            self.noise_bytes += len(frame.data)
            return
        self._keeper.answered()
        self._listening.heard(member, frame, now)
        if (
            waiting is not None
            and waiting.ask.member is member
            and waiting.ask.request.answered_by(frame.type)
        ):
            self._end(waiting, now)
        elif self._missed is not None and self._missed.member is member and now < self._late_until:
            member.counters.late += self._missed.request.answered_by(frame.type)
            self._missed = None

    def _end(self, waiting: _Waiting, now: float) -> None:
        if self.echo is None:
            self.echo = False
        self._waiting = None
        self._rest(waiting.ask, now)
        self._listening.answered(waiting.ask, now - waiting.at, now)
        self._arm(self._free_at)

    def _rest(self, ask: Ask, now: float) -> None:
        """Leave the line, and the device that was asked, the silence they need."""
        self._free_at = now + self.settings.gap_s
        ask.member.ready_at = now + ask.member.device.profile.timing.gap_s

    def _on_timer(self) -> None:
        self._timer = None
        now, waiting = self._clock(), self._waiting
        if waiting is not None and now >= waiting.until - EARLY_S:
            self._miss(waiting, now)
        if now >= self._watch_at - EARLY_S:
            self._watch_at = now + LOOK_S
            self.looks += 1
            if self._listening.watch(now):
                self._keeper.reopen()
                return
        self._go_on(now)

    def _miss(self, waiting: _Waiting, now: float) -> None:
        ask = waiting.ask
        self._waiting, self._missed = None, ask
        self._late_until = now + ask.member.device.profile.timing.late_s
        self._rest(ask, now)
        self._listening.missed(ask, now - waiting.at, now, damaged=self._damaged)

    def _go_on(self, now: float) -> None:
        """Ask what is due, and be back when there is something to do."""
        if self._stream is None:
            return
        if (
            self._waiting is None
            and now >= self._free_at - EARLY_S
            and (ask := self.bus.next(now)) is not None
        ):
            self._ask(ask, now)
        if self._waiting is not None:
            self._arm(min(self._waiting.until, self._watch_at))
        else:
            self._arm(min(max(self._free_at, self.bus.wake_at), self._watch_at))

    def _ask(self, ask: Ask, now: float) -> None:
        assert self._stream is not None
        self._damaged = False
        timing = ask.member.device.profile.timing
        until = now + len(ask.sent) * self.settings.char_s + timing.timeout_s
        self._waiting = _Waiting(ask, now, until)
        self._stream.write(ask.sent)

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._keeper.guard, self._on_timer)
