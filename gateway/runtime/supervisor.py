"""Keep every service running: restart what fails with back-off, know who is alive, feed the watchdog.

A service is a named coroutine function. One that raises is logged and started again after a pause that grows
from half a second to thirty; the others go on. The watchdog is fed from the event loop, so a blocked loop is a
dead process to systemd.

A service may have a pulse, which says when it last got on. One that gets nowhere for its patience is ended and
started again like one that failed; when three such starts in a row were of no use, or it cannot even be ended,
the watchdog is fed no more and systemd starts the whole process anew. The journal has no pulse on purpose: it is
no service here, and a disk that hangs must not take fire and doors down with it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.runtime.systemd import Notifier

log = logging.getLogger(__name__)

PAUSE_FIRST_S = 0.5
PAUSE_LAST_S = 30.0
STEADY_S = 60.0  # a service that ran this long starts again without a long pause
LOOK_S = 10.0  # at the pulses, where no watchdog wants to be fed more often
STRIKES = 3

Run = Callable[[], Awaitable[None]]


class Pulse(Protocol):
    """Says when a service last got on, by the loop's clock, and how long it may take to get on again."""

    patience_s: float

    def __call__(self, now: float) -> float:
        """Return when it last got on; `now` if it does at this moment, or is known not to be able to."""


@dataclass(slots=True)
class ServiceState:
    """What the supervisor knows of one service."""

    running: bool = False
    restarts: int = 0
    last_fault: str = ""


@dataclass(slots=True)
class _Service:
    """A service and how it got on. `limit` ends it when it is rescheduled; `strikes` counts that."""

    name: str
    run: Run
    pulse: Pulse | None
    state: ServiceState
    limit: asyncio.Timeout | None = None
    started_at: float = 0.0
    beat_at: float = 0.0
    strikes: int = 0


class Supervisor:
    """Runs services side by side until it is cancelled."""

    def __init__(self, notifier: Notifier) -> None:
        self.states: dict[str, ServiceState] = {}
        self._notifier = notifier
        self._services: list[_Service] = []

    def add(self, name: str, run: Run, *, pulse: Pulse | None = None) -> None:
        """Have `run` running whenever the supervisor runs; `name` is unique."""
        self.states[name] = ServiceState()
        self._services.append(_Service(name, run, pulse, self.states[name]))

    async def run(self) -> None:
        """Run all services; returns only by cancellation, when all of them have ended."""
        async with asyncio.TaskGroup() as group:
            for service in self._services:
                group.create_task(self._keep(service), name=service.name)
            group.create_task(self._watch(), name="watchdog")

    async def _keep(self, service: _Service) -> None:
        state, name, pause_s = service.state, service.name, PAUSE_FIRST_S
        clock = asyncio.get_running_loop().time
        while True:
            state.running, service.started_at = True, clock()
            try:
                async with asyncio.timeout(None) as service.limit:
                    await service.run()
                state.last_fault = "ended by itself"
                log.error("service %s ended by itself; starting it again", name)
            except Exception as fault:  # one wing's fault must not take the house down
                if service.limit is not None and service.limit.expired():
                    state.last_fault = "got nowhere and was ended"
                    log.error("service %s was ended; starting it again in %.1f s", name, pause_s)
                else:
                    state.last_fault = f"{type(fault).__name__}: {fault}"
                    log.exception("service %s failed; starting it again in %.1f s", name, pause_s)
            finally:
                state.running, service.limit = False, None
            if clock() - service.started_at > STEADY_S:
                pause_s = PAUSE_FIRST_S
            await asyncio.sleep(pause_s)
            state.restarts += 1
            pause_s = min(pause_s * 2, PAUSE_LAST_S)

    async def _watch(self) -> None:
        """Feed the watchdog as long as every service gets on, or at least can be started again."""
        clock, watchdog_s = asyncio.get_running_loop().time, self._notifier.watchdog_s
        every_s = min(LOOK_S, watchdog_s / 3) if watchdog_s else LOOK_S
        while True:
            for service in self._services:
                _look(service, clock())
            if watchdog_s and all(service.strikes <= STRIKES for service in self._services):
                self._notifier.send("WATCHDOG=1")
            await asyncio.sleep(every_s)


def _look(service: _Service, now: float) -> None:
    """Feel a service's pulse; end the service when it got nowhere for too long."""
    if service.pulse is None:
        return
    beat_at = service.pulse(now)
    if beat_at > service.beat_at:
        service.beat_at, service.strikes = beat_at, 0
    still_s = now - max(beat_at, service.started_at)
    if service.limit is None or still_s <= service.pulse.patience_s:
        return
    service.strikes += 1
    if service.strikes <= STRIKES:
        log.error("service %s got nowhere for %.0f s", service.name, still_s)
    elif service.strikes == STRIKES + 1:
        log.critical("service %s cannot be brought back: the watchdog is fed no more", service.name)
    if not service.limit.expired():
        service.limit.reschedule(now)
