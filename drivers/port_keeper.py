"""Keeps a port open: has it served until it is gone, and opened again, ever more patiently, until somebody answers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, ParamSpec

from drivers.api import LineError

FIRST_PAUSE_S: Final = 0.5
LAST_PAUSE_S: Final = 5.0

P = ParamSpec("P")


class PortKeeper:
    """One port. `unusable` hears each time why it cannot be had, or that it was lost."""

    def __init__(self, port: str, unusable: Callable[[LineError], None]) -> None:
        self._port, self._unusable = port, unusable
        self._gone: asyncio.Future[LineError | None] | None = None
        self._pause_s = FIRST_PAUSE_S

    async def run(self, serve: Callable[[], Awaitable[LineError | None]]) -> None:
        """Call `serve` again and again until cancelled. It opens the port and returns what `gone` says, or raises
        LineError.
        """
        while True:
            try:
                error = await serve()
            except LineError as failure:
                error = failure
            if error is None:
                continue
            self._unusable(error)
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(LAST_PAUSE_S, self._pause_s * 2)

    def gone(self) -> "asyncio.Future[LineError | None]":
        """Return what is done when the port about to be opened is gone: why, or None: it is to be opened anew."""
        self._gone = asyncio.get_running_loop().create_future()
        return self._gone

    def answered(self) -> None:
        """Somebody answers: the next time the port is lost, look for it quickly again."""
        self._pause_s = FIRST_PAUSE_S

    def reopen(self) -> None:
        """Close the port and open it anew: some adapters hang until that is done."""
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    def lost(self, error: Exception | None) -> None:
        """The stream says that the port is gone."""
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(LineError("line", self._port, f"lost: {error or 'hung up'}"))

    def guard(self, call: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> None:
        """Make a call for the loop, in which a mistake would vanish: a mistake of ours must end `run`."""
        try:
            call(*arguments, **named)
        except Exception as error:  # noqa: BLE001  # whatever it is, whoever supervises `run` is to hear of it
            if self._gone is not None and not self._gone.done():
                self._gone.set_exception(error)
