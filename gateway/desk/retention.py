"""Forgetting: what was closed long ago goes, in small steps between which alerts come in as ever.

What people did is kept `AUDIT_TIMES` as long as the alerts: who closed what, and why, is asked for late. News and used
pairings are of use for a day. What is open is kept whatever its age. What is known of residents goes sooner: by what
each agreed to, at once where that was taken back, and so that no byte of it is left in the record's files.

What is thrown away for its age waits until the clock has gone evenly for `EVEN_S`: a machine that came up with a clock
years ahead, which is set a minute later, would have forgotten everything by then.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from gateway.desk.steps import Steps
from gateway.desk.store import consents, forgetting, looks, news
from gateway.desk.store.database import Record, Transaction

log = logging.getLogger(__name__)

EVERY_S: Final = 3600.0
EVEN_S: Final = 6 * 3600.0
BETWEEN_S: Final = 0.05
DAY_S: Final = 86_400.0
AUDIT_TIMES: Final = 3
CARE_DAYS: Final = 30.0

Step = Callable[[Transaction], Awaitable[int]]


class Retention:
    """Forgets by the hour. `keep_days`: how long a closed alert is kept; `care_days` what is known of residents."""

    def __init__(
        self,
        database: Record,
        *,
        keep_days: float,
        care_days: float = CARE_DAYS,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.forgotten = 0
        self._database, self._keep_s, self._now = database, keep_days * DAY_S, now
        self._clock, self._steps, self._even_from = clock, Steps(now, clock), clock()
        self._care_days = min(care_days, keep_days)
        self._shred = True  # what a kill left between deleting and shredding

    async def run(self) -> None:
        """Forget until cancelled."""
        while True:
            await self.turn()
            await asyncio.sleep(EVERY_S)

    async def turn(self) -> None:
        """Forget all that is due, or while the clock is not to be trusted what was taken back alone."""
        if self._steps.taken():
            self._even_from = self._clock()
        if self._clock() - self._even_from >= EVEN_S:
            await self.look()
        else:
            await self._residents(self._now(), even=False)

    async def look(self) -> None:
        """Forget all that is due."""
        now = self._now()
        before, day = now - self._keep_s, now - DAY_S
        steps: tuple[Step, ...] = (
            lambda transaction: forgetting.alerts(transaction, before, now),
            forgetting.incidents,
            lambda transaction: forgetting.finished(transaction, before),
            lambda transaction: forgetting.pairings(transaction, day),
            lambda transaction: forgetting.audit(transaction, now - self._keep_s * AUDIT_TIMES),
            lambda transaction: news.forget(transaction, day),
            lambda transaction: looks.forget(transaction, now),
        )
        await self._residents(now)
        for step in steps:
            while count := await self._once(step):
                self.forgotten += count
                await asyncio.sleep(BETWEEN_S)

    async def _residents(self, now: float, *, even: bool = True) -> None:
        """Forget what is known of residents first: others' figures can wait, and what hangs on it goes with it."""
        while count := await self._once(
            lambda transaction: consents.forget(transaction, now, self._care_days, even=even)
        ):
            self.forgotten += count
            self._shred = True
            await asyncio.sleep(BETWEEN_S)
        while even and (
            count := await self._once(
                lambda transaction: consents.forget_devices(transaction, now - self._care_days * DAY_S)
            )
        ):
            self.forgotten += count
            self._shred = True
        if self._shred:
            self._shred = not await self._database.shred(consents.TABLES)
            if self._shred:
                log.warning("the record is in use: what was thrown away stands in its files for an hour more")

    async def _once(self, step: Step) -> int:
        async with self._database.transaction() as transaction:
            return await step(transaction)
