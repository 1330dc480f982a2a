"""Assets for tests without lines: devices that are nothing but points, and readings told by hand."""

from collections.abc import Mapping, Sequence

from drivers.api import Point, Quality, Value
from gateway.core.assets import kinds
from gateway.core.assets.network import Network
from gateway.core.assets.plans import Assembled, assemble
from gateway.core.config import AssetTable
from gateway.core.events import ReadingBody

WALL = 1_800_000_000.0
KINDS = kinds.built_in()
DEVICES: Mapping[str, Sequence[Point]] = {
    name: [
        Point("roll", None, "°"),
        Point("pitch", None, "°"),
        Point("level", None, "mm"),
        Point("methane", None, "%LEL"),
        Point("distance", None, "mm"),
        Point("temperature", None, "°C"),
        Point("contact", None),
    ]
    for name in ("one", "two", "three")
}


def table(name: str, kind: str, parts: Mapping[str, object], **more: object) -> AssetTable:
    """Return an asset as configured."""
    return AssetTable(name=name, kind=kind, parts=dict(parts), **more)  # type: ignore[arg-type]


def assembled(*tables: AssetTable) -> Assembled:
    """Return the assets of these tables, or what is wrong with them."""
    return assemble({f"asset[{i}]": each for i, each in enumerate(tables)}, KINDS, DEVICES)


def custom(name: str, parts: Mapping[str, object], *points: Mapping[str, object]) -> AssetTable:
    """Return an asset of points of its own."""
    return table(name, "group", parts, point=[dict(each) for each in points])


class Told:
    """A network and what it told, by point."""

    def __init__(self, *tables: AssetTable, judged: set[tuple[str, str]] | None = None) -> None:
        made = assembled(*tables)
        assert not made.faults, [str(fault) for fault in made.faults]
        self.network = Network(made, wall=WALL, judged=judged)
        self.readings: list[ReadingBody] = []

    def read(
        self, device: str, point: str, value: Value | None, at: float, quality: Quality = Quality.GOOD
    ) -> list[ReadingBody]:
        """Tell a reading; return what the assets said to it."""
        told = self.network.take(ReadingBody(device, point, value, quality, at), WALL + at)
        self.readings += told
        return told

    def values(self, point: str) -> list[tuple[float, Value | None, Quality]]:
        """Return everything a point said: when, what, how good."""
        return [(each.at, each.value, each.quality) for each in self.readings if each.point == point]
