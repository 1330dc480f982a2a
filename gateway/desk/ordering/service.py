"""The ordering service: takes orders that wait, signs them, sends them, and writes down what came of them.

How it works: an order is a row. It is marked as sent, committed, and only then goes out, so a desk that dies in
between leaves a row that says "may have been sent"; when its lease is over, any desk gives the order again under
the same id, which the gateway carries out once. Every desk hears every nonce and every outcome: whoever signs needs
them at once, and the row takes the first word only. An outcome is acknowledged to the broker after the commit.

Nothing queues on the way: without a connection, a nonce or a gateway that is there nothing is sent, the row waits,
and after ten seconds it is over. Acknowledgements wait a day instead, one at a time for each gateway and slowly, so
that they leave room for doors in what the gateway lets an operator do.
"""

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.events import Words
from gateway.core.payload import topic
from gateway.core.signed import Claims, sealed
from gateway.desk import order_texts
from gateway.desk.listening import Heard, Way
from gateway.desk.ordering.nonces import Nonces
from gateway.desk.orders import (
    Again,
    Order,
    Send,
    Settle,
    State,
    decide,
    is_worth_another,
    judge,
)
from gateway.desk.outages import Patience
from gateway.desk.outcomes import Outcome, read
from gateway.desk.store import order_rows, orders
from gateway.desk.store.database import Database, Transaction

log = logging.getLogger(__name__)

LOOK_S: Final = 0.5
AT_ONCE: Final = 50
QUIET_LOOK_S: Final = 1.0  # for acknowledgements
PACE_S: Final = (
    3.0  # between two acknowledgements to one gateway: it lets an operator give 30 orders a minute
)
SWEEP_S: Final = 60.0
LONGEST_AWAY_S: Final = 90.0  # nonces that a broker kept from before are of no use


@dataclass(frozen=True, slots=True)
class Copy:
    """One signed copy of an order on its way out."""

    order: Order
    content: bytes
    life_s: int


class _Published(msgspec.Struct, frozen=True):
    """When a gateway published its nonces, by a clock that it trusts or not."""

    time: datetime
    clock: str


class Ordering:
    """Sends the orders of all desks to the gateways this one hears. `key` None: nothing can be signed."""

    subscriptions = ("compound/v1/+/nonce", "compound/v1/+/outcome")

    def __init__(
        self,
        database: Database,
        key: Ed25519PrivateKey | None,
        *,
        operator: str,
        owner: str,
        changed: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        choose: Callable[[Sequence[str]], str] = secrets.choice,
    ) -> None:
        self.signs = key is not None
        self.sent = 0
        self._database, self._key, self._operator, self._owner = database, key, operator, owner
        self._changed, self._now, self._clock = changed, now, clock
        self._sending = Patience(database, "no order can be sent")
        self._settling = Patience(database, "outcomes cannot be stored")
        self._nonces = Nonces(choose)
        self._ways: dict[str, Way] = {}  # by gateway: where its nonces were heard
        self._outcomes: deque[tuple[Outcome, Callable[[], None]]] = deque()
        self._wake, self._heard = asyncio.Event(), asyncio.Event()
        self._paced: dict[str, float] = {}
        self._hindered: set[str] = set()  # gateways to which an order could not be sent just now
        self._quiet_at = self._sweep_at = 0.0
        self._ended = 0

    def wake(self) -> None:
        """Look at once: an order was given."""
        self._wake.set()

    def hear(self, heard: Heard, way: Way) -> bool:
        """Take a message; say no if it is none of ours."""
        if heard.what == "nonce":
            if not (heard.retained and self._is_old(heard.content)):
                self._nonces.told(heard.gateway, heard.content, self._clock())
                self._ways[heard.gateway] = way
                if heard.gateway in self._hindered:  # a street's nonces are many, and orders are few
                    self.wake()
            heard.settled()
            return True
        if heard.what != "outcome":
            return False
        outcome = read(heard.gateway, heard.content)
        if outcome is None or heard.retained or not outcome.concerns(self._operator):
            heard.settled()
            return True
        self._outcomes.append((outcome, heard.settled))
        self._heard.set()
        return True

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_all(), name="orders out")
            group.create_task(self._settle_all(), name="outcomes in")

    async def look(self) -> int:
        """Do what is due now; return how many copies went out."""
        now, copies = self._now(), list[Copy]()
        self._hindered.clear()
        async with self._database.transaction() as transaction:
            for order, online in await orders.pressing(transaction, now, AT_ONCE):
                hindrance = self._hindrance(order.gateway) if online else order_texts.AWAY
                copies += await self._handle(transaction, order, now, hindrance)
            copies += await self._quiet(transaction, now)
        failed = [copy for copy in copies if not self._publish(copy)]
        if failed:
            async with self._database.transaction() as transaction:
                for copy in failed:
                    await orders.kept_back(transaction, copy.order, now + LOOK_S)
        self.sent += len(copies) - len(failed)
        self._tell()
        return len(copies)

    async def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Write down what outcomes say of our orders."""
        now = self._now()
        async with self._database.transaction() as transaction:
            for outcome in outcomes:
                await self._settle(transaction, outcome, now)
        self._tell()

    def _tell(self) -> None:
        """Have open pages told what ended, now that it is committed."""
        if self._ended:
            self._ended = 0
            self._changed()

    async def _send_all(self) -> None:
        while True:
            self._wake.clear()
            await self._sending.through(self.look)
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _settle_all(self) -> None:
        most = AT_ONCE
        while True:
            self._heard.clear()
            batch = list(islice(self._outcomes, most))
            if not batch:
                await self._heard.wait()
                continue
            outcomes = [outcome for outcome, _ in batch]
            try:
                await self._settling.through(partial(self.settle, outcomes))
            except Exception:  # what is in one of them is to blame: it alone is left aside, and told
                if len(batch) > 1:
                    most = 1
                    continue
                log.exception("an outcome could not be looked at: %s", outcomes[0])
            most = AT_ONCE
            for _ in batch:
                _, settled = self._outcomes.popleft()
                settled()
            self._wake.set()

    async def _handle(
        self, transaction: Transaction, order: Order, now: float, hindrance: Words | None
    ) -> list[Copy]:
        """Do what an order is due for; return the copy to send."""
        decision = decide(order, now, hindrance=hindrance)
        if self._key is None and not order.in_doubt:
            decision = Settle(State.REFUSED, order_texts.NO_KEY)
        if isinstance(decision, Settle):
            await self._end(transaction, order, decision, now)
        elif isinstance(decision, Send):
            copy = self._signed(order, now, decision.life_s)
            if copy is not None:
                await orders.sent(transaction, order, self._owner, now + decision.again_s)
                return [copy]
        elif decision.again_s is not None:
            await orders.put_off(transaction, order, now + decision.again_s)
        if order.is_urgent:
            self._hindered.add(order.gateway)
        return []

    async def _quiet(self, transaction: Transaction, now: float) -> list[Copy]:
        """Look after acknowledgements: one for each gateway that can be told, and not too fast."""
        moment = self._clock()
        if moment < self._quiet_at:
            return []
        self._quiet_at = moment + QUIET_LOOK_S
        if self._key is None:
            await orders.abandon_acknowledgements(transaction)
            return []
        if moment >= self._sweep_at:
            self._sweep_at = moment + SWEEP_S
            await orders.end_acknowledgements(transaction, now)
        copies: list[Copy] = []
        for gateway in await orders.waiting_gateways(transaction, now):
            if moment < self._paced.get(gateway, 0.0) or self._hindrance(gateway) is not None:
                continue
            order = await orders.oldest_acknowledgement(transaction, gateway, now)
            if order is not None:
                self._paced[gateway] = moment + PACE_S
                copies += await self._handle(transaction, order, now, None)
        return copies

    async def _settle(self, transaction: Transaction, outcome: Outcome, now: float) -> None:
        order = await orders.locked(transaction, outcome.id, outcome.gateway)
        if order is None:
            return
        news = judge(order, outcome, self._operator, synced=self._nonces.is_synced(outcome.gateway))
        if isinstance(news, Settle):
            await self._end(transaction, order, news, now)
        elif isinstance(news, Again):
            await orders.again(transaction, order, news, now)

    async def _end(self, transaction: Transaction, order: Order, found: Settle, now: float) -> None:
        if (order.state, order.words) == (found.state, found.words):
            return  # heard before
        await orders.settle(transaction, order, found, now)
        self._ended += 1
        if is_worth_another(order, found.state, now):
            stem, _, number = order.id.rpartition(".")
            fresh = replace(
                order, id=f"{stem}.{int(number) + 1}", state=State.WAITING, words=order_texts.WAITING, said=""
            )
            await order_rows.write(transaction, fresh)

    def _signed(self, order: Order, now: float, life_s: int) -> Copy | None:
        nonce = self._nonces.take(order.gateway, self._clock(), life_s=life_s)
        if nonce is None or self._key is None:
            return None
        claims = Claims(
            iss=self._operator,
            sub=order.who,
            aud=f"/compound/{order.gateway}",
            jti=order.id,
            iat=int(now),
            exp=int(now) + life_s,
            nonce=nonce,
            target=order.target,
            action=order.action,
            arguments=dict(order.arguments),
        )
        return Copy(order, sealed(claims, self._key).encode(), life_s)

    def _publish(self, copy: Copy) -> bool:
        way = self._ways[copy.order.gateway]
        return way.publish(topic(copy.order.gateway, "command"), copy.content, expiry_s=copy.life_s)

    def _hindrance(self, gateway: str) -> Words | None:
        """Return why nothing can be sent to a gateway just now."""
        way = self._ways.get(gateway)
        if way is not None and not way.is_open():
            return order_texts.DEAF
        return None if self._nonces.has(gateway, self._clock()) else order_texts.SILENT

    def _is_old(self, content: bytes) -> bool:
        """Return whether nonces that a broker kept were published too long ago to be good."""
        try:
            told = msgspec.json.decode(content, type=_Published)
        except (msgspec.DecodeError, RecursionError):
            return True
        return told.clock == "synced" and abs(self._now() - told.time.timestamp()) > LONGEST_AWAY_S
