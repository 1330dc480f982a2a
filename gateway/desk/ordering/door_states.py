"""Keeps how doors stand: listens to the topic of each door that a health document names, and to no other device's.

Readings of a whole street would be a flood; doors are few. What changes within half a second is one row.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from gateway.core.payload import topic
from gateway.desk import doors
from gateway.desk.listening import Heard, Way
from gateway.desk.outages import Patience
from gateway.desk.store import door_rows
from gateway.desk.store.database import Database

EVERY_S: Final = 0.5
MOST: Final = 500
MOST_GATEWAYS: Final = 20_000  # whoever may publish could make up names for ever


class DoorStates:
    """Stores the last state of every door it hears of. `changed` is called after a commit that changed one."""

    subscriptions: tuple[str, ...] = ()

    def __init__(
        self,
        database: Database,
        *,
        changed: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._changed, self._now = database, changed, now
        self._patience = Patience(database, "states of doors cannot be stored")
        self._doors: dict[str, set[str]] = {}
        self._fresh: dict[tuple[str, str], str] = {}
        self._heard = asyncio.Event()

    def hear(self, heard: Heard, way: Way) -> bool:
        """Take the state of a door; look over the intake's shoulder at health, and leave it that."""
        if heard.what == "health":
            named = set(doors.names(heard.content))
            if len(self._doors) < MOST_GATEWAYS or heard.gateway in self._doors:
                self._doors[heard.gateway] = named
                way.follow([topic(heard.gateway, "state", name) for name in sorted(named)])
            return False
        if heard.what != "state":
            return False
        known = heard.name in self._doors.get(heard.gateway, ())
        if known and doors.state_of(heard.content) is not None:
            text = heard.content.decode("utf-8", "replace")
            self._fresh[heard.gateway, heard.name] = text.replace("\x00", "")
            self._heard.set()
        heard.settled()  # the broker keeps the last of it
        return True

    async def run(self) -> None:
        """Store what comes until cancelled."""
        while True:
            await self._heard.wait()
            self._heard.clear()
            await self._patience.through(self.store)
            await asyncio.sleep(EVERY_S)

    async def store(self) -> None:
        """Store what was heard since the last time."""
        rows = dict(sorted(self._fresh.items())[:MOST])
        async with self._database.transaction() as transaction:
            changed = await door_rows.told(transaction, rows, self._now())
        for key, body in rows.items():
            if self._fresh.get(key) == body:
                del self._fresh[key]
        if self._fresh:
            self._heard.set()
        if changed:
            self._changed()
