"""What fire centres need of the house around them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gateway.core.events import AlertBody, Body, Event
from gateway.core.rules import Watched
from gateway.core.snapshot import Snapshot
from gateway.runtime.journal import Journal
from gateway.runtime.stream import Stamp


@dataclass(frozen=True, slots=True)
class Around:
    """The journal, the clock, what is and what stands.

    `watched` says what of the snapshot is private, `restored` are the events a restart knows, in order.
    """

    journal: Journal
    submit: Callable[[Body], Event]
    now: Callable[[], Stamp]
    snapshot: Snapshot
    watched: Mapping[str, Watched]
    restored: Iterable[Event]
    alerts: Iterable[AlertBody]
    probe: Callable[[str], None]
