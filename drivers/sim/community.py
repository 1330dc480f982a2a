"""A compound and what else the street looks after: water under a cover, a bin, the fire lane, flats with a radar.

The compound's own lines stay as they are. Sensors of the yard share one more line, and each radar, which speaks
by itself, has a line of its own.
"""

from collections.abc import Mapping
from typing import Final

from drivers import profile as profiles
from drivers.api import LineSettings
from drivers.framed.wire import FramedWire
from drivers.sim.compound import Wiring, compound
from drivers.sim.framed import FramedLine, SimUnit
from drivers.sim.modbus import SimDevice
from drivers.sim.thing import Thing
from drivers.sim.world import Place, World

COURT: Final = "court"

# name: product, and what it measures on a quiet evening
SENSORS: Final = {
    "water-5": ("submersible-level", {"level": 0.05}),
    "lid-1": ("dfrobot-sen0310", {"distance": 800.0, "temperature": 24.0}),
    "lane-east-1": ("dfrobot-sen0310", {"distance": 2600.0, "temperature": 24.0}),
}

# flat, as building-unit-floor: product, and what it measures there: somebody up and about, asleep, up and about
FLATS: Final[Mapping[str, tuple[str, Mapping[str, float]]]] = {
    "2-1-5": ("micradar-r60afd1", {"presence": True}),
    "2-2-3": (
        "micradar-r60abd1",
        {"presence": True, "motion": 2, "bed": 1, "sleep": 0, "breath_state": 1, "breath": 15, "heart": 64},
    ),
    "1-1-4": ("micradar-r60afd1", {"presence": True}),
}


def community(*, seed: int = 0, wiring: Wiring) -> World:
    """Return a compound with its bins, lane, water and radars in flats."""
    streets = compound(seed=seed, wiring=wiring)
    sensors = [
        SimDevice(profiles.load(product), number, name=name)
        for number, (name, (product, _)) in enumerate(SENSORS.items(), 1)
    ]
    for sensor in sensors:
        _measure(sensor, SENSORS[sensor.name][1])
    radars = {flat: _radar(flat) for flat in FLATS}
    homes = [_home(flat, radar, wiring=wiring, seed=seed) for flat, radar in radars.items()]
    return World(
        [*streets.lines.values(), wiring.line(COURT, sensors, seed=seed), *homes],
        {**streets.on_line, COURT: sensors, **{f"home-{flat}": [radar] for flat, radar in radars.items()}},
        {**streets.places, **{radar.name: _place(flat) for flat, radar in radars.items()}},
        seed=seed,
    )


def _radar(flat: str) -> SimUnit:
    product, measures = FLATS[flat]
    radar = SimUnit(profiles.load(product), name=f"radar-{flat}")
    _measure(radar, measures)
    return radar


def _home(flat: str, radar: SimUnit, *, wiring: Wiring, seed: int) -> FramedLine:
    assert isinstance(radar.wire, FramedWire)
    settings = LineSettings(f"home-{flat}", "", radar.wire.baud)
    return FramedLine(settings, [radar], faults=wiring.faults, seed=seed)


def _measure(thing: Thing, measures: Mapping[str, float]) -> None:
    for point, value in measures.items():
        thing.set(point, value)


def _place(flat: str) -> Place:
    building, unit, floor = flat.split("-")
    return {"building": building, "unit": unit, "floor": floor}
