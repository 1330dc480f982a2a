"""The desk and its gateway in one process: the contract of the broker, without a broker.

A message is confirmed when it is committed, which is more than a broker's acknowledgement says; receipts come back
to whoever listens for a gateway, as they would on its `receipt` topic.
"""

import asyncio
from collections.abc import Callable

from gateway.core.payload import topic
from gateway.desk.intake import Intake


class Port:
    """Where a gateway in this process publishes and is answered."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._listeners: dict[str, Callable[[bytes], None]] = {}
        intake.ears.receipt.append(self._receipt)

    def listen(self, gateway: str, receive: Callable[[bytes], None]) -> None:
        """Have receipts for `gateway` given to `receive`."""
        self._listeners[gateway] = receive

    async def publish(self, gateway: str, what: str, content: bytes) -> None:
        """Hand over a message of `compound/v1/<gateway>/<what>`; returns when the desk has committed it."""
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settled() -> None:
            if not committed.done():
                committed.set_result(None)

        self._intake.offer(topic(gateway, what), content, settled)
        await committed

    def _receipt(self, gateway: str, payload: bytes) -> None:
        if receive := self._listeners.get(gateway):
            receive(payload)
