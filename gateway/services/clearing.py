"""Latched inputs: a device keeps a short press until it is told to forget it, and it is told so last of all.

What a device holds is the only proof of a press until the alert is on the disk, or upstream while the disk is dead. So
it is cleared then and never before: whatever a power cut leaves, somebody has the press or the device still shows it.
Nor before the rule has found it: a press that is cleared after one reading of two would be none.
A device that does not take the order is told again and again, and an alert says that its button may not be heard
meanwhile. Only what was read as set is cleared, so that a press while nobody looked is not cleared unseen.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from drivers.api import Clearing, Done, DriverError, Quality
from gateway.core.alerts import is_active
from gateway.core.events import AlertBody, Body, CommandBody, Event, OutcomeBody, ReadingBody
from gateway.core.policy import PolicyError

log = logging.getLogger(__name__)

WITHIN_S: Final = 3.0
PAUSES_S: Final = (0.5, 1.0, 2.0, 5.0, 15.0)  # between tries; the last again and again
ORIGIN: Final = "latch"

Act = Callable[[str, str, Mapping[str, float], float], Awaitable[Done]]


@dataclass(frozen=True, slots=True)
class Latch:
    """A latched point and what clears it. `key` is that of the alert it raises."""

    key: str
    device: str
    point: str
    clearing: Clearing


@dataclass(slots=True)
class _Held:
    """How a latch stands: the last event of its alert, None if there is none; whether it is set, by all we know."""

    latch: Latch
    told: Event | None = None
    restored: bool = False  # its alert is on the disk from an earlier life
    is_set: bool = False
    task: asyncio.Task[None] | None = None

    @property
    def is_due(self) -> bool:
        return self.is_set and self.task is None and (self.told is not None or self.restored)


class Latches:
    """Clears latches. `act` has a device do something, `read_soon` has a point read again at once.

    `is_found` says whether what is read at present was found by the rule of an alert's key; it must follow the stream
    before us. `secured` returns when no power cut can take an event any more. `standing` are the alerts that an
    earlier life left open.
    """

    def __init__(
        self,
        latches: Iterable[Latch],
        *,
        act: Act,
        read_soon: Callable[[str, str], None],
        is_found: Callable[[str], bool],
        submit: Callable[[Body], object],
        secured: Callable[[Event], Awaitable[None]],
        new_id: Callable[[], str],
        now: Callable[[], float],
        standing: Iterable[AlertBody] = (),
    ) -> None:
        self._act, self._read_soon, self._is_found, self._submit = act, read_soon, is_found, submit
        self._secured, self._new_id, self._now = secured, new_id, now
        self._by_key = {latch.key: _Held(latch) for latch in latches}
        self._by_point: dict[tuple[str, str], list[_Held]] = {}
        for held in self._by_key.values():
            self._by_point.setdefault((held.latch.device, held.latch.point), []).append(held)
        self.points = frozenset(self._by_point)  # whose readings it has use for
        for body in standing:
            if body.key in self._by_key:
                self._by_key[body.key].restored = is_active(body.state)
        self._wake = asyncio.Event()

    def follow(self, event: Event) -> None:
        """Take one event of the stream."""
        body = event.body
        if isinstance(body, ReadingBody):
            if body.quality is not Quality.GOOD:
                return
            for held in self._by_point.get((body.device, body.point), ()):
                held.is_set = bool(body.value) and self._is_found(held.latch.key)
                if held.is_due:
                    self._wake.set()
        elif isinstance(body, AlertBody) and (mine := self._by_key.get(body.key)) is not None:
            mine.restored = False
            mine.told = event if is_active(body.state) else None
            if mine.is_due:
                self._wake.set()

    async def run(self) -> None:
        """Clear what is to be cleared until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                for held in self._by_key.values():
                    if held.is_due:
                        held.task = group.create_task(self._clear(held), name=f"latch {held.latch.key}")
                await self._wake.wait()

    async def _clear(self, held: _Held) -> None:
        """Clear one latch, once its alert is safe."""
        try:
            if held.told is not None:
                await self._secured(held.told)
            await self._insist(held)
        finally:
            held.task = None
            self._wake.set()

    async def _insist(self, held: _Held) -> None:
        """Give the order until it is carried out or nothing is set any more; told when it first fails and when done."""
        latch = held.latch
        command: CommandBody | None = None
        for turn in itertools.count():
            trouble = await self._try(latch)
            if trouble is None:
                held.is_set = False
                if command is not None:
                    self._outcome(command, "done", "the latch is cleared")
                self._read_soon(latch.device, latch.point)
                return
            if command is None:
                command = CommandBody(
                    self._new_id(),
                    latch.device,
                    latch.clearing.action,
                    dict(latch.clearing.arguments),
                    ORIGIN,
                )
                self._submit(command)
                self._outcome(command, "failed", f"{trouble}; until it is cleared no further press is seen")
            await asyncio.sleep(PAUSES_S[min(turn, len(PAUSES_S) - 1)])
            if not held.is_set:  # somebody cleared it by hand
                self._outcome(command, "done", "the latch was cleared by somebody else")
                return

    async def _try(self, latch: Latch) -> str | None:
        """Give the order once; return what went wrong."""
        clearing = latch.clearing
        try:
            await self._act(latch.device, clearing.action, clearing.arguments, self._now() + WITHIN_S)
        except (DriverError, PolicyError) as error:
            return str(error)
        except Exception as fault:  # a fault here must not leave every other latch uncleared
            log.exception("%s %s", latch.device, clearing.action)
            return f"a fault of the gateway: {type(fault).__name__}"
        return None

    def _outcome(self, command: CommandBody, result: Literal["done", "failed"], detail: str) -> None:
        self._submit(OutcomeBody(command.id, command.device, command.action, result, detail, command.origin))
