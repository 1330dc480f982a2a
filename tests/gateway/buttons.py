"""Buttons for help on a busy line, each press fifty milliseconds at a given time; real driver, virtual time.

Three boards hang on the same buttons: one that counts, one module a button that latches, and one with plain inputs.
What is on the disk is a list that a test may look at, and that outlives a power cut; the boards outlive it too.
"""

import asyncio
import contextlib
import heapq
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from drivers import profile
from drivers.api import Device, Driver, LineSettings, ReportTo
from drivers.modbus.driver import ModbusDriver
from drivers.registry import DRIVERS
from drivers.sim.framing import Question
from drivers.sim.line import SimLine
from drivers.sim.memory_line import MemoryLine
from drivers.sim.modbus import SimDevice
from gateway import site
from gateway.core import kinds
from gateway.core.events import AlertBody, Clock, Event, Place
from gateway.core.rule_tables import compile_rules
from gateway.core.rules import Watched
from gateway.runtime.stream import Stamp, Stream
from gateway.services.alerting import Alerting
from gateway.services.clearing import Latches
from gateway.services.field import Field
from tests import virtual

T = TypeVar("T")

WALL = 1_800_000_000.0
PRESS_S = 0.05
KINDS = kinds.built_in()
COUNTING, LATCHING, PLAIN = "wirenboard-wb-mcm8", "icpdas-tm-da1p1r1", "waveshare-io-8ch"
MODULES = 4
BUTTONS = range(1, MODULES + 1)
DETECTORS = 12


class Board(SimDevice):
    """A pretend product whose buttons are pressed at given times, whenever it is asked."""

    def __init__(self, product: str, address: int, name: str) -> None:
        super().__init__(profile.load(product), address, name=name)
        self._presses: list[tuple[float, str, bool]] = []
        self.writes: list[float] = []

    def press_at(self, at: float, points: Iterable[str]) -> None:
        """Have a button pressed at a time: counters and latches keep it, a contact shows it while it lasts."""
        for point in points:
            kept = self.profile.point(point)
            heapq.heappush(self._presses, (at, point, True))
            if not kept.counts and kept.cleared_by is None:
                heapq.heappush(self._presses, (at + PRESS_S, point, False))

    def answer(self, question: Question, now: float) -> bytes | None:
        """Return the reply's pdu, after everything that was pressed until now."""
        while self._presses and self._presses[0][0] <= now:
            _, point, on = heapq.heappop(self._presses)
            kept = self.profile.point(point)
            if kept.counts or kept.cleared_by is not None:
                self.press(point)
            else:
                self.set(point, on)
        if not isinstance(question, bytes) and type(question).__name__ != "ReadRequest":
            self.writes.append(now)
        return super().answer(question, now)


class Boards:
    """What hangs on the wall and keeps its state when the gateway loses power."""

    def __init__(self) -> None:
        self.counting = Board(COUNTING, 1, "counting")
        self.plain = Board(PLAIN, 2, "plain")
        self.latching = {n: Board(LATCHING, 10 + n, f"latching-{n}") for n in BUTTONS}
        smoke = profile.load("sonbest-sm7571b")
        self.detectors = [SimDevice(smoke, 40 + n, name=f"smoke-{n}") for n in range(DETECTORS)]
        self.line = SimLine(LineSettings("riser", "memory"), list(self.all), turnaround_s=0.005)

    @property
    def all(self) -> Sequence[SimDevice]:
        """Return every device on the line."""
        return [self.counting, self.plain, *self.latching.values(), *self.detectors]

    def press_at(self, at: float, button: int) -> None:
        """Have a button pressed at a time, on all three boards."""
        self.counting.press_at(at, [f"pulses_{button}"])
        self.plain.press_at(at, [f"contact_{button}"])
        self.latching[button].press_at(at, ["latched"])


class Disk:
    """The journal as far as it matters here: what is committed, in order, `slow_s` after it was told.

    `upstream` is what the uplink has delivered.
    """

    def __init__(self, slow_s: float = 0.01) -> None:
        self.events: list[Event] = []
        self.upstream: list[Event] = []
        self.slow_s = slow_s
        self._changed = asyncio.Event()

    def append(self, event: Event) -> None:
        """Write an event some time from now."""
        asyncio.get_running_loop().call_later(self.slow_s, self._write, event)

    @property
    def alerts(self) -> list[Event]:
        """Return the alerts on the disk."""
        return [event for event in self.events if isinstance(event.body, AlertBody)]

    async def secured(self, event: Event) -> None:
        """Return when an event is on the disk or upstream."""
        while event not in self.events and event not in self.upstream:
            self._changed.clear()
            await self._changed.wait()

    def deliver(self, event: Event) -> None:
        """Have an event delivered upstream."""
        self.upstream.append(event)
        self._changed.set()

    def _write(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()


class House:
    """One life of a gateway over these boards. `restore` is what its disk held."""

    def __init__(self, boards: Boards, *, restore: Iterable[Event] = (), ended: float = 0.0) -> None:
        before = list(restore)
        self.loop = asyncio.get_running_loop()
        self.boards, self.disk = boards, Disk()
        devices = [Device(sim.name, sim.profile, sim.address) for sim in boards.all]
        last = before[-1].seq if before else 0
        self.stream = Stream(epoch=1, last_seq=last, last_alert_seq=0, now=self._stamp)
        self.field = Field(
            [(boards.line.settings, devices)],
            submit=self.stream.submit,
            clock=self.loop.time,
            drivers={"modbus": replace(DRIVERS["modbus"], open=self._open)},
        )
        watched = {device.name: _watched(device) for device in devices}
        self.alerting = Alerting(
            watched,
            kinds=KINDS,
            submit=self.stream.submit,
            read_soon=self.field.read_soon,
            new_id=self._new_id,
            restore=before,
            ended=ended,
        )
        self.latches = Latches(
            site.latches_of(watched, {device.profile.name: device.profile for device in devices}),
            act=self.field.act,
            read_soon=self.field.read_soon,
            is_found=self.alerting.is_found,
            submit=self.stream.submit,
            secured=self.disk.secured,
            new_id=self._new_id,
            now=self.loop.time,
            standing=self.alerting.alerts(),
        )
        self._ids = last
        self.told: list[AlertBody] = []
        self.stream.follow("alerting", self.alerting.follow)
        self.stream.follow("latches", self.latches.follow)
        self.stream.follow("disk", self._keep, readings=False)

    async def run(self) -> None:
        """Live until cancelled."""
        async with asyncio.TaskGroup() as group:
            for driver in self.field.drivers.values():
                group.create_task(driver.run())
            group.create_task(self.alerting.run())
            group.create_task(self.latches.run())

    async def until(self, condition: Callable[[], object], *, within_s: float = 30.0) -> float:
        """Wait until something is true; return when. Fails if it takes too long."""
        end = self.loop.time() + within_s
        while not condition():
            assert self.loop.time() < end, "it never came true"
            await asyncio.sleep(0.01)
        return self.loop.time()

    async def latched(self, number: int) -> Board:
        """Have a latching button pressed now; return its board when the call for help is open."""
        board = self.boards.latching[number]
        board.press_at(self.loop.time(), ["latched"])
        await self.until(lambda: self.open(board.name))
        return board

    def open(self, device: str) -> list[AlertBody]:
        """Return the open calls for help of a board."""
        return [body for body in self.alerting.alerts() if body.device == device]

    def pressed(self, device: str) -> int:
        """Return how many presses the alerts of a board stand for, over all their lives."""
        return sum({body.alert: body.count for body in self.told if body.device == device}.values())

    def _open(self, settings: LineSettings, devices: Any, report: ReportTo, **more: Any) -> Driver:
        stream = MemoryLine(self.boards.line).open
        return ModbusDriver(settings, devices, report, clock=more["clock"], open_stream=stream)

    def _stamp(self) -> Stamp:
        return Stamp(self.loop.time() + WALL, self.loop.time(), Clock.SYNCED)

    def _keep(self, event: Event) -> None:
        self.disk.append(event)
        if isinstance(event.body, AlertBody) and event.body.kind == "care.sos":
            self.told.append(event.body)

    def _new_id(self) -> str:
        self._ids += 1
        return f"id-{self._ids:06}"


@contextlib.asynccontextmanager
async def living(house: House) -> Any:
    """Have a house live for a while, and then lose its power."""
    running = asyncio.create_task(house.run(), name="house")
    try:
        yield house
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def play(scenario: Callable[[Boards], Awaitable[T]]) -> T:
    """Play a scenario on boards of its own."""

    async def main() -> T:
        return await scenario(Boards())

    return virtual.run(main())


def _watched(device: Device) -> Watched:
    compiled = compile_rules(
        (), RULES, {}, device=device.name, category=device.profile.category, points=device.profile.points,
        kinds=KINDS, where="device",
    )  # fmt: skip
    assert not compiled.faults, [str(fault) for fault in compiled.faults]
    return Watched(
        device.name,
        place=Place(building="2"),
        bus="riser",
        profile=device.profile.name,
        rules=compiled.rules,
    )


RULES: Sequence[Mapping[str, object]] = [
    *({"device": "counting", "kind": "care.sos", "point": f"pulses_{n}", "moved": True} for n in BUTTONS),
    *(
        {"device": "plain", "kind": "care.sos", "point": f"contact_{n}", "when": True, "reads": 1, "clear_reads": 1}
        for n in BUTTONS
    ),
    *(
        {"device": f"latching-{n}", "kind": "care.sos", "point": "latched", "when": True, "clear_reads": 1}
        for n in BUTTONS
    ),
]  # fmt: skip
