"""Doors as they are: boards on a simulated line, the real driver, stream, alerting and door services, virtual time.

Two lines: a riser with a detector in each of two buildings, and the yard with three doors, two of building 2 and
one of building 3. `play` runs a scenario and hands it the yard.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from drivers import profile
from drivers.api import Device, LineSettings, Presented
from drivers.registry import DRIVERS
from drivers.sim.line import SimLine
from drivers.sim.modbus import SimDevice
from gateway.actors import Actors
from gateway.core import kinds, schedule
from gateway.core.doors import DoorPlan, Strike
from gateway.core.events import Clock, DoorBody, Event, Place
from gateway.core.interlocks import InterlockPlan
from gateway.core.rule_tables import compile_rules
from gateway.core.rules import Watched
from gateway.core.texts import Subject
from gateway.runtime.stream import Stamp, Stream
from gateway.services.alerting import Alerting
from gateway.services.commanding import Commanding
from gateway.services.doors import Doors
from gateway.services.field import Field
from gateway.services.interlocks import Interlocks
from tests import virtual
from tests.gateway.rig import Rig

T = TypeVar("T")

WALL = 1_800_000_000.0 + 8 * 3600  # 2027-01-16, a Saturday, 00:00 in the compound's own zone
KINDS = kinds.built_in()
BOARD = profile.load("waveshare-door")
DETECTOR = profile.load("sonbest-sm7571b")
BUILDINGS = {"gate-2-1": "2", "gate-2-2": "2", "gate-3-1": "3", "smoke-2": "2", "smoke-3": "3"}
INTERLOCK = InterlockPlan("fire")


def plan(name: str, **changes: object) -> DoorPlan:
    """Return a door on a board of its own."""
    board = f"{name}-board"
    facts: dict[str, object] = {
        "place": Place(building=BUILDINGS[name]),
        "contact": (board, "contact"),
        "exit": (board, "exit_button"),
    }
    return DoorPlan(name, Strike(board, readback=(board, "strike")), **(facts | changes))  # type: ignore[arg-type]


PLANS = tuple(plan(name) for name in ("gate-2-1", "gate-2-2", "gate-3-1"))


class Yard(Rig):
    """What a test plays with; `unsynced` makes the clock one that is not trusted.

    `spares` name boards that are no door's: the strike of one is a siren, a fan.
    """

    STEP_S = 0.005

    def __init__(
        self,
        plans: Sequence[DoorPlan],
        interlocks: Sequence[InterlockPlan],
        schedules: Mapping[str, schedule.Schedule],
        restore: Iterable[Event],
        wall: float,
        spares: Sequence[str] = (),
    ) -> None:
        super().__init__()
        before = list(restore)
        self.unsynced = False
        self.wall_minus_monotonic = wall
        names = [*(each.name for each in plans), *spares]
        self.sims = {name: SimDevice(BOARD, number) for number, name in enumerate(names, 1)}
        self.detectors = {f"smoke-{n}": SimDevice(DETECTOR, n) for n in (2, 3)}
        self.lines = {
            "yard": SimLine(LineSettings("yard", "memory"), list(self.sims.values()), turnaround_s=0.005),
            "riser": SimLine(
                LineSettings("riser", "memory"), list(self.detectors.values()), turnaround_s=0.005
            ),
        }
        boards = [Device(f"{name}-board", BOARD, sim.address) for name, sim in self.sims.items()]
        smoke = [Device(name, DETECTOR, sim.address) for name, sim in self.detectors.items()]
        self.stream = Stream(epoch=2, last_seq=0, last_alert_seq=0, now=self.stamp)
        self.presented: list[Presented] = []
        self.field = Field(
            [(self.lines["yard"].settings, boards), (self.lines["riser"].settings, smoke)],
            submit=self.stream.submit,
            presented=self.presented.append,
            clock=self._loop.time,
            drivers={"modbus": replace(DRIVERS["modbus"], open=self._modbus)},
        )
        self.alerting = Alerting(
            {device.name: _watched(device) for device in smoke},
            kinds=KINDS,
            submit=self.stream.submit,
            read_soon=self.field.read_soon,
            new_id=self._new_id,
            doors={each.name: Subject(each.name, place=each.place) for each in plans},
            restore=before,
        )
        self.doors = Doors(
            plans,
            schedules,
            act=self.field.act,
            read_soon=self.field.read_soon,
            submit=self.stream.submit,
            new_id=self._new_id,
            now=self.stamp,
            restore=before,
        )
        self.interlocks = Interlocks(
            interlocks,
            act=self._act,
            submit=self.stream.submit,
            new_id=self._new_id,
            now=self._loop.time,
            restore=before,
        )
        self.actors = Actors(
            self.field,
            (self.doors, self.interlocks),
            strikes=[(each.name, each.strike) for each in plans],
            places={each.name: each.place for each in plans},
            home=Place(),
        )
        self.commanding = Commanding(
            self.actors,
            self.actors.act,
            submit=self.stream.submit,
            new_id=self._new_id,
            angles=lambda _: {},
            reset=self.alerting.reset,
            clock=self._loop.time,
        )
        for follower in (self.alerting, self.interlocks, self.doors):
            self.stream.follow(type(follower).__name__, follower.follow)
        self.stream.follow("told", self.events.append)
        self.runs = (self.alerting.run, self.doors.run, self.interlocks.run)

    def stamp(self) -> Stamp:
        """Return the time as the stream sees it."""
        now = asyncio.get_running_loop().time()
        return Stamp(now + self.wall_minus_monotonic, now, Clock.UNSYNCED if self.unsynced else Clock.SYNCED)

    def strike(self, door: str) -> bool:
        """Return whether the strike is energised, as the board knows it."""
        sim = self.sims[door]
        sim.advance(self.now)
        return bool(sim.get("strike"))

    def state(self, door: str) -> tuple[str, str]:
        """Return state and mode of a door."""
        body = self.doors.state(door)
        return body.state, body.mode

    def set(self, door: str, point: str, value: bool) -> None:
        """Open or shut a door, press its button."""
        self.sims[door].set(point, value)

    def burn(self, building: str, ppm: float = 900.0) -> None:
        """Let a detector see smoke, or none."""
        self.detectors[f"smoke-{building}"].set("smoke", ppm)

    def door_told(self, door: str) -> list[tuple[str, str]]:
        """Return every state and mode of a door that was told."""
        return [(b.state, b.mode) for b in self.told if isinstance(b, DoorBody) and b.door == door]


def play(
    scenario: Callable[[Yard], Awaitable[T]],
    plans: Sequence[DoorPlan] = PLANS,
    *,
    interlocks: Sequence[InterlockPlan] = (INTERLOCK,),
    schedules: Mapping[str, schedule.Schedule] = {},
    restore: Iterable[Event] = (),
    wall: float = WALL,
    settle: bool = True,
    spares: Sequence[str] = (),
    unsynced: bool = False,
) -> T:
    """Play a scenario in a yard that has been read once, in virtual time; `unsynced` is how the clock starts."""

    async def main() -> T:
        yard = Yard(plans, interlocks, schedules, restore, wall, spares)
        if unsynced:
            yard.unsynced = True

        async def settled() -> T:
            if settle:
                await asyncio.sleep(3.0)
            return await scenario(yard)

        return await virtual.beside(yard.run(), settled())

    return virtual.run(main())


def _watched(device: Device) -> Watched:
    compiled = compile_rules(
        device.profile.rules,
        (),
        {},
        device=device.name,
        category="smoke",
        points=device.profile.points,
        kinds=KINDS,
        where="device",
    )
    place = Place(building=BUILDINGS[device.name])
    return Watched(device.name, place=place, category="smoke", bus="riser", rules=compiled.rules)
