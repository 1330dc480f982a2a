"""A camera's process brought into the world: its environment, its place behind everybody else, its last words.

For whoever starts one: the gateway itself (child.py), or the service of its own that does so for it (nursery.py).
Its standard input is its line to the gateway. It is the first to die when memory runs out and the last to get the
processor. What it writes to its standard error is kept, a little of it, for the line that says why it died.
"""

import contextlib
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from gateway.vision.messages import LONGEST_WORDS

COMMAND: Final = (sys.executable, "-m", "gateway.vision.worker")
ENVIRONMENT: Final = {
    "ORT_DISABLE_TELEMETRY": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",  # its helpers wait for work by turning round and round
    "MALLOC_ARENA_MAX": "2",  # glibc would keep one for each of FFmpeg's threads
    # From here on a buffer is given back whole when it is let go of. Left alone glibc raises this to 32 MiB, pictures
    # lie among packets that live for half a minute, and the holes they leave are never given back.
    "MALLOC_MMAP_THRESHOLD_": str(256 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(4 * 1024 * 1024),  # what comes and goes with each picture stays
    "PYTHONUNBUFFERED": "1",
}
OF_THE_SERVICE: Final = (
    *("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"),
    *("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"),
)
"""Of the environment: it is whoever started it that systemd speaks to."""
NICE: Final = 5
OOM_SCORE: Final = 500
CHUNK: Final = 64 * 1024
LAST_WORDS: Final = 20  # lines


def spawn(
    command: Sequence[str], camera: str, line: socket.socket, *, unwanted: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """Start a process whose line is `line`; raises OSError. Its arguments say no more than the camera's name.

    It dies with the thread that starts it. `unwanted` is what else of our environment it must not have.
    """
    process = subprocess.Popen(
        [*command, camera],
        bufsize=0,
        stdin=line.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(os.environ, unwanted),
        start_new_session=True,
    )
    _step_back(process.pid)
    return process


def environment(inherited: Mapping[str, str], unwanted: Sequence[str] = ()) -> dict[str, str]:
    """Return the environment of such a process: one thread, no telemetry, nothing that is for its starter alone."""
    without = {*OF_THE_SERVICE, *unwanted}
    return {name: value for name, value in inherited.items() if name not in without} | ENVIRONMENT


class LastWords:
    """What a process says on its standard error, as far as anybody would read it. `secrets` never get into it."""

    def __init__(self, stderr: IO[bytes], secrets: Collection[str]) -> None:
        self._stderr, self._secrets = stderr, [secret for secret in secrets if secret]
        self._words: deque[str] = deque(maxlen=LAST_WORDS)
        os.set_blocking(stderr.fileno(), False)

    def hear(self) -> bool:
        """Take in what was said; return whether more may come. Does not block."""
        data = self._stderr.read(CHUNK)
        for line in (data or b"").decode("utf-8", "replace").splitlines():
            if told := self._masked(line).strip():
                self._words.append(told[:LONGEST_WORDS])
        return data != b""

    def last(self) -> str:
        """Return the last line that was said until now; nothing if none was."""
        return self._words[-1] if self._words else ""

    def _masked(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line


def _step_back(pid: int) -> None:
    """Have the process yield to the gateway, and die before it when memory runs out."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")
