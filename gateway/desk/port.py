"""The desk's end of the hatch: a gateway in the same house, heard and answered without a broker.

What the gateway publishes goes the same ways as what a broker brings, and is confirmed when it is committed, which is
more than a broker's acknowledgement says. Receipts and orders go back. When the gateway closes its end, or dies, so
does this one.
"""

import asyncio
import functools
import logging
import socket
from collections.abc import Sequence
from typing import Final

from gateway.core.hatch import Confirm, Frames, Publish, Tell, encode
from gateway.core.payload import topic
from gateway.desk.intake import TOPIC, Intake
from gateway.desk.listening import TOPIC as TOPICS
from gateway.desk.listening import Listener, heard

log = logging.getLogger(__name__)

CHUNK: Final = 256 * 1024


class Port:
    """Where a gateway in this house publishes and is answered."""

    def __init__(self, intake: Intake, listeners: Sequence[Listener] = ()) -> None:
        self._intake, self._listeners = intake, listeners
        self._writer: asyncio.StreamWriter | None = None
        self._gateways: set[str] = set()  # who has spoken here: one, in fact
        intake.ears.receipt.append(self._receipt)

    async def serve(self, end: socket.socket) -> None:
        """Take what comes until the gateway closes its end; raises HatchError."""
        reader, self._writer = await asyncio.open_connection(sock=end)
        frames = Frames()
        try:
            while data := await reader.read(CHUNK):
                for passed in frames.feed(data):
                    if isinstance(passed, Publish):
                        self._take(passed)
        except ConnectionError as error:
            log.info("the gateway is gone: %s", error)
        finally:
            self._writer.close()
            self._writer = None

    def is_open(self) -> bool:
        """Return whether a gateway is there."""
        return self._writer is not None and not self._writer.is_closing()

    def publish(self, topic: str, content: bytes, *, expiry_s: int) -> bool:
        """Give the gateway a message; say no if it is not there, or has not spoken here."""
        match = TOPICS.fullmatch(topic)
        return match is not None and match["gateway"] in self._gateways and self._send(Tell(topic, content))

    def follow(self, topics: Sequence[str]) -> None:
        """Listen to these too: all that the gateway says comes this way."""

    def _take(self, passed: Publish) -> None:
        settled = functools.partial(self._settled, passed.number)
        told = heard(passed.topic, passed.content, retained=False, settled=settled)
        if told is not None:
            self._gateways.add(told.gateway)
            if any([each.hear(told, self) for each in self._listeners]):  # noqa: C419 - more than one may want it
                return
        if TOPIC.fullmatch(passed.topic):
            self._intake.offer(passed.topic, passed.content, settled)
        else:
            settled()  # what no desk has a use for: the readings of devices

    def _settled(self, number: int) -> None:
        self._send(Confirm(number))

    def _receipt(self, gateway: str, payload: bytes) -> None:
        if gateway in self._gateways:
            self._send(Tell(topic(gateway, "receipt"), payload))

    def _send(self, passed: Tell | Confirm) -> bool:
        if self._writer is None or self._writer.is_closing():
            return False
        self._writer.write(encode(passed))
        return True
