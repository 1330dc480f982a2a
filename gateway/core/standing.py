"""Which rows of the journal must outlive any retention: the last of each alert that is not over, and baselines."""

from collections.abc import Iterable

from gateway.core.alerts import State
from gateway.core.events import AlertBody, BaselineBody, Event

Key = tuple[str, ...]


class Standing:
    """Follows the stream and remembers the position of each row a restart will need."""

    def __init__(self, restored: Iterable[Event]) -> None:
        self._positions: dict[Key, tuple[int, int]] = {}
        for event in restored:
            self.follow(event)

    def follow(self, event: Event) -> None:
        """Take in one event."""
        match event.body:
            case AlertBody(alert=alert, state=State.OVER):
                self._positions.pop((alert,), None)
            case AlertBody(alert=alert):
                self._positions[alert,] = (event.epoch, event.seq)
            case BaselineBody(device=device, point=point):
                self._positions[device, point] = (event.epoch, event.seq)
            case _:
                return

    def positions(self) -> list[tuple[int, int]]:
        """Return (epoch, seq) of each row to keep."""
        return list(self._positions.values())
