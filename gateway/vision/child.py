"""One camera's process as the gateway holds it: started, spoken to over a socket, looked at from outside, killed.

The child's standard input is one end of a socket pair: the gateway's end closes with the gateway, so the child
ends with it. It is the first to die when memory runs out and the last to get the processor. What it writes to
its standard error is kept, a little of it, for the line that says why it died.

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
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.runtime.threads import in_thread
from gateway.vision.messages import Down, encode

COMMAND = (sys.executable, "-m", "gateway.vision.worker")
ENVIRONMENT = {
    "ORT_DISABLE_TELEMETRY": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",  # glibc would keep one for each of FFmpeg's threads
    "PYTHONUNBUFFERED": "1",
}
UNWANTED = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "CREDENTIALS_DIRECTORY")
NICE = 5
OOM_SCORE = 500
FAREWELL_S = 1.0
CHUNK = 64 * 1024
LAST_WORDS = 20  # lines
LONGEST_LINE = 400

_PAGE = os.sysconf("SC_PAGE_SIZE")


class WorkerError(Exception):
    """A camera's process died or had to be killed: which camera, why, what it said last."""

    def __init__(self, camera: str, reason: str, last_words: str = "") -> None:
        super().__init__(camera, reason, last_words)
        self.camera, self.reason, self.last_words = camera, reason, last_words

    def __str__(self) -> str:
        return f"{self.camera}: {self.reason}" + (f": {self.last_words}" if self.last_words else "")


class Child:
    """A running process of one camera. `secret` never gets into its last words."""

    def __init__(self, process: subprocess.Popen[bytes], ours: socket.socket, secret: str) -> None:
        assert process.stderr is not None
        self._process, self._socket, self._secret = process, ours, secret
        self._stderr = process.stderr
        self._words: deque[str] = deque(maxlen=LAST_WORDS)
        os.set_blocking(self._stderr.fileno(), False)
        asyncio.get_running_loop().add_reader(self._stderr, self._hear)

    @classmethod
    def start(cls, command: Sequence[str], camera: str, *, secret: str = "") -> "Child":
        """Start a process for `camera`; raises WorkerError. Its arguments say no more than the camera's name.

        Whoever has it must `end` it. It is started on the loop's thread: it dies with the thread that started it.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            try:
                process = subprocess.Popen(
                    [*command, camera],
                    bufsize=0,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    env=environment(os.environ),
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise WorkerError(camera, f"cannot be started: {error.strerror}") from error
        _step_back(process.pid)
        return cls(process, ours, secret)

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        return self._process.pid

    async def send(self, message: Down) -> None:
        """Tell the child something; raises OSError when it is gone."""
        await asyncio.get_running_loop().sock_sendall(self._socket, encode(message))

    async def receive(self) -> bytes:
        """Return the next bytes from the child, none when it has closed. At most `CHUNK`."""
        try:
            return await asyncio.get_running_loop().sock_recv(self._socket, CHUNK)
        except ConnectionError:
            return b""

    def last_words(self) -> str:
        """Return the last line the child wrote to its standard error until now. Not after `end`."""
        self._hear()  # it may have said it after the loop looked and before the line closed
        return self._words[-1] if self._words else ""

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
        """Keep what the child says on its standard error, as far as anybody would read it."""
        data = self._stderr.read(CHUNK)
        if data == b"":
            asyncio.get_running_loop().remove_reader(self._stderr)
            return
        for line in (data or b"").decode("utf-8", "replace").splitlines():
            told = line.replace(self._secret, "***") if self._secret else line
            if told.strip():
                self._words.append(told.strip()[:LONGEST_LINE])


def environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child: one thread, no telemetry, nothing that is for the gateway alone."""
    return {name: value for name, value in inherited.items() if name not in UNWANTED} | ENVIRONMENT


def _step_back(pid: int) -> None:
    """Have the process yield to the gateway, and die before it when memory runs out."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")
