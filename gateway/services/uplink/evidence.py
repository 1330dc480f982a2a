"""Stills and clips upstream, in small parts, behind everything else; what was confirmed is not sent again.

A part goes out only while no urgent row waits and the window is nearly empty, and only one is on its way: an
alert that comes meanwhile has at most `PART` bytes ahead of it. A lost connection costs the part that was on its
way; after a restart a piece that was not finished begins anew. A broker that refuses is asked again later.
"""

import asyncio
import functools
import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from gateway.core import payload
from gateway.runtime.threads import in_thread
from gateway.services.uplink.connection import Connection, Message

log = logging.getLogger(__name__)

PART: Final = 16 * 1024  # at 64 kbit/s two seconds: half of what the link takes for a broker that is gone
LOOK_S: Final = 2.0
YIELD_S: Final = 0.05
REFUSED_S: Final = (10.0, 60.0, 600.0)


class Piece(Protocol):
    """One still or clip."""

    @property
    def sha256(self) -> str:
        """Return its sum, which is its name."""

    @property
    def what(self) -> str:
        """Return "still" or "clip"."""

    @property
    def camera(self) -> str:
        """Return the camera it is of."""

    @property
    def made_at(self) -> float:
        """Return wall seconds since 1970."""

    @property
    def size(self) -> int:
        """Return how many bytes it has."""


class Pieces(Protocol):
    """Who keeps the evidence. `read` and `sent` block and are called from a thread."""

    def unsent(self) -> Sequence[Piece]:
        """Return what waits, most wanted first."""

    def read(self, sha256: str, offset: int, size: int) -> bytes | None:
        """Return a part; None when the piece is gone."""

    def sent(self, sha256: str) -> None:
        """Take note that a piece is upstream whole."""


class EvidenceLane:
    """Sends what waits, over one connection after the other; remembers how far it came."""

    def __init__(self, pieces: Pieces, gateway_id: str) -> None:
        self.parts = 0  # confirmed
        self.refused = 0
        self.refusal = ""
        self._pieces, self._gateway_id = pieces, gateway_id
        self._offsets: dict[str, int] = {}
        self._unreadable: set[str] = set()  # gone meanwhile, or on a bad spot of the disk

    async def run(self, link: Connection, free: Callable[[], bool]) -> None:
        """Send while `free` says that nothing else wants the link, until cancelled."""
        vain = 0
        while True:
            waiting = [piece for piece in self._pieces.unsent() if piece.sha256 not in self._unreadable]
            if not waiting or not free():
                await asyncio.sleep(YIELD_S if waiting else LOOK_S)
                continue
            known = {piece.sha256 for piece in waiting}
            self._offsets = {name: at for name, at in self._offsets.items() if name in known}
            if await self._send(waiting[0], link):
                vain = 0
            else:
                await asyncio.sleep(REFUSED_S[min(vain, len(REFUSED_S) - 1)])
                vain += 1

    async def _send(self, piece: Piece, link: Connection) -> bool:
        """Send the next part of a piece; False when there was no getting through."""
        offset = self._offsets.get(piece.sha256, 0)
        data = await in_thread(functools.partial(self._pieces.read, piece.sha256, offset, PART))
        if not data:
            self._unreadable.add(piece.sha256)
            return True
        refusal = await self._publish(link, piece, offset, data)
        if refusal is not None:
            self.refused += 1
            self._note(refusal)
            return False
        self._note("")
        self.parts += 1
        self._offsets[piece.sha256] = offset = offset + len(data)
        if offset >= piece.size:
            await in_thread(functools.partial(self._pieces.sent, piece.sha256))
        return True

    async def _publish(self, link: Connection, piece: Piece, offset: int, data: bytes) -> str | None:
        """Publish a part and return why it was refused, or None."""
        answered: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

        def done(refusal: str | None) -> None:
            if not answered.done():
                answered.set_result(refusal)

        content = payload.evidence_part(
            sha256=piece.sha256,
            what=piece.what,
            camera=piece.camera,
            made_at=piece.made_at,
            size=piece.size,
            offset=offset,
            data=data,
        )
        topic = payload.topic(self._gateway_id, "evidence", piece.sha256)
        link.publish(Message(topic, content, content_type=payload.PART), done)
        return await answered

    def _note(self, refusal: str) -> None:
        """Log a refusal when it changes, not each time."""
        if refusal and refusal != self.refusal:
            log.warning("the broker refuses evidence: %s", refusal)
        self.refusal = refusal
