"""How long a connection may keep us waiting: whoever has opened one and asks nothing whole for a while is let go.

uvicorn waits for ever for the end of a request's head; a few hundred connections that send a letter a minute, or none,
would take every descriptor the desk has, and no phone would get in.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

PATIENCE_S: Final = 15.0


class Impatient(H11Protocol):
    """HTTP/1.1 that looks now and then whether anything was asked since; an answer that is being given goes on."""

    patience_s = PATIENCE_S
    _look: asyncio.TimerHandle | None = None
    _seen: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look."""
        super().connection_made(transport)
        self._later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def _later(self) -> None:
        self._look = self.loop.call_later(self.patience_s, self._is_anything_asked)

    def _is_anything_asked(self) -> None:
        busy = self.cycle is not None and not self.cycle.response_complete
        if not busy and self.cycle is self._seen:
            self.transport.close()
            return
        self._seen = self.cycle
        self._later()
