"""The demo's elder care: a fall that lasts, a bed left at night, and on each page as much as the resident agreed to."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.broker import needs_mosquitto, until
from tests.gateway.demo.test_facade import DOOR, let_in

FALL = "2 栋 1 单元 5 楼 2-1-5 可能有人跌倒"
BED = "2 栋 2 单元 3 楼 2-2-3 夜间起身后没有回床"
NOTE = "请按门铃并等一等"


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Callable[[], str]]:
    """The demo's chapter on care; returns what its terminal says so far. It is ended when the test is."""
    written = tmp_path / "written"
    command = [sys.executable, "-m", "gateway", "demo", "--port", "0", "--only", "care"]
    with written.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, env={**os.environ, "COLUMNS": "200"})
    yield lambda: written.read_text(encoding="utf-8")
    process.terminate()
    assert process.wait(30) == 0
    assert " 0 doubled, 0 missing" in written.read_text(encoding="utf-8")


class Phone:
    """A phone that was let in."""

    def __init__(self, door: str) -> None:
        self._url, self._cookie = let_in(door)

    def get(self, path: str) -> Any:
        """Return what the desk answers, once it does: it refuses who asks too often."""
        answers: list[Any] = []
        until(lambda: self._asked(path, answers), what=path)
        return answers[0]

    def _asked(self, path: str, answers: list[Any]) -> bool:
        request = urllib.request.Request(self._url + path, headers={"Cookie": self._cookie})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                answers.append(json.load(answer))
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 429:
                raise
        return bool(answers)

    def alerts(self) -> dict[str, Any]:
        """Return the open alerts about residents by their kind."""
        return {each["kind"]: each for each in self.get("/api/alerts")["alerts"] if each["hidden"]}


@needs_mosquitto
def test_the_chapter_on_care_is_told_in_pages_and_lines_and_shows_no_more_than_was_agreed_to(
    played: Callable[[], str],
) -> None:
    until(lambda: f"紧急报警  {FALL}" in played(), what="a fall that lasts", within_s=60)
    called, other = (Phone(door) for door in DOOR.findall(played()))
    until(lambda: "☎ 通知 property-1：2 栋 1 单元 5 楼 2-1-5：" in played(), what="a page with the door")
    until(lambda: "care.fall" in called.alerts(), what="the fall on a page")
    masked = other.alerts()["care.fall"]
    assert (masked["where"]["zh"], masked["what"]["zh"]) == ("2 栋 1 单元", "可能有人跌倒")
    whole = called.get(f"/api/alerts/{masked['alert']}")
    assert (whole["view"], whole["resident"]["code"]) == ("details", "2-1-5")
    assert NOTE in whole["resident"]["note"]

    until(lambda: f"重要报警  {BED}" in played(), what="a bed left at night", within_s=60)
    until(lambda: "☎ 通知 property-1：2 栋 2 单元 3 楼 2-2-3：" in played(), what="a page with the door")
    until(lambda: "care.bed_exit" in other.alerts(), what="the bed on a page")
    bed = other.alerts()["care.bed_exit"]
    assert bed["where"]["zh"] == "2 栋 2 单元"
    seen = called.get(f"/api/alerts/{bed['alert']}")
    assert (seen["view"], seen["resident"]) == ("place", None)  # who is called reads the door, and no more

    until(lambda: f"重要恢复  {BED}" in played(), what="somebody back in bed", within_s=60)
    assert "1 栋 1 单元 4 楼" not in played()  # nobody agreed there, and nothing was raised
    assert other.alerts().keys() == {"care.fall", "care.bed_exit"}
