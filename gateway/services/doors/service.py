"""The doors: tells each what its parts say, moves its strike, and tells the stream how it stands.

Each door has a mover, a task that brings the strike to what the door's mode wants and keeps it there: after a
restart, when a board comes back from a power cut, when the strike's own word differs. A pulse (card, order, exit
button) goes to the device at once, timed by the device itself, so that a dead gateway leaves no door unlocked;
where the strike is energised already there is nothing to pulse, and a pulse would end in a locked door.
Nothing here waits for disk, network or clock.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from drivers.api import Action, Done, DriverError, Quality
from gateway.core.door_actions import actions_of
from gateway.core.doors import Door, DoorPlan, Mode, Standing
from gateway.core.events import (
    Body,
    Clock,
    CommandBody,
    DoorBody,
    Event,
    InterlockBody,
    LinkBody,
    OrderedBody,
    OutcomeBody,
    ReadingBody,
)
from gateway.core.places import within
from gateway.core.policy import PolicyError
from gateway.core.schedule import Schedule
from gateway.runtime.stream import Stamp
from gateway.services.doors.mover import Act, Mover
from gateway.services.doors.parts import Role, kinds_before, parts_of

log = logging.getLogger(__name__)

PULSE_WITHIN_S: Final = 3.0  # nobody waits longer before a door; later it must not open any more
LOOK_S: Final = 30.0  # the schedule is looked at no more seldom
_STANDING: Final = {"hold_open": Mode.HOLD_OPEN, "lock_down": Mode.LOCK_DOWN}


class Doors:
    """All doors of the gateway. `now` stamps, `act` and `read_soon` are the field's, `restore` what stood before."""

    def __init__(
        self,
        plans: Sequence[DoorPlan],
        schedules: Mapping[str, Schedule],
        *,
        act: Act,
        read_soon: Callable[[str, str], None],
        submit: Callable[[Body], object],
        new_id: Callable[[], str],
        now: Callable[[], Stamp],
        restore: Iterable[Event] = (),
    ) -> None:
        self._doors = {plan.name: Door(plan) for plan in plans}
        self._schedules = schedules
        self._read_soon, self._submit, self._new_id, self._now = read_soon, submit, new_id, now
        self._movers = {
            name: Mover(door, act, now=lambda: now().monotonic, moved=self._moved)
            for name, door in self._doors.items()
        }
        self._parts = parts_of(self._doors.values())
        self.points = frozenset(self._parts)  # whose readings it has use for
        self._told: dict[str, DoorBody] = {}
        self._engaged: dict[str, InterlockBody] = {}
        self._by: dict[tuple[str, str], str] = {}  # who gave the last order of each sort to a door
        self._pulses: asyncio.TaskGroup | None = None
        self._on_their_way: set[str] = set()  # doors whose pulse is not done yet
        self._wake = asyncio.Event()
        before = list(restore)
        for event in before:
            self._take_up(event)
        kinds = kinds_before(before)
        for door in self._doors.values():
            door.freed_by = self._freed_by(door)
            door.take_up(kinds.get(door.plan.name, ()))

    def __contains__(self, name: object) -> bool:
        return name in self._doors

    def actions(self, door: str) -> tuple[Action, ...]:
        """Return what a door can be told; KeyError if there is none of this name."""
        plan = self._doors[door].plan
        return actions_of(plan.unlock_s, plan.strike.longest_s)

    async def act(self, name: str, action: str, arguments: Mapping[str, float], deadline: float) -> Done:
        """Carry out an order to a door before `deadline`; PolicyError where its mode forbids it, DriverError."""
        door, mover, by = self._doors[name], self._movers[name], self._by.get((name, action), "")
        if action == "unlock":
            if door.mode is Mode.LOCK_DOWN:
                raise PolicyError(f"{name} is locked down", f"`command {name} normal` takes that back")
            seconds = arguments.get("seconds", door.plan.unlock_s)
            if not door.steady:
                door.allowed(seconds, self._now().monotonic, by)
                self._tell(door)
            done = await mover.pulse(seconds, deadline)
        elif action == "lock_down" and door.mode is Mode.FREE:
            raise PolicyError(f"{name} stands free: {door.freed_by}", "a fire is above a lock-down")
        else:
            stamp, seconds = self._now(), arguments.get("minutes", 0.0) * 60
            until, ends = (stamp.wall + seconds, stamp.monotonic + seconds) if seconds else (None, None)
            mode, sure = _STANDING.get(action), stamp.clock is Clock.SYNCED
            if mode is not Mode.HOLD_OPEN and not door.freed_by:
                door.cut_short(self._now().monotonic)
                mover.again()  # a pulse that still runs ends here, and the next one is another
                self._on_their_way.discard(name)
            self._order(door, None if mode is None else Standing(mode, by, until, ends, sure))
            done = await mover.reach(deadline)
        return Done(f"{done.detail}; the door is {door.state(self._now().monotonic)}", done.at)

    def grant(self, name: str, seconds: float, who: str) -> None:
        """Let somebody in: the strike moves at once, timed by its device; what fails is told as an outcome."""
        door = self._doors[name]
        if self._pulses is None:
            self._not_let_in(name, who, "nobody moves the strike just now")
            return
        if not door.steady:
            door.allowed(seconds, self._now().monotonic, who)
            self._tell(door)
        if name not in self._on_their_way:  # one card told a hundred times must not fill the line
            self._on_their_way.add(name)
            self._pulses.create_task(self._pulse(name, seconds, who), name=f"pulse {name}")

    def is_locked_down(self, name: str) -> bool:
        """Return whether nobody may get in by card."""
        return self._doors[name].mode is Mode.LOCK_DOWN

    def follow(self, event: Event) -> None:
        """Take one event of the stream."""
        body = event.body
        if isinstance(body, ReadingBody):
            for role in self._parts.get((body.device, body.point), ()):
                self._read(role, body)
                self._after(role.door, event.monotonic)
        elif isinstance(body, LinkBody) and body.what == "device":
            self._linked(body, event.monotonic)
        elif isinstance(body, InterlockBody):
            self._engaged[body.interlock] = body
            self._free()
        elif isinstance(body, CommandBody) and body.device in self._doors:
            self._by[body.device, body.action] = body.origin  # an order is told before it is carried out

    def statistics(self) -> list[dict[str, Any]]:
        """Return every door as it stands, for `doors` and the health document."""
        return [self._row(door) for door in self._doors.values()]

    def state(self, name: str) -> DoorBody:
        """Return one door as it stands; KeyError if there is none of this name."""
        return self._body(self._doors[name])

    async def run(self) -> None:
        """Move strikes and watch the time until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._pulses = group
            try:
                for name, mover in self._movers.items():
                    group.create_task(mover.run(), name=f"door {name}")
                while True:
                    self.tick()
                    self._wake.clear()  # what the tick itself changed is in the next due time
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout_at(self._next_due()):
                            await self._wake.wait()
            finally:
                self._pulses = None

    def tick(self) -> None:
        """Do what is due: schedules, orders that end, doors held too long."""
        stamp = self._now()
        for door in self._doors.values():
            trusted, schedule = stamp.clock is Clock.SYNCED, self._schedules.get(door.plan.schedule)
            if (before := door.standing) is not None:
                standing = before.at(stamp.wall, stamp.monotonic, trusted=trusted)
                if standing is None or (standing.until, standing.sure) != (before.until, before.sure):
                    self._order(door, standing)
                door.standing = standing
            door.scheduled = schedule is not None and trusted and schedule.holds(stamp.wall)
            self._after(door, stamp.monotonic)

    def _next_due(self) -> float:
        stamp = self._now()
        due = [stamp.monotonic + LOOK_S]
        for door in self._doors.values():
            if (own := door.next_due(stamp.monotonic)) is not None:
                due.append(own)
            if door.standing is not None and door.standing.ends is not None:
                due.append(door.standing.ends)
            if (schedule := self._schedules.get(door.plan.schedule)) is not None:
                due.append(stamp.monotonic + schedule.changes_after(stamp.wall) - stamp.wall)
        return min(due)

    def _read(self, role: Role, body: ReadingBody) -> None:
        """Take a reading of a part; a value that is not good is not known, and of a button or tamper no news."""
        door, part = role.door, (body.device, body.point)
        value = bool(body.value) if body.quality is Quality.GOOD and body.value is not None else None
        match role.role:
            case "contact":
                if door.contact(value, body.at):
                    self._read_soon(*part)
            case "strike":
                if door.strike(value, body.at):
                    self._movers[door.plan.name].again()
                elif value is door.steady:
                    self._movers[door.plan.name].confirmed()
            case "exit":
                if value:
                    self._pressed(door, body.at)
                door.pressed = bool(value)
            case "tamper" if value is not None:
                door.tamper(part, value)

    def _pressed(self, door: Door, at: float) -> None:
        """The way out is free, whatever the mode; the button may be no more than an input of ours."""
        if not door.pressed and not door.steady:
            self.grant(door.plan.name, door.plan.unlock_s, "exit button")
        door.exit(at)

    def _linked(self, body: LinkBody, now: float) -> None:
        for door in self._doors.values():
            plan = door.plan
            if not body.up:
                if plan.contact is not None and plan.contact[0] == body.name:
                    door.contact(None, now)
                if plan.strike.device == body.name:
                    door.strike(None, now)
            elif plan.strike.device == body.name:
                self._movers[plan.name].again()
            self._after(door, now)

    def _take_up(self, event: Event) -> None:
        """Take up what stood when the last run ended."""
        body = event.body
        if isinstance(body, InterlockBody):
            self._engaged[body.interlock] = body
        elif isinstance(body, OrderedBody) and body.door in self._doors:
            sure, now = event.clock is Clock.SYNCED, self._now().monotonic
            self._doors[body.door].standing = Standing.left(body, event.time, sure=sure, now=now)

    def _order(self, door: Door, standing: Standing | None) -> None:
        if standing is None and door.standing is None:
            return
        by = (standing or door.standing or Standing(Mode.NORMAL, "")).by
        door.standing = standing
        self._submit(
            OrderedBody(
                door.plan.name,
                "" if standing is None else standing.mode,
                by,
                None if standing is None else standing.until,
            )
        )
        self._after(door, self._now().monotonic)

    def _free(self) -> None:
        """Free the doors within reach of an interlock that is engaged, and no others."""
        for door in self._doors.values():
            door.freed_by = self._freed_by(door)
            self._after(door, self._now().monotonic)

    def _freed_by(self, door: Door) -> str:
        holding = [
            body.interlock
            for body in self._engaged.values()
            if body.engaged and body.frees and any(within(door.plan.place, at) for at in body.places)
        ]
        return ", ".join(sorted(holding))

    async def _pulse(self, name: str, seconds: float, who: str) -> None:
        try:
            await self._movers[name].pulse(seconds, self._now().monotonic + PULSE_WITHIN_S)
        except DriverError as error:
            self._not_let_in(name, who, str(error))
        finally:
            self._on_their_way.discard(name)

    def _not_let_in(self, name: str, who: str, why: str) -> None:
        log.warning("%s: %s could not be let in: %s", name, who, why)
        self._submit(OutcomeBody(self._new_id(), name, "unlock", "failed", why, who))

    def _moved(self, door: Door) -> None:
        """The strike did as it was told, or does not."""
        self._after(door, self._now().monotonic)

    def _after(self, door: Door, now: float) -> None:
        """See what a change means: for the strike, for the alerts, for those who look."""
        mover = self._movers[door.plan.name]
        if mover.wanted is not door.steady:
            mover.wanted = door.steady
            door.steadied(now)
            mover.wake()
        door.tick(now)
        self._tell(door)
        self._wake.set()

    def _tell(self, door: Door) -> None:
        body = self._body(door)
        if self._told.get(door.plan.name) != body:
            self._told[door.plan.name] = body
            self._submit(body)

    def _body(self, door: Door) -> DoorBody:
        mode = door.mode
        standing = door.standing.by if door.standing is not None else ""
        why = {Mode.FREE: door.freed_by, Mode.UNLOCKED: door.plan.schedule, Mode.NORMAL: door.why}
        return DoorBody(
            door.plan.name, door.state(self._now().monotonic), mode, why.get(mode, standing), door.kinds
        )

    def _row(self, door: Door) -> dict[str, Any]:
        plan, body, standing = door.plan, self._body(door), door.standing
        return {
            "door": plan.name,
            "label": plan.label,
            "place": plan.place,
            "state": body.state,
            "mode": body.mode,
            "why": body.why,
            "kinds": body.kinds,
            "fail": plan.fail,
            "until": None if standing is None else standing.until,
            "strike": plan.strike.device,
            "readers": plan.readers,
        }
