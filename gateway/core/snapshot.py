"""The latest value of everything, folded from events: what `status` shows and what goes up as state."""

from dataclasses import dataclass, field

from gateway.core.events import Event, LinkBody, ReadingBody


@dataclass(slots=True)
class DeviceSnapshot:
    """A device as last seen: whether it answers, and point -> the event that told its value."""

    online: bool | None = None  # None: nothing heard yet
    reason: str = ""
    points: dict[str, Event] = field(default_factory=dict)


class Snapshot:
    """Folds readings and links; forgets nothing, holds one entry a point."""

    def __init__(self, devices: tuple[str, ...]) -> None:
        self.devices = {name: DeviceSnapshot() for name in devices}
        self.buses: dict[str, LinkBody] = {}

    def follow(self, event: Event) -> None:
        """Take in one event."""
        body = event.body
        if isinstance(body, ReadingBody):  # nearly all are, hundreds a second
            if (seen := self.devices.get(body.device)) is not None:
                seen.points[body.point] = event
            return
        match body:
            case LinkBody(what="device", name=name) if name in self.devices:
                self.devices[name].online = body.up
                self.devices[name].reason = body.reason
            case LinkBody(what="bus", name=name):
                self.buses[name] = body
            case _:
                return
