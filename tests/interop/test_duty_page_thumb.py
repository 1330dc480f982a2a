"""A tired thumb on the phone page: it taps twice, it taps where something else stood a moment ago."""

from pathlib import Path

from tests.broker import until
from tests.browser import Browser, needs_browser
from tests.desk_cases import HERE, guarded
from tests.desk_live import alarm, opened, shows

pytestmark = needs_browser

ACKNOWLEDGE = "#waiting [data-act=acknowledge]"
IS_CALM = "return performance.now() - (document.querySelector('{}')?.born ?? Infinity) > 400"


def calm(window: Browser, selector: str) -> None:
    """Wait until a button has stood there for a while."""
    until(lambda: window.run(IS_CALM.format(selector)), what=f"{selector}, and a moment more")


def test_a_double_tap_acknowledges_and_does_not_take_it_back(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        calm(window, ACKNOWLEDGE)
        window.block("*/steps")
        window.tap(ACKNOWLEDGE, 0.5, 0.5)
        window.tap("#waiting .acts button", 0.5, 0.5)
        shows(window, "没有网络，已记在手机里")
        assert window.run("return document.querySelector('#waiting .acts').innerText") == "取消发送"


def test_a_double_tap_on_an_alert_in_full_sends_nobody_to_the_place(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        until(lambda: window.run("return !!document.querySelector('#list .card a')"), what="a card")
        window.run("location.hash = document.querySelector('#list .card a').getAttribute('href')")
        calm(window, ".acting button.go")
        window.tap(".acting button.go", 0.5, 0.5)
        until(lambda: "取消发送" not in window.text() and "已确认" in window.text(), what="the answer")
        window.tap(".acting button.go", 0.5, 0.5)
        shows(window, "我到现场了")
        window.run("location.hash = '#/alerts'")
        shows(window, "已确认 · warden-1")
        assert running.made("arrive") == 0


def test_a_double_tap_at_a_door_is_no_second_look(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.ask(guarded(running.office, HERE))
        window.run("location.hash = '#/doors'")
        shows(window, "已锁")
        calm(window, "[data-door] .acting button")
        window.tap("[data-door] .acting button", 0.5, 0.5)
        window.tap("dialog .danger", 0.5, 0.5)
        assert window.run("return !!document.querySelector('dialog[open]')")
        calm(window, "dialog .danger")
        window.tap("dialog .danger", 0.5, 0.5)
        shows(window, "正在下达")
