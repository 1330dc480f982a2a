"""`nursery`: the cameras' own service, as the unit compound-gateway-vision runs it; it is handed its socket by systemd.

It needs no configuration: what is to be watched, the gateway says over the socket. What it has of its own are the
passwords of cameras, as credentials of its unit.
"""

import logging
import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

from gateway.runtime import logs
from gateway.runtime.systemd import Notifier, inherited_socket
from gateway.terminal.errors import ToolError
from gateway.terminal.help import DONE
from gateway.vision.nursery import Nursery

log = logging.getLogger(__name__)

LARGEST_SECRET = 1024


def run(verbosity: int) -> int:
    """Start camera processes for the gateway until SIGTERM, or for as long as one is wanted; return the exit code."""
    logs.set_up(verbosity, os.environ)
    listening = inherited_socket()
    if listening is None:
        raise ToolError("nursery.no_socket")
    with listening:
        nursery = Nursery(listening, notifier=Notifier(), secrets=secrets(os.environ))
        nursery.run(_signals())
    return DONE


def secrets(environment: Mapping[str, str]) -> list[str]:
    """Return the passwords among our credentials, which shall stand in no last words."""
    folder = environment.get("CREDENTIALS_DIRECTORY")
    files = sorted(Path(folder).iterdir()) if folder else []
    read = (file.read_bytes()[:LARGEST_SECRET].decode("utf-8", "replace") for file in files)
    return [secret for each in read if (secret := each.rstrip("\r\n"))]


def _signals() -> int:
    """Return a descriptor that has something to read once we are told to stop."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    signal.set_wakeup_fd(theirs.detach(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return ours.detach()
