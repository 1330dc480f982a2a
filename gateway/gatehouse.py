"""All that moves doors, put together: doors, interlocks, whoever gives them orders, and where an order goes."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.api import Done, Presented, Profile
from gateway import doorways
from gateway.actors import Actor, Actors
from gateway.core import payload
from gateway.core.access import DoorFacts
from gateway.core.barriers import BarrierPlan
from gateway.core.config import Config
from gateway.core.doors import DoorPlan, Strike
from gateway.core.events import Body, Event, Place
from gateway.identity import new_id
from gateway.runtime.stream import Stamp
from gateway.services.access import Access
from gateway.services.barriers import Barriers
from gateway.services.commanding import Commanding, Record
from gateway.services.doors import Doors
from gateway.services.field import Field
from gateway.services.interlocks import Interlocks
from gateway.services.showing import Showing

if TYPE_CHECKING:  # what checks signatures is loaded only where somebody may give orders from afar
    from gateway.remote_orders import Alerts
    from gateway.services.remote.service import Publish, Remote


@dataclass(frozen=True, slots=True)
class Around:
    """What the doors need of the house around them. `restored` is what a restart knows; see core/standing.py.

    `gates` are the barriers among the assets.
    """

    submit: Callable[[Body], Event]
    now: Callable[[], Stamp]
    restored: Sequence[Event]
    angles: Callable[[str], Mapping[str, float]]
    alerts: "Alerts"
    assets: Actor
    gates: Sequence[BarrierPlan]
    record: Record
    publish: "Publish"
    reload: Callable[[], None] | None
    probe: Callable[[str], None]


class Gatehouse:
    """The doors of one gateway and those who may move them. `places` says where each device and asset is."""

    def __init__(
        self,
        config: Config,
        profiles: Mapping[str, Profile],
        field: Field,
        places: Mapping[str, Place],
        around: Around,
    ) -> None:
        plans = doorways.doors_of(config, profiles)
        self._around = around
        self.doors = Doors(
            plans,
            doorways.schedules_of(config),
            act=field.act,
            read_soon=field.read_soon,
            submit=around.submit,
            new_id=new_id,
            now=around.now,
            restore=around.restored,
        )
        self.interlocks = Interlocks(
            doorways.interlocks_of(config),
            act=self._act,
            submit=around.submit,
            new_id=new_id,
            now=time.monotonic,
            restore=around.restored,
        )
        self.barriers = self._make_barriers(around.gates, field)
        self.actors = Actors(
            field,
            (self.doors, self.interlocks, self.barriers, around.assets),
            strikes=_strikes(plans, around.gates),
            places={**places, **{plan.name: plan.place for plan in plans}},
            home=config.gateway.place,
        )
        self._showing = Showing(field.actions, field.act, clock=time.monotonic)
        self.access = self._make_access(config, plans)
        self.commanding = self._make_commanding()
        self.remote = self._make_remote(config)
        self.services: dict[str, Callable[[], Awaitable[None]]] = {
            "doors": self.doors.run,
            "interlocks": self.interlocks.run,
            **({"barriers": self.barriers.run} if around.gates else {}),
            "showing": self._showing.run,
            **(self.access.services if self.access else {}),
        }
        if self.remote is not None:
            self.services["remote"] = self.remote.run

    def begin(self) -> None:
        """Say what nobody knows of the orders that an earlier life was carrying out."""
        self.commanding.settle(self._around.restored)

    def answer(self, event: Event) -> None:
        """Take in an event: whoever gave an order from afar may wait for it."""
        if self.remote is not None:
            self.remote.follow(event)

    def presented(self, presented: Presented) -> None:
        """Somebody held a card to a reader, or typed at it."""
        if self.access is not None:
            self.access.presented(presented)

    def state(self, door: str) -> bytes:
        """Return the retained payload of a door."""
        body = self.doors.state(door)
        return payload.door_state(body, self._around.now().wall, place=self.actors.place(door))

    def _make_barriers(self, gates: Sequence[BarrierPlan], field: Field) -> Barriers:
        return Barriers(
            gates,
            act=field.act,
            read_soon=field.read_soon,
            submit=self._around.submit,
            now=time.monotonic,
            restore=self._around.restored,
        )

    def _make_access(self, config: Config, plans: Sequence[DoorPlan]) -> Access | None:
        """Return the access list where there are doors, or a source for one."""
        if not plans and config.access is None:
            return None
        return Access(
            config.access,
            [DoorFacts(each.name, each.place, each.readers, each.entry, each.unlock_s) for each in plans],
            doorways.schedules_of(config),
            folder=Path(config.gateway.state_dir),
            submit=self._around.submit,
            grant=self.doors.grant,
            feedback=self._showing.show,
            now=self._around.now,
            locked_down=self.doors.is_locked_down,
            offset_h=config.gateway.utc_offset_h,
        )

    def _make_commanding(self) -> Commanding:
        around = self._around
        return Commanding(
            self.actors,
            self.actors.act,
            submit=around.submit,
            new_id=new_id,
            angles=around.angles,
            reset=around.alerts.reset,
            record=around.record,
            probe=around.probe,
        )

    def _make_remote(self, config: Config) -> "Remote | None":
        if not config.operator or config.mqtt is None:
            return None
        from gateway import remote_orders

        around = self._around
        return remote_orders.make(
            config,
            self.commanding,
            around.alerts,
            place_of=self.actors.place,
            submit=around.submit,
            publish=around.publish,
            now=around.now,
            restored=around.restored,
            reload=around.reload,
        )

    async def _act(self, name: str, action: str, arguments: Mapping[str, float], deadline: float) -> Done:
        return await self.actors.act(name, action, arguments, deadline)


def _strikes(doors: Sequence[DoorPlan], gates: Sequence[BarrierPlan]) -> list[tuple[str, Strike]]:
    """Return what belongs to each door and barrier, and to nobody else."""
    of_gates = [(gate.name, each) for gate in gates for each in gate.outputs.values()]
    return [*((door.name, door.strike) for door in doors), *of_gates]
