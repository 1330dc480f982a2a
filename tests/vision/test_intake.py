"""A camera's frames from wherever they come: who hangs there is ended, who waits on purpose is not."""

import os
from pathlib import Path

import msgspec
import pytest

from gateway.vision.intake import Intake
from gateway.vision.ring import Ring
from tests.vision.test_worker import Running, setup

IMPATIENT = """
import sys
from gateway.vision import worker
worker.BEAT_S, worker.STUCK_S = 0.05, 0.3
worker.main(sys.argv[1:])
"""


def test_a_process_that_hangs_in_its_camera_s_driver_ends_and_says_so(tmp_path: Path) -> None:
    """A pipe that nobody writes to is waited for without end, as a USB camera is that has stalled."""
    os.mkfifo(tmp_path / "stalled")
    running = Running(
        msgspec.structs.replace(setup(tmp_path), url=str(tmp_path / "stalled"), password=""), "-c", IMPATIENT
    )
    assert running.process.stderr is not None
    said = running.process.stderr.read().decode()
    assert running.process.wait(10) == 1
    assert said.splitlines()[-1].startswith("it hung in the camera's driver or decoder for ")
    running.end()


def test_a_camera_that_is_away_for_long_is_waited_for_and_not_taken_for_stuck(tmp_path: Path) -> None:
    class Enough(Exception):  # noqa: N818
        pass

    now, seen = 0.0, list[float]()

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        seen.append(intake.stuck_s(now))
        if now > 600:
            raise Enough

    given = msgspec.structs.replace(setup(tmp_path), url=str(tmp_path / "none.mp4"), password="")
    intake = Intake(given, Ring(), send=lambda _: None, take=lambda _: None, clock=lambda: now, sleep=sleep)
    with pytest.raises(Enough):
        intake.run()
    assert max(seen) == 0.0
    assert (
        Intake(given, Ring(), send=lambda _: None, take=lambda _: None, clock=lambda: 5.0).stuck_s(9.0) == 4.0
    )
