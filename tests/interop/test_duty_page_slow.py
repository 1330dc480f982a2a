"""The phone page on a slow network: what is on its way is told to whoever has gone on, and paints over nothing."""

from pathlib import Path

import pytest

from gateway.core.events import Words
from gateway.desk.orders import Settle, State
from gateway.desk.store import order_rows, orders
from tests.broker import until
from tests.browser import needs_browser
from tests.desk_cases import HERE, guarded
from tests.desk_live import LiveDesk, alarm, opened, ready, shows
from tests.interop.test_duty_page_work import look, rows

pytestmark = needs_browser

HELD = """
const ask = window.fetch;
let letGo = [];
window.fetch = async (path, request) => {
  if (String(path).includes("%s")) await new Promise((go) => { letGo.push(go); });
  return ask(path, request);
};
window.held = () => letGo.length;
window.letGo = () => { for (const go of letGo) go(); window.fetch = ask; };
"""

NO_LIST = """
const ask = window.fetch;
window.fetch = async (path, request) => {
  if (path === "%s") throw new TypeError("no network");
  return ask(path, request);
};
window.letGo = () => { window.fetch = ask; };
"""


def carried_out(running: LiveDesk) -> None:
    """Have the gateway say that the one order was carried out."""

    async def settle() -> None:
        async with running.office.database.transaction() as transaction:
            (row,) = await transaction.fetch("SELECT id FROM orders")
            order = await order_rows.find(transaction, row["id"])
            assert order is not None
            told = Settle(State.DONE, Words("已执行", "Done"))
            await orders.settle(transaction, order, told, running.office.parts.now())
        running.office.parts.changed()

    running.ask(settle())


def test_what_came_of_an_order_is_told_though_the_doors_cannot_be_loaded_anew(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.ask(guarded(running.office, HERE))
        window.run("location.hash = '#/doors'")
        shows(window, "已锁")
        window.press("开门")
        window.run(NO_LIST % "/api/doors")
        window.press("确定开门")
        until(lambda: rows(running, "SELECT id FROM orders"), what="the order")
        carried_out(running)
        shows(window, "没有连上值班台")
        shows(window, "已执行")
        window.run("letGo()")
        until(lambda: "没有连上值班台" not in window.text(), what="the doors as they are now")
        assert "已执行" in window.text()


def test_who_left_the_doors_is_told_what_came_of_the_order(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.ask(guarded(running.office, HERE))
        window.run("location.hash = '#/doors'")
        shows(window, "已锁")
        window.press("开门")
        window.press("确定开门")
        until(lambda: rows(running, "SELECT id FROM orders"), what="the order")
        window.run("location.hash = '#/alerts'")
        carried_out(running)
        shows(window, "已执行")


def test_an_answer_to_a_view_that_was_left_paints_over_no_other_and_is_told(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        window.run("location.hash = '#/report'")
        window.run("document.querySelector('[name=text]').value = '楼道堆放杂物'")
        window.run(HELD % "/api/reports")
        window.run("document.querySelector('form .go').click()")
        until(lambda: window.run("return held()") == 1, what="the report on its way")
        look(window)
        window.run("letGo()")
        shows(window, "已上报，值班的人会看到")
        assert "119" in window.text()


def test_what_was_not_sent_is_told_to_whoever_has_gone_on(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, window):
        window.run("location.hash = '#/report'")
        window.run("document.querySelector('[name=text]').value = '楼道堆放杂物'")
        window.run(HELD % "/api/reports")
        window.run("document.querySelector('form .go').click()")
        until(lambda: window.run("return held()") == 1, what="the report on its way")
        window.run("location.hash = '#/alerts'")
        window.block("*/api/reports")
        window.run("letGo()")
        shows(window, "「上报」没有发出去")


def test_a_shared_phone_goes_back_from_the_change_of_hands(tmp_path: Path) -> None:
    with opened(tmp_path, None) as (_, window):
        window.press("warden-1")
        shows(window, "一切正常")
        ready(window)
        window.run("location.hash = '#/duty'")
        shows(window, "换人值班")
        window.press("换人值班")
        shows(window, "谁在值班？")
        window.run("history.back()")
        shows(window, "一切正常")
        assert window.run("return document.querySelector('nav.bar').offsetHeight") > 0
        assert window.run("return document.querySelector('#start').offsetHeight") > 0


def test_what_is_not_known_yet_of_an_alert_is_not_told_as_if_there_were_none(tmp_path: Path) -> None:
    """Nobody told, no number to call: said while the answer is awaited it would send people the wrong way."""
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        shows(window, "烟感报警")
        window.run(HELD % "/api/alerts/")
        window.run("location.hash = document.querySelector('#list .card a').getAttribute('href')")
        shows(window, "通知了谁")
        assert "还没有通知任何人" not in window.text()
        assert "没有登记电话" not in window.text()
        window.run("letGo()")
        shows(window, "119")
        shows(window, "还没有通知任何人")


@pytest.mark.parametrize(
    ("view", "path", "says"),
    [
        ("#/doors", "/api/doors", "没有可以操作的门"),
        ("#/devices", "/api/devices?limit=2000", "还没有登记设备"),
        ("#/duty", "/api/duty", "现在谁在值班"),
        ("#/closed", "/api/alerts?state=closed&limit=50", "没有"),
    ],
)
def test_a_view_that_could_not_be_loaded_is_there_once_it_can(
    tmp_path: Path, view: str, path: str, says: str
) -> None:
    with opened(tmp_path) as (_, window):
        window.run(NO_LIST % path)
        window.run(f"location.hash = '{view}'")
        shows(window, "没有连上值班台")
        window.run("letGo()")
        until(lambda: "没有连上值班台" not in window.text(), what="the desk reached")
        shows(window, says)


def test_an_alert_that_could_not_be_loaded_in_full_is_there_once_it_can(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        shows(window, "烟感报警")
        window.run(NO_LIST % f"/api/alerts/{alarm(1).alert}")
        window.run("location.hash = document.querySelector('#list .card a').getAttribute('href')")
        shows(window, "正在读取")
        window.run("letGo()")
        shows(window, "119")


def test_an_alert_that_nobody_acknowledged_is_assigned_to_whom_there_is(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        look(window)
        window.press("指派给")
        shows(window, "warden-2")
