"""The phone page while somebody is busy with one alert and another one comes."""

import dataclasses
from pathlib import Path

from gateway.core.events import Severity
from gateway.desk.store import news, people
from tests.broker import until
from tests.browser import needs_browser
from tests.desk_live import alarm, opened, shows
from tests.desk_web import staff
from tests.interop.test_duty_page_thumb import calm
from tests.interop.test_duty_page_work import look

pytestmark = needs_browser

BADGE = "return document.querySelector('#badge').offsetWidth && document.querySelector('#badge').textContent"


def test_a_critical_alert_is_seen_over_whatever_else_is_open_and_opened_by_one_tap(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        look(window)
        window.press("加备注")
        running.take(alarm(2, kind="gas.leak", zh="燃气泄漏", en="Gas leak"))
        shows(window, "‼ 2 栋 1 单元 3 楼 燃气泄漏")
        calm(window, "#toast button")
        window.tap("#toast button", 0.5, 0.5)
        until(lambda: not window.run("return document.querySelector('dialog')"), what="the sheet closed")
        until(lambda: "燃气泄漏" in window.run("return document.querySelector('.what').innerText"), what="it")
        assert window.run(BADGE) == "2"


def test_what_waits_for_an_answer_is_counted_wherever_one_is(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        assert not window.run(BADGE)
        window.run("location.hash = '#/report'")
        shows(window, "看到了什么")
        running.take(alarm(1, kind="bin.full", severity=Severity.MINOR, zh="垃圾桶已满", en="Bin is full"))
        until(lambda: window.run(BADGE) == "1", what="the count")
        assert "‼" not in window.text()
        window.click("nav.bar a")
        until(lambda: window.run("return !!document.querySelector('[data-act=acknowledge]')"), what="it")
        window.click("[data-act=acknowledge]")
        until(lambda: not window.run(BADGE), what="nothing waiting")


def test_a_page_of_somebody_who_is_none_of_the_staff_any_more_shows_no_alerts(tmp_path: Path) -> None:
    with opened(tmp_path, None) as (running, window):
        window.press("warden-1")
        shows(window, "一切正常")
        running.take(alarm(1))
        shows(window, "烟感报警")

        async def leave() -> None:
            everybody = staff()
            roles = tuple(each for each in everybody.roles if each.person != "warden-1")
            async with running.office.database.transaction() as transaction:
                await people.replace(transaction, dataclasses.replace(everybody, roles=roles))
                await news.tell(transaction, "people", [""], running.office.parts.now())
            running.office.parts.people.forget()
            running.office.parts.changed()

        running.ask(leave())
        shows(window, "谁在值班？")
        assert "烟感报警" not in window.text()
