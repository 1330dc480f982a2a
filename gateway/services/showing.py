"""What readers show to people: come in, no entry, enter your code. Never in the way of a strike, and never late.

A reader that has no such action shows nothing. What cannot be shown at once is dropped: a light that answers to
the person before is worse than none.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from drivers.api import Action, Done, DriverError

log = logging.getLogger(__name__)

WITHIN_S: Final = 1.5
ACTION_OF: Final[Mapping[str, str]] = {"granted": "granted", "denied": "denied", "pin": "waiting"}

Act = Callable[[str, str, Mapping[str, float], float], Awaitable[Done]]


class Showing:
    """Has readers show things. `actions` and `act` are the field's; `clock` is monotonic."""

    def __init__(
        self, actions: Callable[[str], tuple[Action, ...]], act: Act, *, clock: Callable[[], float]
    ) -> None:
        self.failed = 0
        self._actions, self._act, self._clock = actions, act, clock
        self._wanted: dict[str, tuple[str, float]] = {}  # reader -> what, and when it is too late
        self._wake = asyncio.Event()

    def show(self, reader: str, what: str) -> None:
        """Have a reader show something in a moment; returns at once."""
        action = ACTION_OF[what]
        if any(each.name == action for each in self._actions(reader)):
            self._wanted[reader] = (action, self._clock() + WITHIN_S)
            self._wake.set()

    async def run(self) -> None:
        """Show until cancelled; each reader waits for itself only."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wake.wait()
                self._wake.clear()
                for reader in list(self._wanted):
                    action, until = self._wanted.pop(reader)
                    group.create_task(self._tell(reader, action, until), name=f"show {reader}")

    async def _tell(self, reader: str, action: str, until: float) -> None:
        try:
            await self._act(reader, action, {}, until)
        except DriverError as error:
            self.failed += 1
            log.debug("%s: %s: %s", reader, action, error)
