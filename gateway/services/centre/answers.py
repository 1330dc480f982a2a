"""What a centre gets when it asks or orders something (6.2, 6.4, 8.3.2). Pure.

Questions about states, values, operations, versions, descriptions and times are answered from what we know now.
Of the orders a duty check is taken and put before the people on duty: only one of them can answer it, never the
gateway by itself. A clock is judged (clock.py) and never set. Everything else is refused, on record: nothing a centre
sends opens a door, silences anything, or starts the gateway anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from drivers.api import FrameError
from drivers.gb26875 import stamps, text, units
from drivers.gb26875.frames import Command, Frame
from drivers.gb26875.units import (
    Bare,
    ComponentAbout,
    DeviceAbout,
    DeviceOperation,
    DeviceState,
    DeviceTime,
    DeviceVersion,
    Object,
    OfComponent,
    OfSystem,
    Operation,
    OperationsOfDevice,
    OperationsOfSystem,
    SystemAbout,
    SystemState,
    SystemTime,
    SystemVersion,
    Unit,
)
from gateway.core.events import Clock, Event
from gateway.services.centre.clock import CentreClock
from gateway.services.centre.facility import Facility

SET_CLOCK, DUTY_CHECK = 90, 91
DUTY_KIND: Final = "centre.duty_check"
REFUSED: Final = "centre.refused"
CLOCK: Final = "centre.clock"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back, and what is put on record: (what, detail), or nothing."""

    command: Command
    unit: bytes = b""
    record: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What a centre may know of us. `version` is major and minor."""

    title: str
    version: tuple[int, int]
    offset_h: float


@dataclass(frozen=True, slots=True)
class Moment:
    """The time as the stream sees it: wall seconds and how far they can be trusted."""

    wall: float
    clock: Clock


class Answers:
    """Answers one centre. `readings` gives the latest readings of a device."""

    def __init__(
        self,
        facility: Facility,
        about: About,
        clock: CentreClock,
        readings: Callable[[str], Iterable[Event]],
    ) -> None:
        self._facility, self._about, self._clock, self._readings = facility, about, clock, readings

    def stamper(self, wall: float, clock: Clock) -> bytes:
        """Return a time in six bytes as this centre is told it."""
        return stamps.stamp(self._clock.wall(wall, clock), self._about.offset_h)

    def answer(self, frame: Frame, now: Moment) -> Answer:
        """Return what goes back for a packet of the centre's."""
        try:
            unit = units.decode(frame.unit)
        except FrameError as error:
            return Answer(Command.DENY, record=(REFUSED, f"{error.reason}, command {frame.command}"))
        if frame.command == Command.REQUEST and unit.type in _QUESTIONS:
            kind, objects = _QUESTIONS[unit.type](self, unit, now)
            found = tuple(objects)[: units.LAYOUTS[kind].most]
            return (
                Answer(Command.RESPONSE, units.encode(Unit(kind, found))) if found else Answer(Command.DENY)
            )
        if frame.command == Command.CONTROL and unit.type == DUTY_CHECK and unit.objects:
            minutes = unit.objects[0].number if isinstance(unit.objects[0], Bare) else 0
            return Answer(Command.CONFIRM, record=(DUTY_KIND, f"{minutes} min"))
        if frame.command == Command.CONTROL and unit.type == SET_CLOCK and unit.objects:
            return self._set_clock(unit.objects[0], now)
        return Answer(Command.DENY, record=(REFUSED, f"command {frame.command} of type {unit.type}"))

    def _set_clock(self, wanted: Object, now: Moment) -> Answer:
        assert isinstance(wanted, DeviceTime)
        try:
            theirs = stamps.wall(wanted.stamp, self._about.offset_h)
        except ValueError:
            return Answer(Command.DENY, record=(CLOCK, f"no time: {wanted.stamp.hex(' ')}"))
        confirmed, told = self._clock.told(theirs, now.wall, now.clock)
        return Answer(Command.CONFIRM if confirmed else Command.DENY, record=(CLOCK, told))

    def _systems(self, unit: Unit) -> Iterator[int]:
        """Yield the systems asked for that we have; all of them where none is named."""
        mine = sorted({each.system for each in self._facility.components.values()} | {1})
        asked = [each for each in unit.objects if isinstance(each, OfSystem | OperationsOfSystem)]
        if not asked:
            yield from mine
        for each in asked:
            if each.system in mine and each.address == self._facility.address:
                yield each.system

    def _components(self, unit: Unit) -> Iterator[str]:
        """Yield the components asked for that we have; all of them where none is named."""
        if not unit.objects:
            yield from self._facility.components
        for each in unit.objects:
            assert isinstance(each, OfComponent)
            name = self._facility.name_at(each.place)
            if name is not None and each.address == self._facility.address:
                yield name

    def _system_states(self, unit: Unit, now: Moment) -> tuple[int, Iterable[Object]]:
        stamp, facility = self.stamper(now.wall, now.clock), self._facility
        return 1, (
            SystemState(system, facility.address, facility.system_word(system), stamp)
            for system in self._systems(unit)
        )

    def _component_states(self, unit: Unit, now: Moment) -> tuple[int, Iterable[Object]]:
        since = (now.wall, now.clock)
        facility = self._facility
        return 2, (facility.component_state(name, self.stamper, since) for name in self._components(unit))

    def _analogs(self, unit: Unit, _now: Moment) -> tuple[int, Iterable[Object]]:
        found = (
            self._facility.analog(event, self.stamper)
            for name in self._components(unit)
            for event in self._readings(name)
        )
        return 3, (each for each in found if each is not None)

    def _operations(self, unit: Unit, _now: Moment) -> tuple[int, Iterable[Object]]:
        (asked,) = unit.objects or (OperationsOfSystem(0, 0, 0, b""),)
        assert isinstance(asked, OperationsOfSystem)
        mine = (
            Operation(each.system, each.address, each.operation, each.operator, stamp)
            for stamp, each in self._records(asked.stamp)
            if isinstance(each, Operation) and each.system == asked.system
        )
        return 4, list(mine)[: asked.count]

    def _device_operations(self, unit: Unit, _now: Moment) -> tuple[int, Iterable[Object]]:
        (asked,) = unit.objects or (OperationsOfDevice(0, b""),)
        assert isinstance(asked, OperationsOfDevice)
        mine = (
            DeviceOperation(each.operation, each.operator, stamp)
            for stamp, each in self._records(asked.stamp)
            if isinstance(each, DeviceOperation)
        )
        return 24, list(mine)[: asked.count]

    def _records(self, since: bytes) -> Iterator[tuple[bytes, Object]]:
        try:
            start = stamps.wall(since, self._about.offset_h)
        except ValueError:
            return
        for wall, clock, each in self._facility.operations:
            if self._clock.wall(wall, clock) >= start:
                yield self.stamper(wall, clock), each

    def _system_versions(self, unit: Unit, _now: Moment) -> tuple[int, Iterable[Object]]:
        address, version = self._facility.address, self._about.version
        return 5, [SystemVersion(system, address, *version) for system in self._systems(unit)]

    def _systems_about(self, unit: Unit, _now: Moment) -> tuple[int, Iterable[Object]]:
        count = len(self._facility.components)
        words = text.fit(f"{self._about.title} {count} 个部件", 255)
        return 6, [SystemAbout(system, self._facility.address, words) for system in self._systems(unit)]

    def _components_about(self, unit: Unit, _now: Moment) -> tuple[int, Iterable[Object]]:
        known = (self._facility.components[name] for name in self._components(unit))
        address = self._facility.address
        return 7, (ComponentAbout(c.system, address, c.number, c.place, c.text) for c in known)

    def _system_times(self, unit: Unit, now: Moment) -> tuple[int, Iterable[Object]]:
        stamp = self.stamper(now.wall, now.clock)
        return 8, [SystemTime(system, self._facility.address, stamp) for system in self._systems(unit)]

    def _device_state(self, _unit: Unit, now: Moment) -> tuple[int, Iterable[Object]]:
        return 21, [DeviceState(self._facility.device_word(), self.stamper(now.wall, now.clock))]

    def _device_version(self, _unit: Unit, _now: Moment) -> tuple[int, Iterable[Object]]:
        return 25, [DeviceVersion(*self._about.version)]

    def _device_about(self, _unit: Unit, _now: Moment) -> tuple[int, Iterable[Object]]:
        return 26, [DeviceAbout(text.fit(self._about.title, 255))]

    def _device_time(self, _unit: Unit, now: Moment) -> tuple[int, Iterable[Object]]:
        return 28, [DeviceTime(self.stamper(now.wall, now.clock))]


_Question = Callable[[Answers, Unit, Moment], tuple[int, Iterable[Object]]]
_QUESTIONS: Final[Mapping[int, _Question]] = {
    61: Answers._system_states,
    62: Answers._component_states,
    63: Answers._analogs,
    64: Answers._operations,
    65: Answers._system_versions,
    66: Answers._systems_about,
    67: Answers._components_about,
    68: Answers._system_times,
    81: Answers._device_state,
    84: Answers._device_operations,
    85: Answers._device_version,
    86: Answers._device_about,
    88: Answers._device_time,
}
