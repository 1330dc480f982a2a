"""A test page to each person once a week, so that silence is noticed: by them, and by the desk.

It is a notification like any other, and its id names the week: several desks, or one started anew, write it once. A
desk that was down at the hour makes up for it the same day; later it waits for the next week. Who cannot be reached
is an alert then (see `reaching`), long before a fire needs them.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from gateway.core.schedule import Weekly
from gateway.desk import texts
from gateway.desk.store import notices, people
from gateway.desk.store.database import Database
from gateway.desk.store.notices import Notice

LOOK_S: Final = 30.0
LATE_S: Final = 8 * 3600.0
RANK: Final = 1
PREFIX: Final = "test"


class WeeklyTest:
    """Writes the week's test pages when it is time. `paged` is called when there is something to deliver."""

    def __init__(
        self,
        database: Database,
        weekly: Weekly,
        *,
        now: Callable[[], float] = time.time,
        paged: Callable[[], None] = lambda: None,
    ) -> None:
        self._database, self._weekly, self._now, self._paged = database, weekly, now, paged
        self._done = 0.0

    async def run(self) -> None:
        """Look now and then until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> int:
        """Write what is due; return how many people are sent a test."""
        now = self._now()
        at = self._weekly.latest(now)
        if at == self._done or now - at > LATE_S:
            return 0
        incident = f"{PREFIX}|{self._weekly.week(at)}"
        text = texts.weekly_test()
        async with self._database.transaction() as transaction:
            directory = await people.directory(transaction)
            made = [
                Notice(
                    id=f"{incident}|{person.name}",
                    incident=incident,
                    person=person.name,
                    language=person.language,
                    channels=person.channels,
                    rank=RANK,
                    zh=text.zh,
                    en=text.en,
                    due_at=now,
                )
                for person in directory.people.values()
                if person.channels
            ]
            written = await notices.write(transaction, made, now)
        self._done = at
        if written:
            self._paged()
        return written
