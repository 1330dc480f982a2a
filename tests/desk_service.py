"""A service that pages people, pretended: a real HTTP server on loopback that answers as the real ones do."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answering = Callable[[str, dict[str, Any]], tuple[int, object]]
"""What comes of a path and a body: status and JSON."""


class Service:
    """A service on loopback that keeps what it is sent and answers as it is told."""

    def __init__(self, answering: Answering | None = None) -> None:
        self.status, self.body, self.hang_up, self.drip = 200, b"{}", False, False
        self.answering = answering
        self.heard: list[dict[str, Any]] = []
        self.times: list[float] = []  # wall seconds, of each
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.closing = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                service.hear(self.path, self.rfile.read(length), dict(self.headers))
                if service.hang_up:
                    return
                if service.drip:
                    self._drip()
                    return
                status, body = service.status, service.body
                if service.answering is not None:
                    status, told = service.answering(self.path, service.heard[-1])
                    body = told if isinstance(told, bytes) else json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _drip(self) -> None:
                """Send a byte now and then, for ever: no read of it ever times out."""
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
                try:
                    while not service.closing.wait(0.05):
                        self.wfile.write(b" ")
                except OSError:
                    return

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        self.url = f"{self.origin}/page"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def hear(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        """Keep a request."""
        self.times.append(time.time())
        self.paths.append(path)
        self.heard.append(json.loads(body))
        self.headers.append(headers)

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@contextmanager
def paging() -> Iterator[Service]:
    """Run a service that takes every page, and says so as the bots do: `success = { errcode = 0 }`."""
    service = Service()
    service.body = b'{"errcode":0}'
    try:
        yield service
    finally:
        service.close()
