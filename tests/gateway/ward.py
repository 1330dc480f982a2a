"""A home that is watched over: a pretend radar on a line of its own, real driver, stream and alerting, virtual time.

`play` runs a scenario and hands it the ward.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from drivers import profile
from drivers.api import Device, Driver, LineSettings, ReportTo
from drivers.framed.driver import FramedDriver
from drivers.framed.wire import FramedWire
from drivers.registry import DRIVERS
from drivers.sim.framed import FramedLine, SimUnit
from drivers.sim.memory_line import MemoryLine
from gateway.core import kinds
from gateway.core.events import AlertBody, Body, Clock, Event, Place
from gateway.core.rule_tables import compile_rules
from gateway.core.rules import Watched
from gateway.runtime.stream import Stamp, Stream
from gateway.services.alerting import Alerting
from gateway.services.field import Field
from tests import virtual

T = TypeVar("T")

WALL = 1_800_000_000.0
KINDS = kinds.built_in()
HOME = Place(building="2", unit="1", floor="3")


class Ward:
    """What a test plays with: `radar` measures, `told` is every body in order."""

    def __init__(self, product: str, rules: Mapping[str, Mapping[str, object]]) -> None:
        self._loop = asyncio.get_running_loop()
        made = profile.load(product)
        assert isinstance(made.wire, FramedWire)
        self.radar = SimUnit(made, name="radar")
        settings = LineSettings("ward", "memory", baud=made.wire.baud)
        self.line = FramedLine(settings, [self.radar])
        self.told: list[Body] = []
        self.stream = Stream(epoch=1, last_seq=0, last_alert_seq=0, now=self._stamp)
        device = Device("radar", made, 1)
        self.field = Field(
            [(settings, [device])],
            submit=self.stream.submit,
            clock=self._loop.time,
            drivers={"framed": replace(DRIVERS["framed"], open=self._open)},
        )
        self.alerting = Alerting(
            {"radar": _watched(device, rules)},
            kinds=KINDS,
            submit=self.stream.submit,
            read_soon=self.field.read_soon,
            new_id=self._new_id,
        )
        self._ids = 0
        self.stream.follow("alerting", self.alerting.follow)
        self.stream.follow("told", self._keep)

    @property
    def now(self) -> float:
        """Return the virtual time."""
        return self._loop.time()

    def alerts(self, kind: str) -> list[AlertBody]:
        """Return every alert event of a kind so far."""
        return [body for body in self.told if isinstance(body, AlertBody) and body.kind == kind]

    def open_kinds(self) -> list[str]:
        """Return the kinds of the alerts that are not over."""
        return [body.kind for body in self.alerting.alerts()]

    async def until(self, condition: Callable[[], object], *, within_s: float = 60.0) -> float:
        """Wait until something is true; return how long it took. Fails if it takes too long."""
        began = self.now
        while not condition():
            assert self.now < began + within_s, "it never came true"
            await asyncio.sleep(0.02)
        return self.now - began

    async def run(self) -> None:
        """Run line and alerting until cancelled."""
        async with asyncio.TaskGroup() as group:
            for driver in self.field.drivers.values():
                group.create_task(driver.run())
            group.create_task(self.alerting.run())

    def _open(self, settings: LineSettings, devices: Any, report: ReportTo, **more: Any) -> Driver:
        return FramedDriver(
            settings, devices, report, clock=more["clock"], open_stream=MemoryLine(self.line).open
        )

    def _stamp(self) -> Stamp:
        return Stamp(self.now + WALL, self.now, Clock.SYNCED)

    def _keep(self, event: Event) -> None:
        self.told.append(event.body)

    def _new_id(self) -> str:
        self._ids += 1
        return f"id-{self._ids:04}"


def play(
    scenario: Callable[[Ward], Awaitable[T]],
    product: str,
    rules: Mapping[str, Mapping[str, object]] = {},
) -> T:
    """Play a scenario with this radar; `rules` are a device's own `rules` in gateway.toml."""

    async def main() -> T:
        ward = Ward(product, rules)
        return await virtual.beside(ward.run(), scenario(ward))

    return virtual.run(main())


def _watched(device: Device, rules: Mapping[str, Mapping[str, object]]) -> Watched:
    compiled = compile_rules(
        device.profile.rules,
        (),
        rules,
        device=device.name,
        category="radar",
        points=device.profile.points,
        kinds=KINDS,
        where="device",
    )
    assert not compiled.faults
    return Watched(device.name, place=HOME, category="radar", bus="ward", rules=compiled.rules)
