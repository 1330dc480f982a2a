"""Talk to systemd: READY, STATUS, WATCHDOG, STOPPING as datagrams to $NOTIFY_SOCKET (sd_notify(3)).

Twelve lines of our own, because that is all the protocol is. Without the variable nothing is sent.
"""

import os
import socket
from collections.abc import Mapping


class Notifier:
    """Sends state to the service manager that started us, if one did."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watchdog_us = environment.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(watchdog_us) / 1e6 if watchdog_us.isdigit() else None

    def send(self, *lines: str) -> None:
        """Send lines such as READY=1; a service manager that went away is no reason to stop."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify:
            try:
                notify.sendto("\n".join(lines).encode(), self._address)
            except OSError:
                return
