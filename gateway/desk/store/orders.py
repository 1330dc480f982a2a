"""Orders to gateways as rows: given once, taken by whichever desk is there, settled once, all of it on record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.core.signed import clean
from gateway.desk import order_texts
from gateway.desk.orders import DECIDED, DOOR_S, Again, Order, Settle, State, life_s
from gateway.desk.store import news, work
from gateway.desk.store.database import Transaction
from gateway.desk.store.order_rows import detail_of, find, order_of, write

TOPIC: Final = "order"


class OtherOrderError(ValueError):
    """An earlier order with other content has this id."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants done. `id` is made where it was wanted, once; `phone` is the label of theirs."""

    id: str
    gateway: str
    target: str
    action: str
    arguments: Mapping[str, float | str]
    who: str
    phone: str = ""


async def order(transaction: Transaction, wish: Wish, now: float) -> Order:
    """Give an order; the same `id` again returns how it stands. OtherOrderError if that was another order.

    Wake the ordering service after the commit. An order to a door that is not sent within ten seconds never is.
    """
    made = Order(
        id=wish.id,
        gateway=wish.gateway,
        target=wish.target,
        action=wish.action,
        arguments=dict(wish.arguments),
        who=clean(wish.who, 64) or "?",
        made_at=now,
        until=now + life_s(wish.action),
        phone=wish.phone,
    )
    if await write(transaction, made):
        detail = {"order": made.id, "phone": made.phone, "arguments": made.arguments}
        await work.write_down(
            transaction, made.subject, now, made.who, f"order {made.action}", outcome="given", detail=detail
        )
        await news.tell(transaction, TOPIC, [made.id], now)
        return made
    known = await find(transaction, made.id)
    assert known is not None
    if known.content != made.content:
        raise OtherOrderError(f"{made.id} was an order to {known.subject}: {known.action}")
    return known


async def state(transaction: Transaction, id: str) -> Order | None:  # noqa: A002 - its name everywhere
    """Return how an order stands; None: there is none of this id."""
    return await find(transaction, id)


async def pressing(transaction: Transaction, now: float, most: int) -> Sequence[tuple[Order, bool]]:
    """Return the open orders that somebody waits for, and whether their gateway is online; ours until the commit."""
    rows = await transaction.fetch(
        "SELECT o.*, (SELECT availability FROM gateways g WHERE g.gateway = o.gateway) AS availability"
        " FROM orders o WHERE o.state IN ('waiting', 'sent') AND o.action <> 'acknowledge'"
        " AND (o.leased_until <= $1 OR o.made_at > $2)"  # a clock that was set back ends no lease
        f" ORDER BY o.made_at LIMIT {int(most)} {transaction.skip_locked}",
        now,
        now + DOOR_S,
    )
    return [(order_of(row), row["availability"] != "offline") for row in rows]


async def waiting_gateways(transaction: Transaction, now: float) -> list[str]:
    """Return the gateways that acknowledgements wait for; those that say they are offline are left out."""
    rows = await transaction.fetch(
        "SELECT DISTINCT o.gateway AS gateway FROM orders o LEFT JOIN gateways g ON g.gateway = o.gateway"
        " WHERE o.state IN ('waiting', 'sent') AND o.action = 'acknowledge' AND o.leased_until <= $1"
        " AND (o.until <= $1 OR g.availability IS NULL OR g.availability <> 'offline')",
        now,
    )
    return [row["gateway"] for row in rows]


async def oldest_acknowledgement(transaction: Transaction, gateway: str, now: float) -> Order | None:
    """Return the acknowledgement that has waited longest for a gateway; ours until the commit."""
    rows = await transaction.fetch(
        "SELECT * FROM orders WHERE state IN ('waiting', 'sent') AND action = 'acknowledge' AND gateway = $1"
        f" AND leased_until <= $2 ORDER BY made_at LIMIT 1 {transaction.skip_locked}",
        gateway,
        now,
    )
    return order_of(rows[0]) if rows else None


async def sent(transaction: Transaction, made: Order, owner: str, leased_until: float) -> None:
    """Write down that a copy goes out now: before it does, so that it is never taken for not sent."""
    await transaction.execute(
        "UPDATE orders SET state = 'sent', sent = sent + 1, owner = $2, leased_until = $3, detail = $4 WHERE id = $1",
        made.id,
        owner,
        leased_until,
        detail_of(order_texts.SENT, made.said),
    )


async def put_off(transaction: Transaction, made: Order, leased_until: float) -> None:
    """Have nobody look at it until then."""
    await transaction.execute("UPDATE orders SET leased_until = $2 WHERE id = $1", made.id, leased_until)


async def again(transaction: Transaction, made: Order, found: Again, now: float) -> None:
    """Write down that a copy came to nothing, and have the next one sent."""
    await transaction.execute(
        "UPDATE orders SET refused = refused + $2, leased_until = $3, detail = $4"
        " WHERE id = $1 AND state = 'sent'",
        made.id,
        int(found.refused),
        now + found.again_s,
        detail_of(made.words, found.said or made.said),
    )


async def kept_back(transaction: Transaction, made: Order, leased_until: float) -> None:
    """Take back that a copy went out: the connection was lost just before."""
    await transaction.execute(
        "UPDATE orders SET sent = sent - 1, leased_until = $2, detail = $3 WHERE id = $1 AND state = 'sent'",
        made.id,
        leased_until,
        detail_of(made.words, made.said),
    )


async def settle(transaction: Transaction, made: Order, found: Settle, now: float) -> None:
    """Write down what became of it, for the page, the record and whoever looks."""
    await transaction.execute(
        "UPDATE orders SET state = $2, detail = $3, owner = '', leased_until = 0 WHERE id = $1",
        made.id,
        found.state,
        detail_of(found.words, found.said),
    )
    detail = {"order": made.id, "phone": made.phone, "said": found.said}
    await work.write_down(
        transaction, made.subject, now, made.who, f"order {made.action}", outcome=found.state, detail=detail
    )
    await news.tell(transaction, TOPIC, [made.id], now)


async def locked(transaction: Transaction, id: str, gateway: str) -> Order | None:  # noqa: A002
    """Return an order of a gateway that is not decided for ever; ours until the commit."""
    lock = "FOR UPDATE" if transaction.skip_locked else ""
    rows = await transaction.fetch(f"SELECT * FROM orders WHERE id = $1 AND gateway = $2 {lock}", id, gateway)
    found = order_of(rows[0]) if rows else None
    return None if found is None or found.state in DECIDED else found


async def end_acknowledgements(transaction: Transaction, now: float) -> None:
    """End those that waited a whole day; nobody waits for them, so nobody is told."""
    for found, words in ((State.LATE, order_texts.NOT_SENT), (State.UNKNOWN, order_texts.UNHEARD)):
        await transaction.execute(
            "UPDATE orders SET state = $1, detail = $2 WHERE state = $3 AND action = 'acknowledge' AND until <= $4",
            found,
            detail_of(words),
            State.WAITING if found is State.LATE else State.SENT,
            now,
        )


async def abandon_acknowledgements(transaction: Transaction) -> None:
    """Nobody can sign: what waits to be acknowledged at gateways is not going to be."""
    await transaction.execute(
        "UPDATE orders SET state = 'refused', detail = $1 WHERE state = 'waiting' AND action = 'acknowledge'",
        detail_of(order_texts.NO_KEY),
    )
