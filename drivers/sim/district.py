"""A whole district on eight lines: 300 devices of every kind that stands in an old compound's stairwells and yard.

Four risers of detectors, the manholes, the bins, the parking, and doors with a charging shed; each line at the speed
such devices leave the factory with.
"""

from dataclasses import replace
from typing import Final

from drivers import profile as profiles
from drivers.sim.compound import COVER, DETECTORS, DOOR, FLOORS, Wiring
from drivers.sim.modbus import SimDevice
from drivers.sim.world import Place, World

RISERS: Final = 4
ON_A_RISER: Final = 32
YARD: Final[dict[str, tuple[int, tuple[tuple[str, str, int], ...]]]] = {
    "manholes": (9600, (("tilt", COVER, 24), ("level", "submersible-level", 24))),
    "bins": (19200, (("bin", "dfrobot-sen0310", 44),)),
    "parking": (
        19200,
        (
            ("bays", "wellpro-wp8026adam", 8),
            ("gate", "waveshare-io-8ch", 2),
            ("lane", "dfrobot-sen0310", 22),
        ),
    ),
    "entrances": (9600, (("door", DOOR, 20), ("shed", "greystone-cmd5b4", 28))),
}
"""Line: its baud, and what hangs on it: name, product, how many."""


def district(*, seed: int, wiring: Wiring) -> World:
    """Return the district. `wiring` says how its lines are, but for their speed."""
    devices: dict[str, list[SimDevice]] = {}
    places: dict[str, Place] = {}
    bauds: dict[str, int] = {}
    for riser in range(1, RISERS + 1):
        there = devices.setdefault(f"riser-{riser}", [])
        bauds[f"riser-{riser}"] = 9600
        for number in range(ON_A_RISER):
            product = DETECTORS[number % len(DETECTORS)]
            name = f"smoke-{riser}-{number // FLOORS + 1}-{number % FLOORS + 1}"
            there.append(SimDevice(profiles.load(product), number + 1, name=name))
            places[name] = {
                "building": str(riser),
                "unit": str(number // FLOORS + 1),
                "floor": str(number % FLOORS + 1),
            }
    for line, (baud, kinds) in YARD.items():
        there, bauds[line] = devices.setdefault(line, []), baud
        for word, product, count in kinds:
            for number in range(1, count + 1):
                name = f"{word}-{number:02}"
                there.append(SimDevice(profiles.load(product), len(there) + 1, name=name))
                places[name] = {"building": str(number % RISERS + 1)}
    lines = [
        replace(wiring, baud=bauds[name]).line(name, there, seed=seed + place)
        for place, (name, there) in enumerate(devices.items())
    ]
    return World(lines, devices, places, seed=seed)
