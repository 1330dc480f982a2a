"""Ask a modem and wait for what ends the answer, each within its time, over anything that reads and writes bytes."""

import time
from collections.abc import Callable, Iterator
from typing import Protocol

from gateway.desk.senders.modem.at import PROMPT, End, FrameError, decode, end_of

CANCEL = b"\x1b"


class Line(Protocol):
    """A line to a modem. `read` waits a moment and returns what there is, perhaps nothing; both raise OSError."""

    def read(self) -> bytes:
        """Return what has come."""

    def write(self, data: bytes) -> None:
        """Send bytes."""


class RefusedError(Exception):
    """The modem ended a command with a failure."""

    def __init__(self, command: str, end: End) -> None:
        super().__init__(command, end)
        self.command, self.end = command, end


class SilentError(Exception):
    """The modem did not end a command in its time."""

    def __init__(self, command: str) -> None:
        super().__init__(command)
        self.command = command


class Dialog:
    """One talk with a modem, commands one after the other. What came before a command is no answer to it."""

    def __init__(self, line: Line, now: Callable[[], float] = time.monotonic) -> None:
        self._line, self._now = line, now
        self._buffer = bytearray()

    def ask(self, command: str, within_s: float) -> list[str]:
        """Send a command and return the lines before its OK; raises RefusedError, SilentError, OSError."""
        self._say(command.encode() + b"\r")
        return self._answer(command, within_s)

    def hand_over(self, command: str, data: str, within_s: float) -> list[str]:
        """Send a command that prompts for data, then the data and Ctrl-Z; RefusedError before it went out is told."""
        self._say(command.encode() + b"\r")
        try:
            self._answer(command, within_s, until=PROMPT)
        except SilentError:
            self._line.write(CANCEL)
            raise RefusedError(command, End(False, "no prompt")) from None
        self._line.write(data.encode() + b"\x1a")
        return self._answer(command, within_s)

    def lines(self, for_s: float) -> Iterator[str]:
        """Yield the lines that come by themselves, for so long."""
        until = self._now() + for_s
        while self._now() < until:
            self._buffer += self._line.read()
            while (line := self._next()) is not None:
                yield line

    def _say(self, data: bytes) -> None:
        self._buffer.clear()
        self._line.write(data)

    def _answer(self, command: str, within_s: float, until: str = "") -> list[str]:
        found: list[str] = []
        for line in self.lines(within_s):
            if until and line == until:
                return found
            end = end_of(line)
            if end is not None and end.good:
                return found
            if end is not None:
                raise RefusedError(command, end)
            if line and not line.startswith("AT"):  # its echo
                found.append(line)
        raise SilentError(command)

    def _next(self) -> str | None:
        try:
            return decode(self._buffer)
        except FrameError:
            return None
