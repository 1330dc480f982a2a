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
        match event.body:
            case ReadingBody(device=name, point=point) if name in self.devices:
                self.devices[name].points[point] = event
            case LinkBody(what="device", name=name) if name in self.devices:
                self.devices[name].online = event.body.up
                self.devices[name].reason = event.body.reason
            case LinkBody(what="bus", name=name):
                self.buses[name] = event.body
            case _:
                return
