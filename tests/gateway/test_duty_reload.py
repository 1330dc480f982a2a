"""SIGHUP: a desk takes up its file anew; one with mistakes changes nothing, and says so."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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
