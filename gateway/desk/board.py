"""The board: every alert that came up, once, with its latest state. Pure: told messages, asked for a page.

A receiver of at-least-once messages keeps (source, id) of what it has seen and drops the second; it keeps the
newest state of each alert by `subject`. This is the plain ancestor of the duty desk: it remembers in memory.
A still comes in parts on a topic of its own; the page is told of it once it is whole.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.desk.pictures import Pictures

MOST_ALERTS = 500
MOST_SEEN = 20_000

Message = dict[str, Any]


class Board:
    """Holds alerts by subject, newest first. `changed` is called with each message worth showing."""

    def __init__(self, changed: Callable[[Message], None]) -> None:
        self.alerts: dict[str, Message] = {}
        self.gateways: dict[str, str] = {}
        self.pictures = Pictures()
        self.received = 0
        self.duplicates = 0
        self.unreadable = 0
        self._seen: set[str] = set()
        self._order: deque[str] = deque()
        self._changed = changed

    def receive(self, topic: str, payload: bytes) -> None:
        """Take in one MQTT message of a gateway."""
        _, _, gateway, what = topic.split("/", 3)
        if what == "availability":
            self.gateways[gateway] = payload.decode("ascii", "replace")
            self._changed({"gateway": gateway, "availability": self.gateways[gateway]})
        elif what == "alert":
            self._receive_alert(payload)
        elif what.startswith("evidence/"):
            sha256 = what.removeprefix("evidence/")
            if self.pictures.receive(sha256, payload):
                self._changed({"picture": sha256})

    def page(self) -> Mapping[str, Any]:
        """Return all there is to show, newest change first."""
        newest = sorted(self.alerts.values(), key=lambda event: str(event["time"]), reverse=True)
        return {
            "alerts": newest,
            "gateways": self.gateways,
            "pictures": self.pictures.sums,
            "received": self.received,
            "duplicates": self.duplicates,
        }

    def _receive_alert(self, payload: bytes) -> None:
        try:
            event: Message = msgspec.json.decode(payload, type=dict)
            key, subject = f"{event['source']} {event['id']}", str(event["subject"])
        except (msgspec.DecodeError, KeyError):
            self.unreadable += 1
            return
        if key in self._seen:
            self.duplicates += 1
            return
        self._remember(key)
        self.received += 1
        known = self.alerts.get(subject)
        if known is None or _number(known) < _number(event):
            self.alerts[subject] = event
        self._changed({"alert": self.alerts[subject]})
        while len(self.alerts) > MOST_ALERTS:
            del self.alerts[next(iter(self.alerts))]

    def _remember(self, key: str) -> None:
        self._seen.add(key)
        self._order.append(key)
        if len(self._order) > MOST_SEEN:
            self._seen.discard(self._order.popleft())


def _number(event: Message) -> tuple[int, int]:
    epoch, _, seq = str(event["id"]).partition(".")
    return int(epoch), int(seq)
