"""The words a simulator understands on its input, one command a line. Pure: a line in, an answer out.

set DEVICE POINT VALUE      let a device measure something: on, off, none or a number
get DEVICE                  what it shows
faults LINE PRESET          how bad a line is from now on
counts                      what each line has seen, and the faults it made
devices                     who is on which line
DEED TARGET [NUMBER]        something happens: see `deeds`
help
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from drivers.api import Value
from drivers.sim.faults import PRESETS
from drivers.sim.world import DEEDS, World

Answer: TypeAlias = dict[str, object]

WORDS: Final = {"on": True, "true": True, "off": False, "false": False, "none": None}


class Commands:
    """Carries commands out on a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._table: dict[tuple[str, int], Callable[..., Answer]] = {
            ("set", 3): self._set,
            ("get", 1): self._get,
            ("faults", 2): self._faults,
            ("counts", 0): self._counts,
            ("devices", 0): self._devices,
            ("help", 0): _help,
        }

    def obey(self, line: str) -> Answer:
        """Do what a line says; the answer has `error`, a sentence, if it could not be done."""
        word, *rest = line.split()
        try:
            if command := self._table.get((word, len(rest))):
                return command(*rest)
            if word in DEEDS and 1 <= len(rest) <= 2:
                self._world.do(word, rest[0], *(float(number) for number in rest[1:]))
                return {}
        except (ValueError, TypeError) as error:
            return {"error": f"{word}: {error}"}
        return {"error": f"{line.strip()}: not understood; help shows what is"}

    def _set(self, name: str, point: str, value: str) -> Answer:
        device = self._world.device(name)
        if point not in device.points:
            raise ValueError(f"{name} has no {point}; it has {', '.join(device.points)}")
        device.set(point, parse_value(value))
        return {}

    def _get(self, name: str) -> Answer:
        device = self._world.device(name)
        return {"device": name, "points": {point: device.get(point) for point in device.points}}

    def _faults(self, name: str, preset: str) -> Answer:
        if name not in self._world.lines or preset not in PRESETS:
            raise ValueError(f"wanted one of {', '.join(self._world.lines)} and one of {', '.join(PRESETS)}")
        self._world.lines[name].faults = PRESETS[preset]
        return {}

    def _counts(self) -> Answer:
        lines = self._world.lines.items()
        return {"counts": {name: {**line.counts, "faults": {**line.fault_counts}} for name, line in lines}}

    def _devices(self) -> Answer:
        lines = self._world.on_line.items()
        return {"devices": {name: [device.name for device in there] for name, there in lines}}


def parse_value(text: str) -> Value | None:
    """Return what a word or number means; ValueError if nothing."""
    if text in WORDS:
        return WORDS[text]
    number = float(text)
    return int(number) if number.is_integer() else number


def _help() -> Answer:
    return {"help": (__doc__ or "").splitlines()[2:], "deeds": DEEDS}
