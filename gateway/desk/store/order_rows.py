"""The rows of orders: written, found and read back."""

import msgspec

from gateway.core.events import Words
from gateway.desk.orders import Order, State
from gateway.desk.store.database import Row, Transaction, insert


class Detail(msgspec.Struct, frozen=True):
    """What is told of an order: our words, and what the gateway said itself."""

    zh: str
    en: str
    said: str = ""


async def write(transaction: Transaction, made: Order) -> bool:
    """Write an order down; say no if its id is taken."""
    row = (
        made.id, made.gateway, made.target, made.action, _json(dict(made.arguments)), made.who, made.phone,
        made.made_at, made.until, made.state, detail_of(made.words, made.said), 0, 0, "", 0.0,
    )  # fmt: skip
    statement = (
        "INSERT INTO orders (id, gateway, target, action, arguments, who, phone, made_at, until, state, detail,"
        " sent, refused, owner, leased_until)"
    )
    return bool(await insert(transaction, statement, [row], "ON CONFLICT (id) DO NOTHING RETURNING id"))


async def find(transaction: Transaction, id: str) -> Order | None:  # noqa: A002
    """Return how an order stands."""
    rows = await transaction.fetch("SELECT * FROM orders WHERE id = $1", id)
    return order_of(rows[0]) if rows else None


def order_of(row: Row) -> Order:
    """Return the order of a row."""
    detail = msgspec.json.decode(row["detail"], type=Detail)
    return Order(
        id=row["id"],
        gateway=row["gateway"],
        target=row["target"],
        action=row["action"],
        arguments=msgspec.json.decode(row["arguments"], type=dict[str, float | str]),
        who=row["who"],
        made_at=row["made_at"],
        until=row["until"],
        phone=row["phone"],
        state=State(row["state"]),
        words=Words(detail.zh, detail.en),
        said=detail.said,
        sent=row["sent"],
        refused=row["refused"],
    )


def detail_of(words: Words, said: str = "") -> str:
    """Return what is told of an order, as a row has it."""
    return _json(Detail(words.zh, words.en, said))


def _json(told: object) -> str:
    return msgspec.json.encode(told).decode()
