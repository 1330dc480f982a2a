"""The live view behind `watch`: events as they come, the whole state once a second.

Each watcher has a queue of its own, bounded: one who reads too slowly misses events, never delays anybody,
and is told how many it missed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from gateway.core.events import AlertBody, Event

EVERY_S = 1.0
QUEUE = 256


class Watching:
    """Follows the stream for whoever watches. `status` and `alerts` give the present state."""

    def __init__(
        self,
        status: Callable[[], Mapping[str, Any]],
        alerts: Callable[[], Sequence[AlertBody]],
        *,
        every_s: float = EVERY_S,
    ) -> None:
        self.missed = 0  # events no room was left for, of all watchers
        self._status, self._alerts, self._every_s = status, alerts, every_s
        self._queues: list[asyncio.Queue[Event]] = []

    def follow(self, event: Event) -> None:
        """Hand one event to all who watch (a follower of the stream)."""
        for queue in self._queues:
            if queue.full():
                self.missed += 1
            else:
                queue.put_nowait(event)

    async def stream(self, request: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Yield `{"status", "alerts", "missed"}` at once and each second, `{"event"}` between; never ends."""
        del request
        queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE)
        self._queues.append(queue)
        clock = asyncio.get_running_loop().time
        state_at = clock()
        try:
            while True:
                if clock() >= state_at:  # looked at first: a flood of events must not starve it
                    state_at = clock() + self._every_s
                    yield {"status": self._status(), "alerts": self._alerts(), "missed": self.missed}
                try:
                    async with asyncio.timeout_at(state_at):
                        event = await queue.get()
                except TimeoutError:
                    continue
                yield {"event": event}
        finally:
            self._queues.remove(queue)
