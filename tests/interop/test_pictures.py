"""README's pictures: the demo's desk as phone and duty room see it. `PICTURES=1 pytest <this file>` takes them anew."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.broker import needs_mosquitto, until
from tests.browser import Browser, browser, needs_browser

PICTURES = Path(__file__).parents[1] / "pictures"
PHONE, WIDE = (412, 915), (1600, 1000)
DOOR = re.compile(r"http://localhost:\d+/pair#[\w-]+")
STORY = """\
title = { zh = "一个晚上", en = "An evening" }
[[scene]]
at_s = 1
do = "lift"
target = "cover-05"
[[scene]]
at_s = 1
do = "throw"
target = "facade"
[[scene]]
at_s = 6
do = "smoke"
target = "smoke-2-1-3"
[[scene]]
at_s = 45
do = "throw"
target = "facade"
"""
"""It is thrown twice: on a machine with much else to do the first may fall before anybody looks."""
WHOLE = """
const rest = new Promise((done) => setTimeout(done, 500));  // the page asks as the same phone, and has its share
return rest.then(() => fetch("/api/alerts")).then(answer => answer.json()).then(told => {
  if (!told.alerts) return null;  // asked too often
  const shown = alert => alert.kind === "falling.object" && alert.evidence.some(({ kind }) => kind === "clip");
  const fall = told.alerts.find(shown);
  return fall && told.alerts.some(alert => alert.kind === "fire.smoke") ? fall.alert : null;
})
"""


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[list[str]]:
    """The addresses that let two phones in to a running demo: the property's and the duty room's."""
    script, written = tmp_path / "story.toml", tmp_path / "written"
    script.write_text(STORY, encoding="utf-8")
    command = [sys.executable, "-m", "gateway", "demo", "--port", "0", "--script", str(script)]
    with written.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, env={**os.environ, "COLUMNS": "200"})
    try:
        until(lambda: len(DOOR.findall(written.read_text(encoding="utf-8"))) == 2, what="two addresses")
        yield DOOR.findall(written.read_text(encoding="utf-8"))
    finally:
        process.terminate()
        assert process.wait(30) == 0


def keep(window: Browser, name: str) -> None:
    """Look whether a picture shows something; keep it for README when that is asked for."""
    data = window.screenshot()
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 200, f"{name} is all but empty"
    assert window.run("return document.documentElement.scrollWidth <= innerWidth"), f"{name} is cut off"
    if os.environ.get("PICTURES"):
        (PICTURES / f"{name}.png").write_bytes(data)


def shown(window: Browser, text: str) -> None:
    until(lambda: text in window.text(), what=text)


@needs_mosquitto
@needs_browser
@pytest.mark.slow
def test_the_demos_desk_is_what_readme_shows(doors: list[str], tmp_path: Path) -> None:
    with browser("zh-CN") as window:
        window.resize(*PHONE)
        window.open(doors[0])
        shown(window, "烟感报警")
        until(lambda: window.run(WHOLE), within_s=150, what="the fall with its still, and the smoke")
        fall = window.run(WHOLE)
        keep(window, "phone")
        window.open(f"{doors[0].partition('/pair')[0]}/#/alerts/{fall}")
        until(
            lambda: window.run("return [...document.images].some(i => i.complete && i.naturalWidth > 300)"),
            what="the still",
        )
        window.run("[...document.images].find(i => i.naturalWidth > 300).scrollIntoView({block: 'center'})")
        keep(window, "evidence")
        window.resize(*WIDE)
        window.open(doors[1])
        shown(window, "值班告警")
        window.open(f"{doors[1].partition('/pair')[0]}/room")
        shown(window, "近 14 天告警")
        until(lambda: window.run("return !!document.querySelector('.cell.critical')"), what="the lit floor")
        counts = "[...document.querySelectorAll('[data-count] strong')]"
        counted = f"return {counts}.every(each => /^\\d+$/.test(each.textContent))"
        until(lambda: window.run(counted), what="the counters")
        keep(window, "room")
