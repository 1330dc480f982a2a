"""The desk and its gateway in one process: the contract of the broker, without a broker.

A message is confirmed when it is committed, which is more than a broker's acknowledgement says; receipts and orders
come back to whoever listens for a gateway, as they would on its `receipt` and `command` topics.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.core.payload import topic
from gateway.desk.intake import Intake
from gateway.desk.listening import TOPIC, Listener, heard

Receive = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class _Ears:
    """Where a gateway hears receipts, and orders if it takes any."""

    receipt: Receive
    command: Receive | None


class Port:
    """Where a gateway in this process publishes and is answered; also the way of the desk's orders to it."""

    def __init__(self, intake: Intake, listeners: Sequence[Listener] = ()) -> None:
        self._intake, self._listeners = intake, listeners
        self._gateways: dict[str, _Ears] = {}
        intake.ears.receipt.append(self._receipt)

    def listen(self, gateway: str, receive: Receive, command: Receive | None = None) -> None:
        """Have receipts for `gateway` given to `receive`, and orders to `command`."""
        self._gateways[gateway] = _Ears(receive, command)

    async def tell(self, gateway: str, what: str, content: bytes) -> None:
        """Hand over a message of `compound/v1/<gateway>/<what>`; returns when the desk has committed it."""
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settled() -> None:
            if not committed.done():
                committed.set_result(None)

        name = topic(gateway, what)
        told = heard(name, content, retained=False, settled=settled)
        if told is None or not any(each.hear(told, self) for each in self._listeners):
            self._intake.offer(name, content, settled)
        await committed

    def is_open(self) -> bool:
        """Return whether what is published now goes out now."""
        return True

    def publish(self, topic: str, content: bytes, *, expiry_s: int) -> bool:
        """Hand an order to its gateway; say no if nobody takes it. It is as old as it says, whatever `expiry_s`."""
        match = TOPIC.fullmatch(topic)
        ears = None if match is None else self._gateways.get(match["gateway"])
        if ears is None or ears.command is None or expiry_s <= 0:
            return False
        ears.command(content)
        return True

    def follow(self, topics: Sequence[str]) -> None:
        """Do nothing: a gateway in this process tells everything."""

    def _receipt(self, gateway: str, payload: bytes) -> None:
        if ears := self._gateways.get(gateway):
            ears.receipt(payload)
