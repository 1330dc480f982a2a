"""The delivery worker: claims notifications, sends them, writes down what came of it.

A claim is a lease: a desk that dies lets go by the clock, and another sends what it held. Messages of one look go
out side by side, at most one look at a time; what fails is tried again, then on the person's next channel, and what
no channel takes is kept as failed, told in the log, and the incident's next rung is climbed at once.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from gateway.desk.delivering import Parcel, after_failure, plan
from gateway.desk.sending import Delivered, Rejected, Result, Sender, Unknown, told
from gateway.desk.store import notices, timers, work
from gateway.desk.store.database import Database, Transaction
from gateway.desk.store.notices import Notice

log = logging.getLogger(__name__)

LEASE_S: Final = 60.0
SEND_S: Final = 20.0  # well within the lease
AT_ONCE: Final = 200
SIDE_BY_SIDE: Final = 16
LOOK_S: Final = 1.0
MINUTE_S: Final = 60.0
WAIT_S: Final = 5.0  # for room on a channel


class Delivery:
    """Sends what waits. `senders` and `per_minute` are by channel; a channel without a limit has none."""

    def __init__(
        self,
        database: Database,
        senders: Mapping[str, Sender],
        *,
        owner: str,
        per_minute: Mapping[str, int] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.sent = self.failed = 0
        self._database, self._senders, self._owner = database, senders, owner
        self._per_minute = per_minute or {}
        self._now = now
        self._wake = asyncio.Event()
        self._few = asyncio.Semaphore(SIDE_BY_SIDE)

    def wake(self) -> None:
        """Look at once: something is to be sent."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            if await self.look():
                continue
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def look(self) -> int:
        """Send what is due; return how many messages went out or failed."""
        now = self._now()
        async with self._database.transaction() as transaction:
            claimed = await notices.claim(transaction, self._owner, now, lease_s=LEASE_S, most=AT_ONCE)
            if not claimed:
                return 0
            used = await notices.sent_since(transaction, now - MINUTE_S)
            room = {name: most - used.get(name, 0) for name, most in self._per_minute.items()}
            found = plan(claimed, room)
            for notice in found.waiting:
                await self._again(transaction, notice, now + WAIT_S, "waits for room on its channel")
        async with asyncio.TaskGroup() as group:
            for parcel in found.parcels:
                group.create_task(self._deliver(parcel), name=f"send {parcel.message.id}")
        return len(found.parcels)

    async def _deliver(self, parcel: Parcel) -> None:
        async with self._few:
            result = await self._send(parcel)
        async with self._database.transaction() as transaction:
            await self._settle(transaction, parcel, result, self._now())

    async def _send(self, parcel: Parcel) -> Result:
        sender = self._senders.get(parcel.channel)
        if sender is None:
            return Rejected(f"there is no channel {parcel.channel}", retryable=False)
        try:
            async with asyncio.timeout(SEND_S):
                return await sender.send(parcel.message)
        except TimeoutError:
            return Unknown(f"no answer in {SEND_S:.0f} s")
        except Exception as fault:  # a sender's fault must not hold up the pages of the others
            log.exception("channel %s failed", parcel.channel)
            return Unknown(f"{type(fault).__name__}: {fault}")

    async def _settle(self, transaction: Transaction, parcel: Parcel, result: Result, now: float) -> None:
        if isinstance(result, Delivered):
            self.sent += 1
            first = parcel.notices[0].id
            for notice in parcel.notices:
                into = "" if notice.id == first else first
                await notices.delivered(
                    transaction, notice, self._owner,
                    channel=parcel.channel, answer=result.answer, now=now, into=into,
                )  # fmt: skip
            return
        retryable = not isinstance(result, Rejected) or result.retryable
        answer = told(result)
        log.warning("channel %s did not take %s: %s", parcel.channel, parcel.message.id, answer)
        await self._retry(transaction, parcel.notices, answer, now, retryable=retryable)

    async def _retry(
        self, transaction: Transaction, kept: Sequence[Notice], answer: str, now: float, *, retryable: bool
    ) -> None:
        for notice in kept:
            retry = after_failure(notice, now, retryable=retryable)
            if not retry.given_up:
                await notices.put_off(
                    transaction, notice, self._owner,
                    due_at=retry.due_at, channel=retry.channel, attempts=retry.attempts, answer=answer,
                )  # fmt: skip
                continue
            self.failed += 1
            log.error("no channel reaches %s with %s: %s", notice.person, notice.id, answer)
            await notices.failed(transaction, notice, self._owner, answer)
            detail = {"person": notice.person, "answer": answer}
            await work.write_down(transaction, notice.incident, now, "desk", "not delivered", detail=detail)
            await timers.hurry(transaction, notice.incident, now)

    async def _again(self, transaction: Transaction, notice: Notice, due_at: float, why: str) -> None:
        await notices.put_off(
            transaction, notice, self._owner,
            due_at=due_at, channel=notice.channel, attempts=notice.attempts, answer=why,
        )  # fmt: skip
