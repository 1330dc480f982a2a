"""The delivery worker: claims notifications, sends them, writes down what came of it.

A claim is a lease: a desk that dies lets go by the clock, and another sends what it held; so does it itself as soon
as it is back. `owner` is its name and its process, with a hyphen between. Each channel has its own places to send
from, and so many messages in hand that wait for one, so one that hangs holds up no other; what its turn comes too
late for is put back. What fails is tried again, then on the person's next channel, and what no channel takes is kept
as failed, told in the log, and the incident's next rung is climbed at once. Whom no channel reaches is an alert of
its own.

What was sent is written down, however long the database is away, and a desk that is told to stop first hears what
comes of the messages in its hands: what nobody wrote down goes out again when its lease is over.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from gateway.desk.delivering import Pace, Parcel, after_failure, blanked, plan
from gateway.desk.grouping import home_of
from gateway.desk.outages import Patience
from gateway.desk.reaching import lost, reached
from gateway.desk.sending import Delivered, Rejected, Result, Sender, Unknown, told
from gateway.desk.store import care, notices, timers, work
from gateway.desk.store.database import Database, Transaction
from gateway.desk.store.notices import Notice

log = logging.getLogger(__name__)

LEASE_S: Final = 60.0  # longer than the longest of any pace
AT_ONCE: Final = 200  # of one look, and in hand of one channel
LOOK_S: Final = 1.0
MINUTE_S: Final = 60.0
WAIT_S: Final = 5.0  # for room on a channel
LAST_S: Final = 3.0  # for answers, when it is told to stop


class Delivery:
    """Sends what waits. `senders` and `paces` are by channel; `taken` are called when the desk has news of its own."""

    def __init__(
        self,
        database: Database,
        senders: Mapping[str, Sender],
        *,
        owner: str,
        paces: Mapping[str, Pace] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.sent = self.failed = 0
        self._database, self._senders, self._owner = database, senders, owner
        self._paces = paces or {}
        self._now = now
        self.taken: list[Callable[[], None]] = []
        self._wake = asyncio.Event()
        self._places: dict[str, asyncio.Semaphore] = {}
        self._in_hand: Counter[str] = Counter()  # messages by channel
        self._ending = False
        self._idle = asyncio.Event()
        self._taking = Patience(database, "no page goes out")
        self._writing = Patience(database, "what was sent cannot be written down")

    def wake(self) -> None:
        """Look at once: something is to be sent."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; what is being sent then is heard to its end, for a few seconds."""
        self._ending = False
        await self._taking.through(self._let_go)
        async with asyncio.TaskGroup() as group:
            try:
                while True:
                    self._wake.clear()
                    for parcel in await self._taking.through(self._take):
                        group.create_task(self._deliver(parcel), name=f"send {parcel.message.id}")
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_S):
                            await self._wake.wait()
            except asyncio.CancelledError:
                await self._end()
                raise

    async def _let_go(self) -> None:
        """Take what this desk held as it died, without waiting for the leases."""
        async with self._database.transaction() as transaction:
            await notices.let_go(transaction, self._owner.rpartition("-")[0])

    async def _end(self) -> None:
        self._ending = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_S):
                while self._in_hand.total():
                    self._idle.clear()
                    await self._idle.wait()

    async def look(self) -> int:
        """Send what is due and wait for what comes of it; return how many messages went out or failed."""
        parcels = await self._take()
        async with asyncio.TaskGroup() as group:
            for parcel in parcels:
                group.create_task(self._deliver(parcel), name=f"send {parcel.message.id}")
        return len(parcels)

    async def _take(self) -> Sequence[Parcel]:
        """Claim what is due and return what goes out now; the rest waits for room on its channel."""
        now = self._now()
        async with self._database.transaction() as transaction:
            claimed = await notices.claim(transaction, self._owner, now, lease_s=LEASE_S, most=AT_ONCE)
            if not claimed:
                return ()
            room = self._room(claimed, await notices.sent_within(transaction, MINUTE_S, now))
            homes = {each.incident: home for each in claimed if (home := home_of(each.incident))}
            found = plan(claimed, room, await care.where(transaction, homes) if homes else {})
            for notice in found.waiting:
                paced = self._paces.get(notice.via, Pace()).per_minute
                due_at = now + (WAIT_S if paced else LOOK_S)
                await self._again(transaction, notice, due_at, "waits for room on its channel")
        self._in_hand.update(parcel.channel for parcel in found.parcels)
        if len(claimed) == AT_ONCE:
            self.wake()
        return found.parcels

    def _room(self, claimed: Sequence[Notice], sent: Mapping[str, int]) -> Mapping[str, int]:
        """Return how many messages each channel may take: what it has in hand is bounded, and so is its minute."""
        room: dict[str, int] = {}
        for name in {each.via for each in claimed}:
            held, most = self._in_hand[name], self._paces.get(name, Pace()).per_minute
            room[name] = min(AT_ONCE, most - sent.get(name, 0) if most else AT_ONCE) - held
        return room

    async def _deliver(self, parcel: Parcel) -> None:
        channel = parcel.channel
        pace = self._paces.get(channel, Pace())
        at_latest = self._now() + LEASE_S - pace.longest_s
        try:
            async with self._places.setdefault(channel, asyncio.Semaphore(pace.at_once)):
                late = self._ending or self._now() > at_latest
                result = None if late else await self._send(parcel, pace)
            news = await self._writing.through(lambda: self._write_down(parcel, result))
            if result is not None and not isinstance(result, Delivered):
                self.wake()
        finally:
            self._in_hand[channel] -= 1
            self._idle.set()
        for each in self.taken if news else ():
            each()

    async def _write_down(self, parcel: Parcel, result: Result | None) -> bool:
        """Settle a message, or put it back where it was not sent; return whether an alert of the desk's own changed."""
        now = self._now()
        async with self._database.transaction() as transaction:
            if result is not None:
                return await self._settle(transaction, parcel, result, now)
            for notice in parcel.notices:
                await self._again(transaction, notice, now, "waits for its turn on its channel")
            return False

    async def _send(self, parcel: Parcel, pace: Pace) -> Result:
        sender = self._senders.get(parcel.channel)
        if sender is None:
            return Rejected(f"there is no channel {parcel.channel}", retryable=False)
        try:
            async with asyncio.timeout(pace.longest_s):
                return await sender.send(parcel.message)
        except TimeoutError:
            return Unknown(f"no answer in {pace.longest_s:.0f} s")
        except Exception as fault:  # a sender's fault must not hold up the pages of the others
            log.exception("channel %s failed", parcel.channel)
            return Unknown(type(fault).__name__)

    async def _settle(self, transaction: Transaction, parcel: Parcel, result: Result, now: float) -> bool:
        """Write down what came of a message; return whether an alert of the desk's own has changed."""
        if isinstance(result, Delivered):
            self.sent += 1
            result = Delivered(blanked(result.answer, parcel.doors))
            first = parcel.notices[0]
            for notice in parcel.notices:
                into = "" if notice.id == first.id else first.id
                await notices.delivered(
                    transaction, notice, self._owner,
                    channel=parcel.channel, answer=result.answer, now=now, into=into,
                )  # fmt: skip
            return await reached(transaction, first.person, now)
        retryable = not isinstance(result, Rejected) or result.retryable
        answer = blanked(told(result), parcel.doors)
        log.warning("channel %s did not take %s: %s", parcel.channel, parcel.message.id, answer)
        changed = [
            await self._retry(transaction, notice, answer, now, retryable=retryable)
            for notice in parcel.notices
        ]
        return any(changed)

    async def _retry(
        self, transaction: Transaction, notice: Notice, answer: str, now: float, *, retryable: bool
    ) -> bool:
        retry = after_failure(notice, now, retryable=retryable)
        if retry.hurry:
            await timers.hurry(transaction, notice.incident, now)
        if not retry.given_up:
            await notices.put_off(
                transaction, notice, self._owner,
                due_at=retry.due_at, channel=retry.channel, attempts=retry.attempts, answer=answer,
            )  # fmt: skip
            return False
        self.failed += 1
        log.error("no channel reaches %s with %s: %s", notice.person, notice.id, answer)
        await notices.failed(transaction, notice, self._owner, answer)
        detail = {"person": notice.person, "answer": answer}
        await work.write_down(transaction, notice.incident, now, "desk", "not delivered", detail=detail)
        return await lost(transaction, notice.person, answer, now)

    async def _again(self, transaction: Transaction, notice: Notice, due_at: float, why: str) -> None:
        await notices.put_off(
            transaction, notice, self._owner,
            due_at=due_at, channel=notice.channel, attempts=notice.attempts, answer=why,
        )  # fmt: skip
