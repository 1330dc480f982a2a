"""Brings one strike to what its door wants and keeps it there; pulses go past it, straight to the device.

The driver keeps the order of what it is told, so a pulse that was on its way when the fire came is followed by
the order to stay open, never the other way round; and where the strike can be read back, what it says of itself
is held against what it was told.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from drivers.api import Done, DriverError, LineError
from gateway.core.doors import Door, Mode

log = logging.getLogger(__name__)

WITHIN_S: Final = 3.0
PAUSE_FIRST_S: Final = 0.25
PAUSE_LAST_S: Final = 5.0
PAUSE_FREE_S: Final = 1.0  # a fire does not wait
STUCK_S: Final = 3.0

Act: TypeAlias = Callable[[str, str, Mapping[str, float], float], Awaitable[Done]]


class Mover:
    """Moves one strike. `moved` is called after each try; `wanted` is what the door wanted when it was last asked."""

    def __init__(
        self, door: Door, act: Act, *, now: Callable[[], float], moved: Callable[[Door], None]
    ) -> None:
        self.wanted = door.steady
        self._door, self._act, self._now, self._moved = door, act, now, moved
        # a strike that can be read back tells by itself that somebody left it open
        self._reached: bool | None = False if door.plan.strike.readback is not None else None
        self._trouble = "it was not told yet"
        self._since = now()
        self._wake, self._tried = asyncio.Event(), asyncio.Event()

    async def pulse(self, seconds: float, deadline: float) -> Done:
        """Have the device open for a time by its own timer; DriverError."""
        if self._door.steady:
            return Done("open already", self._now())
        strike = self._door.plan.strike
        return await self._act(strike.device, strike.unlock, {**strike.extra, "seconds": seconds}, deadline)

    async def reach(self, deadline: float) -> Done:
        """Return when the strike is as the door wants it; LineError when that takes longer than `deadline`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline - self._now()):
                while self._reached is not self._door.steady:
                    await self._tried.wait()
        if self._reached is not self._door.steady:
            raise LineError("act", self._door.plan.name, f"{self._trouble}; it is tried on")
        return Done("done", self._now())

    def again(self) -> None:
        """What was reached may be lost: tell the strike again."""
        self._reached, self._since = None, self._now()
        self.wake()

    def wake(self) -> None:
        """The door wants something else."""
        if self._reached is not self._door.steady:
            self._since = self._now()
        self._wake.set()

    async def run(self) -> None:
        """Move until cancelled."""
        pause_s = PAUSE_FIRST_S
        while True:
            self._wake.clear()
            if self._reached is self._door.steady:
                await self._wake.wait()
                pause_s = PAUSE_FIRST_S
                continue
            if not await self._try():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._wake.wait()
                pause_s = min(pause_s * 2, PAUSE_FREE_S if self._door.mode is Mode.FREE else PAUSE_LAST_S)

    async def _try(self) -> bool:
        """Tell the strike once; return whether it obeyed."""
        door, wanted = self._door, self._door.steady
        strike = door.plan.strike
        action = strike.hold if wanted else strike.lock
        try:
            await self._act(strike.device, action, strike.extra, self._now() + WITHIN_S)
        except DriverError as error:
            if str(error) != self._trouble:
                log.warning("%s: %s: %s", door.plan.name, action, error)
            self._trouble = str(error)
            door.stuck = door.mode is Mode.FREE and self._now() - self._since >= STUCK_S
            obeyed = False
        else:
            self._reached, self._trouble, door.stuck, obeyed = wanted, "", False, True
            door.moved(self._now())
        self._tried.set()
        self._tried.clear()
        self._moved(door)
        return obeyed
