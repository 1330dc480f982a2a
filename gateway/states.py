"""What is told of a device as it stands: its retained payload, and the angles that count as its rest."""

from collections.abc import Iterator, Mapping

from drivers.api import Quality
from gateway import site
from gateway.core import payload
from gateway.core.events import Event, ReadingBody
from gateway.core.rules import Watched
from gateway.core.snapshot import Snapshot


def state(snapshot: Snapshot, watched: Mapping[str, Watched], device: str) -> bytes | None:
    """Return the retained payload of one device; None when it is not ours any more."""
    seen = snapshot.devices.get(device)
    if seen is None:
        return None
    mine = watched[device]
    points = [
        payload.PointState(body.point, body.value, body.quality, event.time, body.unit)
        for event in readings(snapshot, watched, device)
        if isinstance(body := event.body, ReadingBody)
    ]
    return payload.state(device, points, online=seen.online, place=mine.place, about=mine.about)


def readings(snapshot: Snapshot, watched: Mapping[str, Watched], device: str) -> Iterator[Event]:
    """Yield the latest readings of a device that anybody may be told: what leaves is made of these and of no others."""
    for event in snapshot.devices[device].points.values():
        if isinstance(event.body, ReadingBody) and event.body.point not in watched[device].private:
            yield event


def angles(snapshot: Snapshot, watched: Mapping[str, Watched], device: str) -> dict[str, float]:
    """Return the present good values of those points of a device that are held against a baseline."""
    seen = snapshot.devices[device].points
    bodies = (seen[point].body for point in site.points_at_rest(watched[device]) if point in seen)
    return {
        body.point: float(body.value)
        for body in bodies
        if isinstance(body, ReadingBody) and body.quality is Quality.GOOD and body.value is not None
    }
