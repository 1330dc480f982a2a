"""The phone page on a bad network: what is tapped waits on the phone and is sent once; a page cut off says so."""

from pathlib import Path

import pytest

from tests.broker import until
from tests.browser import Browser, browser, needs_browser
from tests.desk_live import alarm, opened, ready, shows

pytestmark = needs_browser

ACKNOWLEDGE = "#waiting [data-act=acknowledge]"
CANCEL = "[data-act=cancel]"
PORTAL = """
const ask = window.fetch;
window.fetch = async () => new Response("<title>Please sign in</title>", { status: %d });
window.letGo = () => { window.fetch = ask; };
"""
NO_ANSWER = """
const ask = window.fetch;
window.asked = false;
window.fetch = async () => { window.asked = true; throw new TypeError("no network"); };
window.letGo = () => { window.fetch = ask; };
"""


CLOCKS = """
const [wall, steady] = [Date.now, performance.now.bind(performance)];
Date.now = () => wall() + %d;
performance.now = () => steady() + %d;
"""


def has(window: Browser, selector: str) -> bool:
    return bool(window.run(f"return !!document.querySelector('{selector}')"))


def test_an_acknowledgement_waits_for_the_network_and_is_sent_once(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        until(lambda: has(window, ACKNOWLEDGE), what="the button")
        running.stop()
        window.click(ACKNOWLEDGE)
        shows(window, "待发送")
        shows(window, "1 个操作待发送")
        running.start()
        until(lambda: running.audit("acknowledge") == ["warden-1"], what="the record", within_s=40)
        shows(window, "已确认 · warden-1")
        until(lambda: "待发送" not in window.text(), what="nothing waiting any more")
        assert running.made("acknowledge") == 1


def test_what_waits_survives_a_reload_and_goes_out_once_it_can(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        until(lambda: has(window, ACKNOWLEDGE), what="the button")
        window.block("*/steps")
        window.click(ACKNOWLEDGE)
        shows(window, "待发送")
        window.open(running.url)
        ready(window)
        shows(window, "待发送")
        assert running.audit("acknowledge") == []
        window.block()
        window.run("dispatchEvent(new Event('online'))")
        until(lambda: running.audit("acknowledge") == ["warden-1"], what="the record")
        until(lambda: "待发送" not in window.text(), what="nothing waiting any more")
        assert running.made("acknowledge") == 1


def test_what_waits_can_be_taken_back_and_is_never_sent(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1), alarm(2, kind="care.sos", zh="求助", en="Call for help"))
        until(lambda: has(window, ACKNOWLEDGE), what="the button")
        window.block("*/steps")
        window.click(ACKNOWLEDGE)
        until(lambda: has(window, CANCEL), what="the way back")
        window.click(CANCEL)
        shows(window, "已取消，不会发出")
        window.block()
        window.run("document.querySelectorAll('#waiting [data-act=acknowledge]')[1].click()")
        until(lambda: running.made("acknowledge") == 1, what="the other one")
        until(
            lambda: window.run("return document.querySelectorAll('#waiting .card').length") == 1,
            what="one left",
        )


def test_what_waits_is_kept_where_a_browser_lends_no_database(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        window.devtools(
            "Page.addScriptToEvaluateOnNewDocument",
            source="IDBFactory.prototype.open = () => { throw new Error('a private window'); };",
        )
        window.open(running.url)
        ready(window)
        until(lambda: has(window, ACKNOWLEDGE), what="the button")
        window.block("*/steps")
        window.click(ACKNOWLEDGE)
        shows(window, "待发送")
        window.open(running.url)
        ready(window)
        shows(window, "待发送")
        window.block()
        window.run("dispatchEvent(new Event('online'))")
        until(lambda: running.made("acknowledge") == 1, what="the record")


@pytest.mark.parametrize("status", [200, 404])
def test_the_page_of_a_portal_in_between_is_no_answer_of_the_desk(tmp_path: Path, status: int) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        until(lambda: has(window, ACKNOWLEDGE), what="the button")
        window.run(PORTAL % status)
        window.click(ACKNOWLEDGE)
        shows(window, "待发送")
        shows(window, "没有网络，已记在手机里")
        window.run("letGo(); dispatchEvent(new Event('online'))")
        until(lambda: running.audit("acknowledge") == ["warden-1"], what="the record")
        shows(window, "已确认 · warden-1")


def test_an_acknowledgement_waits_for_no_database_of_the_phone(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        never = "IDBFactory.prototype.open = () => new EventTarget();"
        window.devtools("Page.addScriptToEvaluateOnNewDocument", source=never)
        window.open(running.url)
        ready(window)
        until(lambda: has(window, ACKNOWLEDGE), what="the button")
        window.click(ACKNOWLEDGE)
        until(lambda: running.audit("acknowledge") == ["warden-1"], what="the record")
        window.click("#toast button")
        shows(window, "已撤销")


def test_a_page_that_missed_much_asks_for_the_list_until_it_has_it(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.stop()
        running.take(alarm(1), alarm(2))
        window.run(NO_ANSWER)

        async def forget() -> None:
            async with running.office.database.transaction() as transaction:
                await transaction.execute("DELETE FROM news WHERE id < (SELECT max(id) FROM news)")

        running.ask(forget())
        running.start()
        until(lambda: window.run("return asked"), what="a question that comes to nothing")
        assert "烟感报警" not in window.text()
        window.run("letGo()")
        shows(window, "烟感报警")


@pytest.mark.slow
def test_a_page_that_is_cut_off_says_so_in_red_and_is_well_again_by_itself(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.stop()
        assert window.run("return document.querySelector('#lost').hidden")
        until(lambda: "页面已断线" in window.text(), what="the red bar", within_s=40)
        assert window.run("return Number.parseInt(document.querySelector('#lost-for').textContent)") >= 20
        assert (
            window.run("return getComputedStyle(document.querySelector('#lost')).backgroundColor")
            == "rgb(143, 15, 23)"
        )
        running.take(alarm(1))
        running.start()
        until(
            lambda: window.run("return document.querySelector('#lost').hidden"),
            what="the bar gone",
            within_s=20,
        )
        shows(window, "烟感报警")


@pytest.mark.parametrize(
    ("wall_ms", "steady_ms"),
    [(-3_600_000, 30_000), (8 * 3_600_000, 0)],
    ids=["its clock was set back", "it slept for eight hours"],
)
def test_a_phone_says_that_it_is_cut_off_whatever_its_clocks_do(
    tmp_path: Path, wall_ms: int, steady_ms: int
) -> None:
    with opened(tmp_path) as (running, window):
        running.stop()
        window.run(CLOCKS % (wall_ms, steady_ms))
        shows(window, "页面已断线")


def test_without_a_network_an_installed_page_opens_empty_says_why_and_fills_by_itself(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        until(lambda: window.run("return !!navigator.serviceWorker.controller"), what="the worker")
        running.stop()
        window.open(running.url)
        shows(window, "没有网络")
        assert "烟感报警" not in window.text()  # no alert is ever kept on the phone
        running.start()
        shows(window, "烟感报警")


def test_what_a_second_phone_does_is_seen_at_once_and_who_was_first_is_told(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, first), browser("en-US") as second:
        running.let_in(second, "warden-2")
        second.open(f"{running.url}/?lang=en")
        ready(second)
        running.take(alarm(1))
        until(lambda: has(first, ACKNOWLEDGE) and has(second, ACKNOWLEDGE), what="the alert on both")
        second.block("*/events*")
        second.run(
            "dispatchEvent(new Event('online'))"
        )  # its stream is gone: it still shows the alert as it was
        first.click(ACKNOWLEDGE)
        until(lambda: running.made("acknowledge") == 1, what="the record")
        second.click(ACKNOWLEDGE)
        shows(second, "warden-1 acknowledged it at")
        second.block()
        second.run("dispatchEvent(new Event('online'))")
        first.run("location.hash = document.querySelector('#working .card a').getAttribute('href')")
        shows(first, "我到现场了")
        first.run(
            "[...document.querySelectorAll('.acting button')].find((each) => each.innerText.includes('到现场')).click()"
        )
        shows(second, "On site")
