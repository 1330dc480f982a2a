"""What quarter and yard have in common: real drivers and services over lines in memory, in virtual time.

Who derives from `Rig` makes `lines`, `field` and the services, and names in `runs` what is to run.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from drivers.api import Device, Done, Driver, LineSettings, ReportTo
from drivers.modbus.driver import ModbusDriver
from drivers.sim.framed import FramedLine
from drivers.sim.line import SimLine
from drivers.sim.memory_line import MemoryLine
from drivers.transport import ByteStream, OnData, OnLost
from gateway.actors import Actors
from gateway.core.events import AlertBody, Body, Event, OutcomeBody
from gateway.services.alerting import Alerting
from gateway.services.commanding import Commanding
from gateway.services.field import Field


class Rig:
    """What a test plays with: `events` is everything that was told, in order."""

    STEP_S = 0.2  # how often `until` looks
    polls = True  # False: no line runs, and a test tells the readings itself

    lines: Mapping[str, SimLine | FramedLine]
    field: Field
    alerting: Alerting
    actors: Actors
    commanding: Commanding
    runs: Sequence[Callable[[], Coroutine[Any, Any, None]]]

    def __init__(self, *, last_id: int = 0) -> None:
        self.events: list[Event] = []
        self._loop = asyncio.get_running_loop()
        self._ids = last_id

    @property
    def now(self) -> float:
        """Return the virtual time."""
        return self._loop.time()

    @property
    def told(self) -> list[Body]:
        """Return every body so far."""
        return [event.body for event in self.events]

    def alerts(self, kind: str) -> list[AlertBody]:
        """Return every alert event of a kind so far."""
        return [body for body in self.told if isinstance(body, AlertBody) and body.kind == kind]

    def open_kinds(self) -> list[str]:
        """Return the kinds of the alerts that are not over."""
        return [body.kind for body in self.alerting.alerts()]

    async def order(self, name: str, action: str, **arguments: float) -> OutcomeBody:
        """Give an order as the local tools do."""
        return await self.commanding.execute(name, action, arguments, "local:test")

    async def until(self, condition: Callable[[], object], *, within_s: float = 60.0) -> float:
        """Wait until something is true; return how long it took. Fails if it takes too long."""
        began = self.now
        while not condition():
            assert self.now < began + within_s, "it never came true"
            await asyncio.sleep(self.STEP_S)
        return self.now - began

    async def run(self) -> None:
        """Run lines and services until cancelled."""
        async with asyncio.TaskGroup() as group:
            for driver in self.field.drivers.values() if self.polls else ():
                group.create_task(driver.run())
            for run in self.runs:
                group.create_task(run())

    def _modbus(
        self, settings: LineSettings, devices: Sequence[Device], report: ReportTo, **more: Any
    ) -> Driver:
        return ModbusDriver(settings, devices, report, open_stream=self._open, clock=more["clock"])

    async def _open(self, settings: LineSettings, on_data: OnData, on_lost: OnLost) -> ByteStream:
        return await MemoryLine(self.lines[settings.name]).open(settings, on_data, on_lost)

    async def _act(self, name: str, action: str, arguments: Mapping[str, float], deadline: float) -> Done:
        return await self.actors.act(name, action, arguments, deadline)

    def _new_id(self) -> str:
        self._ids += 1
        return f"id-{self._ids:04}"
