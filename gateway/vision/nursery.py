"""The nursery: starts a camera's process for whoever connects, hands it the connection as its line, sees to its end.

The gateway connects once for each camera and life, and speaks with the process itself: not a byte of theirs is read
here, and nothing is judged. Whether a process is any good only the gateway says, by closing the line; then the process
has a moment to end by itself, and is killed. So the cameras can live in a unit of their own, as a user who has no
serial port, no journal and no broker's password, and are kept by the same keeper as children of the gateway's would be.

One thread and a poll: who starts a process may not end before it (worker.py dies with its parent). The watchdog is
fed as long as every process that has to go is gone soon; one that cannot be killed takes the whole unit down.
"""

import contextlib
import logging
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.runtime.peer import peer_uid
from gateway.runtime.systemd import Notifier
from gateway.vision.messages import LONGEST_WORDS, Ended, encode
from gateway.vision.spawning import COMMAND, LastWords, spawn

log = logging.getLogger(__name__)

MOST: Final = 64  # processes at once
FAREWELL_S: Final = 1.0
GONE_S: Final = 10.0  # after this a process that does not go costs the watchdog its food
IDLE_S: Final = 60.0  # without a process; the next connection starts the unit again
SOON_S, SELDOM_S = 0.1, 5.0


@dataclass(slots=True, eq=False)
class _Held:
    """A process, its line, and since when the line is closed; `pidfd` is readable when it has ended."""

    process: subprocess.Popen[bytes]
    line: socket.socket
    words: LastWords
    pidfd: int
    left_at: float | None = None
    killed: bool = False


class Nursery:
    """Serves at `listening` until told to stop, or for `idle_s` without a process. `secrets` are in no last words.

    Root and the user whom the socket's file belongs to may connect. Keeps nothing that outlives a process.
    """

    def __init__(
        self,
        listening: socket.socket,
        *,
        notifier: Notifier,
        command: Sequence[str] = COMMAND,
        secrets: Collection[str] = (),
        idle_s: float = IDLE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listening, self._notifier, self._command = listening, notifier, command
        self._secrets, self._idle_s, self._clock = secrets, idle_s, clock
        self._friends = {0, Path(listening.getsockname()).stat().st_uid}
        self._poll, self._handlers = select.poll(), dict[int, Callable[[], None]]()
        self._held: list[_Held] = []
        self._stopping = False
        self._busy_at = self._fed_at = clock()
        listening.setblocking(False)

    def run(self, stop: int) -> None:
        """Serve until the descriptor `stop` has something to read; then see every process out."""
        self._watch(self._listening.fileno(), select.POLLIN, self._let_in)
        self._watch(stop, select.POLLIN, lambda: self._stop(stop))
        self._notifier.send("READY=1")
        while not self._over(self._clock()):
            seen = [descriptor for descriptor, _ in self._poll.poll(self._patience_s() * 1000)]
            # Who comes in last, so that nobody is taken for the one who had the same descriptor before.
            for descriptor in sorted(seen, key=lambda each: each == self._listening.fileno()):
                if handle := self._handlers.get(descriptor):
                    handle()
            self._look(self._clock())

    def _over(self, now: float) -> bool:
        return not self._held and (self._stopping or now - self._busy_at >= self._idle_s)

    def _patience_s(self) -> float:
        return SOON_S if any(held.left_at is not None for held in self._held) else min(SELDOM_S, self._idle_s)

    def _look(self, now: float) -> None:
        """Kill who was told to go and did not; feed the watchdog if everybody does."""
        for held in self._held:
            if held.left_at is not None and not held.killed and now - held.left_at >= FAREWELL_S:
                held.killed = True
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(held.process.pid, signal.SIGKILL)
        if self._held:
            self._busy_at = now
        watchdog_s, fresh = self._notifier.watchdog_s, all(_goes(held, now) for held in self._held)
        if watchdog_s and fresh and now - self._fed_at >= min(SELDOM_S, watchdog_s / 3):
            self._fed_at = now
            self._notifier.send("WATCHDOG=1")

    def _let_in(self) -> None:
        try:
            line, _ = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        if (uid := peer_uid(line)) not in self._friends:
            log.warning("user %d has no business here", uid)
            line.close()
        elif len(self._held) >= MOST:
            _tell(line, f"there are {MOST} processes already")
            line.close()
        else:
            self._start(line)

    def _start(self, line: socket.socket) -> None:
        try:
            process = spawn(self._command, "camera", line)
        except OSError as error:
            _tell(line, f"cannot be started: {error.strerror}")
            line.close()
            return
        assert process.stderr is not None
        held = _Held(process, line, LastWords(process.stderr, self._secrets), os.pidfd_open(process.pid))
        self._held.append(held)
        stderr = process.stderr.fileno()
        self._watch(line.fileno(), select.POLLRDHUP, lambda: self._left(held))
        self._watch(held.pidfd, select.POLLIN, lambda: self._ended(held))
        self._watch(stderr, select.POLLIN, lambda: self._hear(held, stderr))
        self._count()

    def _hear(self, held: _Held, stderr: int) -> None:
        if not held.words.hear():
            self._unwatch(stderr)

    def _left(self, held: _Held) -> None:
        """The gateway has closed the line: the process knows too, and has a moment."""
        self._unwatch(held.line.fileno())
        held.left_at = self._clock()

    def _ended(self, held: _Held) -> None:
        """Reap a process; tell the gateway what it said last, unless it was the gateway that ended it."""
        status, stderr = held.process.wait(), held.process.stderr
        assert stderr is not None
        held.words.hear()
        for descriptor in (held.line.fileno(), held.pidfd, stderr.fileno()):
            self._unwatch(descriptor)
        if held.left_at is None:
            log.warning("process %d ended with %d", held.process.pid, status)
            _tell(held.line, held.words.last() or _how(status))
        held.line.close()
        stderr.close()
        os.close(held.pidfd)
        self._held.remove(held)
        self._count()

    def _stop(self, stop: int) -> None:
        self._notifier.send("STOPPING=1")
        self._stopping = True
        for descriptor in (stop, self._listening.fileno()):
            self._unwatch(descriptor)
        for held in self._held:
            with contextlib.suppress(OSError):
                held.line.shutdown(socket.SHUT_RDWR)  # closes it for both who have it

    def _count(self) -> None:
        self._notifier.send(f"STATUS=cameras: {len(self._held)}")

    def _watch(self, descriptor: int, events: int, handle: Callable[[], None]) -> None:
        self._poll.register(descriptor, events)
        self._handlers[descriptor] = handle

    def _unwatch(self, descriptor: int) -> None:
        if self._handlers.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)


def _goes(held: _Held, now: float) -> bool:
    return held.left_at is None or now - held.left_at < GONE_S


def _how(status: int) -> str:
    """Say how a process ended that said nothing."""
    return f"ended by signal {-status}" if status < 0 else f"ended with {status}"


def _tell(line: socket.socket, words: str) -> None:
    """Tell the gateway that the process is gone, if there is room for it at once."""
    with contextlib.suppress(OSError):
        line.send(encode(Ended(words[:LONGEST_WORDS])), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
