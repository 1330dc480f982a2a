"""The places of whoever asks, as a tree from the community down, with what is open in each and how bad it is."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from gateway.core.events import Place
from gateway.core.places import LEVELS
from gateway.desk.store import locations
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.permissions import Action, reaches
from gateway.desk.web.shapes import Alert

NOTHING: Final = -1


class Node(msgspec.Struct):
    """A place and those within it. `worst`: rank of the worst open alert, -1: none; `open` counts those below too."""

    level: str
    name: str
    path: str
    place: Place
    worst: int = NOTHING
    open: int = 0
    children: tuple["Node", ...] = ()


class Tree(msgspec.Struct, frozen=True):
    """The places of the asker, the widest outermost."""

    places: tuple[Node, ...]


async def listed(asked: Asked) -> Tree:
    """Return the tree of the asker's places."""
    within = asked.who.reach(Action.SEE)
    async with asked.parts.database.transaction() as transaction:
        known = [place for place in await locations.known(transaction) if reaches(within, place)]
    return Tree(grown(known, asked.parts.showing.open_in(within)))


def grown(places: Iterable[Place], alerts: Iterable[Alert]) -> tuple[Node, ...]:
    """Return places as a tree with the alerts counted in it. Pure."""
    nodes: dict[Place, Node] = {}
    below: dict[Place, list[Node]] = {}
    for place in places:
        _plant(place, nodes, below)
    for alert in alerts:
        _plant(alert.place, nodes, below)
        for _, _, here in _way(alert.place):
            nodes[here].open += 1
            nodes[here].worst = max(nodes[here].worst, alert.rank)
    for place, node in nodes.items():
        node.children = tuple(sorted(below.get(place, ()), key=_order))
    return tuple(sorted(below.get(Place(), ()), key=_order))


def _plant(place: Place, nodes: dict[Place, Node], below: dict[Place, list[Node]]) -> None:
    """Have a node for a place and for all it lies in."""
    over = Place()
    for level, name, here in _way(place):
        if here not in nodes:
            path = msgspec.json.encode([[each, told] for each, told, _ in _way(here)]).decode()
            nodes[here] = Node(level, name, path, here)
            below.setdefault(over, []).append(nodes[here])
        over = here


def _way(place: Place) -> Iterator[tuple[str, str, Place]]:
    """Yield each level a place names, with its name, and the place cut there."""
    here: dict[str, str] = {}
    for level in LEVELS:
        if name := getattr(place, level):
            here[level] = name
            yield level, name, Place(**here)


def _order(node: Node) -> tuple[int, int, str]:
    """Return the order of people: house 2 before house 10."""
    return LEVELS.index(node.level), int(node.name) if node.name.isdecimal() else 1 << 31, node.name


ENDPOINTS: Final = (Endpoint("GET", "/api/places", Action.SEE, listed, "One's places", None, Tree),)
