"""Doors on a phone: those its holder may order, and orders to them, which are carried out now or never.

Who may order what at which kind of door is the gateway's own table (gateway/core/roles.py), looked at here so that
nobody is offered what would be refused, and once more at the gateway, which has the last word. An order is the business
of whoever gave it: nobody else is told of it here; how the door stands everybody sees who may order it.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec

from gateway.core import roles
from gateway.core.doors import Mode
from gateway.core.events import Place, Words
from gateway.core.outcomes import REMOTE
from gateway.core.places import within
from gateway.core.signed import clean
from gateway.desk import doors
from gateway.desk.doors import ACTIONS
from gateway.desk.orders import ACKNOWLEDGE, Order
from gateway.desk.store import door_rows, order_rows, orders
from gateway.desk.store.database import Transaction
from gateway.desk.store.orders import OtherOrderError, Wish
from gateway.desk.web.asking import Asker
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.fields import Id
from gateway.desk.web.limits import Limit
from gateway.desk.web.permissions import ROLES, Action
from gateway.desk.web.refusals import RefusalError

MOST_SECONDS: Final = 60
MOST_MINUTES: Final = 12 * 60
_TIMED: Final = {"unlock": "seconds", "hold_open": "minutes", "lock_down": "minutes"}
_CAUSES: Final[Mapping[str, Words]] = {"exit button": Words("出门按钮", "exit button")}
_BEHIND: Final[Mapping[str, Words]] = {
    "local:": Words("网关本机", "at the gateway:"),
    REMOTE: Words("远程", "from afar:"),
}
_OF_MODE: Final[Mapping[str, Words]] = {
    Mode.FREE: Words("消防联动", "interlock"),
    Mode.UNLOCKED: Words("时段", "schedule"),
}


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order; `id` is made on the phone, once. `seconds` an unlocked door stays so, `minutes` a held one."""

    id: Id
    seconds: Annotated[int, msgspec.Meta(ge=1, le=MOST_SECONDS)] | None = None
    minutes: Annotated[int, msgspec.Meta(ge=1, le=MOST_MINUTES)] | None = None


class Choice(msgspec.Struct, frozen=True):
    """Something a door can be told, in words."""

    action: str
    words: Words


class DoorOf(msgspec.Struct, frozen=True):
    """A door as it stands, and why. `hindrance`: why nothing can be ordered now; `actions`: what the asker may."""

    gateway: str
    door: str
    place: Place
    where: Words
    state: str
    mode: str
    why: Words
    actions: tuple[Choice, ...]
    hindrance: Words | None


class Doors(msgspec.Struct, frozen=True):
    """The doors the asker may order anything of."""

    doors: tuple[DoorOf, ...]


class OrderOf(msgspec.Struct, frozen=True):
    """What has become of an order. `detail` is for whoever gave it; `said` are the gateway's own words."""

    id: str
    gateway: str
    door: str
    action: str
    state: Literal["waiting", "sent", "done", "failed", "late", "refused", "unknown"]
    detail: Words
    said: str
    made_at: float
    until: float


async def listed(asked: Asked) -> Doors:
    """Return the doors of the asker's places."""
    async with asked.parts.database.transaction() as transaction:
        return Doors(tuple(_door(each) for each in await _doors(transaction, asked)))


async def give(asked: Asked, wanted: Wanted) -> OrderOf:
    """Give an order; the same again returns how it stands."""
    gateway, door, action = (asked.path[name] for name in ("gateway", "door", "action"))
    wish = Wish(
        id=wanted.id,
        gateway=gateway,
        target=door,
        action=action,
        arguments=_arguments(action, wanted),
        who=asked.who.person,
        phone=asked.who.phone.label,
    )
    async with asked.parts.database.transaction() as transaction:
        known = [
            each for each in await _doors(transaction, asked) if (each.gateway, each.door) == (gateway, door)
        ]
        if not known:
            raise RefusalError("none")
        if action not in known[0].actions:
            raise RefusalError("forbidden")
        try:
            made = await orders.order(transaction, wish, asked.now)
        except OtherOrderError as error:
            raise RefusalError("changed") from error
    asked.parts.ordered()
    asked.parts.changed()
    return _order(made)


async def standing(asked: Asked) -> OrderOf:
    """Return how an order of the asker's own stands."""
    async with asked.parts.database.transaction() as transaction:
        made = await order_rows.find(transaction, asked.path["id"])
    if made is None or made.action == ACKNOWLEDGE or made.who != clean(asked.who.person, 64):
        raise RefusalError("none")
    return _order(made)


def may(who: Asker, action: str, place: Place) -> bool:
    """Return whether one of somebody's roles lets them order this of a door in a place."""
    return any(
        Action.DOORS in ROLES.get(role.role, frozenset())
        and bool(roles.ROLES[role.role] & {action, roles.EVERYTHING})
        and within(place, role.place)
        for role in who.roles
    )


def cause(mode: str, why: str) -> Words:
    """Return who or what made a door so, as its gateway tells it, in words; what has none is shown as it came. Pure."""
    if why in _CAUSES:
        return _CAUSES[why]
    for prefix, whence in _BEHIND.items():
        if why.startswith(prefix):
            return Words(f"{whence.zh} {why.removeprefix(prefix)}", f"{whence.en} {why.removeprefix(prefix)}")
    named = _OF_MODE.get(mode)
    return Words(f"{named.zh} {why}", f"{named.en} {why}") if why and named else Words(why, why)


async def _doors(transaction: Transaction, asked: Asked) -> list[doors.Door]:
    return await door_rows.doors(
        transaction, lambda action, place: may(asked.who, action, place), signs=asked.parts.signs
    )


def _arguments(action: str, wanted: Wanted) -> dict[str, float | str]:
    """Return how long an order is to hold; raises RefusalError for a time that this order has not."""
    if action not in ACTIONS:
        raise RefusalError("none")
    told = {"seconds": wanted.seconds, "minutes": wanted.minutes}
    given: dict[str, float | str] = {name: float(value) for name, value in told.items() if value is not None}
    if given.keys() - {_TIMED.get(action)}:
        raise RefusalError("bad", ", ".join(given))
    return given


def _door(door: doors.Door) -> DoorOf:
    return DoorOf(
        gateway=door.gateway,
        door=door.door,
        place=door.place,
        where=door.where,
        state=door.state,
        mode=door.mode,
        why=cause(door.mode, door.why),
        actions=tuple(Choice(name, Words(ACTIONS[name].zh, ACTIONS[name].en)) for name in door.actions),
        hindrance=door.hindrance,
    )


def _order(made: Order) -> OrderOf:
    return OrderOf(
        id=made.id,
        gateway=made.gateway,
        door=made.target,
        action=made.action,
        state=made.state.value,
        detail=made.words,
        said=made.said,
        made_at=made.made_at,
        until=made.until,
    )


ENDPOINTS: Final = (
    Endpoint("GET", "/api/doors", Action.DOORS, listed, "Doors of one's places", None, Doors),
    Endpoint(
        "POST", "/api/doors/{gateway}/{door}/{action}", Action.DOORS, give, "Order something of a door",
        Wanted, OrderOf, limit=Limit(10.0, 0.5),
    ),
    Endpoint("GET", "/api/orders/{id}", Action.DOORS, standing, "What has become of an order", None, OrderOf),
)  # fmt: skip
