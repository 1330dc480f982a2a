"""Carry out orders: written down first, sent before their deadline or never, the outcome written down too.

An order does not wait for the disk: the stream has it before the relay moves, and a stalled SD card must not
keep a person at a door. `baseline` is the one action every tilting thing has without the device knowing: it
takes the present angles as rest.
"""

import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Protocol

from drivers.api import Action, Done, DriverError, LateError
from gateway.core.events import BaselineBody, Body, CommandBody, Event, OutcomeBody
from gateway.core.policy import PolicyError, choose_action, complete_arguments

log = logging.getLogger(__name__)

DEADLINE_S = 5.0

Result = Literal["done", "refused", "failed", "late"]
Act = Callable[[str, str, Mapping[str, float], float], Awaitable[Done]]


class Devices(Protocol):
    """Who knows what a device can do."""

    def actions(self, device: str) -> tuple[Action, ...]:
        """Return all actions of a device; KeyError if there is no such device."""


class Commanding:
    """Takes local orders.

    `angles` gives the present good values of a device's points that have a baseline; `reset` releases what
    latched at a device, PolicyError if nothing did.
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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._devices, self._act, self._submit = devices, act, submit
        self._new_id, self._angles, self._reset, self._clock = new_id, angles, reset, clock

    async def execute(
        self, device: str, action: str, arguments: Mapping[str, float], origin: str
    ) -> OutcomeBody:
        """Carry out one order and return what came of it; PolicyError when it makes no sense at all."""
        deadline = self._clock() + DEADLINE_S
        try:
            known = self._devices.actions(device)
        except KeyError:
            raise PolicyError(f"there is no device {device!r}", "`status` lists them") from None
        if action == "baseline":
            return self._baseline(device, origin)
        chosen = self._choose(device, action, known)
        complete = {} if chosen is None else complete_arguments(chosen, arguments)
        command = CommandBody(self._new_id(), device, action, complete, origin)
        if chosen is None:
            self._reset(device, origin)
            self._submit(command)
            return self._outcome(command, "done", "the alert is released; the device itself has no reset")
        self._submit(command)
        if action == "reset":
            with contextlib.suppress(PolicyError):  # the device may want a reset where no alert of ours does
                self._reset(device, origin)
        return await self._carry_out(command, chosen, deadline)

    def _choose(self, device: str, action: str, known: tuple[Action, ...]) -> Action | None:
        """Every device's alerts can be reset, also of a device that knows no reset itself."""
        if action == "reset" and all(each.name != "reset" for each in known):
            return None
        return choose_action(device, action, known)

    async def _carry_out(self, command: CommandBody, action: Action, deadline: float) -> OutcomeBody:
        try:
            done = await self._act(command.device, command.action, command.arguments, deadline)
        except LateError as error:
            return self._outcome(command, "late", str(error))
        except DriverError as error:
            return self._outcome(command, "failed", str(error))
        return self._outcome(command, "done", done.detail, grants=action.grants)

    def _baseline(self, device: str, origin: str) -> OutcomeBody:
        angles = self._angles(device)
        if not angles:
            raise PolicyError(
                f"{device} has no good angle to take as rest", "is it online, is it a tilt sensor?"
            )
        command = CommandBody(self._new_id(), device, "baseline", dict(angles), origin)
        self._submit(command)
        for point, value in angles.items():
            self._submit(BaselineBody(device, point, value, origin))
        told = ", ".join(f"{point} {value:.2f}" for point, value in angles.items())
        return self._outcome(command, "done", f"at rest: {told}")

    def _outcome(
        self, command: CommandBody, result: Result, detail: str, *, grants: bool = False
    ) -> OutcomeBody:
        outcome = OutcomeBody(
            command.id, command.device, command.action, result, detail, command.origin, grants
        )
        self._submit(outcome)
        log.info("%s %s by %s: %s, %s", command.device, command.action, command.origin, result, detail)
        return outcome
