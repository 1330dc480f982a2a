"""The derived points of all assets, each told when something it stands on was read. Pure; the stream's readings in,
readings of assets out.

A reading touches the points that stand on it and no others. What a point says becomes a reading of its asset only when
it is news: another quality, another state at once; the same again, or a number, only when everything in it is younger
than all that was in the last one. So two readings of an asset are always two observations, and rules that ask for two
reads are not answered by one odd frame twice. What a sensor that is silent said last is shown, as stale.

What must outlive a restart is in the `memory` of a cell; `memories` says what to write down.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from drivers.api import Quality
from gateway.core.assets.drafts import Key
from gateway.core.assets.formulas import Cell
from gateway.core.assets.joints import AtLeast
from gateway.core.assets.plans import Assembled, NodePlan
from gateway.core.assets.seen import Seen, raw
from gateway.core.assets.states import Ordered
from gateway.core.events import MemoryBody, ReadingBody


@runtime_checkable
class Remembering(Protocol):
    """A cell with something a restart needs."""

    memory: float | None

    def remember(self, memory: float | None, wall: float) -> None:
        """Take up what was written down before."""


@dataclass(slots=True, eq=False)
class _Node:
    """One derived point as it runs. `told` is what was told last, `kept` the memory that was."""

    plan: NodePlan
    unit: str | None
    cell: Cell
    told: Seen | None = None
    kept: float | None = None

    def is_news(self, new: Seen) -> bool:
        """Return whether this is to be told after what was told last."""
        last = self.told
        if last is None or last.quality is not new.quality:
            return True
        if not new.good:
            return new.value != last.value
        return (isinstance(new.value, bool) and new.value is not last.value) or new.oldest > last.at


class Network:
    """All derived points. `memories` is what was written down before, `wall` the time of day of the start."""

    def __init__(self, assets: Assembled, memories: Mapping[Key, float] = {}, *, wall: float = 0.0) -> None:
        plans = {node.key: node for plan in assets.plans for node in plan.nodes}
        units = {(plan.name, point.name): point.unit for plan in assets.plans for point in plan.points}
        self._outer = frozenset(units)
        self._nodes = {key: _Node(plans[key], units.get(key), plans[key].make()) for key in assets.order}
        self._seen: dict[Key, Seen] = {}
        self._uses: dict[Key, tuple[_Node, ...]] = {}
        for key, node in self._nodes.items():
            for source in dict.fromkeys(node.plan.sources):
                self._uses[source] = (*self._uses.get(source, ()), node)
            if isinstance(node.cell, Remembering) and key in memories:
                node.cell.remember(memories[key], wall)
                node.kept = node.cell.memory
        nodes = self._nodes.values()
        self._remembering = [(each, each.cell) for each in nodes if isinstance(each.cell, Remembering)]
        order = {node: place for place, node in enumerate(nodes)}
        self._after = {key: tuple(sorted(self._reach(key), key=order.__getitem__)) for key in self._uses}

    def concerns(self, device: str, point: str) -> bool:
        """Return whether any derived point stands on this one of a device."""
        return (device, point) in self._uses and (device, point) not in self._nodes

    def take(self, body: ReadingBody, wall: float) -> list[ReadingBody]:
        """Take a reading of a device at a time of day; return what the assets have to say to it."""
        key = (body.device, body.point)
        before = self._seen.get(key)
        new = raw(body.value, body.quality, body.at)
        if before is not None and new.quality is Quality.GOOD and new.at < before.at:
            return []  # older than what is known
        self._seen[key] = new
        return self._spread(key, wall)

    def is_ordered(self, key: Key) -> bool:
        """Return whether a point is one that people switch."""
        return isinstance(self._nodes[key].cell, Ordered)

    def order(self, key: Key, until: float | None, at: float, wall: float) -> list[ReadingBody]:
        """Take a person's order for an `ordered` point until a time of day, or its end."""
        node = self._nodes[key]
        assert isinstance(node.cell, Ordered)
        node.cell.memory = until
        return self._ask(node, at, wall)

    def ended(self, at: float, wall: float) -> list[ReadingBody]:
        """Return what is to be told of orders: those that are over, and after a start how each stands."""
        told = []
        for node in self._nodes.values():
            if isinstance(node.cell, Ordered):
                over = node.cell.memory is not None and wall >= node.cell.memory
                if over or node.told is None:
                    told += self._ask(node, at, wall)
        return told

    def next_end(self) -> float | None:
        """Return the time of day at which the next order is over."""
        cells = (node.cell for node in self._nodes.values() if isinstance(node.cell, Ordered))
        return min((cell.memory for cell in cells if cell.memory is not None), default=None)

    def memories(self) -> Iterator[MemoryBody]:
        """Yield what is to be written down, once each time it changes."""
        for node, cell in self._remembering:
            if cell.memory != node.kept:
                node.kept = cell.memory
                yield MemoryBody(*node.plan.key, node.kept)

    def parts(self, asset: str, point: str) -> list[Key]:
        """Return the points of devices to read to be surer of a derived point."""
        found: dict[Key, None] = {}
        self._collect((asset, point), found)
        return list(found)

    def latest(self, key: Key) -> Seen | None:
        """Return what a derived point said last."""
        node = self._nodes.get(key)
        return None if node is None else node.told

    def _ask(self, node: _Node, at: float, wall: float) -> list[ReadingBody]:
        new = node.cell.take([Seen(None, Quality.GOOD, at, at)], wall)
        assert new is not None
        return [*self._tell(node, new), *self._spread(node.plan.key, wall)]

    def _spread(self, key: Key, wall: float) -> list[ReadingBody]:
        """Reckon anew what stands on `key`, and what stands on that."""
        changed: set[Key] = {key}
        told: list[ReadingBody] = []
        for node in self._after.get(key, ()):
            if not changed.isdisjoint(node.plan.sources):
                new = node.cell.take(self._sources(node), wall)
                if new is not None and node.is_news(new):
                    told += self._tell(node, new)
                    changed.add(node.plan.key)
        return told

    def _tell(self, node: _Node, new: Seen) -> list[ReadingBody]:
        """Take what a point says as told; a step on the way is told to nobody else."""
        node.told = self._seen[node.plan.key] = new
        if node.plan.key not in self._outer:
            return []
        return [ReadingBody(*node.plan.key, new.value, new.quality, new.at, node.unit)]

    def _sources(self, node: _Node) -> list[Seen | None]:
        plan = node.plan
        return [
            seen if seen is None or factor == 1.0 else seen.times(factor)
            for seen, factor in zip(map(self._seen.get, plan.sources), plan.factors, strict=True)
        ]

    def _reach(self, key: Key) -> Iterable[_Node]:
        """Return every node that stands on `key`, however far away."""
        found: dict[_Node, None] = {}
        waiting = [key]
        while waiting:
            for node in self._uses.get(waiting.pop(), ()):
                if node not in found:
                    found[node] = None
                    waiting.append(node.plan.key)
        return found

    def _collect(self, key: Key, found: dict[Key, None]) -> None:
        node = self._nodes.get(key)
        if node is None:
            found[key] = None
            return
        sources = self._sources(node)
        few = node.cell.deciders(sources) if isinstance(node.cell, AtLeast) else range(len(sources))
        for index in few:
            self._collect(node.plan.sources[index], found)
