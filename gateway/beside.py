"""The desk beside the gateway, in a process of its own: started, joined by the hatch, ended with us.

A process and not a thread: the desk writes to a database, keeps thousands of pages up to date and computes signatures,
and whatever it does or fails at must not hold up the polling of a line. It runs a little behind the gateway (nice), its
standard input is one end of the hatch, and the end closes with the gateway: the desk then commits what it has and ends.
A gateway that lost its desk keeps everything in its journal, as it does without a broker, and starts the desk anew.
"""

import asyncio
import logging
import os
import socket
import subprocess
import sys
from typing import Any, Final

from gateway.core.config import BesideTable
from gateway.runtime.supervisor import Run
from gateway.runtime.threads import in_thread
from gateway.services.uplink.beside import DeskLink
from gateway.services.uplink.brokers import Broker, ConnectError
from gateway.services.uplink.connection import Connection, Identity, Receive

log = logging.getLogger(__name__)

AT: Final = (Broker("desk", "", 0, False),)
NICE: Final = 5
FAREWELL_S: Final = 5.0
UNWANTED: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""Of the environment: it is the gateway that systemd wants to hear."""


class DeskError(Exception):
    """The desk beside us ended: its exit code; what it said stands in the log above."""


class Beside:
    """Keeps a desk running, where there is to be one. `connect` is the uplink's way to it."""

    def __init__(self, table: BesideTable | None) -> None:
        self._table = table
        self._end: socket.socket | None = None
        self._link: DeskLink | None = None
        self._ended = asyncio.Event()

    @property
    def way(self) -> dict[str, Any]:
        """Return what makes an uplink come here."""
        return {} if self._table is None else {"connect": self.connect, "at": AT}

    @property
    def services(self) -> dict[str, Run]:
        """Return what is to be supervised."""
        return {} if self._table is None else {"desk": self.run}

    async def run(self) -> None:
        """Have a desk running until cancelled; raises DeskError when it ends by itself."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = self._start(theirs)
        self._end = ours
        self._ended.clear()
        ends = [
            asyncio.create_task(in_thread(process.wait), name="desk.process"),
            asyncio.create_task(self._ended.wait(), name="desk.link"),
        ]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            how = f"ended with code {process.poll()}" if ends[0].done() else "was left by its gateway"
            raise DeskError(f"the desk {how}")
        finally:
            for end in ends:
                end.cancel()
            if self._link is not None:
                self._link.abandon()
            else:  # nobody has taken it
                ours.close()
            self._end = self._link = None
            await asyncio.shield(in_thread(lambda: _let_go(process)))

    async def connect(self, _: Broker, _identity: Identity, receive: Receive) -> Connection:
        """Return the connection to the desk; raises ConnectError while there is none."""
        if self._end is None:
            raise ConnectError("reach", "the desk", "it is not running yet, or no more")
        end, self._end = self._end, None
        link = DeskLink(receive)
        self._link = link
        await link.open(end)
        link.lost.add_done_callback(lambda _: self._ended.set())
        return link

    def _start(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        assert self._table is not None
        environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
        desk = (sys.executable, "-m", "gateway", "desk", "-c", self._table.config, "--beside")
        command = ("nice", "-n", str(NICE), *desk)
        return subprocess.Popen(command, stdin=theirs.fileno(), env=environment)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """See the process end: its hatch is closed; one that does not notice is killed."""
    try:
        process.wait(FAREWELL_S)
    except subprocess.TimeoutExpired:
        log.error("the desk does not end; killed")
        process.kill()
        process.wait()
