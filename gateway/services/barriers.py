"""The barriers: carry out what people order, forbid what would hurt, open for the engines and keep it so.

An order to close asks the loop first: the reading that lets it close is younger than the order. Whatever the barrier
must do by itself - open in a fire, open again before a car - it is told again and again until it is done, and a board
that does not answer is an alert of its own.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from drivers.api import Action, Done, DriverError, Quality
from gateway.core.barriers import CLOSE, OPEN, Barrier, BarrierPlan
from gateway.core.events import Body, Event, InterlockBody, LinkBody, ReadingBody
from gateway.core.policy import PolicyError

log = logging.getLogger(__name__)

Act = Callable[[str, str, Mapping[str, float], float], Awaitable[Done]]

LOOK_WITHIN_S: Final = 2.0  # so long the loop may take to answer
WITHIN_S: Final = 3.0
PAUSE_S: Final = 1.0


class Barriers:
    """All barriers. `act` and `read_soon` are the field's, `now` is monotonic, `restore` what stood before."""

    def __init__(
        self,
        plans: Sequence[BarrierPlan],
        *,
        act: Act,
        read_soon: Callable[[str, str], None],
        submit: Callable[[Body], object],
        now: Callable[[], float],
        restore: Iterable[Event] = (),
    ) -> None:
        self._barriers = {plan.name: Barrier(plan) for plan in plans}
        self._act, self._read_soon, self._submit, self._now = act, read_soon, submit, now
        self._parts: dict[tuple[str, str], list[Barrier]] = {}
        for barrier in self._barriers.values():
            for part in (barrier.plan.opened, barrier.plan.closed, barrier.plan.loop):
                if part is not None:
                    self._parts.setdefault(part, []).append(barrier)
        self.points = frozenset(self._parts)  # whose readings it has use for
        self._freed_at = dict.fromkeys(self._barriers, float("-inf"))
        self._told: dict[tuple[str, str], bool] = {}
        self._wake, self._looked = asyncio.Event(), asyncio.Event()
        self._engaged = {e.body.interlock: e.body for e in restore if isinstance(e.body, InterlockBody)}
        self._free()

    def actions(self, name: str) -> tuple[Action, ...]:
        """Return what a barrier can be told; KeyError if there is none of this name."""
        return self._barriers[name].plan.actions

    async def act(self, name: str, action: str, arguments: Mapping[str, float], deadline: float) -> Done:
        """Move a barrier before `deadline`; PolicyError where that may not be, DriverError."""
        del arguments
        barrier, asked_at = self._barriers[name], self._now()
        if action == CLOSE.name:
            await self._look(barrier, asked_at, min(deadline, asked_at + LOOK_WITHIN_S))
        if reason := barrier.why_not(action, asked_at):
            raise PolicyError(f"{name} does not close: {reason}", "`assets` shows its loop and its limits")
        done = await self._pulse(barrier, action, deadline)
        return Done(f"the board was told to {action}", done.at)

    def follow(self, event: Event) -> None:
        """Take one event of the stream."""
        body = event.body
        if isinstance(body, ReadingBody):
            part = (body.device, body.point)
            for barrier in self._parts.get(part, ()):
                good = body.quality is Quality.GOOD and body.value is not None
                barrier.read(part, bool(body.value) if good else None, body.at)
                self._wake.set()
                self._looked.set()
        elif isinstance(body, InterlockBody):
            self._engaged[body.interlock] = body
            self._free()
        elif isinstance(body, LinkBody) and body.what == "device" and body.up:
            self._wake.set()

    async def run(self) -> None:
        """Do what barriers must by themselves, until cancelled."""
        async with asyncio.TaskGroup() as group:
            opening: dict[str, asyncio.Task[None]] = {}  # a silent board keeps no other barrier waiting
            while True:
                self._wake.clear()
                for name, barrier in self._barriers.items():
                    busy = name in opening and not opening[name].done()
                    if not busy and barrier.must_open(self._now()):
                        opening[name] = group.create_task(self._open(barrier), name=f"open {name}")
                pause_s = self._judge()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._wake.wait()

    def _judge(self) -> float | None:
        """Tell what is wrong; return the seconds until something may change by itself."""
        now, due = self._now(), []
        for name, barrier in self._barriers.items():
            self._tell(name, "stuck", barrier.stuck(now))
            self._tell(name, "not_open", barrier.not_open(now, self._freed_at[name]))
            if (at := barrier.next_due(now, self._freed_at[name])) is not None:
                due.append(at - now)
            if barrier.must_open(now):
                due.append(PAUSE_S)
        return min(due) + 0.01 if due else None

    def _tell(self, name: str, point: str, value: bool | None) -> None:
        if value is not None and self._told.get((name, point)) is not value:
            self._told[name, point] = value
            self._submit(ReadingBody(name, point, value, Quality.GOOD, self._now()))

    def _free(self) -> None:
        """See which barriers a fire holds open now."""
        for name, barrier in self._barriers.items():
            holding = [each.interlock for each in self._engaged.values() if barrier.plan.is_freed_by(each)]
            if holding and not barrier.freed_by:
                self._freed_at[name] = self._now()
                log.warning("%s opens for %s", name, ", ".join(holding))
            barrier.freed_by = ", ".join(sorted(holding))
        self._wake.set()

    async def _look(self, barrier: Barrier, asked_at: float, until: float) -> None:
        """Have the loop read, and wait for what it says."""
        if barrier.plan.loop is None:
            return
        self._read_soon(*barrier.plan.loop)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(until - self._now()):
                while barrier.car_at < asked_at:
                    self._looked.clear()
                    await self._looked.wait()

    async def _open(self, barrier: Barrier) -> None:
        """Tell a barrier to open, as it must; what fails is tried again."""
        try:
            await self._pulse(barrier, OPEN.name, self._now() + WITHIN_S)
        except DriverError as error:
            log.warning("%s: %s", barrier.plan.name, error)
        except Exception:  # a fault at one barrier must not keep the others from opening before a car
            log.exception("%s", barrier.plan.name)

    async def _pulse(self, barrier: Barrier, action: str, deadline: float) -> Done:
        output = barrier.plan.outputs[action]
        seconds, told_at = {"seconds": barrier.plan.pulse_s}, self._now()
        if action == CLOSE.name:  # from here on a car that comes turns it round
            barrier.told(action, told_at)
        try:
            done = await self._act(output.device, output.unlock, {**output.extra, **seconds}, deadline)
        finally:
            if action == CLOSE.name:
                barrier.ended(told_at)
                self._wake.set()
        if action != CLOSE.name:
            barrier.told(action, self._now())
        self._wake.set()
        return done
