"""Keep every service running: restart what fails with back-off, know who is alive, feed the watchdog.

A service is a named coroutine function. One that raises is logged and started again after a pause that grows
from half a second to thirty; the others go on. A service that is stuck without raising shows by the event
loop's own lag: the watchdog is fed from this loop, so a blocked loop is a dead process to systemd.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.runtime.systemd import Notifier

log = logging.getLogger(__name__)

PAUSE_FIRST_S = 0.5
PAUSE_LAST_S = 30.0
STEADY_S = 60.0  # a service that ran this long starts again without a long pause

Run = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class ServiceState:
    """What the supervisor knows of one service."""

    running: bool = False
    restarts: int = 0
    last_fault: str = ""


class Supervisor:
    """Runs services side by side until it is cancelled."""

    def __init__(self, notifier: Notifier) -> None:
        self.states: dict[str, ServiceState] = {}
        self._notifier = notifier
        self._services: list[tuple[str, Run]] = []

    def add(self, name: str, run: Run) -> None:
        """Have `run` running whenever the supervisor runs; `name` is unique."""
        self.states[name] = ServiceState()
        self._services.append((name, run))

    async def run(self) -> None:
        """Run all services; returns only by cancellation, when all of them have ended."""
        async with asyncio.TaskGroup() as group:
            for name, run in self._services:
                group.create_task(self._keep(name, run), name=name)
            if self._notifier.watchdog_s:
                group.create_task(self._feed(self._notifier.watchdog_s / 3), name="watchdog")

    async def _keep(self, name: str, run: Run) -> None:
        state, pause_s = self.states[name], PAUSE_FIRST_S
        clock = asyncio.get_running_loop().time
        while True:
            state.running, started = True, clock()
            try:
                await run()
                state.last_fault = "ended by itself"
                log.error("service %s ended by itself; starting it again", name)
            except Exception as fault:  # one wing's fault must not take the house down
                state.last_fault = f"{type(fault).__name__}: {fault}"
                log.exception("service %s failed; starting it again in %.1f s", name, pause_s)
            finally:
                state.running = False
            if clock() - started > STEADY_S:
                pause_s = PAUSE_FIRST_S
            await asyncio.sleep(pause_s)
            state.restarts += 1
            pause_s = min(pause_s * 2, PAUSE_LAST_S)

    async def _feed(self, every_s: float) -> None:
        while True:
            self._notifier.send("WATCHDOG=1")
            await asyncio.sleep(every_s)
