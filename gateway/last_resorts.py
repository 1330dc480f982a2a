"""What tells people when no desk does, put together from `[[last_resort]]`.

The senders are the desk's, and a gateway without such a table loads none of them: they are a fifth of its memory.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from gateway.core.config import Config
from gateway.core.events import Body, Event
from gateway.core.faults import Fault
from gateway.core.last_resort import Position
from gateway.services.last_resort import AFTER_S, LastResort


class Upstream(Protocol):
    """Who knows what was confirmed."""

    def is_confirmed(self, position: Position) -> bool:
        """Return whether an event was."""


def check(tables: Mapping[str, dict[str, object]]) -> Iterator[Fault]:
    """Yield what is wrong with the tables."""
    if tables:
        from gateway import last_resort_ways

        yield from last_resort_ways.check(tables)


def make(
    config: Config, uplink: Upstream | None, submit: Callable[[Body], object], restored: Iterable[Event]
) -> LastResort:
    """Return the last resort; it rests where there is neither a line nor a desk that could fall silent."""
    wanted = bool(config.last_resort) or (config.mqtt is not None and config.mqtt.confirm == "desk")
    ways = []
    if config.last_resort:
        from gateway import last_resort_ways

        ways = last_resort_ways.ways(config)
    return LastResort(
        (config.gateway.id, config.gateway.name or config.gateway.id),
        ways,
        after_s=min((way.after_s for way in ways), default=AFTER_S),
        is_confirmed=uplink.is_confirmed if uplink is not None and wanted else None,
        submit=submit,
        clock=time.monotonic,
        restored=restored,
    )
