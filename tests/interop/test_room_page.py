"""The duty room in a real browser: live, lit where something is open; the hand-over on paper; people and devices."""

import base64
import re
from pathlib import Path

import pytest

from gateway.core.events import Place, Severity
from tests.broker import until
from tests.browser import Browser, browser, needs_browser
from tests.desk_live import LiveDesk, alarm, desk, shows
from tests.interop.test_duty_page_whole import axe, serious

__all__ = ["axe"]

pytestmark = needs_browser

WIDE = (1920, 1080)
LEDGER = "网关,设备,类型,社区,网格,微网格,小区,安装日期\\nhxtp-01,smoke-1,烟感,中山二路,3,17,红星亭坡 1 号院,{day}\\n"
CLICK_AS_ONE_COMES = """
new MutationObserver(() => {
  const buttons = document.querySelectorAll(".alert button.go");
  if (window.clicked || buttons.length !== 2) return;
  window.clicked = performance.now();
  buttons[0].click();
}).observe(document.querySelector("#open"), { childList: true });
"""


def enter(running: LiveDesk, window: Browser, path: str, person: str = "duty-room") -> None:
    """Let a wide window in as somebody, and open a page."""
    window.resize(*WIDE)
    running.let_in(window, person)
    window.open(f"{running.url}{path}")


def has(window: Browser, selector: str) -> None:
    """Wait until there is such an element."""
    until(lambda: window.run(f"return !!document.querySelector('{selector}')"), what=selector)


def count(window: Browser, name: str) -> str:
    """Return a counter of the room."""
    return str(window.run(f"return document.querySelector('[data-count={name}] strong').textContent"))


def choose(window: Browser, day: str) -> None:
    """Choose a ledger as a file, and try it."""
    content = LEDGER.format(day=day)
    window.run(
        f"const list = new DataTransfer(); list.items.add(new File(['{content}'], 'a.csv'));"
        "document.querySelector('#ledger input').files = list.files; document.querySelector('#ledger button').click();"
    )


@pytest.mark.slow
def test_the_room_is_lit_where_something_is_open_and_each_step_is_seen_at_once(tmp_path: Path) -> None:
    with desk(tmp_path) as running, browser("zh-CN") as window:
        enter(running, window, "/room")
        shows(window, "一切正常")
        running.take(alarm(1))
        shows(window, "烟感报警")
        until(lambda: count(window, "unacknowledged") == "1", what="the counter")
        lit = "return document.querySelectorAll('.cell.critical.waiting').length"
        until(lambda: window.run(lit) == 1, what="the lit floor")
        assert "2 栋" in window.text()
        press = "document.querySelector('.alert button.go')?.click(); return document.body.innerText"
        until(lambda: "已确认 · duty-room" in window.run(press), what="the acknowledgement")
        until(lambda: running.audit("acknowledge") == ["duty-room"], what="the record")
        until(lambda: window.run(lit) == 0, what="a floor that calls nobody any more")
        running.take(alarm(2, kind="door.held", severity=Severity.MINOR, zh="门一直没关"))
        shows(window, "门一直没关")
        window.click(".house")
        shows(window, "只看 2 栋")
        assert window.run("return document.documentElement.scrollWidth <= innerWidth")
        running.stop()
        until(lambda: "画面已断线" in window.text(), within_s=60, what="the red bar")


def test_a_click_as_an_alert_comes_acknowledges_none_that_moved_under_it(tmp_path: Path) -> None:
    with desk(tmp_path) as running, browser("zh-CN") as window:
        enter(running, window, "/room")
        running.take(alarm(1))
        has(window, ".alert button.go")
        window.run(CLICK_AS_ONE_COMES)
        running.take(alarm(2, kind="care.sos", zh="求助", place=Place(building="9")))
        until(lambda: window.run("return window.clicked"), what="the click")
        assert window.run("return document.querySelectorAll('.alert button.go:disabled').length") == 0
        assert running.made("acknowledge") == 0
        until(lambda: window.run("return performance.now() - clicked > 400"), what="a moment")
        window.click(".alert button.go")
        until(lambda: running.audit("acknowledge") == ["duty-room"], what="the record")


@pytest.mark.slow
def test_a_hand_over_is_printed_on_a4_without_its_form(tmp_path: Path) -> None:
    with desk(tmp_path) as running, browser("zh-CN") as window:
        running.take(alarm(1))
        enter(running, window, "/shift")
        assert "交班人" in window.text()
        printed = window.devtools("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]
        paper = base64.b64decode(printed)
        assert paper.startswith(b"%PDF")
        box = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", paper)
        assert box is not None
        assert (round(float(box[1])), round(float(box[2]))) in {(595, 842), (596, 842)}
        window.devtools("Emulation.setEmulatedMedia", media="print")
        assert window.run("return getComputedStyle(document.querySelector('.ask')).display") == "none"


@pytest.mark.slow
def test_a_phone_is_let_in_and_a_ledger_tried_mended_and_put_in(tmp_path: Path) -> None:
    with desk(tmp_path) as running, browser("zh-CN") as window:
        enter(running, window, "/admin", "administrator-1")
        window.click("[data-pair=warden-2]")
        until(
            lambda: window.run("return document.querySelector('.qr')?.naturalWidth > 0"), what="the QR code"
        )
        window.click("dialog .go")
        choose(window, "昨天")
        shows(window, "有 1 处要改")
        shows(window, "日期，如 2026-03-05")
        choose(window, "2020/5/6")
        shows(window, "新增 1 台")
        assert "2020-05-06" in window.text()
        window.click("#answer .go")
        shows(window, "已导入：新增 1 台")


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "language"), [("light", "zh"), ("dark", "en")])
def test_nothing_on_these_pages_is_what_axe_calls_serious(
    tmp_path: Path, axe: str, theme: str, language: str
) -> None:
    with desk(tmp_path) as running, browser("zh-CN") as window:
        running.take(alarm(1), alarm(2, kind="door.held", severity=Severity.MINOR, zh="门一直没关"))
        enter(running, window, "/room", "administrator-1")
        window.devtools(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": theme},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ],
        )
        for path, there in (("/room", ".bar"), ("/shift", ".sign"), ("/admin", "[data-pair]")):
            window.open(f"{running.url}{path}?lang={language}")
            has(window, there)
            assert serious(window, axe) == [], path
