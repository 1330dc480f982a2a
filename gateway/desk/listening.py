"""What others than the intake hear of the gateways, and the way back to where it was heard."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

TOPIC: Final = re.compile(
    r"compound/v1/(?P<gateway>[a-z0-9][a-z0-9-]{0,62})/(?P<what>[a-z]+)(?:/(?P<name>[^/+#]+))?"
)


@dataclass(frozen=True, slots=True)
class Heard:
    """One message: `what` is the part of the topic after the gateway, `name` the part after that, if any.

    `settled` is called once it is safe; `retained`: kept by the broker, not said now.
    """

    gateway: str
    what: str
    name: str
    content: bytes
    retained: bool
    settled: Callable[[], None]


class Way(Protocol):
    """The way to the gateways of one broker."""

    def is_open(self) -> bool:
        """Return whether what is published now goes out now."""

    def publish(self, topic: str, content: bytes, *, expiry_s: int) -> bool:
        """Send with QoS 1, not retained; say no if it does not go out now."""

    def follow(self, topics: Sequence[str]) -> None:
        """Listen to these topics too, also after a new connection."""


class Listener(Protocol):
    """Who hears more of the gateways than their alerts. Each desk hears it all: never a shared subscription."""

    @property
    def subscriptions(self) -> Sequence[str]:
        """Return the topics to listen to."""

    def hear(self, heard: Heard, way: Way) -> bool:
        """Take a message; say no if it is none of ours."""


def quality(topic: str) -> int:
    """Return with which quality of service to listen to a topic.

    Nonces and states are told again and again and kept by the broker. With QoS 1 it would queue each of them for a desk
    that is away, until the queue is full and alerts are turned away at its end.
    """
    return 0 if topic.endswith("/nonce") or "/state/" in topic else 1


def heard(topic: str, content: bytes, *, retained: bool, settled: Callable[[], None]) -> Heard | None:
    """Return a message taken apart; None for a topic that is none of ours."""
    match = TOPIC.fullmatch(topic)
    if match is None:
        return None
    return Heard(match["gateway"], match["what"], match["name"] or "", content, retained, settled)
