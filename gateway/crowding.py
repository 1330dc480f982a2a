"""Whether each line has the time for what it is asked, told to the installer before anybody waits at a door.

What it comes to is reckoned by drivers/crowding.py, with an average device's time for its answer: nobody was asked yet.
So only what is clearly too much is told.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from drivers.api import Device, LineSettings, Priority, Profile, Text
from drivers.crowding import Crowding, crowding
from drivers.registry import DRIVERS
from gateway.core.consistency import BAUDS
from gateway.core.faults import Fault
from gateway.core.loading import Parsed

TOO_MUCH: Final = 1.1  # times what the wire has the time for
MOST_BAUD: Final = 115200  # few devices know more, and few cables carry it
ANY_ADDRESS: Final = 1  # a question takes as long whoever is asked
CLASSES: Final = {
    Priority.FIRE: Text("火警", "fire"),
    Priority.SAFETY: Text("安全类（燃气、水位、倾斜、求助）", "safety (gas, water, tilt, calls for help)"),
    Priority.DOOR: Text("门禁", "doors"),
    Priority.TELEMETRY: Text("一般测量", "plain measures"),
}


def check(parsed: Parsed, profiles: Mapping[str, Profile]) -> Iterator[Fault]:
    """Yield a warning for each line that is asked for more than its wire has the time for."""
    for key, bus in parsed.buses.items():
        if bus.baud not in BAUDS:
            continue
        line = LineSettings(bus.name, bus.port, bus.baud, bus.parity, bus.stop_bits)
        products = [profiles[each.profile] for each in bus.device if each.profile in profiles]
        found = crowding_of(line, products)
        if found.wanted >= TOO_MUCH:
            wanted = Text("线路来得及的轮询", "no more polls than its wire has the time for")
            yield Fault(f"{key}.baud", _told(found), wanted, _mend(line, products, found), warning=True)


def crowding_of(line: LineSettings, products: list[Profile]) -> Crowding:
    """Return how full a line with these products is."""
    counts = Counter(each.name for each in products)  # each of a product asks for the same
    return crowding(
        asked
        for name, product in {each.name: each for each in products}.items()
        for asked in [*DRIVERS[product.driver].asked(line, [Device("", product, ANY_ADDRESS)])] * counts[name]
    )


def _told(found: Crowding) -> Text:
    """Return how many times too much it is, and how long each class will wait."""
    late = [
        (CLASSES[priority], found.intervals_s[priority], found.intervals_s[priority] * stretch)
        for priority, stretch in found.stretches.items()
        if stretch > 1.0
    ]
    zh = "；".join(f"{name.zh}每 {_seconds(real)} 秒才问一遍，应为 {own:g} 秒" for name, own, real in late)
    en = "; ".join(
        f"{name.en}: asked every {_seconds(real)} s instead of {own:g}" for name, own, real in late
    )
    return Text(f"线路能力的 {found.wanted:.1f} 倍：{zh}", f"{found.wanted:.1f} times what it carries - {en}")


def _seconds(interval_s: float) -> str:
    return f"{interval_s:.1f}" if interval_s < 10 else f"{interval_s:.0f}"


def _mend(line: LineSettings, products: list[Profile], found: Crowding) -> Text:
    """Return what would do: the lowest rate at which there is time for all, where there is one, and how many lines."""
    lines = math.ceil(found.wanted)
    divide = Text(f"把设备分到至少 {lines} 条总线上", f"divide its devices between {lines} lines or more")
    for baud in sorted(each for each in BAUDS if line.baud < each <= MOST_BAUD):
        if crowding_of(replace(line, baud=baud), products).wanted <= 1.0:
            return Text(
                f"所有设备都改用 {baud} 波特（先查说明书），或{divide.zh}",
                f"set all its devices to {baud} baud, if they can, or {divide.en}",
            )
    return Text(f"提高波特率不够：{divide.zh}", f"no baud rate is enough: {divide.en}")
