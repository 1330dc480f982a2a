"""Talk to systemd: READY, RELOADING, STATUS, WATCHDOG, STOPPING as datagrams to $NOTIFY_SOCKET (sd_notify(3)).

And take from it a socket it listens at for us. A few lines of our own, because that is all the protocol is. Without
the variables nothing is sent and nothing taken.
"""

import os
import socket
import time
from collections.abc import Mapping
from typing import Final

FIRST_INHERITED: Final = 3


class Notifier:
    """Sends state to the service manager that started us, if one did."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watchdog_us = environment.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(watchdog_us) / 1e6 if watchdog_us.isdigit() else None

    def reloading(self) -> None:
        """Say that READY=1 will come again. STOPPING=1 in its place would have us killed a moment later."""
        self.send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def send(self, *lines: str) -> None:
        """Send lines such as READY=1; a service manager that went away is no reason to stop."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify:
            try:
                notify.sendto("\n".join(lines).encode(), self._address)
            except OSError:
                return


def inherited_socket(environment: Mapping[str, str] = os.environ) -> socket.socket | None:
    """Return the listening socket that a .socket unit handed over, None for none (sd_listen_fds(3))."""
    if environment.get("LISTEN_PID") != str(os.getpid()) or environment.get("LISTEN_FDS") != "1":
        return None
    os.set_inheritable(FIRST_INHERITED, False)
    return socket.socket(fileno=FIRST_INHERITED)
