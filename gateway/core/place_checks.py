"""Whether a place that says how far something reaches is one where anything is at all. Pure."""

from collections.abc import Iterator

from drivers.api import Text
from gateway.core.events import Place
from gateway.core.faults import Fault, near
from gateway.core.loading import Parsed
from gateway.core.places import LEVELS, over, within


def check(key: str, reach: Place, parsed: Parsed) -> Iterator[Fault]:
    """Yield a warning where nothing of this gateway lies within `reach`: most likely it is spelt in another way.

    A siren would never sound by it, and an operator be refused at the door.
    """
    home = parsed.gateway.place if parsed.gateway else Place()
    there = [over(place, home) for place in _places(parsed)]
    if not there or any(within(place, reach) for place in [home, *there]):
        return
    told = " ".join(filter(None, (getattr(reach, level) for level in LEVELS)))
    known = sorted(
        {getattr(place, level) for place in there for level in LEVELS if getattr(reach, level)} - {""}
    )
    listed = " ".join(known[:8])
    wanted = Text(f"设备所在的地点，写法相同：{listed}", f"where a device is, spelt as there: {listed}")
    found = Text(f"{told}，那里什么也没有", f"{told}, where nothing is")
    yield Fault(key, found, wanted, near(told, known), warning=True)


def _places(parsed: Parsed) -> Iterator[Place]:
    yield from (each.place for each in parsed.devices.values())
    yield from (each.place for each in parsed.doors.values())
    yield from (each.place for each in parsed.assets.values())
    yield from (each.place for each in parsed.cameras.values())
    yield from (each.place for each in parsed.residents.values())
