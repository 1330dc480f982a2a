"""The phone page in a real browser against a running desk: read before its script, live, acknowledged, undone."""

from pathlib import Path

from tests.broker import until
from tests.browser import needs_browser
from tests.desk_live import alarm, opened, shows

pytestmark = needs_browser

ACKNOWLEDGE = "#waiting [data-act=acknowledge]"


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
        until(lambda: running.audit("acknowledge"), what="the record")
        window.click("#toast button")
        shows(window, "已撤销")
        until(
            lambda: window.run(f"return !!document.querySelector('{ACKNOWLEDGE}')"), what="the button again"
        )
        assert running.audit("reopen") == ["warden-1"]
