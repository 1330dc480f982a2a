"""A real browser for tests: Chromium driven over the W3C WebDriver protocol by Debian's chromedriver."""

import atexit
import base64
import json
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.broker import free_port, until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="chromium or chromedriver is not installed"
)

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=420,900",
)  # fmt: skip


class Browser:
    """One window."""

    def __init__(self, session: str) -> None:
        self._session = session
        self.origins: set[str] = set()

    def open(self, url: str) -> None:
        """Go to a page."""
        address = urlsplit(url)
        if address.netloc:
            self.origins.add(f"{address.scheme}://{address.netloc}")
        _ask("POST", f"{self._session}/url", {"url": url})

    def run(self, script: str) -> Any:
        """Run a function body in the page and return what it returns."""
        return _ask("POST", f"{self._session}/execute/sync", {"script": script, "args": []})

    def text(self) -> str:
        """Return what a person can read on the page."""
        return str(self.run("return document.body.innerText"))

    def click(self, selector: str) -> None:
        """Click on the first element a CSS selector finds."""
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def press(self, text: str) -> None:
        """Click on the first button or link that says this."""
        wanted = f"find((each) => each.offsetWidth && each.innerText.includes({json.dumps(text)}))"
        self.run(f"[...document.querySelectorAll('dialog[open] button, button, a')].{wanted}.click()")

    def tap(self, selector: str, x: float, y: float, *, to: tuple[float, float] | None = None) -> None:
        """Put a real finger on an element at shares of its width and height, move it, and lift it."""
        script = f"const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
        left, top, width, height = self.run(f"{script} return [b.left, b.top, b.width, b.height]")

        def move(share_x: float, share_y: float) -> dict[str, object]:
            x, y = round(left + share_x * width), round(top + share_y * height)
            return {"type": "pointerMove", "duration": 0, "x": x, "y": y, "origin": "viewport"}

        ways = [move(x, y), {"type": "pointerDown", "button": 0}, *([move(*to)] if to else [])]
        ways.append({"type": "pointerUp", "button": 0})
        finger = {"type": "pointer", "id": "finger", "parameters": {"pointerType": "touch"}, "actions": ways}
        _ask("POST", f"{self._session}/actions", {"actions": [finger]})

    def devtools(self, command: str, **parameters: object) -> Any:
        """Give the browser itself an order, of the Chrome DevTools protocol."""
        return _ask("POST", f"{self._session}/goog/cdp/execute", {"cmd": command, "params": parameters})

    def block(self, *patterns: str) -> None:
        """Have requests to such addresses fail as without a network; none: no longer."""
        self.devtools("Network.enable")
        self.devtools("Network.setBlockedURLs", urls=list(patterns))

    def without_scripts(self, url: str) -> None:
        """Go to a page as somebody does who lets none run."""
        self.devtools("Emulation.setScriptExecutionDisabled", value=True)
        self.open(url)

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        _ask("POST", f"{self._session}/window/rect", {"width": width, "height": height})

    def screenshot(self) -> bytes:
        """Return what the window shows, as PNG."""
        return base64.b64decode(_ask("GET", f"{self._session}/screenshot"))


class _Chromium:
    """A browser whose user reads `language`; it takes seconds to start, so one test after another has it."""

    def __init__(self, language: str) -> None:
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        port = free_port()
        self._driver = subprocess.Popen(
            [str(DRIVER), f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._session = ""
        try:
            url = f"http://127.0.0.1:{port}"
            until(lambda: _is_ready(url), what="chromedriver")
            known = f"--lang={language}", f"--accept-lang={language}", f"--user-data-dir={self._profile.name}"
            options = {"binary": CHROMIUM, "args": [*FLAGS, *known]}
            wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
            self._session = f"{url}/session/{_ask('POST', f'{url}/session', wanted)['sessionId']}"
            self._first = _ask("GET", f"{self._session}/window")
            self._size = _ask("GET", f"{self._session}/window/rect")
        except BaseException:
            self.end()
            raise

    def window(self) -> Browser:
        """Return a new window, as large as the first one is."""
        made = _ask("POST", f"{self._session}/window/new", {"type": "window"})
        self._turn_to(made["handle"])
        _ask("POST", f"{self._session}/window/rect", self._size)
        return Browser(self._session)

    def forget(self, window: Browser) -> None:
        """Close a window and those opened out of it; what their pages left goes too, and what was blocked there."""
        own = _ask("GET", f"{self._session}/window")
        for handle in _ask("GET", f"{self._session}/window/handles"):
            if handle not in {own, self._first}:
                self._turn_to(handle)
                _ask("DELETE", f"{self._session}/window")
        self._turn_to(own)
        window.open("about:blank")
        for origin in window.origins:
            window.devtools("Storage.clearDataForOrigin", origin=origin, storageTypes="all")
        window.devtools("Network.clearBrowserCache")
        _ask("DELETE", f"{self._session}/window")
        self._turn_to(self._first)

    def _turn_to(self, handle: str) -> None:
        _ask("POST", f"{self._session}/window", {"handle": handle})

    def end(self) -> None:
        """End it: chromedriver leaves its browser behind when it is ended itself."""
        try:
            if self._session:
                _ask("DELETE", self._session)
        finally:
            self._driver.terminate()
            self._driver.wait()
            self._profile.cleanup()


_idle: dict[str, list[_Chromium]] = {}


@contextmanager
def browser(language: str) -> Iterator[Browser]:
    """Have a window of a browser whose user reads `language` and was nowhere yet."""
    idle = _idle.setdefault(language, [])
    chromium = idle.pop() if idle else _Chromium(language)
    try:
        window = chromium.window()
        yield window
        chromium.forget(window)
    except BaseException:  # whatever state it is in, no other test shall find it
        chromium.end()
        raise
    idle.append(chromium)


@atexit.register
def end_browsers() -> None:
    """End those that no test uses."""
    for idle in _idle.values():
        while idle:
            idle.pop().end()


def _is_ready(url: str) -> bool:
    try:
        return bool(_ask("GET", f"{url}/status")["ready"])
    except OSError:
        return False


def _ask(method: str, url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["value"]
