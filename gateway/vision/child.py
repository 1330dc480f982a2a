"""One camera's process as the gateway holds it: started, spoken to over a socket, looked at from outside, killed.

The child's standard input is one end of a socket pair: the gateway's end closes with the gateway, so the child
ends with it.

It is no process of asyncio's. One of those is lost when whoever starts it is cancelled twice, stays open when the
last wait for it is cancelled, and in Python 3.11 is waited for until its standard error ends too, which nobody
sees once the reader's buffer is full. Here nothing is awaited until the process is there, all that holds it is
let go of without waiting, and a thread reaps it, whether or not anybody still waits for the thread.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from gateway.runtime.threads import in_thread
from gateway.vision.messages import Down, encode
from gateway.vision.spawning import CHUNK, COMMAND, LastWords, spawn

UNWANTED: Final = ("CREDENTIALS_DIRECTORY",)  # the gateway's own secrets
FAREWELL_S = 1.0

_PAGE = os.sysconf("SC_PAGE_SIZE")


class WorkerError(Exception):
    """A camera's process died or had to be killed: which camera, why, what it said last."""

    def __init__(self, camera: str, reason: str, last_words: str = "") -> None:
        super().__init__(camera, reason, last_words)
        self.camera, self.reason, self.last_words = camera, reason, last_words

    def __str__(self) -> str:
        return f"{self.camera}: {self.reason}" + (f": {self.last_words}" if self.last_words else "")


class Process(Protocol):
    """What a keeper needs of a camera's process, wherever it was started."""

    @property
    def pid(self) -> int | None:
        """Return its number; None for one that was not started by us."""

    async def send(self, message: Down) -> None:
        """Tell it something; nobody hears it when it is gone, which `receive` tells."""

    async def receive(self) -> bytes:
        """Return the next bytes from it, none when it has closed."""

    def last_words(self) -> str:
        """Return what it said last on its standard error, as far as that is known here."""

    def rss_bytes(self) -> int:
        """Return how much memory it holds; 0 where that cannot be seen from here."""

    async def end(self, *, farewell_s: float = 0.0) -> object:
        """Close the line, and see that the process is gone."""


Begin: TypeAlias = Callable[[str, str], Awaitable[Process]]
"""Starts a process for the camera of that name; the secret never gets into its last words. Raises WorkerError."""


class Line:
    """Our end of the line to a camera's process."""

    def __init__(self, ours: socket.socket) -> None:
        self._socket = ours

    async def send(self, message: Down) -> None:
        """Tell the process something. When it is gone `receive` tells, after what it said before it went."""
        with contextlib.suppress(ConnectionError):
            await asyncio.get_running_loop().sock_sendall(self._socket, encode(message))

    async def receive(self) -> bytes:
        """Return the next bytes from the process, none when it has closed. At most `CHUNK`."""
        try:
            return await asyncio.get_running_loop().sock_recv(self._socket, CHUNK)
        except ConnectionError:
            return b""


class Child(Line):
    """A running process of one camera. `secret` never gets into its last words."""

    def __init__(self, process: subprocess.Popen[bytes], ours: socket.socket, secret: str) -> None:
        super().__init__(ours)
        assert process.stderr is not None
        self._process, self._stderr = process, process.stderr
        self._words = LastWords(self._stderr, (secret,))
        asyncio.get_running_loop().add_reader(self._stderr, self._hear)

    @classmethod
    def start(cls, command: Sequence[str], camera: str, *, secret: str = "") -> "Child":
        """Start a process for `camera`; raises WorkerError.

        Whoever has it must `end` it. It is started on the loop's thread: it dies with the thread that started it.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            try:
                process = spawn(command, camera, theirs, unwanted=UNWANTED)
            except OSError as error:
                ours.close()
                raise WorkerError(camera, f"cannot be started: {error.strerror}") from error
        return cls(process, ours, secret)

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        return self._process.pid

    def last_words(self) -> str:
        """Return the last line the child wrote to its standard error until now. Not after `end`."""
        self._hear()  # it may have said it after the loop looked and before the line closed
        return self._words.last()

    def rss_bytes(self) -> int:
        """Return how much memory the process holds; 0 when it is gone."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_bytes().split()[1]) * _PAGE
        except (OSError, IndexError):
            return 0

    async def end(self, *, farewell_s: float = 0.0) -> int:
        """Close the line, wait a moment, kill what is still there; return its exit status.

        A cancellation takes nothing but the waiting away: what is still there is killed, and reaped by the thread.
        """
        self._socket.close()
        try:
            if farewell_s:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(farewell_s):
                        return await in_thread(self._process.wait)
        finally:
            asyncio.get_running_loop().remove_reader(self._stderr)
            self._stderr.close()
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
        return await in_thread(self._process.wait)

    def _hear(self) -> None:
        if not self._words.hear():
            asyncio.get_running_loop().remove_reader(self._stderr)


def own(command: Sequence[str] = COMMAND) -> Begin:
    """Return what starts processes as children of ours."""

    async def begin(camera: str, secret: str) -> Process:
        return Child.start(command, camera, secret=secret)

    return begin
