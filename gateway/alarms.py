"""What raises alarms, put together: alerting, and the latches that are cleared once an alert is safe."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gateway import doorways, site
from gateway.core.config import Config
from gateway.core.events import Event
from gateway.core.kinds import Kinds
from gateway.core.rules import Watched
from gateway.identity import new_id
from gateway.runtime.journal import Journal
from gateway.runtime.stream import Stream
from gateway.services.alerting import Alerting
from gateway.services.clearing import Latches
from gateway.services.field import Field
from gateway.services.uplink.session import URGENT_SINK
from gateway.site import Profiles


@dataclass(frozen=True, slots=True)
class Past:
    """What is left of an earlier run: the events a restart needs, and when it was last known to look (0: unknown)."""

    events: Sequence[Event]
    ended: float = 0.0


def make(
    config: Config,
    profiles: Profiles,
    watched: Mapping[str, Watched],
    kinds: Kinds,
    field: Field,
    *,
    stream: Stream,
    read_soon: Callable[[str, str], None],
    journal: Journal,
    past: Past,
) -> tuple[Alerting, Latches]:
    """Return the alerting of a house, and what clears its latches: that must follow the stream after it."""
    alerting = Alerting(
        watched,
        kinds=kinds,
        submit=stream.submit,
        read_soon=read_soon,
        new_id=new_id,
        place=config.gateway.place,
        cameras=site.subjects_of(config),
        doors=doorways.door_subjects_of(config),
        restore=past.events,
        ended=past.ended,
        offset_h=config.gateway.utc_offset_h,
        gateway=config.gateway.id,
        uplink="" if config.mqtt is None else config.gateway.id,
    )
    latches = Latches(
        site.latches_of(watched, profiles),
        act=field.act,
        read_soon=field.read_soon,
        is_found=alerting.is_found,
        submit=stream.submit,
        secured=partial(journal.secured, sink=URGENT_SINK),
        new_id=new_id,
        now=time.monotonic,
        standing=alerting.alerts(),
    )
    return alerting, latches
