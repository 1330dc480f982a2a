"""The whole gateway at its limits: no descriptors, a disk that hangs, a clock of 1970, a hub that resets."""

import os
import resource
import signal
from pathlib import Path

import pytest

from tests.broker import needs_mosquitto, until
from tests.faults.disk import disk, needs_disks
from tests.faults.soak.site import FAKETIME
from tests.whole.street import street

pytestmark = needs_mosquitto
FIRST, SECOND = "smoke-1-1-1", "smoke-2-1-1"
ROUNDS = 40  # polls of a line: more than two of each device


def test_a_gateway_without_a_descriptor_left_keeps_its_fire_and_tells_it_when_there_is_one(
    tmp_path: Path,
) -> None:
    with street(tmp_path) as compound, compound.gateway() as gateway:
        until(lambda: compound.state(FIRST).get("online"), what="the detector")
        pid = gateway.process.pid
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")), 1024))
        compound.broker.kill()
        compound.sim.tell(f"set {FIRST} smoke 900")
        compound.broker.start()
        until(lambda: "Too many open files" in gateway.log.read_text(), what="the trouble in the log")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (1024, 1024))
        compound.wait_for_alert("raised", kind="fire.smoke", device=FIRST)
        assert gateway.process.poll() is None


@needs_disks
@pytest.mark.parametrize("reload", [False, True], ids=["alone", "and a reload waits for it"])
def test_a_disk_that_hangs_stops_no_line_and_its_fire_is_delivered_when_it_wakes(
    tmp_path: Path, *, reload: bool
) -> None:
    with disk(tmp_path / "state") as card, street(tmp_path) as compound:
        with compound.gateway() as gateway:
            until(lambda: compound.state(FIRST).get("online"), what="the detector")
            card.stall()
            if reload:
                gateway.process.send_signal(signal.SIGHUP)
            compound.sim.tell(f"set {FIRST} smoke 900")
            before = compound.sim.requests()
            until(
                lambda: all(count > before[line] + ROUNDS for line, count in compound.sim.requests().items()),
                what="polls beside a disk that hangs",
            )
            card.resume()
            compound.wait_for_alert("raised", kind="fire.smoke", device=FIRST)
        assert len({event["subject"] for event in compound.alerts(kind="fire.smoke")}) == 1


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")
def test_a_gateway_that_boots_in_1970_tells_a_fire_and_that_its_clock_is_wrong(tmp_path: Path) -> None:
    clock = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME": "@1970-01-01 00:01:00",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with street(tmp_path) as compound, compound.gateway(environment=clock):
        compound.sim.tell(f"set {FIRST} smoke 900")
        alert = compound.wait_for_alert("raised", kind="fire.smoke", device=FIRST)
    assert alert["time"].startswith("1970-01-01")
    assert alert["data"]["clock"] == "unsynced"


def test_a_hub_that_resets_gives_every_line_back_its_own_devices(tmp_path: Path) -> None:
    """All adapters vanish at once and come back in another order, each under another number and its lasting name."""
    with street(tmp_path) as compound, compound.gateway():
        lines = [bus["name"] for bus in compound.sim.bus]
        until(lambda: compound.state(FIRST).get("online"), what="the detector")
        for line in lines:
            compound.sim.tell(f"unplug {line}")
        until(
            lambda: len({e["subject"] for e in compound.alerts(kind="bus.down")}) == len(lines),
            what="all down",
        )
        for line in reversed(lines):
            compound.sim.tell(f"replug {line}")
        compound.sim.tell(f"set {SECOND} smoke 900")
        compound.wait_for_alert("raised", kind="fire.smoke", device=SECOND)
        assert {event["data"]["device"] for event in compound.alerts(kind="fire.smoke")} == {SECOND}
