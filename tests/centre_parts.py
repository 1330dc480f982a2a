"""Pieces for tests of the fire centre: a compound of detectors, a journal in memory, a centre on a real socket."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from drivers.api import Quality
from drivers.gb26875.text import fill
from drivers.gb26875.units import ComponentState, place_of
from drivers.sim.centre import SimCentre
from gateway.core import kinds
from gateway.core.alerts import State
from gateway.core.events import (
    AlertBody,
    Body,
    Certainty,
    Change,
    Clock,
    Event,
    NoteBody,
    Place,
    ReadingBody,
    Severity,
    Words,
)
from gateway.runtime.journal.rows import Position
from gateway.services.centre.answers import About, Answers, Moment
from gateway.services.centre.clock import CentreClock
from gateway.services.centre.exchange import Ends, Patience
from gateway.services.centre.facility import Component, Facility
from gateway.services.centre.mapping import Mapped, mapped
from gateway.services.centre.parts import House, Names
from gateway.services.centre.service import Centre
from tests.uplink_parts import MORNING, MemoryJournal

DEVICE, CENTRE = 889, 88888
DETECTORS = 40
NAMES = Names("district")


def mapping(own: str = "") -> Mapped:
    """Return the mapping of this release with `own` over it."""
    found, faults = mapped(kinds.built_in(), own)
    assert found is not None, faults
    return found


def components(count: int = DETECTORS) -> dict[str, Component]:
    """Return `count` smoke detectors of building 2, unit 1; detector n is number n there."""
    return {
        f"smoke-{n}": Component(1, 42, place_of(201, n), fill(f"2 栋 1 单元 {n} 楼", 31))
        for n in range(count)
    }


def alert(
    number: int,
    *,
    kind: str = "fire.smoke",
    change: Change = Change.RAISED,
    state: State = State.ACTIVE_UNACKED,
    device: str | None = None,
    life: int | None = None,
    latch: bool = False,
) -> AlertBody:
    """Return one step of the life of an alert of detector `number`; `life` where it is not the first."""
    name = f"smoke-{number}" if device is None else device
    return AlertBody(
        alert=f"0193a5f2-0000-7000-8000-{(life or number):012x}{kind[-1]}",
        key=f"{name}/{kind}",
        change=change,
        state=state,
        kind=kind,
        severity=Severity.CRITICAL,
        certainty=Certainty.OBSERVED,
        text=Words("2 栋 烟感报警", "Smoke alarm, building 2"),
        place=Place(building="2", unit="1", floor=str(number)),
        first_seen=MORNING,
        clock=Clock.SYNCED,
        device=name or None,
        devices=(name,) if name else (),
        latch=latch,
    )


def cleared(number: int, *, kind: str = "fire.smoke") -> AlertBody:
    """Return the end of it."""
    return alert(number, kind=kind, change=Change.CLEARED, state=State.OVER)


def temperature(number: int, value: float = 21.5) -> ReadingBody:
    """Return a reading of detector `number`."""
    return ReadingBody(f"smoke-{number}", "temperature", value, Quality.GOOD, 1.0, "°C")


@dataclass
class Site:
    """A journal with a compound that follows it; a killed gateway is a new `Centre` on the same site."""

    journal: MemoryJournal = field(default_factory=MemoryJournal)
    now: Moment = field(default_factory=lambda: Moment(MORNING, Clock.SYNCED))
    take_clock: bool = False
    own: str = ""
    told: list[Event] = field(default_factory=list)
    facility: Facility = field(init=False)
    answers: Answers = field(init=False)
    readings: dict[str, list[Event]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin anew, as after a restart, with what was told before."""
        self.facility = Facility(mapping(self.own), components(), address=1, operator=7, standing=self.told)
        about = About("红星亭坡 1 号院 compound-gateway 0.1.0", (0, 1), 8.0)
        clock = CentreClock(self.take_clock)
        self.answers = Answers(self.facility, about, clock, lambda device: self.readings.get(device, []))

    def submit(self, body: Body) -> Event:
        """Put something into the stream."""
        event = self.journal.submit(body)
        self.facility.follow(event)
        self.told.append(event)
        if isinstance(body, ReadingBody):
            self.readings[body.device] = [event]
        return event

    def submit_all(self, bodies: Iterable[Body]) -> list[Event]:
        return [self.submit(body) for body in bodies]

    def notes(self) -> list[NoteBody]:
        return [event.body for event in self.told if isinstance(event.body, NoteBody)]

    def house(self, **changes: Any) -> House:
        wanted: dict[str, Any] = {
            "names": NAMES,
            "ends": Ends(DEVICE, CENTRE),
            "patience": Patience(),
            "journal": self.journal,
            "facility": self.facility,
            "answers": self.answers,
            "submit": self.submit,
            "now": lambda: self.now,
            "probe": lambda _point: None,
            "heartbeat_s": 30.0,
            "analog": True,
        }
        return House(**(wanted | changes))

    @property
    def cursor(self) -> Position:
        return self.journal.cursor(NAMES.urgent)

    @property
    def drained(self) -> bool:
        """Return whether everything is confirmed."""
        sinks = zip((NAMES.urgent, NAMES.readings), self.journal.events, strict=True)
        return not any(self.journal.depth(sink, lane) for sink, lane in sinks)


@asynccontextmanager
async def reporting(site: Site, *centres: SimCentre, **changes: Any) -> AsyncIterator[Centre]:
    """Report to these centres, in this order, while the block lasts."""
    was_down = changes.pop("was_down", False)
    addresses = tuple((centre.host, centre.port) for centre in centres)
    centre = Centre(site.house(**changes), addresses, epoch=1, was_down=was_down, chance=lambda: 1.0)
    task = asyncio.create_task(centre.run(), name="centre")
    try:
        yield centre
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()


def fires(centre: SimCentre) -> list[int]:
    """Return the numbers of the detectors whose fire was taken, in order, each as often as it was told."""
    states = (each for each in centre.objects(ComponentState) if isinstance(each, ComponentState))
    return [each.place >> 16 for each in states if each.state & 2]


async def until(condition: Callable[[], object], *, within_s: float = 600.0) -> None:
    """Wait on the loop until something is so."""
    async with asyncio.timeout(within_s):
        for _ in itertools.count():
            if condition():
                return
            await asyncio.sleep(0.05)
