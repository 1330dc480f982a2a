"""A tired thumb on the phone page: it taps twice, it taps where something else stood a moment ago."""

from pathlib import Path

import msgspec

from tests.broker import until
from tests.browser import Browser, needs_browser
from tests.desk_cases import HERE, guarded
from tests.desk_live import alarm, opened, shows
from tests.events import PLACE

pytestmark = needs_browser

ACKNOWLEDGE = "#waiting [data-act=acknowledge]"
IS_CALM = "return performance.now() - (document.querySelector('{}')?.born ?? Infinity) > 400"
TAP_AS_ANOTHER_COMES = """
const come = new MutationObserver(() => {
  const there = document.querySelector("%s");
  if (!there?.innerText.includes("%s")) return;
  come.disconnect();
  there.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, detail: 1 }));
  document.body.dataset.tapped = true;
});
come.observe(document.body, { childList: true, subtree: true });
"""
TAP_AS_ONE_GOES = """
const list = document.querySelector("#waiting ol");
const tap = () => { if (list.children.length === 1) list.querySelector("[data-act=acknowledge]").click(); };
new MutationObserver(tap).observe(list, { childList: true });
const [, path] = list.querySelector("a").hash.split("/alerts/");
const headers = { "X-Desk": document.querySelector("meta[name=csrf]").content };
const body = JSON.stringify({ id: crypto.randomUUID(), step: "resolve", verdict: "real" });
fetch(`/api/alerts/${path}/steps`, { method: "POST", headers, body });
"""


def calm(window: Browser, selector: str) -> None:
    """Wait until a button has stood there for a while."""
    until(lambda: window.run(IS_CALM.format(selector)), what=f"{selector}, and a moment more")


def test_a_double_tap_acknowledges_and_does_not_take_it_back(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        calm(window, ACKNOWLEDGE)
        window.block("*/steps")
        window.run(TAP_AS_ANOTHER_COMES % ("#waiting .acts button", "取消发送"))
        window.tap(ACKNOWLEDGE, 0.5, 0.5)
        until(lambda: window.run("return document.body.dataset.tapped"), what="the second tap")
        shows(window, "没有网络，已记在手机里")
        assert window.run("return document.querySelector('#waiting .acts').innerText") == "取消发送"


def test_a_double_tap_on_an_alert_in_full_sends_nobody_to_the_place(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        until(lambda: window.run("return !!document.querySelector('#list .card a')"), what="a card")
        window.run("location.hash = document.querySelector('#list .card a').getAttribute('href')")
        calm(window, ".acting button.go")
        window.run(TAP_AS_ANOTHER_COMES % (".acting button.go", "我到现场了"))
        window.tap(".acting button.go", 0.5, 0.5)
        until(lambda: window.run("return document.body.dataset.tapped"), what="the second tap")
        window.run("location.hash = '#/alerts'")
        shows(window, "已确认 · warden-1")
        assert running.made("arrive") == 0


def test_a_double_tap_at_a_door_is_no_second_look(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.ask(guarded(running.office, HERE))
        window.run("location.hash = '#/doors'")
        shows(window, "已锁")
        calm(window, "[data-door] .acting button")
        window.run(TAP_AS_ANOTHER_COMES % ("dialog .danger", "确定开门"))
        window.tap("[data-door] .acting button", 0.5, 0.5)
        until(lambda: window.run("return document.body.dataset.tapped"), what="the second tap")
        assert window.run("return !!document.querySelector('dialog[open]')")
        calm(window, "dialog .danger")
        window.tap("dialog .danger", 0.5, 0.5)
        shows(window, "正在下达")


def test_a_tap_on_an_alert_that_is_just_gone_is_none_on_the_one_that_came_up(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        other = msgspec.structs.replace(PLACE, building="9")
        running.take(alarm(1), alarm(2, kind="bin.full", place=other))
        until(
            lambda: window.run("return document.querySelectorAll('#waiting .card').length") == 2, what="two"
        )
        window.run(TAP_AS_ONE_GOES)
        until(lambda: running.made("resolve") == 1, what="the first one seen to")
        until(lambda: window.run("return document.querySelectorAll('#list .card').length") == 1, what="one")
        assert window.run("return document.querySelector('#list .acts').innerText") == "确认收到"
        assert running.made("acknowledge") == 0


def test_pages_left_open_behind_keep_the_one_in_front_from_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, window):
        for number in range(1, 8):
            behind = window.run(f"window.page = window.open('/?{number}'); return document.hidden")
            until(
                lambda: window.run("return !!page.document.querySelector('#start:not([hidden])')"), what="it"
            )
        assert behind
        assert window.run("return fetch('/api/me').then((answer) => answer.status)") == 200


def test_a_page_on_duty_rings_behind_another_and_one_that_is_not_is_well_when_it_is_seen(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as (running, window):
        window.run("window.page = window.open('/')")
        until(lambda: window.run("return !!page.document.querySelector('#start:not([hidden])')"), what="it")
        running.take(alarm(1))
        until(lambda: window.run("return !!page.document.querySelector('#waiting .card')"), what="the alert")
        assert "烟感报警" not in window.text()
        window.run("page.close()")
        shows(window, "烟感报警")
        window.tap("#start", 0.5, 0.5)
        shows(window, "值班中，声音已开")
        window.run("window.page = window.open('/')")
        until(lambda: window.run("return document.hidden"), what="the other page in front")
        running.take(alarm(2, kind="care.sos", zh="求助", en="Call for help"))
        until(lambda: window.run("return document.documentElement.dataset.rings") == "1", what="the siren")
