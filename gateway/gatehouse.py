"""All that moves doors, put together: doors, interlocks, whoever gives them orders, and where an order goes."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from drivers.api import Done, Presented, Profile
from gateway import doorways
from gateway.actors import Actors
from gateway.core import payload
from gateway.core.config import Config
from gateway.core.events import Body, Event, Place
from gateway.identity import new_id
from gateway.runtime.stream import Stamp
from gateway.services.commanding import Commanding
from gateway.services.doors import Doors
from gateway.services.field import Field
from gateway.services.interlocks import Interlocks


class Gatehouse:
    """The doors of one gateway and those who may move them. `places` says where each device is."""

    def __init__(
        self,
        config: Config,
        profiles: Mapping[str, Profile],
        field: Field,
        *,
        places: Mapping[str, Place],
        submit: Callable[[Body], Event],
        now: Callable[[], Stamp],
        angles: Callable[[str], Mapping[str, float]],
        reset: Callable[[str, str], None],
        restore: Iterable[Event],
    ) -> None:
        told = list(restore)
        plans = doorways.doors_of(config, profiles)
        self._now = now
        self.doors = Doors(
            plans,
            doorways.schedules_of(config),
            act=field.act,
            read_soon=field.read_soon,
            submit=submit,
            new_id=new_id,
            now=now,
            restore=told,
        )
        self.interlocks = Interlocks(
            doorways.interlocks_of(config),
            act=self._act,
            submit=submit,
            new_id=new_id,
            now=time.monotonic,
            restore=told,
        )
        self.actors = Actors(
            field,
            (self.doors, self.interlocks),
            doors=plans,
            places={**places, **{plan.name: plan.place for plan in plans}},
            home=config.gateway.place,
        )
        self.commanding = Commanding(
            self.actors, self.actors.act, submit=submit, new_id=new_id, angles=angles, reset=reset
        )
        self.services: dict[str, Callable[[], Awaitable[None]]] = {
            "doors": self.doors.run,
            "interlocks": self.interlocks.run,
        }

    def presented(self, presented: Presented) -> None:
        """Somebody held a card to a reader, or typed at it."""

    def state(self, door: str) -> bytes:
        """Return the retained payload of a door."""
        body = self.doors.state(door)
        return payload.door_state(body, self._now().wall, place=self.actors.place(door))

    async def _act(self, name: str, action: str, arguments: Mapping[str, float], deadline: float) -> Done:
        return await self.actors.act(name, action, arguments, deadline)
