"""A simulated line as a serial port: a raw pty, so that any program that speaks to /dev/tty* can be the master.

A pty carries bytes at once and knows no baud rate; the line itself keeps the time of the wire. We hold the
master's side and, to keep the pty alive between two masters, an open descriptor of the slave's. With `link`
the port has a name that stays: when the line is unplugged, name and pty vanish and the master's descriptor
reads end of file, as with an adapter pulled out; when it is plugged in again a new pty gets the same name.
"""

import asyncio
import contextlib
import os
import tty
from pathlib import Path
from types import TracebackType

from drivers.sim.shell import LineTimer, Wire


class PtyLine:
    """Serves a line on a pty while the `with` block lasts, on the running event loop."""

    def __init__(self, line: Wire, *, link: Path | None = None) -> None:
        self.line = line
        self._link = link
        self._ours = self._theirs = -1
        self._name = ""
        self._loop = asyncio.get_running_loop()
        self._timer = LineTimer(line, self._send)

    @property
    def path(self) -> str:
        """The port's name: the link if there is one, else the pty's own, which changes with each plugging."""
        return str(self._link) if self._link is not None else self._name

    def __enter__(self) -> "PtyLine":
        self.line.on_plug = self._plugged
        self._open()
        self._timer.arm()  # some devices speak before they are asked
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.stop()
        self._close()

    def _plugged(self, plugged: bool) -> None:
        if plugged:
            self._open()
        else:
            self._close()
        self._timer.arm()

    def _open(self) -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self._name = os.ttyname(self._theirs)
        if self._link is not None:
            self._link.parent.mkdir(parents=True, exist_ok=True)
            if self._link.is_symlink():  # left behind by one that was killed; anything else is not ours
                self._link.unlink()
            self._link.symlink_to(self._name)
        self._loop.add_reader(self._ours, self._receive)

    def _close(self) -> None:
        if self._ours < 0:
            return
        self._loop.remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)
        self._ours = self._theirs = -1
        if self._link is not None:
            self._link.unlink(missing_ok=True)

    def _receive(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._timer.receive(os.read(self._ours, 4096))

    def _send(self, data: bytes) -> None:
        """Write to the master. When nobody reads, the pty fills up and bytes fall on the floor, as on a wire."""
        try:
            os.write(self._ours, data)
        except BlockingIOError:
            self.line.counts["unheard"] += 1
