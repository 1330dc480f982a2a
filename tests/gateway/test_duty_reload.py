"""A running desk: takes up its file anew on SIGHUP, one with mistakes changes nothing; says how it is when asked."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import desk_status
from gateway.terminal.words import Words
from tests.broker import until
from tests.gateway.test_duty import GOOD

SECOND = """
[[person]]
name = "warden-1"
role = "warden"
channels = [["phones", "warden-1"]]
"""


class Desk:
    """A running `compound-gateway desk`."""

    def __init__(self, folder: Path) -> None:
        self.file, self._log = folder / "desk.toml", folder / "log"
        self.file.write_text(GOOD)
        with self._log.open("wb") as log:
            command = [sys.executable, "-m", "gateway", "desk", "-v", "-c", str(self.file)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    @property
    def log(self) -> str:
        """Return what it has logged so far."""
        return self._log.read_text()

    def reload(self, text: str, told: str) -> None:
        """Have it read its file anew, and wait for what it says."""
        self.file.write_text(text)
        self.process.send_signal(signal.SIGHUP)
        until(lambda: told in self.log, what=told)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Run a desk without a broker."""
    made = Desk(tmp_path)
    until((tmp_path / "desk-files" / "new").exists, what="the desk")
    yield made
    made.process.kill()
    made.process.wait()


def test_a_file_with_mistakes_changes_nothing_and_a_good_one_is_taken_up(desk: Desk) -> None:
    desk.reload(GOOD.replace("duty_room", "boss"), "the one in force stays")
    assert "person[0].role" in desk.log
    assert desk.process.poll() is None
    desk.reload(GOOD + SECOND, "read anew: 2 people")
    desk.process.send_signal(signal.SIGTERM)
    assert desk.process.wait(20) == 0
    assert "Traceback" not in desk.log


def test_a_running_desk_says_how_it_is_in_words_and_as_a_document(desk: Desk) -> None:
    command = [sys.executable, "-m", "gateway", "desk", "status", "-c", str(desk.file)]
    asked = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    told = json.loads(asked.stdout)
    assert (told["open_alerts"], told["waiting"], told["failed"], told["quiet"], told["brokers"]) == (
        0, 0, 0, [], [],
    )  # fmt: skip
    for language, word in (("C", "0 alerts open"), ("zh_CN.UTF-8", "未处理完的告警 0 条")):
        shown = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "LC_ALL": language, "PYTHONUTF8": "1"},
        )
        assert word in shown.stdout


def test_what_needs_somebody_is_said_in_words() -> None:
    told = {
        "name": "street", "open_alerts": 2, "waiting": 1, "failed": 3,
        "quiet": [{"gateway": "hxtp-01", "since": 0.0}],
        "damaged": [{"zh": "请尽快换卡", "en": "replace the card"}],
        "brokers": [{"url": "mqtt://a", "name": "street", "since": None}],
        "intake": {"received": 5, "stored": 4, "alerts": 2, "last_fault": "OSError: disk full"},
        "evidence": {"kept": 1, "thrown_away": 0, "trouble": ""},
    }  # fmt: skip
    text = "\n".join(desk_status.lines(told, Words("en")))
    for wanted in (
        "mqtt://a (street) is not reached",
        "hxtp-01 is silent",
        "3 pages reached nobody",
        "replace the card",
        "disk full",
    ):
        assert wanted in text


def test_where_no_desk_runs_that_is_said(tmp_path: Path) -> None:
    file = tmp_path / "desk.toml"
    file.write_text(GOOD)
    command = [sys.executable, "-m", "gateway", "desk", "status", "-c", str(file)]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert asked.returncode == 1
    assert "Traceback" not in asked.stderr


def test_the_desk_of_a_file_with_mistakes_is_not_taken_for_another(tmp_path: Path) -> None:
    file = tmp_path / "desk.toml"
    file.write_text(GOOD + "\n[nonsense]\n")
    command = [sys.executable, "-m", "gateway", "desk", "status", "-c", str(file)]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert asked.returncode == 1
    assert "nonsense" in asked.stderr
