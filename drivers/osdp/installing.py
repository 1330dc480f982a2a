"""One peripheral on a line, spoken to until it is up or will not come up, and what it said on the way.

It is told everything by the line (see line.Watcher), and decides nothing but when to stop.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from drivers.api import LineError, LineSettings
from drivers.osdp import frames
from drivers.osdp.events import Event
from drivers.osdp.frames import Frame
from drivers.osdp.line import Line
from drivers.osdp.panel import PeripheralId, Seat
from drivers.transport import OpenStream

ENOUGH_MISSES: Final = 3
BETWEEN_TRIES_S: Final = 0.3


class Session:
    """One peripheral on a line of its own. `ended` is done when it is up, or will not come up."""

    def __init__(
        self,
        settings: LineSettings,
        seat: Seat,
        *,
        open_stream: OpenStream,
        clock: Callable[[], float],
        on_key_sent: Callable[[], None] = lambda: None,
    ) -> None:
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.identity: PeripheralId | None = None
        self.heard = self.plain = self.secured = False
        self.key_sent = self.key_taken = False
        self.keeps_its_key = self.refuses = (
            False  # told the default key: it answers with another one, or not at all
        )
        self.noise = 0
        self._code, self._misses = 0, 0
        self._restart_at: float | None = None
        self._on_key_sent = on_key_sent
        self._line = Line(settings, [seat], self, open_stream=open_stream, clock=clock)

    async def run(self, within_s: float) -> bool:
        """Speak to the peripheral until it is decided; True: it is up. LineError if the port cannot be opened."""
        running = asyncio.create_task(self._line.run(), name="osdp session")
        try:
            async with asyncio.timeout(within_s):
                return await self.ended
        except TimeoutError:
            return False
        finally:
            self.noise = self._line.noise_bytes
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    # --- line.Watcher ----------------------------------------------------------------------------

    def port_changed(self, error: LineError | None, now: float) -> None:
        """The port is open, or why it is not."""
        del now
        if error is not None and not self.ended.done():
            self.ended.set_exception(error)

    def asked(self, seat: int, code: int, now: float) -> bool:
        """A command is about to be sent."""
        del seat, now
        self._code = code
        if code == frames.KEY_SET:
            self.key_sent = True
            self._on_key_sent()
        return True

    def replied(self, seat: int, reply: Frame, round_trip_s: float, now: float) -> None:
        """A good reply came."""
        del seat, round_trip_s, now
        self.heard, self._misses = True, 0
        match self._code, reply.code:
            case frames.CAPABILITIES, frames.CAPABILITY_LIST:
                self.plain = not reply.capabilities.get(frames.SECURITY, (0, 0))[0] & 1
            case frames.CHALLENGE, frames.CLIENT_CRYPTOGRAM:
                self.keeps_its_key = not reply.default_key
            case frames.CHALLENGE, _:
                self.refuses = True
            case frames.KEY_SET, _:
                self.key_taken = reply.code == frames.ACK
        self.secured = self._code == frames.CRYPTOGRAM and reply.code == frames.INITIAL_MAC

    def missed(self, seat: int, *, damaged: bool, now: float) -> bool:
        """No good reply came in time."""
        del seat, damaged, now
        self._misses += 1
        if self._misses >= ENOUGH_MISSES and not self.heard:
            self._end(False)
        return True

    def linked(self, seat: int, up: bool, now: float) -> None:
        """It is up, in secure channel or, where that was allowed, in plain; or it did not come up."""
        self.identity = self._line.identity(seat) if self.heard else None
        if up or self.plain or self.keeps_its_key or self.refuses:
            self._end(up)
        else:
            self._restart_at = now + BETWEEN_TRIES_S

    def told(self, seat: int, event: Event, now: float) -> None:
        """Nobody here wants to know."""

    def done(self, seat: int, acknowledged: bool, now: float) -> None:
        """No command is given here."""

    def due(self, now: float) -> Sequence[int]:
        """Return who is started anew."""
        if self._restart_at is None or now < self._restart_at or self.ended.done():
            return ()
        self._restart_at = None
        return (0,)

    def urgent(self, seat: int) -> bool:
        """Nothing is."""
        del seat
        return False

    def next_at(self) -> float | None:
        """Return when somebody is due."""
        return self._restart_at

    def working(self) -> bool:
        """Say whether it is spoken to."""
        return self._restart_at is None

    def _end(self, up: bool) -> None:
        if not self.ended.done():
            self.ended.set_result(up)
