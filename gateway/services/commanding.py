"""Carry out orders: written down first, sent before their deadline or never, the outcome written down too.

A local order does not wait for the disk: the stream has it before the relay moves, and a stalled SD card must not
keep a person at a door. An order from afar comes with a ticket, and does wait: it moves nothing before it is on
the disk, and nothing at all when that takes until its deadline, or when a door was told meanwhile how to stand: who
locks a door down is not undone by somebody who spoke before. `baseline` is the one action every tilting thing has
without the device knowing: it takes the present angles as rest.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Literal, Protocol

from drivers.api import Action, Done, DriverError, LateError
from gateway.core import outcomes
from gateway.core.door_actions import STANDING
from gateway.core.events import BaselineBody, Body, CommandBody, Event, OutcomeBody
from gateway.core.policy import PolicyError, Ticket, choose_action, complete_arguments
from gateway.core.standing import unanswered

log = logging.getLogger(__name__)

DEADLINE_S = 5.0

Result = Literal["done", "refused", "failed", "late", "unknown"]
Act = Callable[[str, str, Mapping[str, float], float], Awaitable[Done]]
Work = Callable[[float], Awaitable[Done]]
"""Does what an order says, before a monotonic time or not at all; raises DriverError, PolicyError."""


class Devices(Protocol):
    """Who knows what a device can do."""

    def actions(self, device: str) -> tuple[Action, ...]:
        """Return all actions of a device; KeyError if there is no such device."""


class Record(Protocol):
    """Where orders are on record: the journal."""

    @property
    def failing(self) -> bool:
        """Return whether nothing can be written just now."""

    async def committed(self, event: Event) -> None:
        """Return when an event is on the disk."""


class Commanding:
    """Takes orders.

    `angles` gives the present good values of a device's points that have a baseline; `reset` releases what
    latched at a device, PolicyError if nothing did. Without a `record` no order from afar is carried out.
    """

    def __init__(
        self,
        devices: Devices,
        act: Act,
        *,
        submit: Callable[[Body], Event],
        new_id: Callable[[], str],
        angles: Callable[[str], Mapping[str, float]],
        reset: Callable[[str, str], None],
        record: Record | None = None,
        clock: Callable[[], float] = time.monotonic,
        probe: Callable[[str], None] = lambda _point: None,
    ) -> None:
        self._devices, self._act, self._submit = devices, act, submit
        self._new_id, self._angles, self._reset, self._clock = new_id, angles, reset, clock
        self._record, self._probe = record, probe
        self._standing: dict[str, CommandBody] = {}  # by door: the last order how it is to stand

    async def execute(
        self,
        device: str,
        action: str,
        arguments: Mapping[str, float],
        origin: str,
        ticket: Ticket | None = None,
    ) -> OutcomeBody:
        """Carry out one order and return what came of it; PolicyError when it makes no sense at all."""
        try:
            known = self._devices.actions(device)
        except KeyError:
            if action != "reset":  # what latched at a device that is gone must be released all the same
                hint = "`status` lists the devices, `doors` the doors and interlocks"
                raise PolicyError(f"there is no device {device!r}", hint) from None
            known = ()
        name = self._new_id() if ticket is None else ticket.id
        if action == "baseline":
            return await self._baseline(name, device, origin, ticket)
        chosen = self._choose(device, action, known)
        if chosen is None:
            return await self._release(CommandBody(name, device, action, {}, origin), ticket)
        command = CommandBody(name, device, action, complete_arguments(chosen, arguments), origin)

        async def work(deadline: float) -> Done:
            if action == "reset":
                with contextlib.suppress(PolicyError):  # the device may want it where no alert of ours does
                    self._reset(device, origin)
            return await self._act(device, action, command.arguments, deadline)

        return await self.perform(command, work, ticket, grants=chosen.grants)

    async def perform(
        self, command: CommandBody, work: Work, ticket: Ticket | None = None, *, grants: bool = False
    ) -> OutcomeBody:
        """Write an order down, do it, write down what came of it."""
        deadline = self._clock() + DEADLINE_S if ticket is None else ticket.deadline
        if ticket is not None and (self._record is None or self._record.failing):
            hint = "an order from afar is carried out only when it is on record"
            raise PolicyError("the journal cannot be written just now", hint)
        event = self._submit(command)
        if command.action in STANDING:
            self._standing[command.device] = command
        if ticket is not None and not await self._is_on_record(event, deadline):
            return self._outcome(
                command, "late", "it was not on record before its deadline; nothing was done"
            )
        self._probe("commanding.before_act")
        try:
            self._must_be_the_last(command)
            done = await work(deadline)
        except LateError as error:
            return self._outcome(command, "late", str(error))
        except PolicyError as error:  # only whoever acts could know
            return self._outcome(command, "refused", str(error))
        except DriverError as error:
            return self._outcome(command, "failed", str(error))
        self._probe("commanding.after_act")
        return self._outcome(command, "done", done.detail, grants=grants)

    def _must_be_the_last(self, command: CommandBody) -> None:
        """Raise PolicyError for an order how a door is to stand that was overtaken while it waited for the disk."""
        last = self._standing.get(command.device, command)
        if command.action in STANDING and last is not command:
            raise PolicyError(f"{last.origin} gave {last.action} after it", "the later order stands")

    def settle(self, restored: Iterable[Event]) -> None:
        """Say of every order that an earlier life left without an outcome that nobody knows it."""
        for command in unanswered(restored):
            self._outcome(command, "unknown", "the gateway stopped before it knew what came of it")

    def _choose(self, device: str, action: str, known: tuple[Action, ...]) -> Action | None:
        """Every device's alerts can be reset, also of a device that knows no reset itself."""
        if action == "reset" and all(each.name != "reset" for each in known):
            return None
        return choose_action(device, action, known)

    async def _release(self, command: CommandBody, ticket: Ticket | None) -> OutcomeBody:
        """Release the alerts of a device that has no reset itself."""
        if ticket is None:  # whoever stands here is told at once when there is nothing to release
            self._reset(command.device, command.origin)

        async def work(_deadline: float) -> Done:
            if ticket is not None:
                self._reset(command.device, command.origin)
            return Done("the alert is released; the device itself has no reset", self._clock())

        return await self.perform(command, work, ticket)

    async def _baseline(self, name: str, device: str, origin: str, ticket: Ticket | None) -> OutcomeBody:
        try:
            angles = self._angles(device)
        except KeyError:  # a door, an interlock
            angles = {}
        if not angles:
            raise PolicyError(
                f"{device} has no good angle to take as rest",
                "is it online, is it a tilt sensor? where it is part of an asset, the asset is told",
            )

        async def work(_deadline: float) -> Done:
            for point, value in angles.items():
                self._submit(BaselineBody(device, point, value, origin))
            told = ", ".join(f"{point} {value:.2f}" for point, value in angles.items())
            return Done(f"at rest: {told}", self._clock())

        return await self.perform(CommandBody(name, device, "baseline", dict(angles), origin), work, ticket)

    async def _is_on_record(self, event: Event, deadline: float) -> bool:
        """Wait until an order is on the disk; False when its deadline passes first."""
        assert self._record is not None
        try:
            async with asyncio.timeout(max(deadline - self._clock(), 0.0)):
                await self._record.committed(event)
        except TimeoutError:
            return False
        return self._clock() < deadline

    def _outcome(
        self, command: CommandBody, result: Result, detail: str, *, grants: bool = False
    ) -> OutcomeBody:
        outcome = OutcomeBody(
            command.id, command.device, command.action, result, detail, command.origin, grants
        )
        self._submit(outcome)
        shown = "" if outcomes.is_private(command.action) else f", {detail}"
        log.info("%s by %s: %s%s", outcomes.said(command), command.origin, result, shown)
        return outcome
