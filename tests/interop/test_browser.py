"""What a test leaves behind in its browser no other test finds, though they share the process."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.browser import browser, needs_browser

pytestmark = needs_browser

LEAVE = """
document.cookie = "left=1; max-age=3600";
localStorage.left = 1;
window.open("/");
return caches.open("left").then((cache) => cache.put("/left", new Response("1")))
    .then(() => navigator.serviceWorker.register("/worker.js")).then(() => navigator.serviceWorker.ready).then(() => 1);
"""
LOOK = """
return Promise.all([caches.keys(), navigator.serviceWorker.getRegistrations()])
    .then(([kept, workers]) => [document.cookie, localStorage.length, kept.length, workers.length, innerWidth]);
"""


class Page(BaseHTTPRequestHandler):
    """An empty page and an empty worker."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if self.path == "/worker.js" else "text/html")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be silent."""


@pytest.fixture
def url() -> Iterator[str]:
    """Have a page that can be opened."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_one_left_behind_the_next_does_not_find(url: str) -> None:
    found = []
    for _ in range(2):
        with browser("zh-CN") as window:
            window.open(url)
            found.append(window.run(LOOK))
            assert window.run(LEAVE) == 1
            window.resize(800, 700)
            window.block("*")
    assert found[0] == found[1]
    assert found[0][:4] == ["", 0, 0, 0]


def test_two_at_once_know_nothing_of_one_another(url: str) -> None:
    with browser("zh-CN") as one, browser("zh-CN") as other:
        for window in (one, other):
            window.open(url)
        one.run(LEAVE)
        assert other.run(LOOK)[:4] == ["", 0, 0, 0]
