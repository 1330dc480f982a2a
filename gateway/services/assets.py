"""The assets: what their derived points say goes into the stream as readings of the asset, like those of any device.

So alerts, the desk, states upstream and the journal need not know that there are assets. What must outlive a restart is
an event too. A person's order (storm mode) ends by itself at its time.
"""

import asyncio
import contextlib
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, Final

from drivers.api import Action, Done
from gateway.core import outcomes
from gateway.core.assets.moments import Daytime, Moment
from gateway.core.assets.network import Network
from gateway.core.assets.plans import Assembled, AssetPlan
from gateway.core.events import Body, Clock, Event, MemoryBody, Place, ReadingBody
from gateway.runtime.stream import Stamp

LOOK_S: Final = 60.0  # the clock may be set: orders that end are looked at no more seldom
PATIENCE_S: Final = (
    600.0  # after which a restart is taken for a short one: a clock that nobody sets will not tell
)
DAY_S: Final = 86_400.0


class Assets:
    """All assets. `places` says where each is, `judged` what rules look at, `restore` what stood before; `private` are
    the points whose values are shown to nobody.

    `read_soon` is the field's; `ended` is when the last run was last known to look, 0 if nobody knows. The hours of the
    day are `offset_h` before UTC's.
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
        private: Container[tuple[str, str]] = (),
        restore: Iterable[Event] = (),
        ended: float = 0.0,
        offset_h: float = 8.0,
    ) -> None:
        self._plans = {plan.name: plan for plan in assets.plans}
        self._private = private
        self._places, self._submit, self._read_soon, self._now = places, submit, read_soon, now
        bodies = (event.body for event in restore)
        before = {(b.asset, b.point): b.value for b in bodies if isinstance(b, MemoryBody)}
        self._began = stamp = now()
        self._ended = ended
        self._resumed = False
        self._daytime = Daytime(offset_h)
        known = {key: value for key, value in before.items() if value is not None}
        self._network = Network(assets, known, wall=stamp.wall, judged=judged)
        self.points = self._network.points()  # whose readings it has use for
        self._wake = asyncio.Event()

    def follow(self, event: Event) -> None:
        """Take one event of the stream."""
        body = event.body
        if isinstance(body, ReadingBody) and (body.device, body.point) in self.points:
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
        if outcomes.is_private(action):
            return self._leave(name, arguments.get("days") if action == outcomes.AWAY else None, stamp)
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
            self.look(stamp)
            end = self._network.next_end()
            pause_s = LOOK_S if end is None else min(max(end - stamp.wall, 0.0), LOOK_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s + 0.01):
                    await self._wake.wait()

    def look(self, stamp: Stamp) -> None:
        """Do what is due at a time: orders that end, the night that begins, what an earlier run left."""
        moment = self._moment(stamp)
        self._tell(self._network.ended(stamp.monotonic, stamp.wall, trusted=stamp.clock is Clock.SYNCED))
        if not self._resumed:
            self._resume(moment)
        self._tell(self._network.look(moment))

    def statistics(self) -> list[dict[str, Any]]:
        """Return every asset as it stands, for `assets` and `bins`."""
        return [self._row(plan) for plan in self._plans.values()]

    def _moment(self, stamp: Stamp) -> Moment:
        return self._daytime.moment(stamp.monotonic, stamp.wall, trusted=stamp.clock is Clock.SYNCED)

    def _resume(self, moment: Moment) -> None:
        """Go on with what an earlier run left, once it is known how long ago that was, or when nobody will tell."""
        passed_s = moment.at - self._began.monotonic
        if moment.hour is not None and self._ended:
            down_s = max(moment.wall - passed_s - self._ended, 0.0)
        elif self._ended and passed_s < PATIENCE_S:
            return
        else:
            down_s = 0.0
        self._resumed = True
        self._network.resume(down_s)

    def _leave(self, name: str, days: float | None, stamp: Stamp) -> Done:
        moment = self._moment(stamp)
        self._tell(self._network.leave(name, None if days is None else days * DAY_S, moment))
        return Done("at home" if days is None else f"away for {days:g} days at most", stamp.monotonic)

    def _tell(self, readings: Iterable[ReadingBody]) -> None:
        for reading in readings:
            self._submit(reading)
        for memory in self._network.memories():
            self._submit(memory)

    def _row(self, plan: AssetPlan) -> dict[str, Any]:
        points = {}
        for point in plan.points:
            if (seen := self._network.latest((plan.name, point.name))) is not None:
                value = None if (plan.name, point.name) in self._private else seen.value
                points[point.name] = {"value": value, "unit": point.unit, "quality": seen.quality}
        return {
            "asset": plan.name,
            "kind": plan.table.kind,
            "label": plan.table.label,
            "place": self._places[plan.name],
            "points": points,
            "settings": dict(plan.settings),
        }
