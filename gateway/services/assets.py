"""The assets: what their derived points say goes into the stream as readings of the asset, like those of any device.

So alerts, the desk, states upstream and the journal need not know that there are assets. What must outlive a restart is
an event too. A person's order (storm mode) ends by itself at its time.
"""

import asyncio
import contextlib
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, Final

from drivers.api import Action, Done
from gateway.core.assets.network import Network
from gateway.core.assets.plans import Assembled, AssetPlan
from gateway.core.events import Body, Event, MemoryBody, Place, ReadingBody
from gateway.runtime.stream import Stamp

LOOK_S: Final = 60.0  # the clock may be set: orders that end are looked at no more seldom


class Assets:
    """All assets. `places` says where each is, `judged` what rules look at, `restore` what stood before.

    `read_soon` is the field's.
    """

    def __init__(
        self,
        assets: Assembled,
        *,
        places: Mapping[str, Place],
        submit: Callable[[Body], object],
        read_soon: Callable[[str, str], None],
        now: Callable[[], Stamp],
        judged: Container[tuple[str, str]] | None = None,
        restore: Iterable[Event] = (),
    ) -> None:
        self._plans = {plan.name: plan for plan in assets.plans}
        self._places, self._submit, self._read_soon, self._now = places, submit, read_soon, now
        bodies = (event.body for event in restore)
        before = {(b.asset, b.point): b.value for b in bodies if isinstance(b, MemoryBody)}
        stamp = now()
        known = {key: value for key, value in before.items() if value is not None}
        self._network = Network(assets, known, wall=stamp.wall, judged=judged)
        self._wake = asyncio.Event()

    def follow(self, event: Event) -> None:
        """Take one event of the stream."""
        body = event.body
        if isinstance(body, ReadingBody) and self._network.concerns(body.device, body.point):
            self._tell(self._network.take(body, event.time - event.monotonic + body.at))

    def read_soon(self, device: str, point: str) -> None:
        """Have a point read again at once; of an asset those that decide it."""
        if device not in self._plans:
            self._read_soon(device, point)
            return
        for part in self._network.parts(device, point):
            self._read_soon(*part)

    def actions(self, name: str) -> tuple[Action, ...]:
        """Return what an asset can be told; KeyError if there is none of this name."""
        return self._plans[name].actions

    async def act(self, name: str, action: str, arguments: Mapping[str, float], deadline: float) -> Done:
        """Switch an asset's mode on until a time, or off."""
        del deadline
        stamp = self._now()
        minutes = arguments.get("minutes", 0.0)
        until = stamp.wall + minutes * 60 if action == "on" else None
        for node in self._plans[name].nodes:
            if self._network.is_ordered(node.key):
                self._tell(self._network.order(node.key, until, stamp.monotonic, stamp.wall))
        self._wake.set()
        return Done(f"on for {minutes:g} minutes" if until else "off", stamp.monotonic)

    async def run(self) -> None:
        """End orders at their time until cancelled."""
        while True:
            self._wake.clear()
            stamp = self._now()
            self._tell(self._network.ended(stamp.monotonic, stamp.wall))
            end = self._network.next_end()
            pause_s = LOOK_S if end is None else min(max(end - stamp.wall, 0.0), LOOK_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s + 0.01):
                    await self._wake.wait()

    def statistics(self) -> list[dict[str, Any]]:
        """Return every asset as it stands, for `assets` and `bins`."""
        return [self._row(plan) for plan in self._plans.values()]

    def _tell(self, readings: Iterable[ReadingBody]) -> None:
        for reading in readings:
            self._submit(reading)
        for memory in self._network.memories():
            self._submit(memory)

    def _row(self, plan: AssetPlan) -> dict[str, Any]:
        points = {}
        for point in plan.points:
            if (seen := self._network.latest((plan.name, point.name))) is not None:
                points[point.name] = {"value": seen.value, "unit": point.unit, "quality": seen.quality}
        return {
            "asset": plan.name,
            "kind": plan.table.kind,
            "label": plan.table.label,
            "place": self._places[plan.name],
            "points": points,
            "settings": dict(plan.settings),
        }
