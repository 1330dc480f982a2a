"""Remote orders: publishes nonces, lets signed orders through the gate, has them carried out once, tells the outcome.

How it works: `heard` takes a message from the uplink and decides at once, in one go on the loop, whether it is an
order; from there on each order is a task of its own. What an order does is behind `find`: a device, a door, an alert
or the gateway itself. An order is written down before it is carried out; so are refusals, as far as they are few.
Outcomes go up through the journal like alerts do. Whoever gave an MQTT 5 response topic of ours is answered there
as well, at once. A broker that queued orders for us while we were away hands over dead ones: their nonces are gone.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from gateway.core import payload
from gateway.core.config import OperatorTable
from gateway.core.events import Body, Event, OutcomeBody, Place
from gateway.core.gate import Gate, Now, Order, Seen
from gateway.core.incoming import Incoming
from gateway.core.known import Entry, Known, Reply
from gateway.core.nonces import BYTES, LIFE_S, Nonces
from gateway.core.policy import PolicyError
from gateway.core.refusals import Refusals
from gateway.core.roles import reaches
from gateway.core.signed import Reason, RefusedError

log = logging.getLogger(__name__)

AT_ONCE: Final = 16
CORRELATION: Final = 64
RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """What an order may be for: where it is, and who carries an order out; PolicyError if it makes no sense."""

    place: Place
    carry_out: Callable[[Order], Awaitable[OutcomeBody]]


class Publish(Protocol):
    """Sends a message, QoS 1, or returns False when it cannot go now."""

    def __call__(
        self,
        topic: str,
        content: bytes,
        *,
        content_type: str = ...,
        retain: bool = ...,
        expiry_s: int | None = ...,
        correlation: bytes | None = ...,
    ) -> bool:
        """Send it."""


@dataclass(frozen=True, slots=True)
class RemoteStatistics:
    """What came in so far."""

    orders: int
    repeated: int
    refused: int
    under_way: int


class Remote:
    """Takes signed orders for one gateway. `find` raises KeyError for what is not there."""

    def __init__(
        self,
        gateway_id: str,
        operators: Sequence[OperatorTable],
        *,
        find: Callable[[str], Target],
        submit: Callable[[Body], Event],
        publish: Publish,
        new_id: Callable[[], str],
        now: Callable[[], Now],
        restored: Iterable[Event] = (),
        draw: Callable[[], str] = lambda: secrets.token_urlsafe(BYTES),
    ) -> None:
        self._gateway_id = gateway_id
        self._find, self._submit, self._publish, self._now = find, submit, publish, now
        self._nonces = Nonces(draw)
        self._gate = Gate(gateway_id, operators, self._nonces)
        self._known = Known(restored)
        self._refusals = Refusals(gateway_id, new_id)
        self._answers = payload.topic(gateway_id, "outcome", "")
        self._group: asyncio.TaskGroup | None = None
        self._under_way = self._orders = self._repeated = 0
        self._wake = asyncio.Event()
        self._published = False

    async def run(self) -> None:
        """Keep nonces published until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                while True:
                    self._wake.clear()
                    self._renew()
                    await self._rest()
            finally:
                self._group = None

    def greet(self) -> None:
        """Tell a broker that just took us what it may have forgotten."""
        self._published = False
        self._wake.set()

    def heard(self, message: Incoming) -> None:
        """Take in a message of the command topic."""
        seen = Seen()
        try:
            order = self._gate.admit(message, self._now(), seen)
            target = self._target(order)
            entry = self._known.find(order)
            if entry is None:
                self._begin(order, target, self._reply(message))
            else:
                self._again(entry, self._reply(message))
        except RefusedError as refusal:
            self._refuse(refusal, seen, self._reply(message))
        except Exception:  # whatever a stranger's bytes may trip over must not cost us the uplink
            log.exception("a message of the command topic could not be looked at")
        if seen.order is not None:  # a nonce was used
            self._wake.set()

    def follow(self, event: Event) -> None:
        """Take in an outcome and pass it on to who waits for it."""
        if isinstance(event.body, OutcomeBody):
            for reply in self._known.end(event):
                self._answer(reply, event)

    def statistics(self) -> RemoteStatistics:
        """Return what came in so far."""
        return RemoteStatistics(self._orders, self._repeated, self._refusals.total, self._under_way)

    def _target(self, order: Order) -> Target:
        try:
            target = self._find(order.target)
        except KeyError:
            raise RefusedError(Reason.ORDER, "there is nothing of this name here") from None
        if not reaches(order.operator, target.place):
            raise RefusedError(Reason.PLACE, f"{order.target} is outside the places of {order.operator.name}")
        return target

    def _begin(self, order: Order, target: Target, reply: Reply | None) -> None:
        if self._group is None or self._under_way >= AT_ONCE:
            raise RefusedError(Reason.BUSY, f"{AT_ONCE} orders are under way")
        self._known.begin(order, reply)
        self._under_way += 1
        self._orders += 1
        self._group.create_task(self._carry_out(order, target, reply), name=f"order {order.id}")

    async def _carry_out(self, order: Order, target: Target, reply: Reply | None) -> None:
        try:
            await target.carry_out(order)
        except PolicyError as error:
            self._known.forget(order)
            self._refuse(RefusedError(Reason.ORDER, str(error)), Seen(order=order), reply)
        except Exception as fault:  # a fault in one order must not end the others, and has an outcome too
            log.exception("order %s failed", order.id)
            detail = f"a fault of the gateway: {type(fault).__name__}"
            self._submit(OutcomeBody(order.id, order.target, order.action, "failed", detail, order.origin))
        finally:
            self._under_way -= 1

    def _again(self, entry: Entry, reply: Reply | None) -> None:
        """Tell the old outcome once more, or have the asker told when there is one."""
        self._repeated += 1
        if entry.outcome is None:
            entry.replies += [reply] if reply is not None and len(entry.replies) < AT_ONCE else []
            return
        for topic in (Reply(self._answers[:-1]), *([reply] if reply is not None else [])):
            self._answer(topic, entry.outcome)

    def _refuse(self, refusal: RefusedError, seen: Seen, reply: Reply | None) -> None:
        for body in self._refusals.note(refusal, seen, self._now().monotonic):
            event = self._submit(body)
            if seen.order is not None and reply is not None and isinstance(body, OutcomeBody):
                self._answer(reply, event)

    def _answer(self, reply: Reply, event: Event) -> None:
        content = payload.outcome_event(event, self._gateway_id)
        self._publish(reply.topic, content, content_type=payload.CLOUD_EVENT, correlation=reply.correlation)

    def _reply(self, message: Incoming) -> Reply | None:
        """Return where the sender wants its answer, if that is a place of ours and nobody else's."""
        topic, correlation = message.answer_to, message.correlation
        if topic is None or not topic.startswith(self._answers) or len(topic) > 256:
            return None
        rest = topic.removeprefix(self._answers)
        if not rest or not rest.isprintable() or any(each in rest for each in "#+"):
            return None
        return Reply(topic, correlation if correlation and len(correlation) <= CORRELATION else None)

    def _renew(self) -> None:
        now = self._now()
        for body in self._refusals.due(now.monotonic):
            self._submit(body)
        if self._nonces.renew(now.monotonic) or not self._published:
            topic = payload.topic(self._gateway_id, "nonce")
            self._published = self._publish(topic, self._pool(now), retain=True, expiry_s=int(LIFE_S))

    def _pool(self, now: Now) -> bytes:
        """Return what is published of the nonces: each with the seconds it has left, the freshest first."""
        return msgspec.json.encode(
            {
                "gateway": self._gateway_id,
                "time": payload.rfc3339(now.wall),
                "clock": now.clock,
                "nonces": [
                    {"nonce": text, "seconds": round(left_s, 1)}
                    for text, left_s in self._nonces.published(now.monotonic)
                ],
            }
        )

    async def _rest(self) -> None:
        """Return when there is something to do: a nonce was used or ends, a minute of refusals is over."""
        now = self._now().monotonic
        ends = [self._nonces.next_due(), self._refusals.next_due()]
        pause_s = min(end - now for end in ends if end is not None)
        if not self._published:
            pause_s = min(pause_s, RETRY_S)
        try:
            async with asyncio.timeout(max(pause_s, 0.05)):
                await self._wake.wait()
        except TimeoutError:
            return
