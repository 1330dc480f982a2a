"""Which readings are worth keeping: changes, not repeats.

A line gives hundreds of readings a second and nearly all say what the one before said. Alerting sees every
one of them; the journal and the uplink get a reading when its quality changes, when its value leaves the
point's deadband around the last one kept, and once in a quarter of an hour so that silence is not mistaken
for sameness.
"""

from collections.abc import Mapping

from drivers.api import Value
from gateway.core.events import Event, ReadingBody

REPEAT_S = 900.0


class Thinner:
    """Remembers the last reading kept of each point. `deadbands` maps (device, point) to the point's unit."""

    def __init__(self, deadbands: Mapping[tuple[str, str], float]) -> None:
        self.dropped = 0
        self._deadbands = deadbands
        self._kept: dict[tuple[str, str], Event] = {}

    def keeps(self, event: Event) -> bool:
        """Return whether `event` is to be kept; anything but a repeated reading is."""
        body = event.body
        if not isinstance(body, ReadingBody):
            return True
        key = (body.device, body.point)
        last = self._kept.get(key)
        if last is not None and event.monotonic - last.monotonic < REPEAT_S:
            before = last.body
            assert isinstance(before, ReadingBody)
            if before.quality is body.quality and _same(
                before.value, body.value, self._deadbands.get(key, 0.0)
            ):
                self.dropped += 1
                return False
        self._kept[key] = event
        return True


def _same(before: Value | None, now: Value | None, deadband: float) -> bool:
    if before is None or now is None or deadband == 0.0:
        return before == now
    return abs(now - before) <= deadband
