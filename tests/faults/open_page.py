"""A page in a thread: follows the events of one desk after the other, and goes on after the last number it was told."""

import http.client
import itertools
import threading
from collections.abc import Sequence

import msgspec

SILENT_S = 12.0  # a desk says something every five seconds


class OpenPage:
    """Keeps every alert it was told of. `resets`: how often it was told to load its list anew."""

    def __init__(self, ports: Sequence[int], cookie: str) -> None:
        self.alerts: dict[str, int] = {}
        self.resets = self.streams = 0
        self._cookie, self._last = cookie, ""
        self._ports = itertools.cycle(ports)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the page."""
        self._closing.set()
        self._thread.join(SILENT_S + 5)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self._closing.wait(0.05):
            try:
                self._follow(next(self._ports))
            except (OSError, http.client.HTTPException):
                continue

    def _follow(self, port: int) -> None:
        """Read one stream to its end."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SILENT_S)
        try:
            headers = {"Cookie": f"desk={self._cookie}"}
            if self._last:
                headers["Last-Event-ID"] = self._last
            connection.request("GET", "/api/events", headers=headers)
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                return
            self.streams += 1
            fields: dict[str, str] = {}
            while not self._closing.is_set() and (line := answer.readline()):
                name, colon, value = line.decode().rstrip("\n").partition(": ")
                if colon:
                    fields[name] = value
                else:
                    self._take(fields)
                    fields = {}
        finally:
            connection.close()

    def _take(self, fields: dict[str, str]) -> None:
        """Take one event; the number of a batch comes with its end, and not before."""
        if fields.get("event") == "alert":
            alert = msgspec.json.decode(fields["data"])
            self.alerts[alert["alert"]] = alert["version"]
        self.resets += fields.get("event") == "reset"
        self._last = fields.get("id", self._last)
