"""The page in a real browser: Chromium shows what came over a real broker, in both languages."""

import asyncio
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.desk.server import BoardServer, serve
from tests.broker import free_port, until
from tests.browser import browser, needs_browser
from tests.gateway.desk.test_board import TOPIC, message

ALERT = message(7).replace(
    b'"data": {}',
    '"data": {"kind": "fire.smoke", "severity": "critical", "state": "active_unacked", "count": 1,'
    ' "first_seen": "2026-11-23T08:15:00Z", "value": 1, "unit": null,'
    ' "text": {"zh": "3 楼 烟感报警", "en": "Smoke alarm <b>floor 3</b>"}}'.encode(),
)


@contextmanager
def served(server: BoardServer) -> Iterator[tuple[str, Callable[[str, bytes], object]]]:
    """Serve a board from a thread of its own; yield its address, and a way to hand it a message."""
    port, loop = free_port(), asyncio.new_event_loop()

    async def main() -> None:
        serving.append(asyncio.create_task(serve(server, host="127.0.0.1", port=port)))
        await asyncio.wait(serving)

    serving: list[asyncio.Task[None]] = []
    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    try:
        yield (
            f"http://127.0.0.1:{port}",
            lambda topic, payload: loop.call_soon_threadsafe(server.board.receive, topic, payload),
        )
    finally:
        loop.call_soon_threadsafe(serving[0].cancel)
        thread.join(10)
        loop.close()


@needs_browser
@pytest.mark.parametrize(
    ("language", "alert", "severity", "state"),
    [
        ("zh-CN", "3 楼 烟感报警", "紧急", "网关在线"),
        ("en-US", "Smoke alarm <b>floor 3</b>", "critical", "gateway online"),
    ],
)
def test_a_browser_shows_the_alert_in_its_language_and_runs_nothing_from_it(
    tmp_path: Path, language: str, alert: str, severity: str, state: str
) -> None:
    server = BoardServer()
    server.board.receive("compound/v1/hxtp-01/availability", b"online")
    server.board.receive(TOPIC, ALERT)
    with served(server) as (url, _), browser(tmp_path, language) as window:
        window.open(url)
        until(lambda: alert in window.text(), what="the alert on the page")
        shown = window.text()
        assert severity in shown
        assert state in shown
        assert window.run("return document.documentElement.lang") == language.removesuffix("-US")
        assert window.run("return document.querySelectorAll('li b').length") == 1  # ours, not the alert's


@needs_browser
def test_an_open_page_changes_language_and_shows_what_comes_later(tmp_path: Path) -> None:
    server = BoardServer()
    with served(server) as (url, receive), browser(tmp_path, "zh-CN") as window:
        window.open(url)
        until(lambda: "一切正常" in window.text(), what="the quiet page")
        window.click("#language")
        until(lambda: "All quiet" in window.text(), what="the English page")
        receive(TOPIC, ALERT)
        until(lambda: "Smoke alarm" in window.text(), what="the pushed alert")


def test_a_new_alert_is_pushed_to_an_open_page() -> None:
    server = BoardServer()
    with served(server) as (url, receive):
        until(lambda: answers(url), what="the page")
        with urllib.request.urlopen(f"{url}/events", timeout=10) as events:
            assert events.readline() == b"retry: 1000\n"
            receive("compound/v1/hxtp-01/availability", b"offline")
            lines = iter(events.readline, b"")
            pushed = next(line for line in lines if line.startswith(b'data: {"gateway"'))
    assert pushed == b'data: {"gateway":"hxtp-01","availability":"offline"}\n'


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/alerts.json", timeout=1) as page:
            return int(page.status) == 200
    except OSError:
        return False
