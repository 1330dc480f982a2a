"""The compound as a fire centre sees it: components with states, and what each row of the journal says of them. Pure.

How it works: the stream tells which alerts stand, and so what state each component is in *now*. A row of the journal
becomes objects of the standard; a component state made of an old row has the bits that row is about and all that stand
now, so that a row which waited while a fire overtook it never takes that fire back at the centre.

A state word has bit 0 set unless the component is in test: the standard reads 0 as a test, and a centre may drop those.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from drivers.api import Quality
from drivers.gb26875.units import (
    Analog,
    ComponentState,
    DeviceOperation,
    DeviceState,
    Object,
    Operation,
    SystemState,
)
from gateway.core.alerts import State
from gateway.core.events import AlertBody, Change, Clock, Event, ReadingBody
from gateway.runtime.journal.rows import Position
from gateway.services.centre.mapping import NORMAL, Mapped, Told, Word

SYSTEM_STATES, COMPONENT_STATES, ANALOGS, OPERATIONS = 1, 2, 3, 4
DEVICE_STATE, DEVICE_OPERATIONS = 21, 24
KEPT_OPERATIONS: Final = 128
_NO_WORD: Final = Word()
_ON: Final = frozenset(
    {
        State.ACTIVE_UNACKED,
        State.ACTIVE_ACKED,
        State.ACTIVE_RESET,
        State.LATCHED_UNACKED,
        State.LATCHED_ACKED,
        State.SHELVED_ACTIVE,
    }
)

Saying: TypeAlias = tuple[int, Object]
"""One object and the type of the unit it goes in."""
Stamper: TypeAlias = Callable[[float, Clock], bytes]
"""Wall seconds and how far they can be trusted, to the six bytes of a centre's time."""


@dataclass(frozen=True, slots=True)
class Component:
    """One device as a centre knows it. `place` is its address there, `text` its 31 bytes of GB 18030."""

    system: int
    number: int
    place: int
    text: bytes


@dataclass(frozen=True, slots=True)
class _Standing:
    """What one alert sets while it stands, by which row, and since when it does so."""

    row: Position
    devices: tuple[str, ...]
    told: Told
    state: Word
    since: tuple[float, Clock]


class Facility:
    """The fold of the stream. `address` is the number of our systems; `standing` are events told before, in order."""

    def __init__(
        self,
        mapped: Mapped,
        components: Mapping[str, Component],
        *,
        address: int,
        operator: int = 0,
        standing: Iterable[Event] = (),
    ) -> None:
        self.mapped, self.components, self.address = mapped, components, address
        self._operator = operator
        self._by_place = {each.place: name for name, each in components.items()}
        self._standing: dict[str, _Standing] = {}
        self._of: dict[str, dict[str, _Standing]] = {}  # the same by device
        self.operations: deque[tuple[float, Clock, Object]] = deque(maxlen=KEPT_OPERATIONS)
        for event in standing:
            self.follow(event)

    def follow(self, event: Event) -> None:
        """Take in one event of the stream that is no reading."""
        body = event.body
        if not isinstance(body, AlertBody) or (told := self.mapped.kinds.get(body.kind)) is None:
            return
        for each in self._operated(body, told, b""):
            self.operations.append((event.time, event.clock, each[1]))
        before = self._standing.pop(body.alert, None)
        for device in () if before is None else before.devices:
            del self._of[device][body.alert]
        if body.state in _ON:
            since = (event.time, event.clock)
            row = (event.epoch, event.seq)
            stands = _Standing(row, self._devices(body), told, self._own(body, told), since)
            self._standing[body.alert] = stands
            for device in stands.devices:
                self._of.setdefault(device, {})[body.alert] = stands

    def says(self, event: Event, stamper: Stamper) -> list[Saying]:
        """Return what a row of the urgent lane tells a centre; nothing for most."""
        body = event.body
        if not isinstance(body, AlertBody) or (told := self.mapped.kinds.get(body.kind)) is None:
            return []
        stamp = stamper(event.time, event.clock)
        news = body.change in {Change.RAISED, Change.CLEARED} or (
            body.change is Change.UPDATED and body.state in {State.ACTIVE_UNACKED, State.SHELVED_ACTIVE}
        )
        said: list[Saying] = list(self._states(body, told, stamp)) if news else []
        return said + list(self._operated(body, told, stamp))

    @property
    def burns(self) -> bool:
        """Return whether a fire stands anywhere."""
        words = ((each.state.bits | each.told.system.bits) for each in self._standing.values())
        return any(word & self.mapped.fire for word in words)

    def burns_at(self, place: int) -> bool:
        """Return whether a fire stands at a place."""
        name = self.name_at(place)
        return name is not None and bool(self.word(name) & self.mapped.fire)

    def is_fire(self, event: Event) -> bool:
        """Return whether a row tells of a fire that has broken out: it overtakes everything."""
        body = event.body
        if not isinstance(body, AlertBody) or body.state != State.ACTIVE_UNACKED:
            return False
        told = self.mapped.kinds.get(body.kind)
        fire = told is not None and (told.state.bits | told.system.bits) & self.mapped.fire
        return bool(fire) and body.change in {Change.RAISED, Change.UPDATED}

    def analog(self, event: Event, stamper: Stamper) -> Analog | None:
        """Return a reading as an analog value; None where it is none for a centre, or has no number there."""
        body = event.body
        if not isinstance(body, ReadingBody) or body.quality is not Quality.GOOD or body.unit is None:
            return None
        component, measured = self.components.get(body.device), self.mapped.units.get(body.unit)
        if component is None or measured is None or body.value is None or isinstance(body.value, bool):
            return None
        value = measured.told(float(body.value))
        if value is None:
            return None
        where = (component.system, self.address, component.number, component.place)
        return Analog(*where, measured.number, value, stamper(event.time, event.clock))

    def picture(self, stamper: Stamper, until: Position, *, all_fires: bool) -> Iterator[Saying]:
        """Yield what stands, fires first: what a centre is told when it is back, for it may have forgotten.

        Of the rows past `until` nothing, for they are told anyway; but with `all_fires` every fire, for they wait long.
        """
        by_device: dict[str, tuple[float, Clock]] = {}
        for each in self._standing.values():
            wanted = each.row <= until or (all_fires and each.state.bits & self.mapped.fire)
            for device in each.devices if each.state and wanted else ():
                by_device[device] = each.since
        words = {device: self.word(device) for device in by_device}
        for device in sorted(by_device, key=lambda device: not words[device] & self.mapped.fire):
            stamp = stamper(*by_device[device])
            yield COMPONENT_STATES, self._component_state(device, words[device], stamp)

    def name_at(self, place: int) -> str | None:
        """Return the device with an address at the centre; None where there is none."""
        return self._by_place.get(place)

    def fresh(self, each: Object) -> Object:
        """Return an object as it may be told now: where a fire stands meanwhile it says so.

        A packet made or sent before the fire may reach the centre behind it, and must not put it out there.
        """
        if isinstance(each, ComponentState):
            name = self.name_at(each.place)
            burns = 0 if name is None else self.word(name) & self.mapped.fire
        elif isinstance(each, SystemState):
            burns = self.system_word(each.system) & self.mapped.fire
        elif isinstance(each, DeviceState):
            burns = self.device_word() & self.mapped.fire
        else:
            return each
        return replace(each, state=each.state | burns) if burns else each

    def amended(self, each: Object, stamper: Stamper, now: tuple[float, Clock]) -> Saying | None:
        """Return what is so now where an object tells of something that is over; None where it does not."""
        if isinstance(each, ComponentState) and (name := self.name_at(each.place)) is not None:
            if each.state & ~self.word(name) & ~NORMAL:
                return COMPONENT_STATES, self.component_state(name, stamper, now)
        elif isinstance(each, SystemState):
            word = self.system_word(each.system)
            if each.state & ~word & ~NORMAL:
                return SYSTEM_STATES, replace(each, state=word, stamp=stamper(*now))
        elif isinstance(each, DeviceState) and each.state & ~self.device_word() & ~NORMAL:
            return DEVICE_STATE, DeviceState(self.device_word(), stamper(*now))
        return None

    def component_state(self, device: str, stamper: Stamper, now: tuple[float, Clock]) -> ComponentState:
        """Return the state a component is in, since when it has been so; since `now` if it is normal."""
        since = [each.since for each in self._of.get(device, {}).values() if each.state]
        return self._component_state(device, self.word(device), stamper(*(since[-1] if since else now)))

    def word(self, device: str, own: Word = _NO_WORD) -> int:
        """Return the state of a component: what stands now, and `own` beside it."""
        return _joined([*(each.state for each in self._of.get(device, {}).values()), own])

    def system_word(self, system: int, own: Word = _NO_WORD) -> int:
        """Return the state of a system: what stands of it, and what its components are in."""
        words = [each.told.system for each in self._standing.values() if each.told.of == system]
        mine = {name for name, each in self.components.items() if each.system == system}
        of_parts = 0
        for each in self._standing.values():
            of_parts |= each.state.bits if mine.intersection(each.devices) else 0
        return _joined([*words, own, Word(of_parts & 0xFE)])

    def device_word(self, own: Word = _NO_WORD) -> int:
        """Return the state of the gateway as transmission device; fire and fault as soon as a component has one."""
        words = [each.told.device for each in self._standing.values()]
        parts = 0
        for each in self._standing.values():
            parts |= (each.state.bits | each.told.system.bits) & 0b110
        return _joined([*words, own, Word(parts)]) & 0xFF

    def _component_state(self, device: str, word: int, stamp: bytes) -> ComponentState:
        each = self.components[device]
        return ComponentState(each.system, self.address, each.number, each.place, word, each.text, stamp)

    def _states(self, body: AlertBody, told: Told, stamp: bytes) -> Iterator[Saying]:
        own = self._own(body, told) if body.state in _ON else _NO_WORD
        if told.state:
            for device in self._devices(body):
                yield COMPONENT_STATES, self._component_state(device, self.word(device, own), stamp)
        raised = body.state in _ON
        if told.system:
            word = self.system_word(told.of, told.system if raised else _NO_WORD)
            yield SYSTEM_STATES, SystemState(told.of, self.address, word, stamp)
        if told.device:
            yield DEVICE_STATE, DeviceState(self.device_word(told.device if raised else _NO_WORD), stamp)

    def _operated(self, body: AlertBody, told: Told, stamp: bytes) -> Iterator[Saying]:
        seen = body.change is Change.ACKNOWLEDGED and body.state != State.ACTIVE_RESET
        was_reset = body.latch and body.change is Change.CLEARED and body.state == State.OVER
        bits = (told.acknowledged if seen else 0) | (told.reset if was_reset else 0)
        devices = self._devices(body)
        if bits and devices:
            system = self.components[devices[0]].system
            yield OPERATIONS, Operation(system, self.address, bits, self._operator, stamp)
        if told.answered and body.change is Change.ACKNOWLEDGED:
            yield DEVICE_OPERATIONS, DeviceOperation(told.answered, self._operator, stamp)

    def _own(self, body: AlertBody, told: Told) -> Word:
        shelved = body.state == State.SHELVED_ACTIVE and told.state
        return Word(self.mapped.shelved) if shelved else told.state

    def _devices(self, body: AlertBody) -> tuple[str, ...]:
        named = (body.device,) if body.device is not None else body.devices
        return tuple(name for name in named if name in self.components)


def _joined(words: Iterable[Word]) -> int:
    bits, test = 0, False
    for each in words:
        bits |= each.bits
        test = test or each.test
    return bits if test else bits | NORMAL
