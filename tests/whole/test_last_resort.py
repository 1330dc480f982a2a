"""A whole gateway whose desk is dead, whose broker is gone or swallows everything: people are told, and once."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.broker import needs_mosquitto, until
from tests.desk_service import Service, paging
from tests.faults.desk_rig import Desk
from tests.whole.street import Street, street

pytestmark = [needs_mosquitto, pytest.mark.slow]

AFTER_S = 5.0
SLACK_S = 5.0  # of a second's look, the detector's confirmation, two busy cores
TABLE = """
[[last_resort]]
kind = "webhook"
url = "{url}"
to = "13800000000"
success = {{ errcode = 0 }}
after_s = {after_s}
"""


@dataclass
class Night:
    """A street with a line of last resort, and a desk that a test may start."""

    street: Street
    pager: Service
    desk: Desk

    def burn(self) -> float:
        """Let a detector see smoke; return when."""
        self.street.sim.tell("set smoke-2-1-1 smoke 900")
        return time.monotonic()

    def page(self, began: float) -> None:
        """Wait for the page and see that it came in time, and in words."""
        until(lambda: self.pager.heard, what="the page")
        took = time.monotonic() - began
        assert AFTER_S - 1.0 < took < AFTER_S + SLACK_S, took
        assert "烟感报警" in self.pager.heard[0]["text"]
        assert "值班台没有应答" in self.pager.heard[0]["text"]
        assert self.pager.heard[0]["to"] == "13800000000"

    def recovered(self) -> None:
        """Wait until people are told that the desk answers again, and see that nothing was told twice."""
        until(lambda: len(self.pager.heard) == 2, what="the desk answers", within_s=90)
        assert "已恢复应答" in self.pager.heard[1]["text"]
        event = self.street.wait_for_alert("cleared", kind="uplink.desk_silent")
        assert event["data"]["severity"] == "major"
        time.sleep(2.0)
        assert len(self.pager.heard) == 2


@contextmanager
def night(folder: Path) -> Iterator[Night]:
    """Have a night in which nobody is at the desk."""
    with paging() as pager, street(folder) as around:
        around.text = around.text.replace("[mqtt]\n", '[mqtt]\nconfirm = "desk"\n')
        around.text += TABLE.format(url=pager.url, after_s=AFTER_S)
        desk = Desk(folder, "street", str(folder / "desk.db"), around.broker.port, "http://127.0.0.1:9/none")
        try:
            yield Night(around, pager, desk)
        finally:
            desk.kill()


def test_a_dead_desk_is_stood_in_for_once_also_over_a_restart_and_takes_over_when_it_returns(
    tmp_path: Path,
) -> None:
    with night(tmp_path) as scene:
        with scene.street.gateway() as gateway:
            scene.page(scene.burn())
            until(lambda: gateway.ask("status")["last_resort"]["told"] == 1, what="the told one counted")
            status = gateway.ask("status")["last_resort"]
            assert (status["silent"], status["failed"]) == (True, 0)
            assert [each["kind"] for each in gateway.ask("alerts") if each["kind"] == "uplink.desk_silent"]
        with scene.street.gateway():
            time.sleep(AFTER_S + 3.0)
            assert len(scene.pager.heard) == 1, "a restart tells nothing twice"
            scene.desk.start()
            scene.recovered()


def test_a_broker_that_is_gone_and_one_that_swallows_everything_are_the_same_to_people(
    tmp_path: Path,
) -> None:
    with night(tmp_path) as scene, scene.street.gateway():
        scene.desk.start()
        os.kill(scene.street.broker.pid, signal.SIGSTOP)
        began = scene.burn()
        scene.page(began)
        os.kill(scene.street.broker.pid, signal.SIGCONT)
        scene.recovered()
        scene.pager.heard.clear()
        scene.street.broker.kill()
        scene.street.sim.tell("set smoke-1-1-1 smoke 900")
        scene.page(time.monotonic())
        scene.street.broker.start()
        until(lambda: len(scene.pager.heard) == 2, what="the desk answers", within_s=90)
        assert "已恢复应答" in scene.pager.heard[1]["text"]


def test_a_desk_that_answers_leaves_the_last_resort_alone(tmp_path: Path) -> None:
    with night(tmp_path) as scene, scene.street.gateway() as gateway:
        scene.desk.start()
        scene.burn()
        scene.street.wait_for_alert("raised", kind="fire.smoke")
        time.sleep(AFTER_S + 2.0)
        assert scene.pager.heard == []
        assert gateway.ask("status")["last_resort"]["silent"] is False
