"""A camera's process that is not ours: the nursery starts it at the other end of a socket, and sees to its end.

So it may run as another user, in a sandbox of its own, and nothing else changes: what it says comes over this line as
it would from a child, and is believed no more. When the line is closed, from either side, the process is gone soon.
"""

import asyncio
import os
import socket
from pathlib import Path
from typing import Final

from gateway.runtime.peer import peer_uid
from gateway.vision.child import Begin, Line, Process, WorkerError

UNIT: Final = "compound-gateway-vision"


class Distant(Line):
    """A process that somebody else started for one camera."""

    pid: int | None = None

    def last_words(self) -> str:
        """Return nothing: what it says last comes as a message."""
        return ""

    def rss_bytes(self) -> int:
        """Return 0: another user's process is not to be seen from here. What it says of itself has to do."""
        return 0

    async def end(self, *, farewell_s: float = 0.0) -> None:
        """Close the line, which ends the process."""
        del farewell_s
        self._socket.close()


def nursery(path: Path) -> Begin:
    """Return what has the nursery that listens at `path` start processes."""

    async def begin(camera: str, secret: str) -> Process:
        del secret  # what it says last is masked by whoever hears it
        ours = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(ours, os.fspath(path))
            _insist_on_a_friend(ours, camera, path)
        except OSError as error:
            ours.close()
            raise WorkerError(camera, f"{UNIT} does not answer at {path}: {error.strerror}") from error
        except BaseException:
            ours.close()
            raise
        return Distant(ours)

    return begin


def _insist_on_a_friend(ours: socket.socket, camera: str, path: Path) -> None:
    """Raise WorkerError unless systemd (root) or our own user has the socket: it is sent a password."""
    if (uid := peer_uid(ours)) not in {0, os.getuid()}:
        raise WorkerError(camera, f"{path} belongs to a stranger, user {uid}")
