"""The phone page in a real browser against a running desk: read before its script, live, acknowledged, undone."""

from pathlib import Path

import pytest

from tests.broker import until
from tests.browser import needs_browser
from tests.desk_live import alarm, opened, shows

pytestmark = needs_browser

ACKNOWLEDGE = "#waiting [data-act=acknowledge]"
ANSWERS_HELD = """
const ask = window.fetch, held = new Promise((yes) => { window.letGo = yes; });
window.fetch = async (...asked) => { const answer = await ask(...asked); await held; return answer; };
"""


def test_the_list_is_readable_before_any_script_runs(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        shows(window, "烟感报警")
        window.without_scripts(running.url)
        assert "烟感报警" in window.text()
        assert "2 栋 1 单元 3 楼" in window.text()
        assert "确认收到" not in window.text()  # a button that does nothing is not shown


def test_an_alert_appears_by_itself_and_is_acknowledged_in_one_tap(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        assert "一切正常" in window.text()
        running.take(alarm(1))
        shows(window, "烟感报警")
        window.click(ACKNOWLEDGE)
        shows(window, "已确认 · warden-1")
        until(lambda: running.audit("acknowledge") == ["warden-1"], what="the record")
        assert window.run("return document.querySelector('#waiting').hidden")


def test_an_acknowledgement_is_undone_within_five_seconds(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        until(lambda: window.run(f"return !!document.querySelector('{ACKNOWLEDGE}')"), what="the button")
        window.click(ACKNOWLEDGE)
        shows(window, "已确认 · warden-1")
        window.click("#toast button")
        shows(window, "已撤销")
        until(
            lambda: window.run(f"return !!document.querySelector('{ACKNOWLEDGE}')"), what="the button again"
        )
        assert running.audit("reopen") == ["warden-1"]


@pytest.mark.parametrize("seen", [True, False], ids=["while its answer is awaited", "with the same finger"])
def test_an_acknowledgement_that_is_underway_is_taken_back_behind_it(tmp_path: Path, seen: bool) -> None:
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        until(lambda: window.run(f"return !!document.querySelector('{ACKNOWLEDGE}')"), what="the button")
        window.run(ANSWERS_HELD)
        undo = "document.querySelector('#toast button').click();"
        window.run(f"document.querySelector('{ACKNOWLEDGE}').click(); {'' if seen else undo}")
        until(lambda: running.audit("acknowledge") == ["warden-1"], what="the record")
        if seen:
            window.run(undo)
        assert "不会发出" not in window.text()  # it has been sent
        window.run("letGo()")
        shows(window, "已撤销")
        until(lambda: running.audit("reopen") == ["warden-1"], what="the way back")
