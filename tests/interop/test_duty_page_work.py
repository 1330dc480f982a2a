"""An alert seen through to its end on the phone page, doors, devices and reports, in a real browser."""

from datetime import date
from io import BytesIO
from pathlib import Path

import pytest

from gateway.core.events import Severity, Words
from gateway.core.installed import Asset, Reported, Written
from gateway.desk.orders import Settle, State
from gateway.desk.store import assets, order_rows, orders
from gateway.desk.store.database import Row
from tests import desk_canary
from tests.broker import until
from tests.browser import Browser, browser, needs_browser
from tests.desk_cases import HERE, guarded
from tests.desk_live import LiveDesk, alarm, opened, ready, shows
from tests.desk_parts import NOW
from tests.events import PLACE

pytestmark = needs_browser

WIDTH = "return document.querySelector('.pictures img')?.naturalWidth"
PHOTO = """
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [3000, 2000];
canvas.getContext("2d").fillRect(0, 0, 1500, 1000);
canvas.toBlob((blob) => {
  const taken = new DataTransfer();
  taken.items.add(new File([blob], "photo.png", { type: "image/png" }));
  const input = document.querySelector("dialog input[type=file], form input[type=file]");
  input.files = taken.files;
  input.dispatchEvent(new Event("change"));
});
"""


def photograph(window: Browser) -> None:
    """Take a photo of six million pixels."""
    window.run(PHOTO)
    until(lambda: window.run("return !!document.querySelector('.photos img')"), what="the photo")


def rows(running: LiveDesk, statement: str) -> list[Row]:
    """Return what stands in the database."""

    async def read() -> list[Row]:
        async with running.office.database.transaction() as transaction:
            return list(await transaction.fetch(statement))

    return running.ask(read())


def look(window: Browser, called: str = "119") -> None:
    """Open the first alert of the list; `called` is the number that stands in it."""
    until(lambda: window.run("return !!document.querySelector('#list .card a')"), what="a card")
    window.run("location.hash = document.querySelector('#list .card a').getAttribute('href')")
    shows(window, called)


def test_an_alert_is_assigned_and_resolved_with_a_photo_and_a_second_phone_sees_each_step(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as (running, window), browser("zh-CN") as second:
        running.let_in(second, "warden-2")
        running.take(alarm(1))
        look(window)
        look(second)
        window.press("确认收到")
        shows(second, "已确认 · warden-1")
        window.press("指派给")
        window.press("warden-2")
        shows(second, "已指派 · warden-2")
        second.press("我到现场了")
        shows(window, "已到场")
        window.press("处理")
        window.press("处理完毕")
        shows(window, "请先选：真实、误报或测试")
        window.click("[data-choice=real]")
        window.run("document.querySelector('dialog [name=note]').value = '阳台烧烤，已劝离'")
        photograph(window)
        window.press("处理完毕")
        shows(second, "已处理 · warden-1")
        shows(second, "阳台烧烤，已劝离")
        until(
            lambda: second.run("return document.querySelector('.pictures img')?.naturalWidth") == 1600,
            what="the photo",
        )
        (kept,) = rows(running, "SELECT sha256, media FROM files")
        assert kept["media"] == "image/jpeg"
        data = running.office.parts.files.path(kept["sha256"]).read_bytes()
        assert BytesIO(data).read(3) == b"\xff\xd8\xff"
        second.press("重新打开")
        shows(window, "待确认")


def test_who_is_not_called_is_told_whom_to_ask_for_the_door_and_sees_it_on_going_there(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as (running, window), browser("zh-CN") as second:
        running.let_in(second, "warden-2")
        running.take(desk_canary.arrival(1))
        for each in (window, second):
            look(each, "120")
            shows(each, "点「确认收到」，你马上看到门牌")
        window.press("确认收到")
        shows(window, desk_canary.CODE)
        shows(second, "已有人在处理（已确认 · warden-1），请向其问门牌")
        second.press("我到现场了")
        shows(second, desk_canary.CODE)


def test_a_false_alarm_is_told_apart(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        look(window)
        window.press("处理")
        window.click("[data-choice=false]")
        window.press("处理完毕")
        shows(window, "误报 · warden-1")
        assert [row["state"] for row in rows(running, "SELECT state FROM work")] == ["false_alarm"]


def test_what_was_written_is_kept_where_there_is_no_network_and_happens_once(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        look(window)
        window.press("处理")
        window.click("[data-choice=test]")
        window.run("document.querySelector('dialog [name=note]').value = '演练'")
        window.block("*/steps")
        window.press("处理完毕")
        shows(window, "没有发出去")
        assert window.run("return document.querySelector('dialog [name=note]').value") == "演练"
        window.block()
        window.press("处理完毕")
        shows(window, "已处理 · warden-1")
        assert running.made("resolve") == 1


def test_a_text_that_comes_live_is_never_markup(tmp_path: Path) -> None:
    hostile = "<img src=x onerror=\"document.title='done'\"><script>document.title='done'</script>"
    with opened(tmp_path) as (running, window):
        running.take(alarm(1, zh=hostile, en=hostile))
        shows(window, "<img src=x")
        look(window)
        shows(window, "<img src=x")
        assert window.run("return document.querySelectorAll('main img, main script').length") == 0
        assert window.run("return document.title") != "done"


def test_a_door_is_opened_after_a_second_look_and_what_came_of_it_is_told(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.ask(guarded(running.office, HERE))
        window.run("location.hash = '#/doors'")
        shows(window, "已锁")
        window.press("开门")
        assert rows(running, "SELECT id FROM orders") == []
        window.press("确定开门")
        until(lambda: rows(running, "SELECT id FROM orders"), what="the order")
        shows(window, "正在下达")

        async def settle() -> None:
            async with running.office.database.transaction() as transaction:
                (row,) = await transaction.fetch("SELECT id FROM orders")
                order = await order_rows.find(transaction, row["id"])
                assert order is not None
                told = Settle(State.DONE, Words("已执行", "Done"))
                await orders.settle(transaction, order, told, running.office.parts.now())
            running.office.parts.changed()

        running.ask(settle())
        shows(window, "已执行")


def test_an_order_to_a_door_is_never_kept_for_later(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.ask(guarded(running.office, HERE))
        window.run("location.hash = '#/doors'")
        shows(window, "已锁")
        window.press("开门")
        window.block("*/unlock")
        window.press("确定开门")
        shows(window, "不知道命令是否到达，请到门口看")
        window.block()
        window.run("dispatchEvent(new Event('online'))")
        window.open(running.url)
        ready(window)
        running.take(alarm(1))
        shows(window, "烟感报警")  # the page is well again, and has sent nothing
        assert rows(running, "SELECT id FROM orders") == []


def test_devices_are_found_by_a_word_and_what_is_offline_comes_first(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):

        async def known() -> None:
            async with running.office.database.transaction() as transaction:
                smoke = Reported("smoke", "renke-rs-yg-n01", "走廊", PLACE, online=True)
                gas = Reported("gas", "hanwei-gt", "厨房", PLACE, online=False)
                made = Asset(
                    "hxtp-01",
                    "smoke-1",
                    Written(installed_on=date(2010, 1, 1)),
                    reported=smoke,
                    reported_at=NOW,
                )
                other = Asset("hxtp-01", "gas-1", reported=gas, reported_at=NOW)
                await assets.report(transaction, [made, other], NOW)
                await assets.write(transaction, [made], NOW)
            running.office.parts.registry.forget()

        running.ask(known())
        window.run("location.hash = '#/devices'")
        shows(window, "2 台设备")
        assert window.text().index("厨房") < window.text().index("走廊")
        assert "超过使用年限" in window.text()
        window.run(
            "const field = document.querySelector('input[type=search]'); field.value = '走廊 renke';"
            " field.dispatchEvent(new Event('input'))"
        )
        shows(window, "1 台设备")
        assert "厨房" not in window.text()


def test_a_hazard_reported_with_a_photo_is_an_alert_on_the_other_phone(tmp_path: Path) -> None:
    with (
        opened(tmp_path, "committee-1") as (running, window),
        browser("zh-CN") as second,
    ):
        running.let_in(second, "warden-1")
        window.run("location.hash = '#/report'")
        window.press("上报")
        window.run("document.querySelector('form .go').click()")
        shows(window, "请写几个字说明")
        window.click("[data-choice=hazard]")
        window.run("document.querySelector('[name=text]').value = '楼道堆放杂物'")
        window.run("document.querySelector('[name=building]').value = '3'")
        photograph(window)
        window.run("document.querySelector('form .go').click()")
        shows(window, "已上报")
        shows(second, "楼道堆放杂物")
        assert "3 栋" in second.text()
        assert len(rows(running, "SELECT alert FROM attachments")) == 1
        window.press("看这条")
        until(
            lambda: window.run("return document.querySelector('.pictures img')?.naturalWidth") == 1600,
            what="the photo",
        )


@pytest.mark.parametrize(
    ("person", "says"), [("warden-1", "按排班，现在轮到你值班"), ("property-1", "现在不是你的班")]
)
def test_my_duty_says_whose_turn_it_is(tmp_path: Path, person: str, says: str) -> None:
    with opened(tmp_path, person) as (running, window):
        window.run("location.hash = '#/duty'")
        shows(window, says)
        shows(window, "现在谁在值班")
        assert "warden-2" in window.text()
        window.press("开始值班")
        until(lambda: running.audit("begins duty") == [person], what="the record")
        window.press("结束值班")
        until(lambda: running.audit("ends duty") == [person], what="the record")


def test_minor_matters_make_no_alarm_of_themselves(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1, kind="bin.full", severity=Severity.MINOR, zh="垃圾桶已满", en="Bin is full"))
        shows(window, "垃圾桶已满")
        assert window.run("return document.title") == "值班告警"
        assert window.run("return document.querySelectorAll('.vital').length") == 0
