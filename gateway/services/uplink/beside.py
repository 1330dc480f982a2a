"""The connection to a desk in the same house: what a link to a broker is, over a socket pair.

The session on it is the same as on any other, with a window, numbers and receipts; only nobody asks for a password.
"""

import asyncio
import contextlib
import logging
import socket
from typing import Final

from gateway.core.hatch import Confirm, Frames, HatchError, Publish, Tell, encode
from gateway.core.incoming import Incoming
from gateway.services.uplink.connection import Done, Message, Receive

log = logging.getLogger(__name__)

SILENCE_S: Final = 60.0  # a desk that commits nothing for so long is started anew
CHUNK: Final = 256 * 1024
FAREWELL_S: Final = 0.5
WINDOW: Final = 100


class DeskLink:
    """A connection to the desk beside us, until one of the two ends it."""

    def __init__(self, receive: Receive) -> None:
        self.broker, self.protocol, self.window, self.resumed = "desk", "hatch", WINDOW, False
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self._receive = receive
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._number = 0
        self._unconfirmed: dict[int, tuple[float, Done]] = {}
        self._heard = self._loop.time()

    async def open(self, end: socket.socket) -> None:
        """Take our end of the hatch."""
        reader, self._writer = await asyncio.open_connection(sock=end)
        if self.lost.done():  # meanwhile
            self._writer.close()
            return
        self._reading = asyncio.create_task(self._read(reader), name="uplink.beside")

    @property
    def flying(self) -> int:
        """Return how many messages are unacknowledged."""
        return len(self._unconfirmed)

    def publish(self, message: Message, done: Done) -> None:
        """Send `message`; `done` is called once, or never if the connection is lost first."""
        if self.lost.done() or self._writer is None:
            return
        self._number += 1
        self._unconfirmed[self._number] = (self._loop.time(), done)
        self._writer.write(encode(Publish(self._number, message.topic, message.content)))

    def tick(self) -> None:
        """Leave a desk that owes us an answer and is silent."""
        if self._unconfirmed and not self.lost.done():
            since = max(self._heard, next(iter(self._unconfirmed.values()))[0])
            if self._loop.time() - since > SILENCE_S:
                self._end(f"the desk confirmed nothing for {SILENCE_S:.0f} s")

    async def close(self, farewell: Message) -> None:
        """Publish `farewell` and end, within half a second."""
        said = asyncio.Event()
        self.publish(farewell, lambda _refusal: said.set())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await said.wait()
        self._end("closed")

    def abandon(self) -> None:
        """Drop the connection as it is."""
        self._end("abandoned")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        frames, reason = Frames(), "what the desk said could not be taken"
        try:
            while data := await reader.read(CHUNK):
                self._heard = self._loop.time()
                for passed in frames.feed(data):
                    self._take(passed)
            reason = "the desk ended"
        except (ConnectionError, HatchError) as error:
            reason = f"the desk: {error}"
        finally:  # also when whoever takes it fails: the link is not half alive
            self._end(reason)

    def _take(self, passed: Publish | Confirm | Tell) -> None:
        if isinstance(passed, Tell):
            self._receive(Incoming(topic=passed.topic, content=passed.content))
        elif isinstance(passed, Confirm) and (entry := self._unconfirmed.pop(passed.number, None)):
            entry[1](None)

    def _end(self, reason: str) -> None:
        """Close and tell, once. What was on its way is sent again on the next connection."""
        self._unconfirmed.clear()
        if self._writer is not None:
            self._writer.close()
        if self._reading is not None and self._reading is not asyncio.current_task():
            self._reading.cancel()
        if not self.lost.done():
            self.lost.set_result(reason)
