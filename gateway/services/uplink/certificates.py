"""Renewed certificates: notices that the files of `[mqtt]` changed and go together, and until when ours is good.

How it works: every connection reads its files anew (brokers.py), so all a renewal takes is a new connection. The files
are looked at once a minute. A pair that is half written, or files that are gone, do not load: the connection that
stands is kept until they do, and `trouble` says why. What systemd hands over as credentials changes with a restart
only.
"""

import asyncio
import os
from typing import Final, TypeAlias

from gateway.core.config import MqttTable
from gateway.runtime.threads import in_thread
from gateway.services.uplink.brokers import SetupError, credential, tls_context

LOOK_S: Final = 60.0

Print: TypeAlias = tuple[tuple[int, int, int], ...]


class Certificates:
    """Watches the certificate files of a table; one that names none is never renewed."""

    def __init__(self, table: MqttTable, *, every_s: float = LOOK_S) -> None:
        self.trouble = ""  # why what lies there now cannot be used
        self.good_until: float | None = None  # our certificate's end, wall seconds; None without one
        self._table, self._every_s = table, every_s
        self._files = [each for each in (table.ca_file, table.cert_file, table.key_file) if each]
        self._taken: Print | None = None

    async def take(self) -> None:
        """Take note of the files that a new connection is about to be made with."""
        if self._files:
            self._taken, self.good_until = await in_thread(self._now)

    async def renewed(self) -> None:
        """Return when other files lie there than were taken, and they can be used."""
        if not self._files:
            await asyncio.get_running_loop().create_future()
        while True:
            await asyncio.sleep(self._every_s)
            if await in_thread(self._is_new):
                return

    def _is_new(self) -> bool:
        try:
            seen = self._print()
            if seen == self._taken:
                self.trouble = ""
                return False
            tls_context(self._table)
            self.trouble = ""
            return seen == self._print()  # nobody was writing meanwhile
        except (SetupError, OSError) as error:
            self.trouble = f"the renewed certificate is not used: {error}"
            return False

    def _now(self) -> tuple[Print | None, float | None]:
        try:
            return self._print(), self._until()
        except (OSError, ValueError):  # the connection itself will say what is wrong
            return None, None

    def _print(self) -> Print:
        stats = [os.stat(credential(name)) for name in self._files]  # noqa: PTH116 - all of it or nothing
        return tuple((each.st_mtime_ns, each.st_size, each.st_ino) for each in stats)

    def _until(self) -> float | None:
        if not self._table.cert_file:
            return None
        from cryptography.x509 import load_pem_x509_certificate  # only where there is a certificate

        pem = credential(self._table.cert_file).read_bytes()
        return load_pem_x509_certificate(pem).not_valid_after_utc.timestamp()
