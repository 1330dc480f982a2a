"""A compound where things happen: smoke climbs the stairwell, covers are lifted, doors open and are held.

The world moves in steps that are told `now`; it reaches the gateway only through what its devices show on
their lines. Deeds (`smoke`, `lift`, `force`, ...) are called by whoever tells the story, take effect from the
last step on and unfold over the following ones; one that makes no sense raises ValueError with a sentence.
"""

import heapq
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias, TypeVar

from drivers.sim.nature import Air, Cover, Hiss, Stairwells
from drivers.sim.thing import Thing, WorldLine

Place: TypeAlias = Mapping[str, str]
T = TypeVar("T")

FAULT_POINTS: Final = ("fault", "contamination", "tamper")
DEEDS: Final = (
    "smoke", "clear_smoke", "lift", "put_back", "enter", "hold", "force", "close", "test", "end_test", "fault",
    "mend", "kill", "revive", "freeze", "thaw", "unplug", "replug", "power_cut",
)  # fmt: skip


class World:
    """Lines, the devices on each of them, and where every device is.

    Smoke climbs a floor in `spread_s`. In a `still` world values do not hiss.
    """

    def __init__(
        self,
        lines: Sequence[WorldLine],
        devices: Mapping[str, Sequence[Thing]],
        places: Mapping[str, Place],
        *,
        seed: int = 0,
        spread_s: float = 20.0,
        still: bool = False,
    ) -> None:
        self.lines = {line.settings.name: line for line in lines}
        self.on_line = {name: tuple(devices[name]) for name in self.lines}
        self.devices = {device.name: device for there in self.on_line.values() for device in there}
        self.places = dict(places)
        self._now: float | None = None
        dice = random.Random(seed)
        airs = {name: _air(device, self.places.get(name, {})) for name, device in self._of("smoke", "gas")}
        self._stairwells = Stairwells(airs, spread_s=spread_s, random=dice)
        self._covers = {name: Cover(device, _lay(device, dice)) for name, device in self._of("tilt")}
        self._hisses = [Hiss(device, random=dice) for device in self.devices.values() if not still]
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0

    @property
    def baselines(self) -> dict[str, Mapping[str, float]]:
        """The angles each cover was laid at, as a commissioning would have found them."""
        return {name: dict(cover.laid) for name, cover in self._covers.items()}

    def device(self, name: str) -> Thing:
        """Return a device by its name; ValueError if there is none."""
        return _one(self.devices, name, "device")

    def step(self, now: float) -> None:
        """Let the world go on until `now`."""
        elapsed = 0.0 if self._now is None else now - self._now
        self._now = now
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()
        for hiss in self._hisses:
            hiss.step(now)
        self._stairwells.step(now, elapsed)
        for cover in self._covers.values():
            cover.step(elapsed)
        for device in self.devices.values():
            device.advance(now)

    def do(self, deed: str, target: str, *numbers: float) -> None:
        """Do a deed by its name; ValueError if there is none or it cannot be done to this target."""
        if deed not in DEEDS:
            raise ValueError(f"nobody can {deed!r}; there is: {', '.join(DEEDS)}")
        getattr(self, deed)(target, *numbers)

    def smoke(self, detector: str) -> None:
        """Set something on fire below a detector; smoke climbs to its neighbours and a little down."""
        self._stairwells.burn(self._detector(detector), self.now)

    def clear_smoke(self, detector: str) -> None:
        """Put that fire out; the stairwell is aired."""
        self._stairwells.put_out(self._detector(detector))

    def lift(self, cover: str, degrees: float = 40.0) -> None:
        """Lift a cover on one side."""
        _one(self._covers, cover, "cover").lifted_to = degrees

    def put_back(self, cover: str) -> None:
        """Lay a lifted cover as it was."""
        self.lift(cover, 0.0)

    def enter(self, door: str, seconds: float = 5.0) -> None:
        """Let somebody press the exit button, pass through a door and let it fall shut."""
        self.hold(door)
        self._in(max(seconds, 2.0), lambda: self.close(door))

    def hold(self, door: str) -> None:
        """Let somebody press the exit button, open a door and keep it open."""
        self._set(door, "exit_button", True)
        self._in(0.7, lambda: self._set(door, "contact", True))
        self._in(1.5, lambda: self._set(door, "exit_button", False))

    def force(self, door: str) -> None:
        """Let somebody break a door open."""
        self._set(door, "contact", True)

    def close(self, door: str) -> None:
        """Shut a door."""
        self._set(door, "contact", False)

    def test(self, device: str) -> None:
        """Put a detector into test: it says so, and then alarms as real ones do."""
        self._set(device, "test", True)
        if "alarm" in self.devices[device].points:
            self._in(2.0, lambda: self._set(device, "alarm", True))

    def end_test(self, device: str) -> None:
        """Bring a detector back from test."""
        if "alarm" in self.device(device).points:
            self._set(device, "alarm", False)
        self._in(2.0, lambda: self._set(device, "test", False))

    def fault(self, device: str) -> None:
        """Let a device find something wrong with itself."""
        self._set(device, self._fault_point(device), True)

    def mend(self, device: str) -> None:
        """Put that right."""
        self._set(device, self._fault_point(device), False)

    def kill(self, device: str) -> None:
        """Cut a device off: it answers no more."""
        self.device(device).alive = False

    def revive(self, device: str) -> None:
        """Bring a dead device back."""
        self.device(device).alive = True

    def freeze(self, device: str) -> None:
        """Let a device hang: it answers, always the same."""
        self.device(device).frozen = True

    def thaw(self, device: str) -> None:
        """Bring a frozen device back."""
        self.device(device).frozen = False

    def unplug(self, line: str) -> None:
        """Pull a line's adapter."""
        _one(self.lines, line, "line").unplug()

    def replug(self, line: str) -> None:
        """Put a line's adapter back."""
        _one(self.lines, line, "line").plug()

    def power_cut(self, line: str, seconds: float = 5.0) -> None:
        """Take the supply from all devices of a line for a while."""
        _one(self.lines, line, "line").power_cut(self.now + seconds)

    @property
    def now(self) -> float:
        """The time of the last step."""
        return self._now or 0.0

    def _in(self, seconds: float, deed: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._later, (self.now + seconds, self._order, deed))

    def _of(self, *categories: str) -> list[tuple[str, Thing]]:
        return [(name, d) for name, d in self.devices.items() if d.profile.category in categories]

    def _detector(self, name: str) -> str:
        if name not in self._stairwells:
            raise ValueError(f"no detector is called {name!r}")
        return name

    def _set(self, device: str, point: str, value: bool) -> None:
        if point not in self.device(device).points:
            raise ValueError(f"{device} ({self.devices[device].profile.name}) has no {point}")
        self.devices[device].set(point, value)

    def _fault_point(self, device: str) -> str:
        points = self.device(device).points
        return next((name for name in FAULT_POINTS if name in points), FAULT_POINTS[0])


def _one(known: Mapping[str, T], name: str, what: str) -> T:
    if name not in known:
        raise ValueError(f"no {what} is called {name!r}")
    return known[name]


def _air(device: Thing, place: Place) -> Air:
    floor = place.get("floor", "")
    return Air(
        device, (place.get("building", ""), place.get("unit", "")), int(floor) if floor.isdecimal() else 0
    )


def _lay(device: Thing, dice: random.Random) -> dict[str, float]:
    """Lay a cover a little askew, as streets are."""
    tilts = [point for point in device.points if point in {"roll", "pitch"}]
    laid = {point: round(dice.uniform(-4.0, 4.0), 1) for point in tilts}
    for point, angle in laid.items():
        device.set(point, angle)
    return laid
