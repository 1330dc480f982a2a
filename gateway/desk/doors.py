"""The doors of all gateways as a phone shows them: where, how each stands, what may be ordered and why not. Pure.

Which doors there are stands in a gateway's health document, once a minute; how each stands is told on its own topic
the moment it changes, and that goes before what the document says of it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from drivers.api import Text
from gateway.core import texts as places
from gateway.core.door_actions import actions_of
from gateway.core.events import Place, Words
from gateway.desk import order_texts

MOST: Final = 256  # doors of one gateway
LARGEST: Final = 65_536
ACTIONS: Final[Mapping[str, Text]] = {action.name: action.text for action in actions_of(5.0, 5.0)}
"""What a door can be told, in the order a page offers it, with its words."""

May = Callable[[str, Place], bool]

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f/+#]+\Z")]
_Word = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00]*\Z")]


class Told(msgspec.Struct, frozen=True):
    """How a door stands, as its gateway publishes it."""

    state: _Word
    mode: _Word
    why: _Word = ""
    kinds: Annotated[list[_Word], msgspec.Meta(max_length=16)] = []


class _Row(Told, frozen=True, kw_only=True):
    door: _Name
    label: _Word = ""
    place: Place = Place()


class _Health(msgspec.Struct, frozen=True):
    doors: Annotated[list[_Row], msgspec.Meta(max_length=MOST)] = []
    orders: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """What is known of one gateway: whether it is online, its health document, its doors' last states as published."""

    name: str
    online: bool
    health: str
    states: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Door:
    """One door. `hindrance`: why nothing can be ordered now; `actions`: what the asker may, and would if it could."""

    gateway: str
    door: str
    place: Place
    where: Words
    state: str
    mode: str
    why: str
    kinds: tuple[str, ...]
    actions: tuple[str, ...]
    hindrance: Words | None


_health = msgspec.json.Decoder(_Health)
_told = msgspec.json.Decoder(Told)


def listed(gateways: Iterable[Gateway], may: May, *, signs: bool) -> list[Door]:
    """Return the doors of which the asker may do anything, with what that is. `signs`: the desk has a key."""
    found: list[Door] = []
    for gateway in gateways:
        health = _read(gateway.health)
        hindrance = None if signs else order_texts.NO_KEY
        if hindrance is None and not gateway.online:
            hindrance = order_texts.AWAY_NOW
        if hindrance is None and health.orders is None:
            hindrance = order_texts.NO_OPERATOR
        for row in health.doors:
            actions = tuple(name for name in ACTIONS if may(name, row.place))
            if actions:
                told = state_of(gateway.states.get(row.door, "").encode()) or row
                found.append(_door(gateway.name, row, told, actions, hindrance))
    return found


def names(content: bytes) -> list[str]:
    """Return the doors that a health document names."""
    return [row.door for row in _read(content).doors]


def state_of(content: bytes) -> Told | None:
    """Return how a door stands by what its gateway published; None where that is no such thing."""
    try:
        return _told.decode(content[: LARGEST + 1])
    except (msgspec.DecodeError, RecursionError):
        return None


def _read(content: bytes | str) -> _Health:
    """Return what a health document says of doors; one that cannot be read says nothing."""
    try:
        return _health.decode(content)
    except (msgspec.DecodeError, RecursionError):
        return _Health()


def _door(gateway: str, row: _Row, told: Told, actions: tuple[str, ...], hindrance: Words | None) -> Door:
    return Door(
        gateway=gateway,
        door=row.door,
        place=row.place,
        where=places.where(places.Subject(row.door, row.label, row.place)),
        state=told.state,
        mode=told.mode,
        why=told.why,
        kinds=tuple(told.kinds),
        actions=actions,
        hindrance=hindrance,
    )
