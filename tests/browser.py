"""A real browser for tests: Chromium driven over the W3C WebDriver protocol by Debian's chromedriver."""

import base64
import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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

    def open(self, url: str) -> None:
        """Go to a page."""
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


@contextmanager
def browser(folder: Path, language: str) -> Iterator[Browser]:
    """Have a browser whose user reads `language`."""
    port = free_port()
    driver = subprocess.Popen(
        [str(DRIVER), f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _is_ready(url), what="chromedriver")
        flags = [
            *FLAGS,
            f"--lang={language}",
            f"--accept-lang={language}",
            f"--user-data-dir={folder / language}",
        ]
        options = {"binary": CHROMIUM, "args": flags}
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        session = _ask("POST", f"{url}/session", wanted)["sessionId"]
        try:
            yield Browser(f"{url}/session/{session}")
        finally:  # chromedriver leaves its browser behind when it is ended itself
            _ask("DELETE", f"{url}/session/{session}")
    finally:
        driver.terminate()
        driver.wait()


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
