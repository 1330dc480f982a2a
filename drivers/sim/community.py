"""A compound and what else the street looks after: water under a cover, a bin, the fire lane, a flat with a radar.

The compound's own lines stay as they are. Sensors of the yard share one more line, and each radar, which speaks
by itself, has a line of its own.
"""

from typing import Final

from drivers import profile as profiles
from drivers.api import LineSettings
from drivers.framed.wire import FramedWire
from drivers.sim.compound import Wiring, compound
from drivers.sim.framed import FramedLine, SimUnit
from drivers.sim.modbus import SimDevice
from drivers.sim.world import Place, World

COURT: Final = "court"
HOME: Final = "home-2-1-5"

# name: product, and what it measures on a quiet evening
SENSORS: Final = {
    "water-5": ("submersible-level", {"level": 0.05}),
    "lid-1": ("dfrobot-sen0310", {"distance": 800.0, "temperature": 24.0}),
    "lane-east-1": ("dfrobot-sen0310", {"distance": 2600.0, "temperature": 24.0}),
}
RADAR: Final = "micradar-r60afd1"
AT_HOME: Final[Place] = {"building": "2", "unit": "1", "floor": "5"}


def community(*, seed: int = 0, wiring: Wiring) -> World:
    """Return a compound with its bins, lane, water and a radar in a flat."""
    streets = compound(seed=seed, wiring=wiring)
    sensors = [
        SimDevice(profiles.load(product), number, name=name)
        for number, (name, (product, _)) in enumerate(SENSORS.items(), 1)
    ]
    for sensor in sensors:
        for point, value in SENSORS[sensor.name][1].items():
            sensor.set(point, value)
    radar = SimUnit(profiles.load(RADAR), name=f"radar-{HOME.removeprefix('home-')}")
    radar.set("presence", True)
    assert isinstance(radar.wire, FramedWire)
    home = FramedLine(LineSettings(HOME, "", radar.wire.baud), [radar], faults=wiring.faults, seed=seed)
    return World(
        [*streets.lines.values(), wiring.line(COURT, sensors, seed=seed), home],
        {**streets.on_line, COURT: sensors, HOME: [radar]},
        {**streets.places, radar.name: AT_HOME},
        seed=seed,
    )
