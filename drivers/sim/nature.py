"""How a pretend compound behaves by itself: smoke in stairwells, covers that move, values that hiss."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from drivers.api import Point, Value
from drivers.sim.thing import Thing

# What a detector shows for a density of smoke in ppm: how much more, and from where on its bits are set.
AMOUNTS: Final[Mapping[str, float]] = {"smoke": 1.0, "co": 0.2, "obscuration": 0.01, "particulate": 0.008}
THRESHOLDS: Final[Mapping[str, float]] = {"prealarm": 120.0, "alarm": 300.0}
STAYS_ON_DOWN_TO: Final = 0.7  # of its threshold: a detector's own hysteresis
FULL_PPM: Final = 1300.0
THINNER_PER_FLOOR: Final = 0.75
FLOORS_UP: Final = 4
FLOORS_DOWN: Final = 1
FILLS_IN_S: Final = 6.0  # time constants of air that fills with smoke, and of a stairwell that is aired
AIRS_IN_S: Final = 12.0
COVER_MOVES_IN_S: Final = 0.4
HISS: Final[Mapping[str | None, float]] = {"ppm": 1.5, "°C": 0.15, "°": 0.04, "mm": 2.0, "cm": 0.3}
HISS_EVERY_S: Final = 5.0


@dataclass(slots=True)
class Air:
    """Smoke at one detector, above what is always there."""

    device: Thing
    shaft: tuple[str, str]  # building, unit
    floor: int
    density: float = 0.0


class Stairwells:
    """Smoke that climbs: a floor up every `spread_s`, one floor down in twice that, thinner with each floor."""

    def __init__(self, airs: Mapping[str, Air], *, spread_s: float, random: random.Random) -> None:
        self._airs, self._spread_s, self._random = dict(airs), spread_s, random
        self._fires: dict[str, float] = {}
        self._clean = {name: _numbers(air.device) for name, air in self._airs.items()}

    def __contains__(self, detector: str) -> bool:
        return detector in self._airs

    def burn(self, detector: str, now: float) -> None:
        """Start a fire at a detector."""
        self._fires.setdefault(detector, now)

    def put_out(self, detector: str) -> None:
        """End that fire."""
        self._fires.pop(detector, None)

    def step(self, now: float, elapsed: float) -> None:
        """Let the air at each detector come nearer to what the fires make of it."""
        for name, air in self._airs.items():
            wanted = max((self._from(origin, air, now) for origin in self._fires), default=0.0)
            if wanted == 0.0 and air.density == 0.0:
                continue
            time_constant = FILLS_IN_S if wanted > air.density else AIRS_IN_S
            air.density += (wanted - air.density) * (1.0 - math.exp(-elapsed / time_constant))
            if wanted == 0.0 and air.density < 1.0:
                air.density = 0.0
            self._show(name, air)

    def _from(self, origin: str, air: Air, now: float) -> float:
        source = self._airs[origin]
        up = air.floor - source.floor
        if source.shaft != air.shaft or not -FLOORS_DOWN <= up <= FLOORS_UP:
            return 0.0
        if now - self._fires[origin] < self._spread_s * (up if up >= 0 else -2 * up):
            return 0.0
        return FULL_PPM * THINNER_PER_FLOOR ** abs(up)

    def _show(self, name: str, air: Air) -> None:
        density = air.density * self._random.uniform(0.97, 1.03)
        for point in air.device.profile.points:
            if threshold := THRESHOLDS.get(point.name):
                on = air.device.get(point.name) is True
                air.device.set(point.name, density > threshold * (STAYS_ON_DOWN_TO if on else 1.0))
            elif point.name in AMOUNTS:
                show_number(air.device, point, self._clean[name][point.name] + density * AMOUNTS[point.name])


@dataclass(slots=True)
class Cover:
    """One cover: how it was laid, how far it is to be lifted and how far it is."""

    device: Thing
    laid: Mapping[str, float]  # the angles it was laid at, by point
    lifted_to: float = 0.0
    angle: float = 0.0

    def step(self, elapsed: float) -> None:
        """Move towards where it is wanted: roll follows the hand, pitch gives a little."""
        if self.angle == self.lifted_to:
            return
        self.angle += (self.lifted_to - self.angle) * (1.0 - math.exp(-elapsed / COVER_MOVES_IN_S))
        if abs(self.angle - self.lifted_to) < 0.01:
            self.angle = self.lifted_to
        for point, share in (("roll", 1.0), ("pitch", 0.15)):
            if point in self.laid:
                show_number(
                    self.device, self.device.profile.point(point), self.laid[point] + share * self.angle
                )


class Hiss:
    """Values that are never quite still: each device's numbers move a little around where they are."""

    def __init__(self, device: Thing, *, random: random.Random) -> None:
        self._device, self._random = device, random
        self._points = [point for point in device.profile.points if point.unit in HISS]
        self._last: dict[str, Value | None] = {}
        self._centre: dict[str, float] = {}
        self._next_at = -math.inf

    def step(self, now: float) -> None:
        """Move the numbers, some time after the last time."""
        if now < self._next_at or not self._points:
            return
        self._next_at = now + self._random.uniform(0.5, 1.5) * HISS_EVERY_S
        for point in self._points:
            shown = self._device.get(point.name)
            if shown != self._last.get(point.name) and isinstance(shown, int | float):
                self._centre[point.name] = shown  # somebody set it: that is where it now hisses around
            if (centre := self._centre.get(point.name)) is not None:
                show_number(self._device, point, centre + self._random.gauss(0.0, HISS[point.unit]))
                self._last[point.name] = self._device.get(point.name)


def show_number(device: Thing, point: Point, value: float) -> None:
    """Set a number; where it is more than the device can show, it keeps showing what it did."""
    try:
        device.set(point.name, value)
    except ValueError:
        return


def _numbers(device: Thing) -> dict[str, float]:
    shown = {point: device.get(point) for point in device.points}
    return {point: float(value) for point, value in shown.items() if value is not None}
