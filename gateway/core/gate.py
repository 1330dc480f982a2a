"""The gate every remote order passes: who sent it, is it fresh, is it meant for us, may they. Pure, told the time.

The cheapest look comes first, and what is dear (a signature costs as much as a hundred of the others) is reached
only with the name of a known operator and a live nonce, and not more often than `CHECKS_PER_S`: so a flood of
rubbish costs next to nothing. A nonce is used up, and an operator's allowance spent, by a valid signature only:
a stranger can do neither.

Time. The nonce alone bounds an order's age to a minute, on a clock that nobody outside can move. With a trusted
time of day `iat` and `exp` bound it further. Where the clock is not trusted, comparing them would mean nothing, so
the order must be no older than it says it may become (`exp - iat`), counted from when its nonce was made: the order
cannot be older than the nonce that it contains, so this errs to the safe side only. A clock that is trusted and yet
wrong refuses orders, or gives them at most the rest of their nonce's minute; an old order it never admits. From here
on the deadline is a monotonic time, and no clock can move it.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from gateway.core.allowances import Allowance
from gateway.core.config import OperatorTable
from gateway.core.events import Clock
from gateway.core.incoming import Incoming
from gateway.core.nonces import Nonces
from gateway.core.outcomes import REMOTE
from gateway.core.roles import may
from gateway.core.signed import Claims, Envelope, Reason, RefusedError, opened, public_key, verified

FUTURE_S: Final = 30
CHECKS_PER_S: Final = 25.0
CHECKS_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Now:
    """The time an order comes: wall seconds since 1970, monotonic seconds, whether the wall is right."""

    wall: float
    monotonic: float
    clock: Clock


@dataclass(frozen=True, slots=True)
class Order:
    """An order that a known key has signed just now, for us. `deadline` is monotonic; `origin` is for the audit."""

    id: str
    operator: OperatorTable
    origin: str
    target: str
    action: str
    numbers: dict[str, float]
    texts: dict[str, str]
    deadline: float


@dataclass(slots=True)
class Seen:
    """How far the gate came with a message, for whoever writes down that it was refused."""

    envelope: Envelope | None = None
    order: Order | None = None


@dataclass(slots=True)
class _Key:
    table: OperatorTable
    allowance: Allowance = field(init=False)

    def __post_init__(self) -> None:
        per_minute = float(self.table.per_minute)
        self.allowance = Allowance(per_minute, per_minute / 60.0)


class Gate:
    """Holds the keys and allowances of one gateway."""

    def __init__(self, gateway_id: str, operators: Iterable[OperatorTable], nonces: Nonces) -> None:
        self._audience = f"/compound/{gateway_id}"
        self._nonces = nonces
        self._keys = {table.name: _Key(table) for table in operators}
        self._checks = Allowance(CHECKS_AT_ONCE, CHECKS_PER_S)

    def admit(self, message: Incoming, now: Now, seen: Seen) -> Order:
        """Return the order a message carries; raises RefusedError. `seen` is filled in on the way."""
        if message.retained:
            raise RefusedError(Reason.RETAINED, "a retained order is an old order")
        seen.envelope = envelope = opened(message.content)
        key = self._keys.get(envelope.operator)
        if key is None:
            raise RefusedError(Reason.KEY, "no operator of this gateway has the name that kid gives")
        born = self._nonces.born(envelope.nonce, now.monotonic)
        if born is None:
            raise RefusedError(Reason.NONCE, "its nonce is unknown, used or too old: fetch a fresh one")
        if not key.allowance.has(now.monotonic):
            raise RefusedError(
                Reason.RATE, f"more than {key.table.per_minute} orders in a minute by this operator"
            )
        if not self._checks.take(now.monotonic):
            raise RefusedError(Reason.RATE, "more orders at once than signatures are checked")
        claims = verified(envelope, public_key(key.table.key), self._audience)
        self._nonces.use(envelope.nonce)
        key.allowance.take(now.monotonic)
        seen.order = order = _order(claims, key.table, now)
        order = dataclasses.replace(order, deadline=_deadline(claims, born, now))
        if not may(key.table, order.action):
            raise RefusedError(Reason.ROLE, f"{key.table.name} ({key.table.role}) may not {order.action}")
        return order


def _order(claims: Claims, operator: OperatorTable, now: Now) -> Order:
    return Order(
        id=claims.jti,
        operator=operator,
        origin=f"{REMOTE}{claims.iss}/{claims.sub}",
        target=claims.target,
        action=claims.action,
        numbers={name: value for name, value in claims.arguments.items() if isinstance(value, float)},
        texts={name: value for name, value in claims.arguments.items() if isinstance(value, str)},
        deadline=now.monotonic,
    )


def _deadline(claims: Claims, born: float, now: Now) -> float:
    """Return the monotonic time after which an order is dead; raises RefusedError if it is."""
    if now.clock is Clock.UNSYNCED:
        deadline = born + claims.exp - claims.iat
        if deadline <= now.monotonic:
            told = "this gateway's clock is not set: take the freshest nonce, or give the order longer"
            raise RefusedError(Reason.EXPIRED, told)
        return deadline
    if claims.iat > now.wall + FUTURE_S:
        raise RefusedError(
            Reason.FUTURE, f"given {claims.iat - now.wall:.0f} s from now, by the gateway's clock"
        )
    if claims.exp <= now.wall:
        raise RefusedError(Reason.EXPIRED, f"its time was over {now.wall - claims.exp:.0f} s ago")
    return now.monotonic + claims.exp - now.wall
