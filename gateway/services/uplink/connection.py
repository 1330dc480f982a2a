"""What a connection to a broker is, who connects, and what is sent: the contract between session and link."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from gateway.core.config import MqttTable
from gateway.core.incoming import Incoming
from gateway.core.payload import JSON, topic

Done: TypeAlias = Callable[[str | None], None]
"""Called once: with None when a message is confirmed, else with the reason why it was refused."""

Receive: TypeAlias = Callable[[Incoming], None]
"""Takes a message on a topic we subscribed to."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is published, QoS 1. `expiry_s` None: never. `correlation` goes with an answer."""

    topic: str
    content: bytes
    retain: bool = False
    expiry_s: int | None = None
    content_type: str = JSON
    correlation: bytes | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic we want to hear. With `queued` the broker keeps what comes while we are away, for our session."""

    topic: str
    queued: bool = True


@dataclass(frozen=True, slots=True)
class Identity:
    """Who connects and what it wants to hear."""

    gateway_id: str
    table: MqttTable
    subscribe: tuple[Subscription, ...] = ()

    @property
    def availability(self) -> str:
        """Return the topic of the last will."""
        return topic(self.gateway_id, "availability")


class Connection(Protocol):
    """What the uplink needs of a connection; tests have one in memory."""

    broker: str
    protocol: str
    window: int  # how many messages may be unacknowledged
    resumed: bool  # the broker still had our session
    lost: asyncio.Future[str]  # done, with the reason, when the connection is over

    @property
    def flying(self) -> int:
        """Return how many messages are unacknowledged."""

    def publish(self, message: Message, done: Done) -> None:
        """Send `message`; `done` is called once, or never if the connection is lost first."""

    def tick(self) -> None:
        """Look after time-outs; call it about twice a second."""

    async def close(self, farewell: Message) -> None:
        """Publish `farewell`, disconnect in order, within half a second."""
