"""Builds a compound as they stand in old towns: stairwells with detectors, covers in the yard, a door per entrance.

Detectors of a building share a line of their own (a riser), covers and doors share the yard's. Everything
follows from the arguments and the seed, so a test and a demo see the same street.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from drivers import profile as profiles
from drivers.api import LineSettings, Profile
from drivers.framed.wire import FramedWire
from drivers.modbus.wire import ModbusWire
from drivers.printer.wire import PrinterWire
from drivers.sim.faults import NO_FAULTS, Faults
from drivers.sim.framed import FramedLine, SimUnit
from drivers.sim.line import SimLine
from drivers.sim.modbus import SimDevice
from drivers.sim.printer import PanelLine, SimAddress
from drivers.sim.world import Place, World

FLOORS: Final = 7  # as high as houses without a lift were built
DETECTORS: Final = (
    "sonbest-sm7571b", "sonbest-sm7571b", "calectro-ug-3-o-mb-r", "sonbest-sm7571b", "sonbest-sm7571b", "faast-xm",
)  # fmt: skip
COVER: Final = "witmotion-wt901c485"
DOOR: Final = "waveshare-door"
YARD: Final = "yard"
MOST_ON_A_LINE: Final = 247


@dataclass(frozen=True, slots=True)
class Wiring:
    """How the lines of a compound are: see `SimLine`. `scheme` "tcp://" makes them speak Modbus TCP."""

    baud: int = 9600
    parity: str = "none"
    faults: Faults = NO_FAULTS
    paced: bool = True
    turnaround_s: float = 0.01
    scheme: str = ""

    def line(self, name: str, devices: list[SimDevice], *, seed: int) -> SimLine:
        """Return a line with these devices on it."""
        settings = LineSettings(name, self.scheme, self.baud, self.parity)
        return SimLine(
            settings,
            devices,
            faults=self.faults,
            seed=seed,
            paced=self.paced,
            turnaround_s=self.turnaround_s,
        )


def compound(
    *,
    seed: int = 0,
    buildings: int = 2,
    detectors: int = 40,
    covers: int = 12,
    doors: int = 6,
    lines: int = 3,
    wiring: Wiring = Wiring(),
) -> World:
    """Return a compound: the last of its lines is the yard's, the others share the buildings.

    ValueError where a line would get more devices than it has addresses, and for less than one line.
    """
    plan = _Plan(lines)
    for building, unit, floor in _landings(buildings, detectors):
        line = plan.riser(building)
        product = DETECTORS[len(plan.on_line[line]) % len(DETECTORS)]
        plan.put(line, product, f"smoke-{building}-{unit}-{floor}", _place(building, unit, floor))
    for number in range(1, covers + 1):
        plan.put(YARD, COVER, f"cover-{number:02}", {})
    for number in range(doors):
        building, unit = number % buildings + 1, number // buildings + 1
        plan.put(YARD, DOOR, f"door-{building}-{unit}", _place(building, unit, 1))
    made = [
        wiring.line(name, devices, seed=seed + number)
        for number, (name, devices) in enumerate(plan.on_line.items())
    ]
    return World(made, plan.on_line, plan.places, seed=seed)


def single_line(
    product: Profile,
    *,
    address: int | None = None,
    devices: int = 1,
    seed: int = 0,
    wiring: Wiring = Wiring(),
) -> World:
    """Return one line, called "line", with devices of one product at rising addresses, whose values keep still.

    The first has `address`, or the product's factory setting.
    """
    if isinstance(product.wire, FramedWire):
        return _framed_line(product, product.wire, address=address, devices=devices, seed=seed, wiring=wiring)
    if isinstance(product.wire, PrinterWire):
        panel = [SimAddress(product, number, name=f"address-{number}") for number in range(devices)]
        settings = LineSettings("line", "", product.wire.baud, product.wire.parity, product.wire.stop_bits)
        printing = PanelLine(settings, panel, faults=wiring.faults, seed=seed)
        return World([printing], {"line": panel}, {}, seed=seed, still=True)
    if not isinstance(product.wire, ModbusWire):
        raise ValueError(f"{product.name} speaks {product.driver}, which nobody here plays")  # noqa: TRY004
    first = product.wire.address if address is None else address
    if not 1 <= first <= first + devices - 1 <= 255:
        raise ValueError(
            f"addresses {first} to {first + devices - 1}: wanted 1 to 255, and at least one device"
        )
    there = [SimDevice(product, first + number, name=f"device-{first + number}") for number in range(devices)]
    return World([wiring.line("line", there, seed=seed)], {"line": there}, {}, seed=seed, still=True)


def _framed_line(
    product: Profile, wire: FramedWire, *, address: int | None, devices: int, seed: int, wiring: Wiring
) -> World:
    first = wire.address if address is None else address
    if not 0 <= first <= first + devices - 1 <= 255:
        raise ValueError(
            f"addresses {first} to {first + devices - 1}: wanted 0 to 255, and at least one device"
        )
    if devices > 1 and wire.alone:
        raise ValueError(f"{product.name}: nothing in what it sends says whose it is, wanted one device")
    units = [SimUnit(product, first + number, name=f"device-{first + number}") for number in range(devices)]
    settings = LineSettings("line", "", wire.baud, wire.parity, wire.stop_bits)
    line = FramedLine(settings, units, faults=wiring.faults, seed=seed, turnaround_s=wiring.turnaround_s)
    return World([line], {"line": units}, {}, seed=seed, still=True)


@dataclass(slots=True)
class _Plan:
    """Who hangs on which line, while it is being drawn."""

    lines: int
    on_line: dict[str, list[SimDevice]] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.lines < 1:
            raise ValueError("a compound needs at least one line")
        names = [f"riser-{number}" for number in range(1, self.lines)]
        self.on_line = {name: [] for name in (*names, YARD)}

    def riser(self, building: int) -> str:
        """Return the line of a building's detectors."""
        return f"riser-{(building - 1) % (self.lines - 1) + 1}" if self.lines > 1 else YARD

    def put(self, line: str, product: str, name: str, place: Place) -> None:
        """Hang one more device on a line, at the next free address."""
        there = self.on_line[line]
        if len(there) == MOST_ON_A_LINE:
            raise ValueError(f"{line}: a Modbus line has {MOST_ON_A_LINE} addresses, no more")
        there.append(SimDevice(profiles.load(product), len(there) + 1, name=name))
        self.places[name] = place


def _landings(buildings: int, detectors: int) -> Iterator[tuple[int, int, int]]:
    """Yield building, unit and floor of each detector: stairwell by stairwell, from the ground up."""
    for building in range(1, buildings + 1):
        share = detectors // buildings + (building <= detectors % buildings)
        for number in range(share):
            yield building, number // FLOORS + 1, number % FLOORS + 1


def _place(building: int, unit: int, floor: int) -> Place:
    return {"building": str(building), "unit": str(unit), "floor": str(floor)}
