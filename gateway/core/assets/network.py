"""The derived points of all assets, each reckoned when something it stands on was read. Pure; readings of devices in,
readings of assets out.

A reading touches the points that stand on it and no others, and goes no further than there is news (see nodes.py). What
a sensor that is silent said last is shown, as stale. What must outlive a restart is in the `memory` of a cell;
`memories` says what to write down.
"""

import heapq
from collections.abc import Container, Iterator, Mapping

from drivers.api import Quality
from gateway.core.assets.drafts import Key
from gateway.core.assets.joints import AtLeast
from gateway.core.assets.moments import Away, Moment
from gateway.core.assets.nodes import Asked, Node, Resuming, is_same
from gateway.core.assets.plans import Assembled
from gateway.core.assets.seen import Seen, raw
from gateway.core.assets.states import Ordered
from gateway.core.events import MemoryBody, ReadingBody


class Network:
    """All derived points. `memories` is what was written down before, `wall` the time of day of the start.

    `judged` are the points that rules look at; None: all of them.
    """

    def __init__(
        self,
        assets: Assembled,
        memories: Mapping[Key, float] = {},
        *,
        wall: float = 0.0,
        judged: Container[Key] | None = None,
    ) -> None:
        plans = {node.key: node for plan in assets.plans for node in plan.nodes}
        points = {(plan.name, point.name): point for plan in assets.plans for point in plan.points}
        self._nodes: dict[Key, Node] = {}
        self._uses: dict[Key, tuple[Node, ...]] = {}
        for place, key in enumerate(assets.order):
            point = points.get(key)
            node = self._nodes[key] = Node(
                plan=plans[key],
                place=place,
                cell=plans[key].make(),
                unit=None if point is None else point.unit,
                outer=point is not None,
                judged=judged is None or key in judged,
                deadband=0.0 if point is None else point.deadband,
            )
            for source in dict.fromkeys(node.plan.sources):
                self._uses[source] = (*self._uses.get(source, ()), node)
            if node.remembering is not None and key in memories:
                node.remembering.remember(memories[key], wall)
                node.kept = node.remembering.memory
        # of a thousand points few do, and to ask every one of them each time would hold the loop up
        self._asked = [(node, node.cell) for node in self._nodes.values() if isinstance(node.cell, Asked)]
        self._strange = [key for key in memories if not self._remembers(key)]
        self._seen: dict[Key, Seen] = {}
        self._touched: dict[Node, None] = {}  # those whose memory may have changed

    def points(self) -> frozenset[tuple[str, str]]:
        """Return the points of devices that any derived point stands on."""
        return frozenset(self._uses.keys() - self._nodes.keys())

    def take(self, body: ReadingBody, wall: float) -> list[ReadingBody]:
        """Take a reading of a device at a time of day; return what the assets have to say to it."""
        key = (body.device, body.point)
        before = self._seen.get(key)
        new = raw(body.value, body.quality, body.at)
        if before is not None and new.quality is Quality.GOOD and new.at < before.at:
            return []  # older than what is known
        return self._spread(key, new, wall)

    def is_ordered(self, key: Key) -> bool:
        """Return whether a point is one that people switch."""
        return isinstance(self._nodes[key].cell, Ordered)

    def order(self, key: Key, until: float | None, at: float, wall: float) -> list[ReadingBody]:
        """Take a person's order for an `ordered` point until a time of day, or its end."""
        node = self._nodes[key]
        assert isinstance(node.cell, Ordered)
        node.cell.order(until, at, wall)
        return self._ask(node, at, wall)

    def ended(self, at: float, wall: float, *, trusted: bool = False) -> list[ReadingBody]:
        """Return what is to be told of orders: those that are over, and after a start how each stands.

        `trusted`: the time of day is known to be right.
        """
        told = []
        for node in self._nodes.values():
            if isinstance(node.cell, Ordered):
                self._touched[node] = None
                if node.cell.is_over(at, wall, trusted=trusted) or node.told is None:
                    told += self._ask(node, at, wall)
        return told

    def look(self, now: Moment) -> list[ReadingBody]:
        """Return what is to be told of what time alone changes."""
        told = []
        for node, cell in self._asked:
            told += self._say(node, cell.ask(node.sources(self._seen), now), now.wall)
        return told

    def resume(self, down_s: float) -> None:
        """Take that nobody looked for so long before the start."""
        for node in self._nodes.values():
            if isinstance(node.cell, Resuming):
                node.cell.resume(down_s)
                self._touched[node] = None

    def leave(self, asset: str, seconds: float | None, now: Moment) -> list[ReadingBody]:
        """Take a person's word that somebody is away for so long, or at home."""
        told = []
        for key, node in self._nodes.items():
            if key[0] == asset and isinstance(node.cell, Away):
                node.cell.leave(seconds, now.at)
                told += self._say(node, node.cell.ask(node.sources(self._seen), now), now.wall)
        return told

    def next_end(self) -> float | None:
        """Return the time of day at which the next order is over."""
        cells = (node.cell for node in self._nodes.values() if isinstance(node.cell, Ordered))
        return min((cell.memory for cell in cells if cell.memory is not None), default=None)

    def memories(self) -> Iterator[MemoryBody]:
        """Yield what is to be written down, once each time it changes; of what is no more, that it may be forgotten."""
        while self._strange:
            yield MemoryBody(*self._strange.pop(), None)
        while self._touched:
            node, _ = self._touched.popitem()
            if node.remembering is not None and node.remembering.memory != node.kept:
                node.kept = node.remembering.memory
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

    def _remembers(self, key: Key) -> bool:
        return key in self._nodes and self._nodes[key].remembering is not None

    def _ask(self, node: Node, at: float, wall: float) -> list[ReadingBody]:
        """Ask a point that stands on nothing how it is now."""
        new = node.cell.take([Seen(None, Quality.GOOD, at, at)], wall)
        assert new is not None
        node.told = None
        return self._say(node, new, wall)

    def _say(self, node: Node, new: Seen | None, wall: float) -> list[ReadingBody]:
        """Tell what a point says that no reading made say it, where it is something else than before."""
        self._touched[node] = None
        last = node.told
        if new is None or (last and last.quality is new.quality and is_same(last.value, new.value)):
            return []
        node.told = new
        told = []
        if node.outer:
            node.shown = new
            told = [ReadingBody(*node.plan.key, new.value, new.quality, new.at, node.unit)]
        return told + self._spread(node.plan.key, new, wall)

    def _spread(self, key: Key, new: Seen, wall: float) -> list[ReadingBody]:
        """Take what `key` says; reckon anew what stands on it, and on that, each point once and sources first."""
        told: list[ReadingBody] = []
        waiting: list[tuple[int, Node]] = []
        due: set[int] = set()
        self._put(key, new, waiting, due)
        while waiting:
            _, node = heapq.heappop(waiting)
            news = node.take(self._seen, wall)
            if node.remembering is not None:
                self._touched[node] = None
            if news is not None:
                if node.shows(news):
                    told.append(ReadingBody(*node.plan.key, news.value, news.quality, news.at, node.unit))
                self._put(node.plan.key, news, waiting, due)
        return told

    def _put(self, key: Key, new: Seen, waiting: list[tuple[int, Node]], due: set[int]) -> None:
        """Note what a point says, and which points that may concern."""
        before = self._seen.get(key)
        moved = before is None or before.quality is not new.quality or not is_same(before.value, new.value)
        self._seen[key] = new
        for node in self._uses.get(key, ()):
            if node.is_due(key, new, moved=moved) and node.place not in due:
                due.add(node.place)
                heapq.heappush(waiting, (node.place, node))

    def _collect(self, key: Key, found: dict[Key, None]) -> None:
        node = self._nodes.get(key)
        if node is None:
            found[key] = None
            return
        sources = node.sources(self._seen)
        few = node.cell.deciders(sources) if isinstance(node.cell, AtLeast) else range(len(sources))
        for index in few:
            self._collect(node.plan.sources[index], found)
