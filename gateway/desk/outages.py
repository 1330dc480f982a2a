"""While the database is away: what was begun is kept in hand and tried again, soon and then every second; told once.

Whoever fails instead is started again by the supervisor after a pause that grows, and has forgotten what it did
meanwhile: a page that was sent and could not be written down would be sent again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from gateway.desk.store.database import Database

log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 0.1  # two desks in each other's way, which is over at once
PAUSE_S: Final = 1.0

T = TypeVar("T")


class Patience:
    """Sees one part of the desk through the outages of its database; `what` cannot be done meanwhile."""

    def __init__(self, database: Database, what: str) -> None:
        self._database, self._what, self._trouble = database, what, ""

    async def through(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Return what `attempt` returns, tried again and again while the database is away."""
        pause_s = min(FIRST_PAUSE_S, PAUSE_S)
        while True:
            try:
                found = await attempt()
            except Exception as error:
                if not self._database.is_outage(error):
                    raise
                self._note(f"{type(error).__name__}: {error}")
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, PAUSE_S)
            else:
                self._note("")
                return found

    def _note(self, trouble: str) -> None:
        """Log a trouble when it begins and when it is over, not each time."""
        if trouble and not self._trouble:
            log.error("%s, trying again: %s", self._what, trouble)
        if self._trouble and not trouble:
            log.info("the database is back: %s no more", self._what)
        self._trouble = trouble
