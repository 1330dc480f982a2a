"""Brings one strike to what its door wants and keeps it there; pulses go past it, straight to the device.

The driver keeps the order of what it is told, so a pulse that was on its way when the fire came is followed by
the order to stay open. Only to a board that was away may a pulse come last: then the strike is told once more what
its door wants. Where the strike can be read back, what it says of itself is held against what it was told. Where it
cannot, it is told once more now and then while it is to stand open: it may have lost its power for a moment. An order
that failed may have been carried out all the same, so after one nothing is known of the strike.
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
REMIND_S: Final = 5.0
FAULT: Final = "a fault of the gateway"

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
        self._turn = 0  # how often it was to be told anew
        self._tries = self._done = 0  # how often it was told, and the last time that was done
        self._amiss_at: float | None = None  # since when it is not known to be as it is wanted
        self._wake, self._tried = asyncio.Event(), asyncio.Event()

    async def pulse(self, seconds: float, deadline: float) -> Done:
        """Have the device open for a time by its own timer; DriverError."""
        if self._door.steady:
            return Done("open already", self._now())
        strike, arguments = self._door.plan.strike, {"seconds": seconds}
        mode, tries = self._door.mode, self._tries
        try:
            done = await self._act(strike.device, strike.unlock, {**strike.extra, **arguments}, deadline)
        except (DriverError, asyncio.CancelledError):
            raise
        except Exception as fault:  # a fault at one lock must not end the pulses of the others
            log.exception("%s: %s", self._door.plan.name, FAULT)
            raise LineError("act", strike.device, FAULT) from fault
        finally:
            if self._done > tries and self._door.mode is not mode:  # what was told after it came before it
                self.again()
        self._door.moved(done.at + seconds)  # on a busy line it began late
        return done

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
        self._reached, self._turn = None, self._turn + 1
        self._amiss_at = self._now() if self._amiss_at is None else self._amiss_at
        self._wake.set()

    def wake(self) -> None:
        """The door wants something else."""
        self._amiss_at = self._now() - (STUCK_S if self._door.stuck else 0.0)
        self._wake.set()

    def confirmed(self) -> None:
        """The strike says that it is as the door wants it."""
        self._amiss_at, self._door.stuck = None, False

    async def run(self) -> None:
        """Move until cancelled."""
        pause_s = PAUSE_FIRST_S
        while True:
            self._wake.clear()
            if self._reached is self._door.steady:
                await self._rest()
                pause_s = PAUSE_FIRST_S
                continue
            if not await self._try():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._wake.wait()
                pause_s = min(pause_s * 2, PAUSE_FREE_S if self._door.mode is Mode.FREE else PAUSE_LAST_S)

    async def _rest(self) -> None:
        """Wait until there is something to do."""
        remind = self._door.blind and self._door.steady
        try:
            async with asyncio.timeout(REMIND_S if remind else None):
                await self._wake.wait()
        except TimeoutError:
            self._reached = None

    async def _try(self) -> bool:
        """Tell the strike once; return whether it obeyed."""
        door, wanted, turn = self._door, self._door.steady, self._turn
        self._tries = tries = self._tries + 1
        trouble = await self._tell(wanted)
        if trouble is None:  # what was asked for meanwhile is for the next turn
            self._reached, self._trouble = wanted if turn == self._turn else None, ""
            self._done = tries
            door.moved(self._now())
            if door.blind and self._reached is door.steady:
                self.confirmed()
        else:
            self._reached, self._trouble = None, trouble
        amiss_s = 0.0 if self._amiss_at is None else self._now() - self._amiss_at
        door.stuck = door.mode is Mode.FREE and amiss_s >= STUCK_S
        self._tried.set()
        self._tried.clear()
        self._moved(door)
        return trouble is None

    async def _tell(self, wanted: bool) -> str | None:
        """Tell the strike to stand open or to lock; return what went wrong."""
        strike, name = self._door.plan.strike, self._door.plan.name
        action = strike.hold if wanted else strike.lock
        try:
            await self._act(strike.device, action, strike.extra, self._now() + WITHIN_S)
        except DriverError as error:
            if str(error) != self._trouble:
                log.warning("%s: %s: %s", name, action, error)
            return str(error)
        except Exception:  # a fault at one lock must not keep the other doors shut in a fire
            if self._trouble != FAULT:
                log.exception("%s: %s: %s", name, action, FAULT)
            return FAULT
        return None
